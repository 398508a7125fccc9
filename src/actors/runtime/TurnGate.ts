import { FairQueue, type Line } from "../../FairQueue.ts";
import type { ActorAddress } from "./actorRow.ts";
import type { CrashBlame } from "./CrashBlame.ts";
import type { CallOutcome } from "./protocol.ts";

/**
 * Turns under way on a node; further ones wait. Many more than the connections that they share: some wait for other things. Not counted
 * is whatever a turn under way waits for, which must not wait for that one's place: the turn that it calls, and those before it in the
 * mailbox of its actor.
 */
export const TURNS_BOUND = 4096;

/** What begins a turn: somebody's call, a timer, or another turn that waits for it. */
export type TurnOrigin = "call" | "timer" | "turn";

/** Where a turn waits for what turns share. */
const lineOf = (origin: TurnOrigin): Line => (origin === "timer" ? "timers" : "callers");

/** A turn that has begun. */
export interface TurnPass {
  /** Its callers have been answered: the next turn may begin, even if the code of this one should still hang. To be called once. */
  release(): void;
  /** Its code has come to an end, with this outcome; undefined: it was not begun. */
  ended(outcome: CallOutcome | undefined): void;
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
  readonly #waiting = new FairQueue<() => void>();
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
      return { release, ended: (outcome) => inTurn?.ended(outcome) };
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
    const line = lineOf(origin);
    const admit = (): void => resolve(true);
    this.#waiting.add(line, admit);
    waiting.onExempt = () => {
      if (this.#waiting.delete(line, admit)) resolve(false);
    };
    return promise;
  }

  #leavePlace(): void {
    const next = this.#waiting.take();
    if (next) next();
    else this.#underWay -= 1;
  }
}
