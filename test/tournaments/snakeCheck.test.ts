import assert from "node:assert/strict";
import fc from "fast-check";
import type { CheckedScore } from "../../src/actors/tournaments/ScoreCheck.ts";
import { checkSnake } from "../../src/actors/tournaments/snakeCheck.ts";
import { begin, replay, STAR_POINTS, TUNE_STEPS } from "../../src/games/snake.ts";
import { playSnake } from "../support/snakeRound.ts";

const AN_HOUR = 3_600_000;
const seed = fc.nat({ max: 2 ** 32 - 1 });

describe("the check of Snake's scores", () => {
  const passes = (change: Partial<CheckedScore>): Promise<boolean> => {
    const run = { id: "r", seed: 1, begunAt: 0 };
    const submission = { tournamentId: "t", game: "snake", playerId: "ann", submissionId: "r", score: 0, subscore: 0 };
    return checkSnake({ ...submission, run, takenAt: AN_HOUR, ...change }, new AbortController().signal);
  };

  it("passes every round that can be played, at whatever step it ends, with the score that it had", async () => {
    await fc.assert(
      fc.asyncProperty(seed, fc.nat({ max: TUNE_STEPS }), async (seed, steps) => {
        const { score, proof } = playSnake(seed, steps);
        assert.equal(await passes({ run: { id: "r", seed, begunAt: 0 }, score, proof }), true);
      }),
    );
  });

  it("refuses every other score of the same steps, and the same score of another seed's steps", async () => {
    const { score, proof } = playSnake(1);
    assert.ok(score > STAR_POINTS);
    for (const other of [score + STAR_POINTS, score - STAR_POINTS, score + 0.5, 1_000_000_000])
      assert.equal(await passes({ score: other, proof }), false, `${other}`);
    assert.equal(await passes({ run: { id: "r", seed: 2, begunAt: 0 }, score, proof }), false);
    assert.equal(await passes({ score }), false, "without steps");
    assert.equal(await passes({ score: 0 }), true, "nothing was done, and nothing won");
  });

  it("refuses steps that nobody can take", async () => {
    const { score, proof, snake } = playSnake(1);
    assert.ok(snake.end);
    for (const steps of [`${proof}u`, `l${proof}`, `U${proof}`, proof.replace(/.$/, "?"), "u".repeat(TUNE_STEPS + 1)])
      assert.equal(await passes({ score, proof: steps }), false, steps);
  });

  it("refuses a round that was over sooner than it takes, unless it was played at the player's own pace", async () => {
    const { score, proof } = playSnake(1);
    const { ms } = replay(1, proof)!;
    const run = { id: "r", seed: 1, begunAt: 1000 };
    assert.equal(await passes({ run, score, proof, takenAt: 1000 + ms }), true);
    assert.equal(await passes({ run, score, proof, takenAt: 1000 + ms - 4001 }), false);
    assert.equal(await passes({ run, score, proof, takenAt: 1001, subscore: -1 }), true);
    for (const subscore of [1, 7, -2]) assert.equal(await passes({ run, score, proof, subscore }), false);
  });

  it("never throws, whatever the proof is", async () => {
    await fc.assert(
      fc.asyncProperty(
        seed,
        fc.string({ unit: fc.constantFrom("u", "r", "d", "l", "x", "🐍") }),
        async (seed, proof) => {
          assert.equal(typeof (await passes({ run: { id: "r", seed, begunAt: 0 }, proof })), "boolean");
          assert.ok(replay(seed, "")?.snake.step === begin(seed).step);
        },
      ),
    );
  });
});
