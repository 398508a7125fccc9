import type { Clock } from "../../clock.ts";
import { databaseError } from "../../entities/failures.ts";
import { RingmasterError } from "../../errors.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";
import type { Log } from "../runtime/ports.ts";
import { persist } from "./persist.ts";

/** An event that has rooms on this node. Its table is what the rooms see of it. */
export interface OpenEvent<Room> {
  readonly table: { readonly id: string; readonly audience: Set<Room> };
}

/** What one kind of events makes of being followed. */
export interface EventKind<Room, Seat extends OpenEvent<Room>, Stored> {
  /** What such an event is called. */
  name: string;
  /** The feed of one event. */
  topicOf(id: string): string;
  has(id: string): Promise<boolean>;
  get(id: string): Promise<Stored | null>;
  seat(stored: Stored): Seat;
  /** The seat is as up to date as it can be; its first room joins next. */
  opened(seat: Seat): void;
  onEvent(seat: Seat, event: FeedEvent): void;
  /** The event was looked up, because the event that says what has happened to it may have been lost. */
  catchUp(seat: Seat, stored: Stored): void;
  /** The last room has left. */
  closed(seat: Seat): void;
}

interface Open<Seat> {
  seat: Seat;
  unfollow: () => void;
  /** How many events were heard. */
  heard: number;
}

/** The events of one kind that have rooms on this node: opened by their first room, closed by their last, and kept up to date by their feeds. */
export class EventViews<Room, Seat extends OpenEvent<Room>, Stored> {
  readonly #kind: EventKind<Room, Seat, Stored>;
  readonly #feed: Feed;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #open = new Map<string, Promise<Open<Seat>>>();

  constructor(kind: EventKind<Room, Seat, Stored>, { feed, clock, log }: { feed: Feed; clock: Clock; log: Log }) {
    this.#kind = kind;
    this.#feed = feed;
    this.#clock = clock;
    this.#log = log;
  }

  /** Throws `not_found` for an id that no event has; asks nobody about an event that has rooms here. */
  async require(id: string): Promise<void> {
    if (this.#open.has(id)) return;
    const isKnown = await this.#kind.has(id).catch((error: unknown) => {
      throw databaseError(error);
    });
    if (!isKnown) throw this.#unknown(id);
  }

  /** Seats a room: it hears of everything until it leaves. Throws `not_found` for an id that no event has. */
  async join(id: string, room: Room): Promise<{ table: Seat["table"]; leave(): void }> {
    const opening = this.#open.get(id) ?? this.#begin(id);
    const open = await opening;
    // Whoever came before may have left meanwhile, and closed the table.
    if (this.#open.get(id) !== opening) return this.join(id, room);
    open.seat.table.audience.add(room);
    return { table: open.seat.table, leave: () => this.#leave(open, room) };
  }

  /** The event's seat. Throws `unavailable` when it has no rooms here (any more). */
  async seated(id: string): Promise<Seat> {
    const open = await this.#open.get(id);
    if (!open) throw new RingmasterError("unavailable", "This room is closing; join again.");
    return open.seat;
  }

  /** The event as this node knows it; `undefined` when it has no rooms here. */
  async find(id: string): Promise<Seat | undefined> {
    return (await this.#open.get(id))?.seat;
  }

  /** Looks an event up that may have no rooms here. Throws `not_found`. */
  async read(id: string): Promise<Stored> {
    const stored = await this.#kind.get(id).catch((error: unknown) => {
      throw databaseError(error);
    });
    if (!stored) throw this.#unknown(id);
    return stored;
  }

  /** Does something at the event's seat, if it has rooms here. */
  at(id: string, use: (seat: Seat) => void): void {
    this.#open.get(id)?.then(
      ({ seat }) => use(seat),
      () => {},
    );
  }

  /** Does something at each seat. */
  all(use: (seat: Seat) => void): void {
    for (const id of this.#open.keys()) this.at(id, use);
  }

  /** After an outage of the shared memory, in which news may have been lost: looks up how the events stand. */
  refresh(): void {
    for (const id of this.#open.keys()) this.refreshOne(id);
  }

  /** Looks up how one event stands. */
  protected refreshOne(id: string): void {
    this.#open.get(id)?.then(
      (open) => this.#refresh(open),
      () => {},
    );
  }

  #begin(id: string): Promise<Open<Seat>> {
    const opening = this.#follow(id);
    this.#open.set(id, opening);
    opening.catch(() => this.#open.delete(id));
    return opening;
  }

  async #follow(id: string): Promise<Open<Seat>> {
    // The feed first: what changes before the event is read is then heard of.
    const missed: FeedEvent[] = [];
    let hear = (event: FeedEvent): void => void missed.push(event);
    const unfollow = await this.#feed.follow(this.#kind.topicOf(id), {
      onEvent: (event) => hear(event),
      onReset: () => this.refreshOne(id),
    });
    try {
      const open: Open<Seat> = { seat: this.#kind.seat(await this.read(id)), unfollow, heard: 0 };
      hear = (event) => {
        open.heard += 1;
        this.#kind.onEvent(open.seat, event);
      };
      for (const event of missed) hear(event);
      this.#kind.opened(open.seat);
      return open;
    } catch (error) {
      unfollow();
      throw error;
    }
  }

  #leave({ seat, unfollow }: Open<Seat>, room: Room): void {
    const { id, audience } = seat.table;
    // Once more than it came, it must not close the table of who came after.
    if (!audience.delete(room) || audience.size > 0) return;
    this.#open.delete(id);
    unfollow();
    this.#kind.closed(seat);
  }

  #refresh(open: Open<Seat>): Promise<void> {
    return this.persist(open.seat, `how the ${this.#kind.name} stands could not be looked up`, async () => {
      for (let heard = -1; heard !== open.heard; ) {
        heard = open.heard;
        const stored = await this.read(open.seat.table.id);
        // What is heard during the read may be newer than what was read.
        if (heard === open.heard) this.#kind.catchUp(open.seat, stored);
      }
    });
  }

  /** Does something for the rooms of a seat, again and again while it fails and there are any. */
  protected persist({ table }: Seat, failure: string, work: () => Promise<void>): Promise<void> {
    return persist(work, {
      clock: this.#clock,
      isWanted: () => table.audience.size > 0,
      failed: (error) => this.#log.warn({ err: error, [this.#kind.name]: table.id }, failure),
    });
  }

  #unknown(id: string): RingmasterError {
    return new RingmasterError("not_found", `There is no ${this.#kind.name} ${id}.`);
  }
}
