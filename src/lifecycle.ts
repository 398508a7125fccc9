import type { Log } from "./actors/runtime/ports.ts";
import type { Clock } from "./clock.ts";
import { ConfigError } from "./config.ts";
import type { Readiness } from "./http/readiness.ts";

/** The parts of a node, in the order in which they start; they stop in reverse. */
export const NODE_PARTS = ["database", "stores", "actors", "jobs", "rooms"] as const;

/** A step that takes longer than this is named in the log and in `/readyz`, in milliseconds. */
const SLOW_MS = 1000;

type Run = () => Promise<void> | void;

interface Step {
  what: string;
  run: Run;
  /** Of the time for the stop, between 0 and 1. */
  part: number | undefined;
}

export interface StepOptions {
  /** Which part of the time for the whole stop is this step's at least, between 0 and 1; steps that name none share evenly what is left. */
  part?: number;
}

export interface LifecyclePorts {
  clock: Clock;
  log: Log;
  readiness: Readiness;
  /** How long each step of the start may take, in milliseconds. */
  startTimeoutMs: number;
}

/**
 * Starts a node step by step, and remembers how to stop it: first all is handed over, then the parts stop, each in the reverse of its
 * order of start. Each step is taken once, and has a deadline of its own, so that none that fails or hangs keeps the others from being
 * taken. A step that takes longer than a second is named in the log and in `/readyz`, and so is one that was given up.
 */
export class Lifecycle {
  readonly #drains: Step[] = [];
  readonly #stops: Step[] = [];
  readonly #ports: LifecyclePorts;
  #stopping: Promise<boolean> | undefined;

  constructor(ports: LifecyclePorts) {
    this.#ports = ports;
  }

  /**
   * Takes a step of the start; `/readyz` says that its part is up. Rejects with what `run` rejects with, or with a ConfigError once it has taken
   * longer than a step may: the start has failed then, and what had started is to be stopped.
   */
  async start<T>(what: string, run: () => Promise<T>): Promise<T> {
    const { log, readiness, startTimeoutMs } = this.#ports;
    const running = run();
    const outcome = running.then(
      () => {},
      () => {},
    );
    if (!(await this.#within(startTimeoutMs, { what, doing: "starting" }, outcome))) {
      const seconds = startTimeoutMs / 1000;
      readiness.down(what, "stuck");
      log.error({ what, ms: startTimeoutMs }, "a part did not start in its time");
      throw new ConfigError(`${what}: not started within ${seconds} s (START_TIMEOUT_MS)`);
    }
    const started = await running;
    if (readiness.tellsOf(what)) readiness.up(what);
    return started;
  }

  /** Remembers how to hand over what has just been started, for which everything else must still be there. */
  onDrain(what: string, run: Run, { part }: StepOptions = {}): void {
    this.#drains.push({ what, run, part });
  }

  /** Remembers how to stop what has just been started. */
  onStop(what: string, run: Run, { part }: StepOptions = {}): void {
    this.#stops.push({ what, run, part });
  }

  /**
   * Hands everything over and stops it, latest first. `/readyz` turns 503 before anything else happens. Ends within `timeoutMs`, and
   * resolves with whether each step ended by its deadline.
   */
  stop(timeoutMs: number): Promise<boolean> {
    this.#ports.readiness.drain();
    this.#stopping ??= this.#takeSteps(timeoutMs);
    return this.#stopping;
  }

  /** What a step leaves of its time is the next ones'; a step that takes longer is given up. */
  async #takeSteps(timeoutMs: number): Promise<boolean> {
    const { clock, log, readiness } = this.#ports;
    const steps = [...this.#drains.toReversed(), ...this.#stops.toReversed()];
    const evenly = evenPart(steps);
    let isInTime = true;
    let endsAt = clock.monotonic();
    for (const { what, run, part = evenly } of steps) {
      endsAt += timeoutMs * part;
      const ms = Math.max(0, endsAt - clock.monotonic());
      if (await this.#within(ms, { what, doing: "stopping" }, this.#end(what, run))) continue;
      isInTime = false;
      readiness.down(what, "stuck");
      log.error({ what, ms: Math.round(ms) }, "a part did not stop in its time; the stop goes on without it");
    }
    return isInTime;
  }

  async #end(what: string, run: Run): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#ports.log.error({ err: error, what }, "a part did not stop as it should");
    }
  }

  /** Resolves with whether `work`, which does not reject, ends within so many milliseconds; names it when it is slow. */
  #within(ms: number, { what, doing }: { what: string; doing: string }, work: Promise<void>): Promise<boolean> {
    const { clock, log, readiness } = this.#ports;
    return new Promise((resolve) => {
      let isSlow = false;
      const cancelSlow = clock.schedule(() => {
        isSlow = true;
        readiness.down(what, doing);
        log.warn({ what, doing }, "a part takes long");
      }, SLOW_MS);
      const cancelEnd = clock.schedule(() => {
        cancelSlow();
        resolve(false);
      }, ms);
      void work.then(() => {
        cancelSlow();
        cancelEnd();
        if (isSlow && doing === "stopping") readiness.down(what, "stopped");
        resolve(true);
      });
    });
  }
}

/** What those have that name no part of their own. */
function evenPart(steps: readonly Step[]): number {
  const named = steps.flatMap(({ part }) => part ?? []);
  const left = Math.max(0, 1 - named.reduce((sum, part) => sum + part, 0));
  return left / Math.max(1, steps.length - named.length);
}
