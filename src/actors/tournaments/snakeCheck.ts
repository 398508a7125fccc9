import { replay } from "../../games/snake.ts";
import type { ScoreCheck } from "./ScoreCheck.ts";

/** The subscore of a round whose player took each step when they wanted to, and of one that went at the parade's own pace. */
const OWN_PACE = -1;
const ITS_PACE = 0;
/** A round's beginning and its score may be timed by nodes whose clocks differ, by up to 2 s each from the cluster's time. */
const CLOCKS_APART_MS = 4000;

/**
 * Plays the demo's game again, from the seed of the run and the steps in `proof`: the score must be what comes of it. A round at the
 * parade's own pace cannot be over sooner than it takes. Scores without a run are believed: only tournaments take them that were created
 * before runs were required.
 */
export const checkSnake: ScoreCheck = async ({ score, subscore, proof, run, takenAt }) => {
  if (run === undefined) return true;
  if (subscore !== OWN_PACE && subscore !== ITS_PACE) return false;
  const played = replay(run.seed, proof ?? "");
  if (played === undefined || played.snake.score !== score) return false;
  return subscore === OWN_PACE || takenAt - run.begunAt >= played.ms - CLOCKS_APART_MS;
};
