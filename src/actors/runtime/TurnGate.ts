import type { ActorAddress } from "./actorRow.ts";
import type { CrashBlame } from "./CrashBlame.ts";

/** Turns under way on a node; further ones wait. Many more than the connections that they share: some wait for other things. */
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
   * Resolves when a turn of the actor may begin; rejects with what the database says when it may not. Where both calls and timers
   * wait, they go in turn: a hundred thousand timers that are due at once hold up no caller, nor the other way round. A turn that
   * another one waits for needs no place: that one has a place, and may be the last to have got one.
   */
  async enter(address: ActorAddress, origin: TurnOrigin): Promise<TurnPass> {
    const isNested = origin === "turn";
    const place = isNested ? undefined : await this.#blame.turnOf(address);
    if (!isNested && this.#underWay >= TURNS_BOUND) {
      const waiting = origin === "timer" ? this.#timers : this.#calls;
      await new Promise<void>((resolve) => waiting.add(resolve));
    } else if (!isNested) this.#underWay += 1;
    const release = (): void => {
      place?.leave();
      if (!isNested) this.#leavePlace();
    };
    try {
      const inTurn = await this.#blame.begin(address, place);
      return { release, ended: (completed) => inTurn?.ended(completed) };
    } catch (error) {
      release();
      throw error;
    }
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
