import type { ActorAddress } from "./actorRow.ts";
import type { CrashBlame } from "./CrashBlame.ts";

/** Turns under way on a node; further ones wait, in the order they came. */
export const TURNS_BOUND = 4096;

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
  /** In the order they came; a Set, since taking the first of a long array costs its length. */
  readonly #waiting = new Set<() => void>();
  #underWay = 0;

  constructor(blame: CrashBlame) {
    this.#blame = blame;
  }

  /**
   * Resolves when a turn of the actor may begin; rejects with what the database says when it may not. `isNested`: another turn
   * waits for this one. That one has a place, and may be the last to have got one, so nested turns need none.
   */
  async enter(address: ActorAddress, isNested: boolean): Promise<TurnPass> {
    const place = isNested ? undefined : await this.#blame.turnOf(address);
    if (!isNested && this.#underWay >= TURNS_BOUND) await new Promise<void>((resolve) => this.#waiting.add(resolve));
    else if (!isNested) this.#underWay += 1;
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
    const [next] = this.#waiting;
    if (!next) {
      this.#underWay -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
