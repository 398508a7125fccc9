import type { Clock } from "../../clock.ts";

interface Entry {
  key: string;
  due: number;
}

/** The wall clock may jump, so no sleep is longer than this: a jump is noticed within a second. */
const LONGEST_SLEEP_MS = 1000;
/**
 * Keys rung in one turn of the event loop, each of which begins a turn of its actor. Were all of 100,000 rung in one, nothing else
 * of the process would be answered for seconds; so many take a few milliseconds.
 */
const MOST_AT_ONCE = 64;

/**
 * One heap and one driver timer a process: rings `onDue(key)` when a key's due time has come. A key has one due time;
 * arming it again replaces that. Superseded entries stay in the heap until they surface, at most as many as live ones plus 1,024.
 */
export class TimerHeap {
  readonly #clock: Clock;
  readonly #onDue: (key: string, due: number) => void;
  #heap: Entry[] = [];
  readonly #due = new Map<string, number>();
  #cancelSleep: (() => void) | undefined;
  #wakesAt = Number.POSITIVE_INFINITY;
  #stopped = false;

  constructor(clock: Clock, onDue: (key: string, due: number) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  arm(key: string, due: number): void {
    if (this.#due.get(key) === due) return;
    this.#due.set(key, due);
    this.#push({ key, due });
    if (this.#heap.length > 2 * this.#due.size + 1024) this.#compact();
    if (due < this.#wakesAt) this.#sleep();
  }

  disarm(key: string): void {
    this.#due.delete(key);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelSleep?.();
  }

  #sleep(): void {
    this.#cancelSleep?.();
    this.#cancelSleep = undefined;
    this.#wakesAt = Number.POSITIVE_INFINITY;
    const first = this.#heap[0];
    if (!first || this.#stopped) return;
    const now = this.#clock.now();
    const ms = Math.min(Math.max(0, first.due - now), LONGEST_SLEEP_MS);
    this.#wakesAt = now + ms;
    this.#cancelSleep = this.#clock.schedule(() => this.#wake(), ms);
  }

  #wake(): void {
    const now = this.#clock.now();
    let rung = 0;
    for (let first = this.#heap[0]; first && first.due <= now && rung < MOST_AT_ONCE; first = this.#heap[0]) {
      this.#pop();
      if (this.#due.get(first.key) !== first.due) continue;
      this.#due.delete(first.key);
      rung += 1;
      this.#onDue(first.key, first.due);
    }
    this.#sleep();
  }

  #compact(): void {
    const live = [...this.#due].map(([key, due]) => ({ key, due }));
    this.#heap = live.sort((a, b) => a.due - b.due);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.due <= entry.due) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.due < heap[child]!.due) child++;
      if (heap[child]!.due >= last.due) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}
