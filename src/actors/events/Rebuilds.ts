import type { Clock } from "../../clock.ts";

/** Pause before hot state that somebody else is loading is asked again: 50 ms, 100 ms …, at most the longest. */
const LOADING_PAUSE_MS = 50;
const LONGEST_LOADING_PAUSE_MS = 300;

/** Rebuilds hot state that is lost: everybody on this node who finds that of an event missing waits for the same rebuild. */
export class Rebuilds {
  readonly #clock: Clock;
  readonly #underWay = new Map<string, Promise<boolean>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Resolves with true once `rebuild` has loaded the event's hot state, with false when that answered `wait`, as somebody else is
   * loading it: then after a pause, the longer the more attempts there were.
   */
  once(id: string, attempt: number, rebuild: () => Promise<"loaded" | "wait">): Promise<boolean> {
    let running = this.#underWay.get(id);
    if (running === undefined) {
      running = this.#run(attempt, rebuild).finally(() => this.#underWay.delete(id));
      this.#underWay.set(id, running);
    }
    return running;
  }

  async #run(attempt: number, rebuild: () => Promise<"loaded" | "wait">): Promise<boolean> {
    if ((await rebuild()) === "loaded") return true;
    const pauseMs = Math.min(LOADING_PAUSE_MS * (attempt + 1), LONGEST_LOADING_PAUSE_MS);
    await new Promise<void>((resolve) => void this.#clock.schedule(resolve, pauseMs));
    return false;
  }
}
