import type { RunningAttempt } from "./JobRunner.ts";

/**
 * The attempts of one activation of a job. A turn that begins one may yet fail to commit: then the job is where it was, and the
 * attempt before is here as ever.
 */
export class AttemptsHere {
  /** The one that a turn began last, whatever became of the turn. */
  #begun: RunningAttempt | undefined;
  /** The last one of which it is sure that its turn has committed. */
  #started: RunningAttempt | undefined;

  /** At once, for a turn that comes before the commit's aftermath must not take the attempt for lost. */
  begin(attempt: RunningAttempt): void {
    this.#begun = attempt;
  }

  /** The turn that began it has committed. */
  start(attempt: RunningAttempt): void {
    this.#started = attempt;
    attempt.start();
  }

  has(scheduledAt: number, attempt: number): boolean {
    return [this.#begun, this.#started].some((here) => here?.is(scheduledAt, attempt));
  }

  /** The activation has ended. */
  giveUp(): void {
    for (const here of new Set([this.#begun, this.#started])) here?.giveUp();
  }
}
