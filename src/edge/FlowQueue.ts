import { type Clock, systemClock } from "../clock.ts";

/** How long what is begun in one turn of the event loop may take together before the rest waits for the next, in milliseconds: one or two requests. */
const TURN_MS = 0.25;
/**
 * Of the time that the turn before took, so much at least: where turns are long, as few as that would begin too seldom for those whose turn
 * it is. What is begun takes some times as long again in the turns that follow, and all of that must fit.
 */
const TURN_SHARE = 0.1;
/** After so many new flows one of the others is served: who has many addresses could have new ones for ever. */
const MOST_NEW_IN_A_ROW = 3;

type Begin = () => void;

/**
 * Begins what comes from many, a little in each turn of the event loop: however much one flow (an address) sends, others wait for one thing
 * of each, and what goes on beside (websockets, answers) for little more than that. Nothing is delayed while there is little of it.
 *
 * Flows are served as by FQ-CoDel (RFC 8290, 4.2): one that nothing waits of goes before those that something does, once; then all take turns.
 * New flows go before the others three times out of four only, so that these go on however many addresses somebody has.
 * The time of what is begun includes the promises that go on at once, for most of a request is in these.
 */
export class FlowQueue {
  readonly #clock: Pick<Clock, "monotonic">;
  /** What waits, by flow; each is in one of these two. Those in `#old` may be empty: a flow has to be passed over before it is new again. */
  readonly #new = new Map<string, Begin[]>();
  readonly #old = new Map<string, Begin[]>();
  #waiting = 0;
  /** New flows served since one of the others was. */
  #newInARow = 0;
  /** Whether promises still go on with what was begun last. */
  #isRunning = false;
  #mostMs = TURN_MS;
  /** When something was begun in this turn for the first time, on the monotonic clock. */
  #turnAt: number | undefined;

  constructor(clock: Pick<Clock, "monotonic"> = systemClock) {
    this.#clock = clock;
  }

  /** Calls `begin` now or in a later turn. It must not throw. */
  add(flow: string, begin: Begin): void {
    this.#waiting += 1;
    const lane = this.#new.get(flow) ?? this.#old.get(flow);
    if (lane === undefined) this.#new.set(flow, [begin]);
    else lane.push(begin);
    if (!this.#isRunning) this.#beginMore();
  }

  /** Resolves now or in a later turn: for what goes on after it has waited for something, together with many others. */
  turn(flow: string): Promise<void> {
    return new Promise((resolve) => this.add(flow, resolve));
  }

  #hasTime(): boolean {
    return this.#turnAt === undefined || this.#clock.monotonic() - this.#turnAt < this.#mostMs;
  }

  #nextTurn(): void {
    const tookMs = this.#clock.monotonic() - this.#turnAt!;
    this.#mostMs = this.#waiting === 0 ? TURN_MS : Math.max(TURN_MS, tookMs * TURN_SHARE);
    this.#turnAt = undefined;
    this.#beginMore();
  }

  /** One after the other, until nothing waits or this turn has no time left. */
  #beginMore(): void {
    if (this.#waiting === 0) this.#old.clear();
    if (this.#waiting === 0 || !this.#hasTime()) return;
    if (this.#turnAt === undefined) {
      this.#turnAt = this.#clock.monotonic();
      setImmediate(() => this.#nextTurn());
    }
    this.#isRunning = true;
    this.#next()();
    whenPromisesRest(() => {
      this.#isRunning = false;
      this.#beginMore();
    });
  }

  #next(): Begin {
    for (;;) {
      const isNew = this.#new.size > 0 && (this.#newInARow < MOST_NEW_IN_A_ROW || this.#old.size === 0);
      const lanes = isNew ? this.#new : this.#old;
      const [flow, lane] = lanes.entries().next().value!;
      lanes.delete(flow);
      const begin = lane.shift();
      if (begin === undefined) continue;
      this.#old.set(flow, lane);
      this.#waiting -= 1;
      this.#newInARow = isNew ? this.#newInARow + 1 : 0;
      return begin;
    }
  }
}

/** In the same turn of the event loop, once no promise has anything to go on with: ticks come after microtasks that none is left of. */
function whenPromisesRest(callback: () => void): void {
  queueMicrotask(() => process.nextTick(callback));
}
