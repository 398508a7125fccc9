import type { Log } from "./actors/runtime/ports.ts";
import type { Clock } from "./clock.ts";
import type { Readiness } from "./http/readiness.ts";

/** The parts of a node, in the order in which they start; they stop in reverse. */
export const PARTS = ["database", "stores", "actors", "jobs", "rooms"] as const;
export type Part = (typeof PARTS)[number];

interface Stop {
  what: string;
  run(): Promise<void> | void;
}

/** What has been started and must be stopped: in reverse, each step once, and none able to keep the others from stopping. */
export class Lifecycle {
  readonly #stops: Stop[] = [];
  readonly #ports: { clock: Clock; log: Log; readiness: Readiness };
  #stopping: Promise<boolean> | undefined;

  constructor(ports: { clock: Clock; log: Log; readiness: Readiness }) {
    this.#ports = ports;
  }

  /** Remembers how to stop what has just been started. */
  onStop(what: string, run: Stop["run"]): void {
    this.#stops.push({ what, run });
  }

  /** The part is up: `/readyz` says so. */
  up(part: Part): void {
    this.#ports.readiness.up(part);
  }

  /**
   * Stops everything, latest first. `/readyz` turns 503 before anything else happens. Resolves with whether all of it ended
   * within `timeoutMs`.
   */
  stop(timeoutMs: number): Promise<boolean> {
    this.#ports.readiness.drain();
    this.#stopping ??= this.#withDeadline(this.#stopAll(), timeoutMs);
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    for (let stop = this.#stops.pop(); stop; stop = this.#stops.pop()) {
      const { what, run } = stop;
      try {
        await run();
      } catch (error) {
        this.#ports.log.error({ err: error, what }, "a part did not stop as it should");
      }
    }
  }

  #withDeadline(work: Promise<void>, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#ports.clock.schedule(() => resolve(false), timeoutMs);
      void work.then(() => {
        cancel();
        resolve(true);
      });
    });
  }
}
