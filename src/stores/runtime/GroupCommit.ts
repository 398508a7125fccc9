import type { Clock } from "../../clock.ts";
import { RingmasterError } from "../../errors.ts";

export interface GroupCommitOptions<Item, Result> {
  /** Commits items of one lane together. What it throws rejects every waiter of the flush. */
  flush: (lane: string, items: readonly Item[]) => Promise<Result>;
  clock: Clock;
  /** How long the first item of an idle lane waits for company, in milliseconds. Behind a flush in flight nothing lingers. */
  lingerMs?: number;
  /** Items a flush at most: some 100 kB of SQL a statement. */
  maxItems?: number;
  /** Flushes in flight at most, over all lanes, each with a connection of its own. A lane has one at a time. */
  maxFlushes?: number;
  /** Items that wait for a flush at most, over all lanes: about a second's worth. */
  maxQueued?: number;
}

interface Waiter<Item, Result> {
  items: readonly Item[];
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

interface Lane<Item, Result> {
  name: string;
  queue: Waiter<Item, Result>[];
  queuedItems: number;
  /** Lingering for company; in line for one of the flushes; or being flushed. */
  phase: "lingering" | "ready" | "flushing";
  stopLingering: () => void;
}

/**
 * Commits what arrives within a few milliseconds in one transaction, and wakes each waiter once its items are committed.
 * Under load groups grow by themselves, because items collect while the lane's flush is in flight.
 * A lane (what may be committed together) exists only while it has items.
 */
export class GroupCommit<Item, Result> {
  readonly #options: Required<GroupCommitOptions<Item, Result>>;
  readonly #lanes = new Map<string, Lane<Item, Result>>();
  readonly #ready: Lane<Item, Result>[] = [];
  #flushing = 0;
  #queued = 0;
  #whenIdle: (() => void)[] = [];

  constructor(options: GroupCommitOptions<Item, Result>) {
    this.#options = { lingerMs: 2, maxItems: 1000, maxFlushes: 4, maxQueued: 50_000, ...options };
  }

  /**
   * Commits `items` (1 to `maxItems`) in one flush. Rejects with `overloaded` at once when too much waits, and with `unavailable`
   * when the flush failed with an error that is not ours: then the items may be committed or not.
   */
  commit(laneName: string, items: readonly Item[]): Promise<Result> {
    if (items.length === 0 || items.length > this.#options.maxItems) {
      return Promise.reject(new RangeError(`a commit takes 1 to ${this.#options.maxItems} items, not ${items.length}`));
    }
    if (this.#queued + items.length > this.#options.maxQueued) {
      return Promise.reject(new RingmasterError("overloaded"));
    }
    return new Promise((resolve, reject) => {
      const lane = this.#lanes.get(laneName) ?? this.#begin(laneName);
      lane.queue.push({ items, resolve, reject });
      lane.queuedItems += items.length;
      this.#queued += items.length;
      const isInHaste = lane.queuedItems >= this.#options.maxItems || this.#whenIdle.length > 0;
      if (lane.phase === "lingering" && isInHaste) this.#line(lane);
    });
  }

  /** Commits at once what lingers; resolves when nothing waits and nothing is in flight. */
  async flush(): Promise<void> {
    if (this.#lanes.size === 0) return;
    const idle = new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    for (const lane of this.#lanes.values()) if (lane.phase === "lingering") this.#line(lane);
    await idle;
  }

  #begin(name: string): Lane<Item, Result> {
    const stopLingering = this.#options.clock.schedule(() => this.#line(lane), this.#options.lingerMs);
    const lane: Lane<Item, Result> = { name, queue: [], queuedItems: 0, phase: "lingering", stopLingering };
    this.#lanes.set(name, lane);
    return lane;
  }

  #line(lane: Lane<Item, Result>): void {
    lane.stopLingering();
    lane.phase = "ready";
    this.#ready.push(lane);
    this.#start();
  }

  #start(): void {
    while (this.#flushing < this.#options.maxFlushes) {
      const lane = this.#ready.shift();
      if (lane === undefined) return;
      void this.#run(lane);
    }
  }

  async #run(lane: Lane<Item, Result>): Promise<void> {
    lane.phase = "flushing";
    this.#flushing += 1;
    const waiters = this.#take(lane);
    try {
      const items = waiters.flatMap((waiter) => waiter.items);
      const result = await this.#options.flush(lane.name, items);
      for (const { resolve } of waiters) resolve(result);
    } catch (error) {
      const failure =
        error instanceof RingmasterError
          ? error
          : new RingmasterError("unavailable", undefined, undefined, { cause: error });
      for (const { reject } of waiters) reject(failure);
    }
    this.#flushing -= 1;
    if (lane.queue.length > 0) this.#line(lane);
    else this.#end(lane);
    this.#start();
  }

  /** As many waiters from the front of the queue as fit into one flush. */
  #take(lane: Lane<Item, Result>): Waiter<Item, Result>[] {
    let count = 0;
    let items = 0;
    for (const waiter of lane.queue) {
      if (items + waiter.items.length > this.#options.maxItems) break;
      items += waiter.items.length;
      count += 1;
    }
    lane.queuedItems -= items;
    this.#queued -= items;
    return lane.queue.splice(0, count);
  }

  #end(lane: Lane<Item, Result>): void {
    this.#lanes.delete(lane.name);
    if (this.#lanes.size > 0) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}
