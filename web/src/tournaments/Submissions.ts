import type { Problem } from "../problems.ts";
import { isTransient } from "../problems.ts";
import type { SubmitAnswer } from "../protocol.ts";

/** A score on its way. The id stays the same however often it is sent, so that it counts once. */
export interface PendingScore {
  submissionId: string;
  score: number;
  subscore: number;
  /** The run that it came of, and every step of it: such a score counts once by its run. */
  run?: string | undefined;
  proof?: string | undefined;
}

/** What became of a score so far. */
export type Report =
  | { at: "sending"; score: number }
  /** It did not get through yet, for this reason, and is sent again by itself. */
  | { at: "waiting"; score: number; problem: Problem }
  | { at: "counted"; score: number; answer: SubmitAnswer }
  /** It will not be counted. */
  | { at: "refused"; score: number; problem: Problem };

export interface SubmissionPorts {
  /** Rejects with a `Problem`. */
  send(pending: PendingScore): Promise<SubmitAnswer>;
  /** Resolves after `ms` milliseconds. */
  wait(ms: number): Promise<void>;
  tell(report: Report): void;
  /** What is on its way outlives the page. */
  store: PendingScores;
}

export interface PendingScores {
  list(): PendingScore[];
  put(pending: PendingScore): void;
  remove(submissionId: string): void;
}

/** Codes after which a score is sent again as well: a new token is on its way, and what is paused goes on. */
const WAITED_FOR = new Set(["unauthenticated", "paused"]);
/** Waits between attempts, in milliseconds; the last one repeats. */
const BACKOFF_MS = [500, 1000, 2000, 4000, 8000];

/** Brings scores to the server one after the other, each for as long as it takes to hear what became of it. */
export class Submissions {
  readonly #ports: SubmissionPorts;
  readonly #pending: PendingScore[];
  #isBusy = false;
  #isClosed = false;
  #wake: () => void = () => {};

  /** Takes up what an earlier visit has left; nothing is sent before `deliver`. */
  constructor(ports: SubmissionPorts) {
    this.#ports = ports;
    this.#pending = ports.store.list();
  }

  add(pending: PendingScore): void {
    this.#pending.push(pending);
    this.#ports.store.put(pending);
    void this.deliver();
  }

  /** Sends what is pending now, without waiting for the next attempt's time: the room is (back) within reach. */
  async deliver(): Promise<void> {
    this.#wake();
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let attempt = 0; this.#pending[0] !== undefined && !this.#isClosed; ) {
      const isOver = await this.#send(this.#pending[0], attempt);
      attempt = isOver ? 0 : attempt + 1;
    }
    this.#isBusy = false;
  }

  close(): void {
    this.#isClosed = true;
    this.#wake();
  }

  /** Whether the first pending score is dealt with: counted, or refused for good. */
  async #send(pending: PendingScore, attempt: number): Promise<boolean> {
    const { score, submissionId } = pending;
    if (attempt === 0) this.#ports.tell({ at: "sending", score });
    try {
      const answer = await this.#ports.send(pending);
      this.#finish(submissionId, { at: "counted", score, answer });
      return true;
    } catch (error) {
      const problem = error as Problem;
      if (!isTransient(problem) && !WAITED_FOR.has(problem.code)) {
        this.#finish(submissionId, { at: "refused", score, problem });
        return true;
      }
      if (this.#isClosed) return false;
      this.#ports.tell({ at: "waiting", score, problem });
      await this.#pause(retryAfterMs(problem) ?? BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length - 1)]!);
      return false;
    }
  }

  #finish(submissionId: string, report: Report): void {
    this.#pending.shift();
    this.#ports.store.remove(submissionId);
    this.#ports.tell(report);
  }

  async #pause(ms: number): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([this.#ports.wait(ms), woken]);
  }
}

function retryAfterMs({ code, details }: Problem): number | undefined {
  const found = (details as { retryAfterMs?: unknown } | undefined)?.retryAfterMs;
  return code === "rate_limited" && typeof found === "number" && found > 0 ? found : undefined;
}
