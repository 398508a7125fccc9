import type { Log } from "./actors/runtime/ports.ts";
import type { Clock } from "./clock.ts";
import type { Readiness } from "./http/readiness.ts";

/** The parts of a node, in the order in which they start; they stop in reverse. */
export const NODE_PARTS = ["database", "stores", "actors", "jobs", "rooms"] as const;
export type Part = (typeof NODE_PARTS)[number];

interface Step {
  what: string;
  run(): Promise<void> | void;
}

/**
 * What has been started and must be stopped: first all is handed over, then the parts stop, each in the reverse of its order of
 * start. Each step is taken once, and none can keep the others from being taken.
 */
export class Lifecycle {
  readonly #drains: Step[] = [];
  readonly #stops: Step[] = [];
  readonly #ports: { clock: Clock; log: Log; readiness: Readiness };
  #stopping: Promise<boolean> | undefined;

  constructor(ports: { clock: Clock; log: Log; readiness: Readiness }) {
    this.#ports = ports;
  }

  /** Remembers how to hand over what has just been started, for which everything else must still be there. */
  onDrain(what: string, run: Step["run"]): void {
    this.#drains.push({ what, run });
  }

  /** Remembers how to stop what has just been started. */
  onStop(what: string, run: Step["run"]): void {
    this.#stops.push({ what, run });
  }

  /** The part is up: `/readyz` says so. */
  up(part: Part): void {
    this.#ports.readiness.up(part);
  }

  /**
   * Hands everything over and stops it, latest first. `/readyz` turns 503 before anything else happens. Resolves with whether all of it ended
   * within `timeoutMs`.
   */
  stop(timeoutMs: number): Promise<boolean> {
    this.#ports.readiness.drain();
    this.#stopping ??= this.#withDeadline(this.#takeSteps(), timeoutMs);
    return this.#stopping;
  }

  async #takeSteps(): Promise<void> {
    for (const { what, run } of [...this.#drains.toReversed(), ...this.#stops.toReversed()]) {
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
