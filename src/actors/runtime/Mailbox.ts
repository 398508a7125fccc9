import type { Audited } from "../../entities/audit.ts";
import type { Captured, Carried } from "../../tracing.ts";
import type { ActorRequest, CallOutcome } from "./protocol.ts";
import type { Turn } from "./Turn.ts";
import type { TurnOrigin } from "./TurnGate.ts";

/** A turn that waits to be taken. */
export interface WaitingTurn extends Audited {
  /** The method or timer, for the log. */
  label: string;
  origin: TurnOrigin;
  /** The actors whose turns wait for this one, outermost first. */
  chain: string[];
  /** Monotonic; past it the turn is not begun. */
  deadline: number;
  requestId: string | undefined;
  /** What the request id is used for; a repeat has the same. */
  digest?: string;
  /** Of a call that may be withdrawn. */
  edge?: string;
  /** It keeps no actor from being let go. */
  isTick?: boolean;
  /** What another actor told this one. */
  told?: ActorRequest["told"];
  /** The trace of its caller. */
  trace?: Captured | undefined;
  /** Of a timer: the turn that set it. */
  cause?: Carried | undefined;
  run(turn: Turn): Promise<unknown>;
  /** Is told how the turn has ended. The next one begins once this has ended; it must not reject. */
  settle(outcome: CallOutcome): void | Promise<void>;
}

/** Calls that may wait for an actor; beyond it a call fails at once as overloaded. */
export const MAILBOX_BOUND = 1024;

/** What waits for one actor, taken one at a time in the order it came. */
export class Mailbox {
  readonly #waiting: WaitingTurn[] = [];
  readonly #take: (turn: WaitingTurn) => Promise<CallOutcome>;
  readonly #onEmpty: () => void;
  /** How many of those that wait are waited for by another turn. */
  #nested = 0;
  #busy = false;
  /** What is done once the running turn has ended, before the next one is taken. */
  #between: (() => void) | undefined;
  #still: (() => void) | undefined;

  /** `take` must not reject; `onEmpty` is called whenever the last turn has ended. */
  constructor(take: (turn: WaitingTurn) => Promise<CallOutcome>, onEmpty: () => void) {
    this.#take = take;
    this.#onEmpty = onEmpty;
  }

  get isIdle(): boolean {
    return !this.#busy && this.#waiting.length === 0;
  }

  get isFull(): boolean {
    return this.#waiting.length >= MAILBOX_BOUND;
  }

  /** Whether another turn waits for one in here, and so for whatever is taken before that. */
  get holdsUpTurn(): boolean {
    return this.#nested > 0;
  }

  put(turn: WaitingTurn): void {
    this.#waiting.push(turn);
    if (turn.origin === "turn") this.#nested += 1;
    if (!this.#busy) void this.#work();
  }

  /** Tells this to all that wait. */
  turnAway(outcome: CallOutcome & { kind: "moved" }): void {
    this.#nested = 0;
    for (const turn of this.#waiting.splice(0)) void turn.settle(outcome);
  }

  /** Whether a call of this id waits, and has not begun. */
  isWaiting(edge: string): boolean {
    return this.#waiting.some((turn) => turn.edge === edge);
  }

  /** Takes a call out that has not begun, and settles it with this. Whether there was one. */
  withdraw(edge: string, outcome: CallOutcome): boolean {
    const at = this.#waiting.findIndex((turn) => turn.edge === edge);
    if (at < 0) return false;
    const [turn] = this.#waiting.splice(at, 1);
    if (turn!.origin === "turn") this.#nested -= 1;
    void turn!.settle(outcome);
    return true;
  }

  /** Has this done between two turns: now, or once the running turn has ended. One thing at a time. */
  betweenTurns(action: () => void): void {
    if (this.#busy) this.#between = action;
    else action();
  }

  /** Resolves once no turn is running. */
  async still(): Promise<void> {
    if (!this.#busy) return;
    await new Promise<void>((resolve) => {
      this.#still = resolve;
    });
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (let turn = this.#waiting.shift(); turn; turn = this.#waiting.shift()) {
      if (turn.origin === "turn") this.#nested -= 1;
      const settling = turn.settle(await this.#take(turn));
      if (settling) await settling;
      const between = this.#between;
      this.#between = undefined;
      between?.();
    }
    this.#busy = false;
    this.#onEmpty();
    this.#still?.();
  }
}
