import type { Clock } from "../../clock.ts";
import type { Feed, FeedAppend } from "../../stores/feeds/Feed.ts";
import type { OutgoingEvent } from "./Actor.ts";
import type { ActorStore, OutboxRow } from "./ActorStore.ts";
import type { Log } from "./ports.ts";

/** What an outbox row holds. */
export type OutboxMessage =
  | { type: "event"; topic: string; at: number; event: OutgoingEvent }
  | { type: "tell"; kind: string; id: string; method: string; args: unknown[] };

/** Calls the told actor; rejects only when it is worth trying again. */
export type Teller = (message: OutboxMessage & { type: "tell" }, requestId: string) => Promise<void>;

/** Rows kept in memory while they cannot be delivered; beyond it they are read back from the table when it works again. */
const MEMORY_BOUND = 10_000;
/** Rows delivered at once. */
const BATCH = 500;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5000;

/**
 * Carries committed messages to where they go: events into feeds, tells to their actors. At least once from the table, in the
 * order committed, and each takes effect once: a feed leaves out a key that it has, an actor answers a request id that it has.
 */
export class Outbox {
  readonly #store: ActorStore;
  readonly #feed: Feed;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #tell: Teller;
  #rows: OutboxRow[] = [];
  /** Some rows are in the table only. */
  #spilled = false;
  #running: Promise<void> | undefined;
  #retryMs = FIRST_RETRY_MS;
  #cancelRetry: (() => void) | undefined;
  #stopped = false;

  constructor(ports: { store: ActorStore; feed: Feed; clock: Clock; log: Log; tell: Teller }) {
    this.#store = ports.store;
    this.#feed = ports.feed;
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#tell = ports.tell;
  }

  /** Takes rows that a turn has just committed. */
  deliver(rows: readonly OutboxRow[]): void {
    if (this.#spilled || this.#rows.length + rows.length > MEMORY_BOUND) this.#spilled = true;
    else this.#rows.push(...rows);
    this.#run();
  }

  /** Takes over what a dead node has not delivered. */
  async adopt(nodeId: string): Promise<void> {
    while ((await this.#store.adoptOutbox(nodeId)) > 0) this.#spilled = true;
    if (this.#spilled) this.#run();
  }

  /** Reads the table for rows that an earlier run of this node left behind. */
  resume(): void {
    this.#spilled = true;
    this.#run();
  }

  /** Delivers what is there, then stops; what cannot be delivered now stays in the table for a peer. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelRetry?.();
    await this.#running;
    if (this.#rows.length > 0) await this.#deliverAll().catch(() => {});
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
        if (this.#rows.length > 0 || this.#spilled) this.#run();
      });
  }

  #retryLater(error: unknown): void {
    this.#log.warn(
      { err: error, retryMs: this.#retryMs, waiting: this.#rows.length },
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
    for (;;) {
      if (this.#rows.length === 0 && this.#spilled) await this.#readBack();
      const batch = this.#rows.slice(0, BATCH);
      if (batch.length === 0) return;
      const failed = await this.#deliverBatch(batch);
      await this.#store.deleteOutbox(batch.filter((row) => !failed.has(row)).map((row) => row.seq));
      this.#rows = [...this.#rows.slice(batch.length), ...failed];
      if (failed.size > 0) throw new Error(`${failed.size} tells could not be delivered`);
    }
  }

  async #readBack(): Promise<void> {
    // Before the read: a turn that commits meanwhile must find the memory open, or see this read come back with its row.
    this.#spilled = false;
    const rows = await this.#store.outboxOf();
    if (rows.length > 0) this.#spilled = true;
    const known = new Set(this.#rows.map((row) => row.seq));
    this.#rows = [...rows.filter((row) => !known.has(row.seq)), ...this.#rows];
  }

  /** Returns the tells that must be tried again; a feed that refuses fails the whole batch, since events keep their order. */
  async #deliverBatch(batch: readonly OutboxRow[]): Promise<Set<OutboxRow>> {
    const events: FeedAppend[] = [];
    const failed = new Set<OutboxRow>();
    const tells: Array<Promise<void>> = [];
    for (const row of batch) {
      const message = JSON.parse(row.message) as OutboxMessage;
      const key = `o${row.seq}`;
      if (message.type === "event") events.push({ key, topic: message.topic, at: message.at, ...message.event });
      else tells.push(this.#tell(message, key).catch(() => void failed.add(row)));
    }
    if (events.length > 0) await this.#feed.append(events);
    await Promise.all(tells);
    return failed;
  }
}
