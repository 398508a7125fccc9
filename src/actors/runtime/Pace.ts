import type { Clock } from "../../clock.ts";

/** The least time that an entry keeps its place: below it, timers are too coarse. */
const SHORTEST_STAY_MS = 10;

/** A place that work has got. */
export interface Place {
  /** Whether nobody has been let in for it yet because it stays for long. */
  isHeld(): boolean;
  /** To be called once. */
  leave(): void;
}

/**
 * Lets work in by turns, so that as little of it as possible is inside at once, and yet nobody waits for longer than `withinMs`.
 *
 * With n waiting, so many places are free that each may be kept for some 10 ms; a few have one place, kept for longer. Whoever
 * leaves frees the place. Whoever stays for longer loses it and goes on beside the next one: slow work costs isolation, never time.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #withinMs: number;
  /** The lowest rank first. */
  readonly #waiting: Array<{ rank: number; letIn: () => void }> = [];
  /** By entry, when it was let in; the oldest first. */
  readonly #inside = new Map<object, number>();
  /** The most that waited since nobody did: what the pace goes by. */
  #peak = 0;
  #cancel: (() => void) | undefined;
  #rests = false;
  readonly #onChange: (change: 1 | -1) => void;

  /** `onChange` hears when work is let in, and when it leaves. */
  constructor(clock: Clock, withinMs: number, onChange: (change: 1 | -1) => void = () => {}) {
    this.#clock = clock;
    this.#withinMs = withinMs;
    this.#onChange = onChange;
  }

  /** Resolves when the work may begin: before all that wait with a higher rank, and after those with the same. */
  async enter(rank: number): Promise<Place> {
    const entry = {};
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#line(rank, () => {
      this.#inside.set(entry, this.#clock.monotonic());
      this.#onChange(1);
      resolve();
    });
    this.#peak = Math.max(this.#peak, this.#waiting.length);
    this.#admit();
    await promise;
    return {
      isHeld: () => this.#inside.has(entry),
      leave: () => {
        this.#onChange(-1);
        if (this.#inside.delete(entry)) this.#admit();
      },
    };
  }

  /** Lets nobody in until it goes on. */
  rest(): void {
    this.#rests = true;
  }

  goOn(): void {
    this.#rests = false;
    this.#admit();
  }

  #line(rank: number, letIn: () => void): void {
    let [from, to] = [0, this.#waiting.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#waiting[middle]!.rank <= rank) from = middle + 1;
      else to = middle;
    }
    this.#waiting.splice(from, 0, { rank, letIn });
  }

  #admit(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#rests) return;
    const places = Math.max(1, Math.ceil((this.#peak * SHORTEST_STAY_MS) / this.#withinMs));
    const stayMs = Math.floor((places * this.#withinMs) / this.#peak);
    while (this.#waiting.length > 0) {
      const full = this.#inside.size >= places ? this.#oldest() : undefined;
      const leftMs = full === undefined ? 0 : full.since + stayMs - this.#clock.monotonic();
      if (leftMs > 0) {
        this.#cancel = this.#clock.schedule(() => this.#admit(), Math.ceil(leftMs));
        return;
      }
      if (full) this.#inside.delete(full.entry);
      this.#waiting.shift()!.letIn();
    }
    this.#peak = 0;
  }

  #oldest(): { entry: object; since: number } {
    const [entry, since] = this.#inside.entries().next().value!;
    return { entry, since };
  }
}
