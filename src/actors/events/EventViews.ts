import type { Clock } from "../../clock.ts";
import { databaseError } from "../../entities/failures.ts";
import { RingmasterError } from "../../errors.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";
import { roomsTopic } from "../runtime/Actor.ts";
import type { Log } from "../runtime/ports.ts";
import { persist } from "./persist.ts";

/** An event that has rooms on this node: opened for the first one, closed when the last one has left. */
export interface OpenEvent<Room, Stored> {
  readonly id: string;
  /** Those rooms. */
  readonly audience: Set<Room>;
  /** It is as up to date as it can be; its first room joins next. */
  opened(): void;
  /** Its actor has told its rooms something (`notifyRooms`). */
  onEvent(event: FeedEvent): void;
  /** It was looked up, because news of what has happened to it may have been lost. */
  catchUp(stored: Stored): void;
  /** Its last room has left. */
  closed(): void;
}

/** What an open event has done for it. */
export interface Upkeep {
  /** Looks up how the event is, again and again while that fails and it has rooms. */
  lookUp(): void;
  /** Does something for the event's rooms, again and again while that fails and there are any. `failure` is logged each time. */
  persist(failure: string, work: () => Promise<void>): void;
}

/** What tells events of one kind from those of another. */
export interface EventKind<Event, Stored> {
  /** What owns such an event, and tells its rooms what happens to it (`notifyRooms`). Its kind is what such an event is called. */
  actor: { readonly kind: string };
  has(id: string): Promise<boolean>;
  get(id: string): Promise<Stored | null>;
  open(stored: Stored, upkeep: Upkeep): Event;
}

interface Followed<Event> {
  event: Event;
  unfollow: () => void;
  /** How much was heard of it. */
  heard: number;
}

/**
 * The events of one kind that have rooms on this node: opened by their first room, closed by their last, and kept up to date by their feeds.
 *
 * States of an event here:
 *   (closed)  to opening by its first room;
 *   opening   follows its feed, then reads it, and keeps what is heard meanwhile; to open, or to (closed) when one of these fails;
 *   open      is changed by what is heard; is read again (`catchUp`) when something may not have been heard; to (closed) when its last
 *             room has left.
 */
export class EventViews<Room, Event extends OpenEvent<Room, Stored>, Stored> {
  readonly #kind: EventKind<Event, Stored>;
  readonly #feed: Feed;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #open = new Map<string, Promise<Followed<Event>>>();

  constructor(kind: EventKind<Event, Stored>, { feed, clock, log }: { feed: Feed; clock: Clock; log: Log }) {
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

  /** The event, of which the room hears everything until it leaves. Throws `not_found` for an id that no event has. */
  async join(id: string, room: Room): Promise<{ event: Event; leave(): void }> {
    const opening = this.#open.get(id) ?? this.#begin(id);
    const followed = await opening;
    // Whoever came before may have left meanwhile, and closed the event.
    if (this.#open.get(id) !== opening) return this.join(id, room);
    followed.event.audience.add(room);
    return { event: followed.event, leave: () => this.#leave(followed, room) };
  }

  /** The event as this node knows it; `undefined` when it has no rooms here. */
  async find(id: string): Promise<Event | undefined> {
    return (await this.#open.get(id))?.event;
  }

  /** Looks an event up that may have no rooms here. Throws `not_found`. */
  async read(id: string): Promise<Stored> {
    const stored = await this.#kind.get(id).catch((error: unknown) => {
      throw databaseError(error);
    });
    if (!stored) throw this.#unknown(id);
    return stored;
  }

  /** Does something with the event, if it has rooms here. */
  at(id: string, use: (event: Event) => void): void {
    this.#open.get(id)?.then(
      ({ event }) => use(event),
      () => {},
    );
  }

  /** Does something with each event that has rooms here. */
  all(use: (event: Event) => void): void {
    for (const id of this.#open.keys()) this.at(id, use);
  }

  /** After an outage of the shared memory, in which news may have been lost: looks up how the events are. */
  refresh(): void {
    for (const id of this.#open.keys()) this.#lookUp(id);
  }

  #lookUp(id: string): void {
    this.#open.get(id)?.then(
      (followed) => this.#catchUp(followed),
      () => {},
    );
  }

  #begin(id: string): Promise<Followed<Event>> {
    const opening = this.#follow(id);
    this.#open.set(id, opening);
    opening.catch(() => this.#open.delete(id));
    return opening;
  }

  async #follow(id: string): Promise<Followed<Event>> {
    // The feed first: what changes before the event is read is then heard of.
    const missed: FeedEvent[] = [];
    let hear = (event: FeedEvent): void => void missed.push(event);
    const unfollow = await this.#feed.follow(roomsTopic(this.#kind.actor, id), {
      onEvent: (event) => hear(event),
      onReset: () => this.#lookUp(id),
    });
    try {
      const event: Event = this.#kind.open(await this.read(id), {
        lookUp: () => this.#lookUp(id),
        persist: (failure, work) => void this.#persist(event, failure, work),
      });
      const followed: Followed<Event> = { event, unfollow, heard: 0 };
      hear = (news) => {
        followed.heard += 1;
        event.onEvent(news);
      };
      for (const news of missed) hear(news);
      event.opened();
      return followed;
    } catch (error) {
      unfollow();
      throw error;
    }
  }

  #leave({ event, unfollow }: Followed<Event>, room: Room): void {
    const { id, audience } = event;
    // Once more than it came, it must not close the event for who came after.
    if (!audience.delete(room) || audience.size > 0) return;
    this.#open.delete(id);
    unfollow();
    event.closed();
  }

  #catchUp(followed: Followed<Event>): Promise<void> {
    const { event } = followed;
    return this.#persist(event, `how the ${this.#kind.actor.kind} is could not be looked up`, async () => {
      for (let heard = -1; heard !== followed.heard; ) {
        heard = followed.heard;
        const stored = await this.read(event.id);
        // What is heard during the read may be newer than what was read.
        if (heard === followed.heard) event.catchUp(stored);
      }
    });
  }

  #persist({ id, audience }: Event, failure: string, work: () => Promise<void>): Promise<void> {
    return persist(work, {
      clock: this.#clock,
      isWanted: () => audience.size > 0,
      failed: (error) => this.#log.warn({ err: error, [this.#kind.actor.kind]: id }, failure),
    });
  }

  #unknown(id: string): RingmasterError {
    return new RingmasterError("not_found", `There is no ${this.#kind.actor.kind} ${id}.`);
  }
}
