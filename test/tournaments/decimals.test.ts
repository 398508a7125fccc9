import assert from "node:assert/strict";
import fc from "fast-check";
import { LOBBY_TOPIC } from "../../src/actors/runtime/Actor.ts";
import type { TournamentOutcome } from "../../src/actors/tournaments/state.ts";
import { decimalOf, LARGEST_SCORE, MOST_DIGITS, unitsOf } from "../../src/entities/tournaments/precision.ts";
import type { Order, ScoreOperator, TournamentTerms } from "../../src/entities/tournaments/Tournament.ts";
import { MemoryLeaderboard } from "../../src/stores/tournaments/MemoryLeaderboard.ts";
import { pointsText } from "../../web/src/points.ts";
import { ManualClock } from "../actors/simulation.ts";
import { LEADERBOARDS } from "../contracts/leaderboards.ts";
import { DATABASES } from "../hunts/ledgerJournals.ts";
import { openDatabase } from "../support/database.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { fastClock, type Service, TournamentCluster } from "./TournamentCluster.ts";

/** `SEED=<seed> npx mocha test/tournaments/decimals.test.ts` replays a run; `RUNS` sets how many tournaments it tries. */
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env.RUNS ?? 6);

const refusalOf = async (work: Promise<unknown>): Promise<{ code: string; message: string; details: unknown }> =>
  await work.then(
    () => assert.fail("it was taken"),
    (reason) => reason,
  );

describe("scores with digits after the point", () => {
  let cluster: TournamentCluster<ManualClock>;
  let a: Service;

  beforeEach(async () => {
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    cluster = new TournamentCluster(new ManualClock(), database, new MemoryLeaderboard());
  });
  afterEach(() => cluster.database.close());

  const open = async (plan: Partial<TournamentTerms>): Promise<void> => {
    cluster.plan = plan;
    a = await cluster.join("a");
  };

  it("add up to what they are: 0.1 + 0.2 + 0.3 ranks before a later 0.6", async () => {
    await open({ operator: "sum", order: "asc", precision: 1 });
    for (const score of [0.1, 0.2, 0.3]) await a.submit("ann", `s${score}`, score);
    assert.deepEqual(await a.submit("bob", "s1", 0.6), { rank: 2, best: 0.6, entries: 1 });
  });

  it("go down to 0 by steps: 0.3 - 3 x 0.1", async () => {
    await open({ operator: "increment", minScore: 0, precision: 1 });
    await a.submit("ann", "up", 0.3);
    for (const n of [1, 2]) await a.submit("ann", `down${n}`, -0.1);
    assert.deepEqual(await a.submit("ann", "down3", -0.1), { rank: 1, best: 0, entries: 4 });
  });

  it("are refused with the game's precision when they have more digits", async () => {
    await open({ precision: 2, game: "golf" });
    for (const score of [0.125, 0.1 + 0.2, 1 / 3, 1e-7, Number.MIN_VALUE]) {
      const { code, message } = await refusalOf(a.submit("ann", "s1", score));
      assert.equal(code, "invalid_payload");
      assert.match(message, /score.*no more digits after the point than 2, the precision of golf/);
    }
    assert.equal((await a.submit("ann", "s1", 999.99)).best, 999.99);
  });

  it("are whole in a tournament of before games had a precision", async () => {
    await open({});
    assert.equal((await refusalOf(a.submit("ann", "s1", 0.5))).code, "invalid_payload");
    assert.equal((await a.submit("ann", "s1", 5)).best, 5);
  });

  it("are refused as none of the game's where they, or what comes of them, are too large to be kept exactly", async () => {
    await open({ operator: "sum", precision: 6, minScore: -1e9, maxScore: 1e9 });
    for (const score of [1e9 + 1, 1e15, 1e300, -Number.MAX_VALUE]) {
      const { code, details } = await refusalOf(a.submit("ann", "s1", score));
      assert.deepEqual([code, details], ["score_refused", { min: -1e9, max: 1e9 }]);
    }
    assert.equal((await a.submit("ann", "s1", 999_999_999.999999)).best, 999_999_999.999999);
    assert.equal((await refusalOf(a.submit("ann", "s2", 0.000002))).code, "score_refused");
    assert.equal((await a.submit("ann", "s3", 0.000001)).best, 1e9);
  });

  it("are within the game's bounds by their decimals, bounds included", async () => {
    await open({ precision: 1, minScore: 0.3, maxScore: 0.7 });
    for (const score of [0.2, 0.8]) assert.equal((await refusalOf(a.submit("ann", "s1", score))).code, "score_refused");
    for (const score of [0.3, 0.7]) assert.equal((await a.submit("ann", `s${score}`, score)).best, score);
  });

  it("are to a game's own check what its client wrote", async () => {
    const checked: number[] = [];
    cluster.plan = { precision: 3 };
    const checks = { snake: async ({ score }: { score: number }) => checked.push(score) > 0 };
    a = await cluster.join("a", { checks });
    await a.submit("ann", "s1", 0.007);
    assert.deepEqual(checked, [0.007]);
  });
});

describe("a score in units of a precision", () => {
  const precision = fc.integer({ min: 0, max: MOST_DIGITS });
  const units = fc.integer({ min: -LARGEST_SCORE, max: LARGEST_SCORE }).map((value) => value + 0);

  it("reads, prints and is read again as the same decimal", () => {
    fc.assert(
      fc.property(units, precision, (value, digits) => {
        const decimal = decimalOf(value, digits);
        assert.equal(unitsOf(decimal, digits), value);
        assert.equal(unitsOf(JSON.parse(JSON.stringify(decimal)), digits), value);
        assert.equal(Number(written(BigInt(value), digits)), decimal);
      }),
      { seed: SEED, numRuns: 10_000 },
    );
  });

  it("is shown on the player's page with all of its digits", () => {
    const shown = [1_234_567_000_001, -5, 100_000].map((value) => pointsText(decimalOf(value, MOST_DIGITS)));
    assert.deepEqual(shown, ["1,234,567.000001", "-0.000005", "0.1"]);
  });

  it("is none of one with a digit more", () => {
    const digits = fc.integer({ min: 0, max: MOST_DIGITS - 1 });
    const less = fc.integer({ min: -LARGEST_SCORE / 100, max: LARGEST_SCORE / 100 });
    fc.assert(
      fc.property(less, digits, fc.integer({ min: 1, max: 9 }), (value, precise, more) => {
        assert.equal(unitsOf(decimalOf(value * 10 + more, precise + 1), precise), undefined);
      }),
      { seed: SEED, numRuns: 10_000 },
    );
  });
});

/** So many units as a decimal. */
function written(units: bigint, digits: number): string {
  const text = String(units < 0n ? -units : units).padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits);
  return `${units < 0n ? "-" : ""}${whole}${digits === 0 ? "" : "."}${text.slice(text.length - digits)}`;
}

interface Round {
  operator: ScoreOperator;
  order: Order;
  precision: number;
  /** In units. */
  scores: { player: number; units: number }[];
}

const round: fc.Arbitrary<Round> = fc.record({
  operator: fc.constantFrom("best", "sum", "last", "increment"),
  order: fc.constantFrom("desc", "asc"),
  precision: fc.integer({ min: 0, max: MOST_DIGITS }),
  scores: fc.array(
    fc.record({
      player: fc.nat({ max: 4 }),
      units: fc.oneof(
        { weight: 5, arbitrary: fc.integer({ min: -20, max: 20 }) },
        { weight: 1, arbitrary: fc.integer({ min: -1e13, max: 1e13 }) },
      ),
    }),
    { minLength: 8, maxLength: 24 },
  ),
});

/** What whole numbers of any size make of the scores: who stands where. */
function exactly({ operator, order, scores }: Round): { player: number; counts: bigint }[] {
  const sign = order === "desc" ? 1n : -1n;
  const standings = new Map<number, { counts: bigint; reached: number }>();
  for (const [at, { player, units }] of scores.entries()) {
    const before = standings.get(player)?.counts;
    const score = BigInt(units);
    let counts = score;
    if (before !== undefined && (operator === "sum" || operator === "increment")) counts = before + score;
    if (before !== undefined && operator === "best" && sign * (score - before) <= 0n) counts = before;
    if (counts !== before) standings.set(player, { counts, reached: at });
  }
  return [...standings]
    .sort(([, a], [, b]) =>
      a.counts === b.counts ? a.reached - b.reached : sign * (b.counts - a.counts) < 0n ? -1 : 1,
    )
    .map(([player, { counts }]) => ({ player, counts }));
}

for (const [index, { name, open }] of LEADERBOARDS.entries()) {
  const { name: databaseName, open: openIts } = DATABASES[index]!;

  describe(`tournaments on ${name} and ${databaseName}`, function () {
    this.timeout(180_000);

    async function play(given: Round): Promise<void> {
      const [opened, database] = await Promise.all([open(), openIts()]);
      const cluster = new TournamentCluster(fastClock, database, opened.leaderboard);
      try {
        const { operator, order, precision } = given;
        const bounds = {
          minScore: decimalOf(-LARGEST_SCORE, precision),
          maxScore: decimalOf(LARGEST_SCORE, precision),
        };
        cluster.plan = { operator, order, precision, ...bounds, endsAt: fastClock.now() + 3_600_000 };
        const service = await cluster.join("a");
        await compare(cluster, service, given);
        await service.node.crash();
      } finally {
        await opened.close();
        await database.close();
      }
    }

    async function compare(cluster: TournamentCluster, service: Service, given: Round): Promise<void> {
      const { precision, scores } = given;
      for (const [at, { player, units }] of scores.entries()) {
        const answer = await service.submit(`p${player}`, `s${at}`, Number(written(BigInt(units), precision)));
        const expected = exactly({ ...given, scores: scores.slice(0, at + 1) });
        const rank = expected.findIndex((each) => each.player === player) + 1;
        const best = Number(written(expected[rank - 1]!.counts, precision));
        assert.deepEqual([answer.rank, answer.best], [rank, best], `score ${at}`);
      }
      const standings = exactly(given).map(({ player, counts }, at) => [
        at + 1,
        `p${player}`,
        written(counts, precision),
      ]);
      const shown = async () =>
        (await service.service.standings("t", { limit: 100 })).rows.map(({ rank, playerId, score }) => [
          ...[rank, playerId],
          written(BigInt(unitsOf(score, precision)!), precision),
        ]);
      assert.deepEqual(await shown(), standings, "on the board");
      await cluster.lose();
      assert.deepEqual(await service.service.standings("t", { limit: 50, offset: 50 }), {
        rows: [],
        total: standings.length,
      });
      assert.deepEqual(await shown(), standings, "on the board that was loaded from the database");
      for (let phase = 0; phase < 2; phase += 1) await cluster.actor(service).end();
      const isSettled = async () => (await cluster.tournaments.get("t"))!.phase === "settled";
      await until(isSettled, { what: "it is settled", timeoutMs: DEADLINE_MS });
      await until(() => service.row.tournament.phase === "settled", { what: "its rooms know", timeoutMs: DEADLINE_MS });
      assert.deepEqual(await shown(), standings, "once it is settled");
      const told = (await cluster.feed.read(LOBBY_TOPIC, undefined)).events.find(
        ({ type }) => type === "tournamentSettled",
      );
      assert.deepEqual(
        (told!.data as TournamentOutcome).winners.map(({ score }) =>
          written(BigInt(unitsOf(score, precision)!), precision),
        ),
        standings.slice(0, 3).map(([, , score]) => score),
        "as the lobby is told",
      );
    }

    it(`rank decimals as exact arithmetic does (SEED=${SEED} replays)`, async () => {
      await fc.assert(fc.asyncProperty(round, play), { seed: SEED, numRuns: RUNS });
    });
  });
}
