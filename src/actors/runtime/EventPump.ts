import { type Clock, type Rng, sleep } from "../../clock.ts";
import type { Feed, FeedAppend } from "../../stores/feeds/Feed.ts";
import type { ActorAddress } from "./actorRow.ts";
import { backoffMs } from "./backoff.ts";
import type { DeadEvents } from "./DeadEvents.ts";
import { MESSAGE_PAGE } from "./messageSql.ts";
import { type EventMessage, type EventRow, type MessageId, messageKey, type Position } from "./messages.ts";
import type { OutboxEvents } from "./OutboxEvents.ts";
import type { Log } from "./ports.ts";
import { actorKey } from "./protocol.ts";
import { RefusedEvents } from "./RefusedEvents.ts";

/** Events kept in memory while the feed is out of reach; further ones wait in the table. */
const MEMORY_BOUND = 10_000;
/** Actors of which it is remembered that their events wait in the table; beyond it the table is asked for them. */
const BEHIND_BOUND = 10_000;
/** Actors whose events are read back at once. */
const ACTORS_AT_ONCE = 50;
const LONGEST_RETRY_MS = 5000;
/** Where it is tried whether the feed takes anything; nobody follows it. */
const PROBE_TOPIC = "outbox.probe";
/** When that is tried, in milliseconds after one another: a connection that an event has cost is back by then. */
const PROBE_AFTER_MS = [0, 100, 200, 400, 800];

interface Behind {
  address: ActorAddress;
  /** All up to here has been read. */
  after: Position;
  /** More has been committed since the last read began. */
  isDirty: boolean;
  since: number;
}

interface QueuedEvent {
  id: MessageId;
  message: EventMessage;
  append: FeedAppend;
}

/** What came of appending some events: which the feed has, and the actors of which it refused one. */
interface Appended {
  taken: Set<QueuedEvent>;
  refused: Set<string>;
  /** Those of the refused of which nothing can be kept in memory, and why they were refused. */
  uncounted: Map<MessageId, unknown>;
}

const FIRST_ADDRESS: ActorAddress = { kind: "", id: "" };
const BEGINNING: Position = { version: -1, index: -1 };

/**
 * Carries committed events into feeds, each actor's in the order committed. What this turn committed is at hand; an actor that is
 * **behind** has earlier events in the table, so that all of its events are read from there, whoever's they are, until none is
 * left. At least once from the table, and once in the feed, which leaves out what its sender has had in there before.
 *
 * What the feed refuses by itself, while it takes others, holds up its own actor only, and ends as a dead letter (`RefusedEvents`). What
 * it does not take because it takes nothing waits, however long that lasts.
 */
export class EventPump {
  readonly #table: OutboxEvents;
  readonly #feed: Feed;
  readonly #clock: Clock;
  readonly #rng: Rng;
  readonly #log: Log;
  #queue: QueuedEvent[] = [];
  /** In a feed, and still in the table. */
  #published: MessageId[] = [];
  readonly #behind = new Map<string, Behind>();
  readonly #refused: RefusedEvents;
  /** The table is asked for actors that this node does not know to be behind: where that is now. */
  #scan: ActorAddress | undefined;
  #scanAgain = false;
  #scanSince = 0;
  #running: Promise<void> | undefined;
  #failures = 0;
  #cancelRetry: (() => void) | undefined;
  #stopped = false;

  constructor(ports: { events: OutboxEvents; deadEvents: DeadEvents; feed: Feed; clock: Clock; rng: Rng; log: Log }) {
    this.#table = ports.events;
    this.#feed = ports.feed;
    this.#clock = ports.clock;
    this.#rng = ports.rng;
    this.#log = ports.log;
    this.#refused = new RefusedEvents(ports, (address) => {
      this.#leave(address);
      this.run();
    });
  }

  /** Takes what a turn has just committed. */
  deliver(rows: readonly EventRow[], hasBacklog: boolean): void {
    const [first] = rows;
    if (!first) return;
    const key = actorKey(first);
    const isBehind = this.#scan !== undefined || this.#behind.has(key) || this.#refused.isWaiting(key);
    if (hasBacklog || isBehind || this.#queue.length + rows.length > MEMORY_BOUND) this.#leave(first);
    else this.#take(rows);
    this.run();
  }

  /** Looks for events of this node that it does not know of. */
  lookForMore(): void {
    if (this.#scan) this.#scanAgain = true;
    else this.#scanSince = this.#clock.now();
    this.#scan ??= FIRST_ADDRESS;
    this.run();
  }

  /** This node was silent for so long that its events may be in the feeds by now: only the table tells which are not. */
  forget(): void {
    this.#queue = [];
    this.#behind.clear();
    this.#refused.forget();
    this.lookForMore();
  }

  /** How long the oldest event that waits has done so, in milliseconds; 0 when none does. */
  lag(): number {
    const [first] = this.#queue;
    const [behind] = this.#behind.values();
    const waiting = [first?.append.at, behind?.since, this.#refused.oldest, this.#scan && this.#scanSince];
    const since = waiting.filter((at) => at !== undefined);
    return since.length === 0 ? 0 : Math.max(0, this.#clock.now() - Math.min(...since));
  }

  /** Delivers what is at hand, then stops; what cannot be delivered now stays in the table for a peer. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelRetry?.();
    await this.#running;
    if (this.#hasWork) await this.#work().catch(() => {});
  }

  run(): void {
    if (this.#running || this.#cancelRetry || this.#stopped) return;
    this.#running = this.#work()
      .catch((error: unknown) => this.#retryLater(error))
      .finally(() => {
        this.#running = undefined;
        if (this.#hasWork) this.run();
      });
  }

  get #hasWork(): boolean {
    return this.#published.length + this.#queue.length + this.#behind.size > 0 || this.#scan !== undefined;
  }

  #retryLater(error: unknown): void {
    this.#failures += 1;
    const waitMs = backoffMs(this.#failures, LONGEST_RETRY_MS, this.#rng);
    this.#log.warn({ err: error, waitMs, waiting: this.#queue.length }, "events cannot be delivered; trying again");
    if (this.#stopped) return;
    this.#cancelRetry = this.#clock.schedule(() => {
      this.#cancelRetry = undefined;
      this.run();
    }, waitMs);
  }

  /** One step after the other until nothing is left: a step that fails is where it goes on. */
  async #work(): Promise<void> {
    while (this.#hasWork) {
      if (this.#published.length > 0) await this.#delete();
      else if (this.#queue.length > 0) await this.#append();
      else if (this.#scan) await this.#lookOn(this.#scan);
      else await this.#readBehind();
      this.#failures = 0;
    }
  }

  async #delete(): Promise<void> {
    const ids = this.#published;
    await this.#table.delete(ids);
    this.#published = this.#published.slice(ids.length);
  }

  async #append(): Promise<void> {
    const queue = this.#queue;
    const batch = queue.slice(0, MESSAGE_PAGE);
    const end: Appended = { taken: new Set(), refused: new Set(), uncounted: new Map() };
    try {
      await this.#appendSome(batch, end);
    } finally {
      // It may have been forgotten meanwhile.
      if (this.#queue === queue) this.#appended(end);
    }
    // After a pause, in which places may become free.
    for (const error of end.uncounted.values()) throw error;
  }

  /** What comes after what was refused is read from the table when that is settled. */
  #appended({ taken, refused, uncounted }: Appended): void {
    for (const { id } of taken) this.#refused.taken(id);
    this.#published = [...taken].map(({ id }) => id);
    this.#queue = this.#queue.filter((event) => !taken.has(event) && !refused.has(actorKey(event.id)));
    for (const id of uncounted.keys()) this.#leave(id);
  }

  /** Appends the events, but for those of actors of which one is refused. Rejects when the feed takes nothing. */
  async #appendSome(events: readonly QueuedEvent[], end: Appended): Promise<void> {
    const { taken, refused, uncounted } = end;
    const going = refused.size === 0 ? events : events.filter(({ id }) => !refused.has(actorKey(id)));
    if (going.length === 0) return;
    try {
      await this.#feed.append(going.map(({ append }) => append));
      for (const event of going) taken.add(event);
    } catch (error) {
      const [only] = going;
      const isAlone = going.length === 1;
      if (this.#stopped || !(await this.#takesOthers())) throw error;
      if (isAlone) {
        const { id, message } = only!;
        refused.add(actorKey(id));
        if (this.#refused.hasPlaceFor(id)) await this.#refused.add(id, message, error);
        else uncounted.set(id, error);
        return;
      }
      const half = Math.ceil(going.length / 2);
      await this.#appendSome(going.slice(0, half), end);
      await this.#appendSome(going.slice(half), end);
    }
  }

  /** Whether the feed takes an event that it has nothing to refuse about. */
  async #takesOthers(): Promise<boolean> {
    for (const afterMs of PROBE_AFTER_MS) {
      if (afterMs > 0) await sleep(this.#clock, afterMs);
      const probe = { key: this.#rng.id(), topic: PROBE_TOPIC, at: this.#clock.now(), type: "probe", data: null };
      const isTaken = await this.#feed.append([probe]).then(
        () => true,
        () => false,
      );
      if (isTaken) return true;
    }
    return false;
  }

  #take(rows: readonly EventRow[]): void {
    for (const { message, ...id } of rows) {
      const parsed = JSON.parse(message) as EventMessage;
      const { topic, at, event } = parsed;
      const from = { sender: actorKey(id), version: id.version, index: id.index };
      this.#queue.push({ id, message: parsed, append: { key: messageKey(id), from, topic, at, ...event } });
    }
  }

  /** The actor's latest events are in the table only. */
  #leave({ kind, id }: ActorAddress): void {
    const key = actorKey({ kind, id });
    if (this.#refused.isWaiting(key)) return;
    const behind = this.#behind.get(key);
    if (behind) behind.isDirty = true;
    else if (this.#behind.size < BEHIND_BOUND) {
      this.#behind.set(key, { address: { kind, id }, after: BEGINNING, isDirty: false, since: this.#clock.now() });
    } else this.lookForMore();
  }

  /** Asks the table who is behind, a page of actors at a time. */
  async #lookOn(after: ActorAddress): Promise<void> {
    const page = await this.#table.senders(after, ACTORS_AT_ONCE);
    for (const address of page) this.#leave(address);
    if (page.length === ACTORS_AT_ONCE) this.#scan = page.at(-1)!;
    else if (this.#scanAgain) this.#scan = FIRST_ADDRESS;
    else this.#scan = undefined;
    if (page.length < ACTORS_AT_ONCE) this.#scanAgain = false;
    if (this.#behind.size > 0) await this.#readBehind();
  }

  /** Reads on where actors are behind. One of which all is read is behind no more. */
  async #readBehind(): Promise<void> {
    const actors = [...this.#behind.values()].slice(0, ACTORS_AT_ONCE);
    for (const actor of actors) actor.isDirty = false;
    const rows = await this.#table.of(actors, MESSAGE_PAGE);
    const last = rows.length < MESSAGE_PAGE ? undefined : actorKey(rows.at(-1)!);
    const latest = new Map(rows.map((row) => [actorKey(row), row]));
    const first = new Map(rows.toReversed().map((row) => [actorKey(row), row]));
    for (const actor of actors) {
      const key = actorKey(actor.address);
      const read = latest.get(key);
      // Of one without a row a full page does not tell whether it has none or comes later.
      const isAll = last === undefined || (read !== undefined && key !== last);
      if ((read || isAll) && actor.after === BEGINNING) void this.#refused.read(key, first.get(key));
      if (read) actor.after = read;
      if (isAll && !actor.isDirty && this.#behind.get(key) === actor) this.#behind.delete(key);
    }
    this.#take(rows);
  }
}
