import type { Clock } from "../../clock.ts";
import { RingmasterError } from "../../errors.ts";
import { inSpan, type SpanStart } from "../../tracing.ts";
import type { Log } from "../runtime/ports.ts";
import type { Run } from "./Runs.ts";

/** A submission as a game's check sees it. */
export interface CheckedScore {
  tournamentId: string;
  game: string;
  playerId: string;
  /** The same for each attempt of one submission: a check that uses a proof up must know it again by this. */
  submissionId: string;
  /** As the client wrote it. */
  score: number;
  subscore: number;
  /** Whatever the game's client sends along. */
  proof?: string | undefined;
  /** The run that this came of, of this player in this tournament; without one where the tournament takes scores without. */
  run?: Run | undefined;
  /** When it is checked, in epoch milliseconds of the node: later for a repeat. */
  takenAt: number;
}

/**
 * Whether a score is one that was really made. May be asked more than once about the same submission. `signal` aborts when nobody
 * waits for the answer any more: a check that goes on all the same keeps its place among those under way until it ends.
 */
export type ScoreCheck = (submission: CheckedScore, signal: AbortSignal) => Promise<boolean>;

/** A game may ask its own server. */
const CHECK_SPAN = (): SpanStart => ({ name: "score check", kind: "CLIENT" });

/** A check that takes longer has failed. */
const CHECK_TIMEOUT_MS = 5000;
/** Checks that may be under way on a node, those included that nobody waits for: ones that hang must not take the node's memory. */
const MOST_CHECKS = 2000;

/** The checks of the games that have one. */
export class ScoreChecks {
  readonly #checks: ReadonlyMap<string, ScoreCheck>;
  readonly #clock: Clock;
  readonly #log: Log;
  #underWay = 0;

  constructor(checks: ReadonlyMap<string, ScoreCheck>, { clock, log }: { clock: Clock; log: Log }) {
    this.#checks = checks;
    this.#clock = clock;
    this.#log = log;
  }

  /** Whether the game's check has nothing against it. Rejects with `unavailable` when it fails, with `overloaded` when too many are under way. */
  async pass(submission: CheckedScore): Promise<boolean> {
    const check = this.#checks.get(submission.game);
    if (!check) return true;
    if (this.#underWay >= MOST_CHECKS) throw new RingmasterError("overloaded");
    const { promise: tooLate, reject } = Promise.withResolvers<never>();
    const abort = new AbortController();
    const stop = this.#clock.schedule(() => {
      const reason = new Error("the check takes too long");
      reject(reason);
      abort.abort(reason);
    }, CHECK_TIMEOUT_MS);
    try {
      return (await Promise.race([this.#ask(check, submission, abort.signal), tooLate])) === true;
    } catch (error) {
      this.#log.warn({ err: error, game: submission.game }, "the check of a score has failed");
      throw new RingmasterError("unavailable", "The score cannot be verified now; try again in a moment.");
    } finally {
      stop();
    }
  }

  /** Counts the check for as long as it goes on, which may be longer than anybody waits for it. */
  async #ask(check: ScoreCheck, submission: CheckedScore, signal: AbortSignal): Promise<boolean> {
    this.#underWay += 1;
    try {
      return await inSpan(CHECK_SPAN, () => check(submission, signal));
    } finally {
      this.#underWay -= 1;
    }
  }
}
