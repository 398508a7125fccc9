import { type Clock, systemClock } from "../clock.ts";

/** How long what is begun in one turn of the event loop may take together before the rest waits for the next, in milliseconds: one or two requests. */
const TURN_MS = 0.25;
/**
 * Of the time that the turn before took, so much at least: where turns are long, as few as that would begin too seldom for those whose turn
 * it is. What is begun takes some times as long again in the turns that follow, and all of that must fit.
 */
const TURN_SHARE = 0.1;

/**
 * Begins what comes from many, a little in each turn of the event loop, and by turns of those whom it comes from: however much one of them sends, others wait for
 * one thing of theirs, and what goes on beside (websockets, answers) for little more than that. Nothing is delayed while there is little of it.
 */
export class FairQueue {
  readonly #clock: Pick<Clock, "monotonic">;
  /** What waits, by whom it is from; whose turn it is next comes first. None is empty. */
  readonly #lanes = new Map<string, (() => void)[]>();
  #usedMs = 0;
  #mostMs = TURN_MS;
  /** When something was begun in this turn for the first time, on the monotonic clock. */
  #turnAt: number | undefined;

  constructor(clock: Pick<Clock, "monotonic"> = systemClock) {
    this.#clock = clock;
  }

  /** Calls `begin` now or in a later turn. It must not throw. */
  add(from: string, begin: () => void): void {
    if (this.#lanes.size === 0 && this.#usedMs < this.#mostMs) {
      this.#run(begin);
      return;
    }
    const lane = this.#lanes.get(from);
    if (lane === undefined) this.#lanes.set(from, [begin]);
    else lane.push(begin);
  }

  #run(begin: () => void): void {
    const startedAt = this.#clock.monotonic();
    begin();
    this.#usedMs += this.#clock.monotonic() - startedAt;
    if (this.#turnAt !== undefined) return;
    this.#turnAt = startedAt;
    setImmediate(() => this.#nextTurn());
  }

  #nextTurn(): void {
    const tookMs = this.#clock.monotonic() - this.#turnAt!;
    this.#mostMs = this.#lanes.size === 0 ? TURN_MS : Math.max(TURN_MS, tookMs * TURN_SHARE);
    this.#usedMs = 0;
    this.#turnAt = undefined;
    while (this.#lanes.size > 0 && this.#usedMs < this.#mostMs) this.#run(this.#next());
  }

  #next(): () => void {
    const [from, lane] = this.#lanes.entries().next().value!;
    const begin = lane.shift()!;
    this.#lanes.delete(from);
    if (lane.length > 0) this.#lanes.set(from, lane);
    return begin;
  }
}
