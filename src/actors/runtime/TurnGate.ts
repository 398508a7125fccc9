import type { ActorAddress } from "./actorRow.ts";
import type { CrashBlame } from "./CrashBlame.ts";

/**
 * Turns under way on a node; further ones wait. Many more than the connections that they share: some wait for other things. Not counted
 * is whatever a turn under way waits for, which must not wait for that one's place: the turn that it calls, and those before it in the
 * mailbox of its actor.
 */
export const TURNS_BOUND = 4096;

/** What begins a turn: somebody's call, a timer, or another turn that waits for it. */
export type TurnOrigin = "call" | "timer" | "turn";

/** A turn that has begun. */
export interface TurnPass {
  /** Its callers have been answered: the next turn may begin, even if the code of this one should still hang. To be called once. */
  release(): void;
  /** Its code has come to an end; `completed`: with the turn's own outcome, not with a failure around it. */
  ended(completed: boolean): void;
}

/** A turn on its way in. */
export interface TurnEntry {
  /** Resolves when the turn may begin; rejects with what the database says when it may not. */
  readonly pass: Promise<TurnPass>;
  /** A turn under way waits for this one to end: from now on it needs no place. */
  exempt(): void;
}

/** What `exempt` changes for a turn that waits for a place. */
interface Waiting {
  isExempt: boolean;
  onExempt?: () => void;
}

/** What a turn has to wait for on this node before it begins. */
export class TurnGate {
  readonly #blame: CrashBlame;
  /** In the order they came; Sets, since taking the first of a long array costs its length. */
  readonly #calls = new Set<() => void>();
  readonly #timers = new Set<() => void>();
  #lastWasTimer = false;
  #underWay = 0;

  constructor(blame: CrashBlame) {
    this.#blame = blame;
  }

  /**
   * Has a turn of the actor wait for its place. Where both calls and timers wait, they go in turn: a hundred thousand timers that are
   * due at once hold up no caller, nor the other way round. A turn that another one waits for needs no place: that one has a place,
   * and may be the last to have got one.
   */
  enter(address: ActorAddress, origin: TurnOrigin): TurnEntry {
    const waiting: Waiting = { isExempt: origin === "turn" };
    const exempt = (): void => {
      waiting.isExempt = true;
      waiting.onExempt?.();
    };
    return { pass: this.#enter(address, origin, waiting), exempt };
  }

  async #enter(address: ActorAddress, origin: TurnOrigin, waiting: Waiting): Promise<TurnPass> {
    const order = origin === "turn" ? undefined : await this.#blame.turnOf(address);
    const hasPlace = await this.#takePlace(origin, waiting);
    const release = (): void => {
      order?.leave();
      if (hasPlace) this.#leavePlace();
    };
    try {
      const inTurn = await this.#blame.begin(address, order);
      return { release, ended: (completed) => inTurn?.ended(completed) };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Resolves when the turn has a place (true), or needs none (false). */
  #takePlace(origin: TurnOrigin, waiting: Waiting): boolean | Promise<boolean> {
    if (waiting.isExempt) return false;
    if (this.#underWay < TURNS_BOUND) {
      this.#underWay += 1;
      return true;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const queue = origin === "timer" ? this.#timers : this.#calls;
    const admit = (): void => resolve(true);
    queue.add(admit);
    waiting.onExempt = () => {
      if (queue.delete(admit)) resolve(false);
    };
    return promise;
  }

  #leavePlace(): void {
    const isTimersTurn = this.#timers.size > 0 && (this.#calls.size === 0 || !this.#lastWasTimer);
    const waiting = isTimersTurn ? this.#timers : this.#calls;
    const [next] = waiting;
    if (!next) {
      this.#underWay -= 1;
      return;
    }
    this.#lastWasTimer = isTimersTurn;
    waiting.delete(next);
    next();
  }
}
