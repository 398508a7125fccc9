import type { Clock } from "../../clock.ts";
import { type Deaths, STEADY_MS } from "./CrashTable.ts";
import { Pace, type Place } from "./Pace.ts";

/**
 * Within which time everybody that came from a dead node is let in, those blamed for 0, 1 … and this many deaths or more each by
 * themselves; and so are those that were at the same point of their turns each time.
 */
const LET_IN_WITHIN_MS = 1200;
const MOST_DEATHS = 6;
const STEADY = MOST_DEATHS + 1;
const LEVELS = MOST_DEATHS + 2;
/** All that are let in alone, together; and one of them, at least and at most. */
const ALONE_WITHIN_MS = 3000;
const ALONE_AT_LEAST_MS = 200;
const ALONE_AT_MOST_MS = 1000;
/** Those inside may take so long to leave before one is let in alone. */
const CLEAR_WITHIN_MS = 250;

/**
 * In which order actors that came from dead nodes are let in, be it to be loaded or to take their first turn.
 *
 * By a pace, as few at once as time allows, and in the order of how long they had been inside at the deaths that they are blamed for:
 * so no two of them come to that point again at the same time. And those who are to be let in alone one after another, while the pace
 * rests.
 */
export class SuspectOrder {
  readonly #clock: Clock;
  readonly #loads: readonly Pace[];
  readonly #turns: readonly Pace[];
  /** Who was let in by the pace and has not left yet. */
  #inside = 0;
  readonly #whenClear: Array<() => void> = [];
  #last: Promise<void> = Promise.resolve();
  #alone = 0;
  #keepingOut = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    const paces = (): Pace[] =>
      Array.from({ length: LEVELS }, () => new Pace(clock, LET_IN_WITHIN_MS, (change) => this.#count(change)));
    this.#loads = paces();
    this.#turns = paces();
  }

  enterToLoad(deaths: Deaths): Promise<Place> {
    return enter(this.#loads, deaths);
  }

  enterTurn(deaths: Deaths): Promise<Place> {
    return enter(this.#turns, deaths);
  }

  #count(change: 1 | -1): void {
    this.#inside += change;
    if (this.#inside === 0) for (const resolve of this.#whenClear.splice(0)) resolve();
  }

  /** Whoever is inside may finish, within bounds. */
  async #clear(): Promise<void> {
    if (this.#inside === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenClear.push(resolve);
      this.#clock.schedule(resolve, CLEAR_WITHIN_MS);
    });
  }

  /**
   * To load, or to take a turn: no other one that is let in alone is inside until it leaves or has stayed for long; `keepsOthersOut`:
   * nor does the pace let anybody in.
   */
  async enterAlone(keepsOthersOut: boolean): Promise<Place> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    this.#alone += 1;
    if (keepsOthersOut) this.#keepingOut += 1;
    for (const pace of [...this.#loads, ...this.#turns]) if (keepsOthersOut) pace.rest();
    await before;
    if (keepsOthersOut) await this.#clear();
    let isInside = true;
    const leave = (): void => {
      if (!isInside) return;
      isInside = false;
      cancel();
      this.#alone -= 1;
      resolve();
      if (keepsOthersOut) this.#keepingOut -= 1;
      if (this.#keepingOut === 0) for (const pace of [...this.#loads, ...this.#turns]) pace.goOn();
    };
    const stayMs = Math.min(Math.max(ALONE_WITHIN_MS / this.#alone, ALONE_AT_LEAST_MS), ALONE_AT_MOST_MS);
    const cancel = this.#clock.schedule(leave, stayMs);
    return { isHeld: () => isInside, leave };
  }
}

function enter(paces: readonly Pace[], { times, ageMs, spreadMs }: Deaths): Promise<Place> {
  const level = times >= 2 && spreadMs <= STEADY_MS ? STEADY : Math.min(times, MOST_DEATHS);
  return paces[level]!.enter(times > 0 ? ageMs : 0);
}
