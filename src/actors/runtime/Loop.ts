import type { Clock } from "../../clock.ts";
import { detached } from "../../tracing.ts";
import type { Log } from "./ports.ts";

/** What a round of a loop tells: whether it left something that can be done at once. */
export type Round = () => Promise<"done" | "more">;

/**
 * One piece of work that is done now and then: when it is rung, and `everyMs` after its last round has ended. A round at a time;
 * one that throws is logged, and keeps neither later rounds nor any other loop from theirs.
 *
 * States: idle until `ring`; then running and waiting in turn; stopped for good by `stop`.
 */
export class Loop {
  readonly #what: string;
  readonly #round: Round;
  readonly #everyMs: () => number;
  readonly #clock: Clock;
  readonly #log: Log;
  #cancel: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;

  /** `what` names the work in the log. */
  constructor(what: string, round: Round, everyMs: () => number, ports: { clock: Clock; log: Log }) {
    this.#what = what;
    this.#round = round;
    this.#everyMs = everyMs;
    this.#clock = ports.clock;
    this.#log = ports.log;
  }

  /** Goes round now. A ring during a round makes it go round once more. */
  ring(): void {
    if (this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#cancel?.();
    this.#cancel = undefined;
    // A request may ring, whose trace is not the loop's.
    this.#running = detached(() => this.#goRound());
  }

  async #goRound(): Promise<void> {
    try {
      if ((await this.#round()) === "more") this.#again = true;
    } catch (error) {
      this.#log.warn({ err: error, loop: this.#what }, "a round failed; the next one tries again");
      // A ring that came meanwhile must not turn a failure into a storm.
      this.#again = false;
    }
    this.#running = undefined;
    const again = this.#again;
    this.#again = false;
    if (this.#stopped) return;
    if (again) this.ring();
    else this.#cancel = this.#clock.schedule(() => this.ring(), this.#everyMs());
  }

  /** No further round begins. Resolves when the running one has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#running;
  }
}
