import assert from "node:assert/strict";
import fc from "fast-check";
import { LARGEST_SCORE } from "../../src/entities/tournaments/precision.ts";
import type { BoardKey, BoardRules } from "../../src/stores/tournaments/Leaderboard.ts";
import { LARGEST_SUBSCORE } from "../../src/stores/tournaments/scoring.ts";
import { LeaderboardModel } from "./LeaderboardModel.ts";
import { freshBoard, LEADERBOARDS, type OpenLeaderboard } from "./leaderboards.ts";

/** `SEED=<seed> npx mocha test/contracts/leaderboardModel.test.ts` replays a run; `RUNS` sets how many histories it tries. */
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env.RUNS ?? 150);

/** `which`: an id never used, one used before by this player, or one used by anybody. `late` is how far the node's clock is behind. */
interface Request {
  player: number;
  score: number;
  subscore: number;
  which: "fresh" | "own" | "any";
  any: number;
  isNew: boolean;
  late: number;
}

/** Submissions that are under way together; a while that passes; or the loss of the board and its rebuild. */
type Step = { together: Request[] } | { pass: number } | { rebuild: { wiped: boolean; lost: number; order: number } };

/** Few, so that many are equal; and the edges of what is kept exactly. */
const score = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -3, max: 3 }) },
  { weight: 2, arbitrary: fc.constantFrom(LARGEST_SCORE, LARGEST_SCORE - 1, -LARGEST_SCORE, 1 - LARGEST_SCORE) },
  { weight: 2, arbitrary: fc.integer({ min: -LARGEST_SCORE, max: LARGEST_SCORE }) },
);
const subscore = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -1, max: 1 }) },
  { weight: 1, arbitrary: fc.integer({ min: -LARGEST_SUBSCORE, max: LARGEST_SUBSCORE }) },
);
const request: fc.Arbitrary<Request> = fc.record({
  player: fc.nat({ max: 59 }),
  score,
  subscore,
  which: fc.constantFrom("fresh", "fresh", "fresh", "fresh", "own", "any"),
  any: fc.nat({ max: 99 }),
  isNew: fc.boolean(),
  late: fc.constantFrom(0, 0, 0, 0, 1, 30_000, 90_000),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ together: fc.array(request, { minLength: 1, maxLength: 10 }) }) },
  { weight: 2, arbitrary: fc.record({ pass: fc.constantFrom(1, 20_000, 59_999, 60_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      rebuild: fc.record({ wiped: fc.boolean(), lost: fc.nat({ max: 5 }), order: fc.boolean().map(Number) }),
    }),
  },
);
const bounds = fc.constantFrom(
  { minScore: -LARGEST_SCORE, maxScore: LARGEST_SCORE },
  { minScore: -LARGEST_SCORE, maxScore: LARGEST_SCORE },
  { minScore: -2, maxScore: 3 },
  { minScore: 0, maxScore: LARGEST_SCORE },
);
const rules: fc.Arbitrary<BoardRules> = fc
  .record({
    operator: fc.constantFrom("best", "sum", "last", "increment"),
    order: fc.constantFrom("desc", "asc"),
    maxEntries: fc.constantFrom(3, 12, 1000),
    maxSubmissions: fc.constantFrom(20, 1000, 1000),
    submissionsPerMinute: fc.constantFrom(2, 10, 1000),
    bounds,
  })
  .map(({ bounds: { minScore, maxScore }, ...rest }) => ({ ...rest, minScore, maxScore }));
const history = fc.record({
  rules,
  players: fc.integer({ min: 1, max: 20 }),
  steps: fc.array(step, { minLength: 1, maxLength: 40, size: "max" }),
});

/** Takes the same steps with the leaderboard and the model, and compares every answer and every view. */
class Trial {
  readonly #open: OpenLeaderboard;
  readonly #board: BoardKey;
  readonly #model: LeaderboardModel;
  readonly #players: number;
  #now = 1_700_000_000_000;
  #epoch = 1;
  #fresh = 0;

  constructor(open: OpenLeaderboard, rules: BoardRules, players: number) {
    this.#open = open;
    this.#board = freshBoard(rules);
    this.#model = new LeaderboardModel(rules, this.#epoch);
    this.#players = players;
  }

  async run(steps: readonly Step[]): Promise<void> {
    const { leaderboard } = this.#open;
    assert.equal(await leaderboard.load(this.#board, { epoch: this.#epoch, submissions: 0, players: [] }), true);
    for (const [index, step] of steps.entries()) {
      if ("pass" in step) this.#now += step.pass;
      else if ("rebuild" in step) await this.#rebuild(step.rebuild);
      else await this.#submit(step.together);
      await this.#compareViews(index);
    }
    await leaderboard.drop(this.#board);
  }

  /** Submissions of one turn are decided in order, so the model takes them one by one. */
  async #submit(requests: readonly Request[]): Promise<void> {
    const both = requests.map((request) => {
      const playerId = this.#playerOf(request.player);
      const submission = {
        ...{ playerId, playerName: `"${playerId}" Ünal 🎪 ${request.any % 3}`, now: this.#now - request.late },
        ...{ score: request.score, subscore: request.subscore, submissionId: this.#submissionOf(playerId, request) },
        ...(request.isNew && { isNew: true }),
      };
      const expected = structuredClone(this.#model.submit(submission));
      return { expected, asked: this.#open.leaderboard.submit(this.#board, submission) };
    });
    for (const { expected, asked } of both) assert.deepEqual(await asked, expected);
  }

  #playerOf(number: number): string {
    return `player-${(number % this.#players) + 1}`;
  }

  #submissionOf(playerId: string, { which, any }: Request): string {
    if (which === "own") {
      const own = this.#model.submissionsOf(playerId);
      const used = own[own.length - 1 - (any % own.length)];
      if (used !== undefined) return used;
    }
    if (which === "any") return `any-${any % 5}`;
    this.#fresh += 1;
    return `fresh-${this.#fresh}`;
  }

  async #rebuild({ wiped, lost, order }: { wiped: boolean; lost: number; order: number }): Promise<void> {
    const { leaderboard, wipe } = this.#open;
    if (wiped) {
      await wipe(this.#board);
      assert.equal(await leaderboard.page(this.#board, 0, 1), undefined);
    }
    this.#epoch += 1;
    const { submissions, players } = structuredClone(this.#model.rebuild(this.#epoch, lost));
    const snapshot = { epoch: this.#epoch, submissions, players: order === 0 ? players : players.toReversed() };
    assert.equal(await leaderboard.load(this.#board, snapshot), true);
    assert.equal(await leaderboard.load(this.#board, { ...snapshot, players: [] }), false);
  }

  async #compareViews(index: number): Promise<void> {
    const { leaderboard } = this.#open;
    const [offset, limit, playerId] = [index % 7, index % 5, this.#playerOf(index)];
    const views = await Promise.all([
      leaderboard.page(this.#board, 0, 100),
      leaderboard.page(this.#board, offset, limit),
      leaderboard.around(this.#board, playerId, limit),
    ]);
    const expected = [this.#model.page(0, 100), this.#model.page(offset, limit), this.#model.around(playerId, limit)];
    assert.deepEqual(views, expected);
  }
}

for (const { name, open } of LEADERBOARDS) {
  describe(`${name} against a model`, function () {
    this.timeout(120_000);
    let opened: OpenLeaderboard;
    before(async () => {
      console.log(`      seed ${SEED} (SEED=${SEED} replays)`);
      opened = await open();
    });
    after(() => opened.close());

    it("answers every history of submissions, waits and rebuilds as the model does", async () => {
      await fc.assert(
        fc.asyncProperty(history, ({ rules, players, steps }) => new Trial(opened, rules, players).run(steps)),
        { seed: SEED, numRuns: RUNS },
      );
    });
  });
}
