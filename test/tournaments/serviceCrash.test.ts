import assert from "node:assert/strict";
import { type Rng, seededRng } from "../../src/clock.ts";
import { exactDouble } from "../../src/entities/sql.ts";
import { decimalOf } from "../../src/entities/tournaments/precision.ts";
import { bestToBe } from "../../src/entities/tournaments/Standings.ts";
import type { Order, ScoreOperator } from "../../src/entities/tournaments/Tournament.ts";
import { combine } from "../../src/stores/tournaments/scoring.ts";
import { LEADERBOARDS, type OpenLeaderboard } from "../contracts/leaderboards.ts";
import { DATABASES } from "../hunts/ledgerJournals.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { FaultyJournal, FaultyLeaderboard, type Mishap } from "./faults.ts";
import { fastClock, type Service, TournamentCluster } from "./TournamentCluster.ts";

/** `SEED=<seed> npx mocha test/tournaments/serviceCrash.test.ts` replays a run; `RUNS` sets how many tournaments it tries. */
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env.RUNS ?? 3);
const PLAYERS = 6;
const DEVICES = 2;
const SUBMISSIONS = 14;
/** Digits of a score after the point. */
const PRECISION = 3;
/** The node that dies. */
const MORTAL = "c";
/** What a submission may end with that its player is to repeat. */
const REPEATABLE = ["unavailable", "overloaded", "not_delivered", "outcome_unknown"];
/** What `score_entries` must say of a submission, as its player was told. */
type Told = [rank: number, best: number, entries: number];

/** Nodes that lose what they decide and commit, and players who ask again, or do not. */
class Trial {
  readonly #rng: Rng;
  readonly #opened: OpenLeaderboard;
  readonly #cluster: TournamentCluster;
  readonly #services: Service[] = [];
  /** By player and submission. */
  readonly #told = new Map<string, Told>();
  readonly #sent = new Map<string, number>();
  /** Rejects once the node has died that is to die. */
  readonly #died = Promise.withResolvers<never>();
  #isCalm = false;
  #hasDied = false;
  readonly operator: ScoreOperator;
  readonly order: Order;

  constructor(seed: number, opened: OpenLeaderboard, cluster: TournamentCluster) {
    this.#rng = seededRng(seed);
    this.#opened = opened;
    this.#cluster = cluster;
    this.operator = this.#oneOf(["best", "sum", "last", "increment"]);
    this.order = this.#oneOf(["asc", "desc"]);
    this.#died.promise.catch(() => {});
  }

  async run(): Promise<void> {
    const { operator, order } = this;
    const endsAt = fastClock.now() + 24 * 3_600_000;
    this.#cluster.plan = { operator, order, endsAt, minScore: -1e9, maxScore: 1e9, precision: PRECISION };
    for (const id of ["a", "b", MORTAL]) this.#services.push(await this.#node(id));
    const players = this.#players(SUBMISSIONS);
    await until(() => this.#told.size > PLAYERS * 4, { what: "some scores are taken", timeoutMs: DEADLINE_MS });
    this.#hasDied = true;
    await this.#services.pop()!.node.crash();
    this.#died.reject(Object.assign(new Error("the node has died"), { code: "unavailable" }));
    await players;
    this.#isCalm = true;
    await this.#checkBoard();
    await this.#checkEntries();
    await this.#end();
    await this.#checkEntries();
    for (const { node } of this.#services) await node.crash();
  }

  async #node(id: string): Promise<Service> {
    const journal = new FaultyJournal(this.#cluster.database, fastClock);
    const leaderboard = new FaultyLeaderboard(this.#opened.leaderboard);
    journal.fate = () => this.#mishap();
    leaderboard.fate = () => this.#mishap();
    journal.before = async () => {
      await this.#whileAlive(id);
      if (!this.#isCalm && this.#rng.next() < 0.1)
        await new Promise<void>((resolve) => void fastClock.schedule(resolve, 1000 * this.#rng.next()));
    };
    leaderboard.before = async (board) => {
      await this.#whileAlive(id);
      if (!this.#isCalm && this.#rng.next() < 0.02) await this.#opened.wipe(board);
    };
    return await this.#cluster.join(id, { journal, leaderboard });
  }

  /** The dead decide and commit nothing more. */
  async #whileAlive(id: string): Promise<void> {
    if (id === MORTAL && this.#hasDied) await new Promise<never>(() => {});
  }

  #mishap(): Mishap {
    const roll = this.#isCalm ? 1 : this.#rng.next();
    if (roll < 0.06) return "not done";
    return roll < 0.12 ? "not told" : undefined;
  }

  /** Each of a player's devices sends what it has, and now and then something that was sent before. */
  #players(submissions: number): Promise<unknown> {
    const devices = Array.from({ length: PLAYERS * DEVICES }, async (_, at) => {
      const player = `p${at % PLAYERS}`;
      for (let n = 0; n < submissions; n += 1) {
        await this.#send(player, this.#isCalm ? `late-${at}-${n}` : `s-${at}-${n}`);
        const again = this.#oneOf([...this.#sent.keys()].filter((key) => key.startsWith(`${player} `)));
        if (this.#rng.next() < 0.3) await this.#send(player, again.slice(player.length + 1));
      }
    });
    return Promise.all(devices);
  }

  /** Sends it until it is answered, or for a few times only: players give up. */
  async #send(player: string, submissionId: string): Promise<void> {
    const key = `${player} ${submissionId}`;
    const score = this.#sent.get(key) ?? decimalOf(Math.round(this.#rng.next() * 2e6) - 1e6, PRECISION);
    this.#sent.set(key, score);
    for (let deadline = this.#rng.next() < 0.5 ? 50 : 1; deadline > 0; deadline -= 1) {
      const service = this.#oneOf(this.#services);
      const submitted = service.submit(player, submissionId, score);
      const heard = service.node.id === MORTAL ? Promise.race([submitted, this.#died.promise]) : submitted;
      const answer = await heard.catch((error: { code: string }) => error.code);
      if (typeof answer === "object") {
        const told: Told = [answer.rank, answer.best, answer.entries];
        assert.deepEqual(told, this.#told.get(key) ?? told, `${key} was told one thing and then another`);
        this.#told.set(key, told);
        return;
      }
      if (this.#isCalm && answer === "wrong_phase") return;
      assert.ok(REPEATABLE.includes(answer), `${key}: ${answer}`);
    }
  }

  /** It ends in the middle of a last rush: what is told then must be in the standings, too. */
  async #end(): Promise<void> {
    const [service] = this.#services as [Service];
    const rush = this.#players(30);
    const before = this.#told.size;
    await until(() => this.#told.size > before + PLAYERS, {
      what: "some late scores are taken",
      timeoutMs: DEADLINE_MS,
    });
    await this.#cluster.actor(service).end();
    await this.#cluster.actor(service).end();
    const isSettled = async (): Promise<boolean> => (await this.#cluster.tournaments.get("t"))!.phase === "settled";
    await until(isSettled, { what: "it is settled", timeoutMs: DEADLINE_MS });
    const standings = await this.#cluster.database.query<{ player_id: string; entries: unknown }>(
      "SELECT player_id, entries FROM standings WHERE tournament_id = 't'",
    );
    await rush;
    const byPlayer = Map.groupBy(await this.#cluster.committed(), ([player]) => player);
    assert.deepEqual(
      new Map(standings.map(({ player_id, entries }) => [player_id, Number(entries)])),
      new Map([...byPlayer].map(([player, rows]) => [player, rows.length])),
      "something was committed after the freeze",
    );
  }

  /** In the end the board shows what is committed, also of what nobody has asked again for. */
  async #checkBoard(): Promise<void> {
    const { leaderboard, database } = this.#cluster;
    const key = await this.#cluster.key();
    const isRight = async (): Promise<boolean> => {
      const committed = await bestToBe(database, { id: "t", order: this.order }, 100);
      const board = await leaderboard.page(key, 0, 100);
      if (board) assert.deepEqual(board.rows, committed);
      return true;
    };
    await until(isRight, { what: "the board is what is committed", timeoutMs: DEADLINE_MS });
  }

  async #checkEntries(): Promise<void> {
    const { database } = this.#cluster;
    const exact = (column: string): string => `${exactDouble(database.dialect, column)} AS ${column}`;
    const rows = await database.query<Record<string, unknown>>(
      `SELECT player_id, entry_no, submission_id, told_rank, ${exact("score")}, ${exact("best")} FROM score_entries
      WHERE tournament_id = 't' ORDER BY player_id, entry_no`,
    );
    const stored = new Map<string, Told>();
    for (const [player, entries] of Map.groupBy(rows, (row) => String(row.player_id))) {
      let counts: { score: number; subscore: number } | undefined;
      for (const [at, row] of entries.entries()) {
        const key = `${player} ${row.submission_id}`;
        assert.equal(Number(row.entry_no), at + 1, `${player} has a gap`);
        assert.ok(!stored.has(key), `${key} was counted twice`);
        assert.equal(decimalOf(Number(row.score), PRECISION), this.#sent.get(key));
        counts = combine(this.operator, this.order, counts, { score: Number(row.score), subscore: 0 });
        assert.equal(Number(row.best), counts.score);
        const best = decimalOf(Number(row.best), PRECISION);
        stored.set(key, [Number(row.told_rank), best, Number(row.entry_no)]);
      }
    }
    for (const [key, told] of this.#told) assert.deepEqual(stored.get(key), told, `${key} was told and is not so`);
  }

  #oneOf<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#rng.next() * choices.length)]!;
  }
}

for (const [index, { name, open }] of LEADERBOARDS.entries()) {
  const { name: databaseName, open: openDatabase } = DATABASES[index]!;
  describe(`services on ${name} and ${databaseName}, with nodes that die and replies that are lost`, function () {
    this.timeout(120_000);

    for (let run = 0; run < RUNS; run += 1) {
      const seed = SEED + run;
      it(`count everything once that was told, and nothing that was not sent (SEED=${seed} RUNS=1 replays)`, async () => {
        const [opened, database] = await Promise.all([open(), openDatabase()]);
        try {
          await new Trial(seed, opened, new TournamentCluster(fastClock, database, opened.leaderboard)).run();
        } finally {
          await opened.close();
          await database.close();
        }
      });
    }
  });
}
