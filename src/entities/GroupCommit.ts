import type { Clock } from "../clock.ts";
import { RingmasterError } from "../errors.ts";
import { type Captured, captured, inBatch, type SpanStart } from "../tracing.ts";

/**
 * What may be committed together: a name, or an object, whose fields are compared one by one (`===`). Events have lanes with what their
 * items were decided by, so that one transaction checks that for all of them.
 */
export type CommitLane = string | { readonly id: string };

export interface GroupCommitOptions<Item, Result, Lane extends CommitLane = string> {
  /** Commits items of one lane together. What it throws rejects every waiter of the flush. */
  flush: (lane: Lane, items: readonly Item[]) => Promise<Result>;
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
  trace: Captured | undefined;
}

const SPAN: SpanStart = { name: "group commit" };

interface LaneQueue<Item, Result, Lane> {
  lane: Lane;
  waiters: Waiter<Item, Result>[];
  queuedItems: number;
  /** Lingering for company; in line for one of the flushes; or being flushed. */
  phase: "lingering" | "ready" | "flushing";
  stopLingering: () => void;
}

/**
 * Commits what arrives within a few milliseconds in one transaction, and wakes each waiter once its items are committed.
 * Under load groups grow by themselves, because items collect while the lane's flush is in flight.
 * A lane (what may be committed together) exists only while it has items.
 *
 * States of a lane:
 *   (none)     to lingering by its first item;
 *   lingering  to ready after `lingerMs`, when it has `maxItems`, or by `flush()`;
 *   ready      to flushing when one of the `maxFlushes` places is free, in the order of becoming ready;
 *   flushing   to ready when items came meanwhile, else to (none).
 */
export class GroupCommit<Item, Result, Lane extends CommitLane = string> {
  readonly #options: Required<GroupCommitOptions<Item, Result, Lane>>;
  /** By id: several of one event while it is loaded anew, or paused. */
  readonly #queues = new Map<string, LaneQueue<Item, Result, Lane>[]>();
  readonly #ready: LaneQueue<Item, Result, Lane>[] = [];
  #flushing = 0;
  #queued = 0;
  #whenIdle: (() => void)[] = [];

  constructor(options: GroupCommitOptions<Item, Result, Lane>) {
    this.#options = { lingerMs: 2, maxItems: 1000, maxFlushes: 4, maxQueued: 50_000, ...options };
  }

  /**
   * Commits `items` (1 to `maxItems`) in one flush. Rejects with `overloaded` at once when too much waits, and with `unavailable`
   * when the flush failed with an error that is not ours: then the items may be committed or not.
   */
  commit(lane: Lane, items: readonly Item[]): Promise<Result> {
    if (items.length === 0 || items.length > this.#options.maxItems) {
      return Promise.reject(new RangeError(`a commit takes 1 to ${this.#options.maxItems} items, not ${items.length}`));
    }
    if (this.#queued + items.length > this.#options.maxQueued) {
      return Promise.reject(new RingmasterError("overloaded"));
    }
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(idOf(lane))?.find((known) => isSame(known.lane, lane)) ?? this.#begin(lane);
      queue.waiters.push({ items, resolve, reject, trace: captured() });
      queue.queuedItems += items.length;
      this.#queued += items.length;
      const isInHaste = queue.queuedItems >= this.#options.maxItems || this.#whenIdle.length > 0;
      if (queue.phase === "lingering" && isInHaste) this.#makeReady(queue);
    });
  }

  /** Commits at once what lingers; resolves when nothing waits and nothing is in flight. */
  async flush(): Promise<void> {
    if (this.#queues.size === 0) return;
    const idle = new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    for (const queue of [...this.#queues.values()].flat()) if (queue.phase === "lingering") this.#makeReady(queue);
    await idle;
  }

  #begin(lane: Lane): LaneQueue<Item, Result, Lane> {
    const stopLingering = this.#options.clock.schedule(() => this.#makeReady(queue), this.#options.lingerMs);
    const queue: LaneQueue<Item, Result, Lane> = {
      lane,
      waiters: [],
      queuedItems: 0,
      phase: "lingering",
      stopLingering,
    };
    const known = this.#queues.get(idOf(lane));
    if (known) known.push(queue);
    else this.#queues.set(idOf(lane), [queue]);
    return queue;
  }

  #makeReady(queue: LaneQueue<Item, Result, Lane>): void {
    queue.stopLingering();
    queue.phase = "ready";
    this.#ready.push(queue);
    this.#start();
  }

  #start(): void {
    while (this.#flushing < this.#options.maxFlushes) {
      const queue = this.#ready.shift();
      if (queue === undefined) return;
      void this.#run(queue);
    }
  }

  async #run(queue: LaneQueue<Item, Result, Lane>): Promise<void> {
    queue.phase = "flushing";
    this.#flushing += 1;
    const waiters = this.#take(queue);
    try {
      const items = waiters.flatMap((waiter) => waiter.items);
      const result = await inBatch(
        () => SPAN,
        waiters,
        () => this.#options.flush(queue.lane, items),
      );
      for (const { resolve } of waiters) resolve(result);
    } catch (error) {
      const failure =
        error instanceof RingmasterError
          ? error
          : new RingmasterError("unavailable", undefined, undefined, { cause: error });
      for (const { reject } of waiters) reject(failure);
    }
    this.#flushing -= 1;
    if (queue.waiters.length > 0) this.#makeReady(queue);
    else this.#end(queue);
    this.#start();
  }

  /** As many waiters from the front of the queue as fit into one flush. */
  #take(queue: LaneQueue<Item, Result, Lane>): Waiter<Item, Result>[] {
    let count = 0;
    let items = 0;
    for (const waiter of queue.waiters) {
      if (items + waiter.items.length > this.#options.maxItems) break;
      items += waiter.items.length;
      count += 1;
    }
    queue.queuedItems -= items;
    this.#queued -= items;
    return queue.waiters.splice(0, count);
  }

  #end(queue: LaneQueue<Item, Result, Lane>): void {
    const id = idOf(queue.lane);
    const left = this.#queues.get(id)!.filter((other) => other !== queue);
    if (left.length > 0) this.#queues.set(id, left);
    else this.#queues.delete(id);
    if (this.#queues.size > 0) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }
}

function idOf(lane: CommitLane): string {
  return typeof lane === "string" ? lane : lane.id;
}

function isSame<Lane extends CommitLane>(one: Lane, other: Lane): boolean {
  if (typeof one === "string") return one === other;
  const [ones, others] = [one as Record<string, unknown>, other as Record<string, unknown>];
  return Object.keys({ ...ones, ...others }).every((field) => ones[field] === others[field]);
}
