import { type Clock, sleep } from "../../clock.ts";

/** The first pause, the longest, and by how much each is longer than the one before. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 300;
/** Who wants something decided waits so long for hot state that is being loaded: the load of a million players takes less. */
export const DECISION_DEADLINE_MS = 30_000;
/** Who only wants to look has less use for an answer that comes late. */
export const READ_DEADLINE_MS = 5000;

/** How long somebody goes on trying. */
export class RetryDeadline {
  readonly #clock: Clock;
  readonly #until: number;
  #pauses = 0;

  constructor(clock: Clock, ms: number) {
    this.#clock = clock;
    this.#until = clock.monotonic() + ms;
  }

  get isOver(): boolean {
    return this.#clock.monotonic() >= this.#until;
  }

  /** Waits a moment, a longer one each time. */
  pause(): Promise<void> {
    this.#pauses += 1;
    const ms = Math.min(FIRST_PAUSE_MS * this.#pauses, LONGEST_PAUSE_MS);
    return sleep(this.#clock, ms);
  }

  /** What `work` comes to, or `otherwise` once this is over. */
  async during<T>(work: Promise<T>, otherwise: T): Promise<T> {
    let stop = (): void => {};
    const end = new Promise<T>((resolve) => {
      stop = this.#clock.schedule(() => resolve(otherwise), Math.max(0, this.#until - this.#clock.monotonic()));
    });
    return Promise.race([work, end]).finally(stop);
  }
}
