import type { Clock } from "../../clock.ts";
import type { Feed, FeedAppend } from "../../stores/feeds/Feed.ts";
import type { OutgoingEvent } from "./Actor.ts";
import type { OutboxRow, OutboxTable } from "./OutboxTable.ts";
import type { Log } from "./ports.ts";
import { type Tell, type Teller, Tells } from "./Tells.ts";

/** What an outbox row holds. */
export type OutboxMessage = { type: "event"; topic: string; at: number; event: OutgoingEvent } | Tell;

/** Events kept in memory while the feed is out of reach; beyond it they are read back from the table when it works again. */
const MEMORY_BOUND = 10_000;
/** Events appended at once. */
const BATCH = 500;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5000;

/**
 * Carries committed messages to where they go: events into feeds in the order committed, tells to their actors. At least once
 * from the table, and each takes effect once: a feed leaves out a key that it has, an actor answers a request id that it has.
 */
export class Outbox {
  readonly #table: OutboxTable;
  readonly #feed: Feed;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #tells: Tells;
  #events: FeedAppend[] = [];
  /** The ids of `#events`, in the same order. */
  #seqs: number[] = [];
  /** Some rows are in the table only. */
  #spilled = false;
  #running: Promise<void> | undefined;
  #retryMs = FIRST_RETRY_MS;
  #cancelRetry: (() => void) | undefined;
  #stopped = false;

  constructor(ports: { table: OutboxTable; feed: Feed; clock: Clock; log: Log; tell: Teller }) {
    this.#table = ports.table;
    this.#feed = ports.feed;
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#tells = new Tells(ports, () => this.#run());
  }

  /** Takes rows that a turn has just committed. */
  deliver(rows: readonly OutboxRow[]): void {
    if (this.#spilled || this.#events.length + rows.length > MEMORY_BOUND || !this.#tells.hasRoom) this.#spilled = true;
    else this.#take(rows);
    this.#run();
  }

  /** Takes over what a dead node has not delivered. */
  async adopt(nodeId: string): Promise<void> {
    while ((await this.#table.adopt(nodeId)) > 0) this.#spilled = true;
    if (this.#spilled) this.#run();
  }

  /** Reads the table for rows that this node does not know: an earlier run's, or those of a commit that seemed to fail. */
  resume(): void {
    this.#spilled = true;
    this.#run();
  }

  /** Delivers the events that are there, then stops; what cannot be delivered now stays in the table for a peer. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#tells.stop();
    this.#cancelRetry?.();
    await this.#running;
    if (this.#events.length > 0) await this.#deliverAll().catch(() => {});
  }

  #take(rows: readonly OutboxRow[]): void {
    for (const { seq, message } of rows) {
      const parsed = JSON.parse(message) as OutboxMessage;
      if (parsed.type === "tell") {
        this.#tells.add(seq, parsed);
        continue;
      }
      const { topic, at, event } = parsed;
      this.#events.push({ key: `o${seq}`, topic, at, ...event });
      this.#seqs.push(seq);
    }
  }

  #run(): void {
    if (this.#running || this.#cancelRetry || this.#stopped) return;
    this.#running = this.#deliverAll()
      .then(() => {
        this.#retryMs = FIRST_RETRY_MS;
      })
      .catch((error: unknown) => this.#retryLater(error))
      .finally(() => {
        this.#running = undefined;
        if (this.#hasWork) this.#run();
      });
  }

  get #hasWork(): boolean {
    return this.#events.length > 0 || (this.#spilled && this.#tells.hasRoom);
  }

  #retryLater(error: unknown): void {
    this.#log.warn(
      { err: error, retryMs: this.#retryMs, waiting: this.#events.length },
      "the outbox cannot deliver and tries again",
    );
    if (this.#stopped) return;
    this.#cancelRetry = this.#clock.schedule(() => {
      this.#cancelRetry = undefined;
      this.#run();
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
  }

  async #deliverAll(): Promise<void> {
    while (this.#hasWork) {
      if (this.#events.length === 0) await this.#readBack();
      const batch = this.#events.slice(0, BATCH);
      if (batch.length === 0) continue;
      // A feed that refuses fails the whole batch, since events keep their order.
      await this.#feed.append(batch);
      await this.#table.delete(this.#seqs.slice(0, batch.length));
      this.#events = this.#events.slice(batch.length);
      this.#seqs = this.#seqs.slice(batch.length);
    }
  }

  /** Reads a page of rows that are in the table only. */
  async #readBack(): Promise<void> {
    // Before the read: a turn that commits meanwhile must find the memory open, or see this read come back with its row.
    this.#spilled = false;
    try {
      for (let after = 0; ; ) {
        const page = await this.#table.page(after);
        const inMemory = new Set(this.#seqs);
        const missing = page.filter(({ seq }) => !inMemory.has(seq) && !this.#tells.has(seq));
        this.#take(missing);
        const last = page.at(-1);
        if (last === undefined) return;
        if (missing.length > 0) {
          this.#spilled = true;
          return;
        }
        after = last.seq;
      }
    } catch (error) {
      this.#spilled = true;
      throw error;
    }
  }
}
