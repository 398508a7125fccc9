import { persist } from "../../actors/events/persist.ts";
import { mayFollow } from "../../actors/events/phaseOrder.ts";
import { LOBBY_TOPIC } from "../../actors/runtime/Actor.ts";
import type { Log } from "../../actors/runtime/ports.ts";
import type { Clock } from "../../clock.ts";
import type { PausedStatus } from "../../entities/events/Pausing.ts";
import type { ReviewStatus } from "../../entities/events/Review.ts";
import type { BoardList, PhaseSets } from "../../entities/phaseLists.ts";
import { isOpen, openWindow, type PopupWindow } from "../../entities/popups/Popup.ts";
import type { Database } from "../../entities/sql.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";
import { BoardWindow, keyOf } from "./BoardWindow.ts";

/** Something to take part in, of whatever domain. Times are epoch milliseconds. */
export interface BoardEntry {
  id: string;
  domain: string;
  name: string;
  phase: string;
  startsAt: number;
  /** When the phase ends; 0 where that is not known. */
  endsAt: number;
  /** Since when it is paused; 0 while it is not. */
  pausedAt: number;
  /** Since when its result is held for review; 0 while it is not. */
  reviewSince: number;
}

/** How the board is told of one of a domain, by a list or by its news. */
export type Listed = Omit<BoardEntry, "domain" | "endsAt" | "pausedAt" | "reviewSince"> & {
  phaseEndsAt: number;
} & PausedStatus &
  ReviewStatus;

/** What of a domain the board shows. */
export interface LobbyList {
  /** Types of events of the lobby's feed whose data is a `Listed`: how one of the domain stands now. */
  news: readonly string[];
  phases: PhaseSets;
  /** Reads what is on and coming, at most `most` of each, and some that are over. */
  board(database: Database, most: number): Promise<BoardList<Listed>>;
}

/** Who reads the board. */
export interface BoardReader {
  onBoard(): void;
  onEvent(event: FeedEvent): void;
  /** Some events may have been lost. */
  onReset(): void;
}

export interface LobbyBoardPorts {
  feed: Feed;
  /** By domain. */
  lists: ReadonlyMap<string, LobbyList>;
  database: Database;
  clock: Pick<Clock, "now" | "schedule">;
  log: Pick<Log, "warn">;
}

/** Entries shown in each of the two lists. */
const MOST_SHOWN = 50;
/** Entries kept of each, and read of each domain: once they are fewer than are shown, the next ones are read. */
const MOST_KEPT = 200;

/** What is over and remembered, so that a late event does not bring it back: as many as the lobby's feed keeps events. */
const MOST_OVER = 1000;

/** What is on and coming, kept up to date by the lobby's feed; one a node, for all its lobbies. */
export class LobbyBoard {
  readonly #on = new BoardWindow({ end: "latest", most: MOST_KEPT, shown: MOST_SHOWN });
  readonly #coming = new BoardWindow({ end: "soonest", most: MOST_KEPT, shown: MOST_SHOWN });
  /** What is shown; found anew after a change. */
  #shown: { on: BoardEntry[]; coming: BoardEntry[] } | undefined;
  #isReadAnew = false;
  /** What is over, oldest first. */
  readonly #over = new Set<string>();
  readonly #readers = new Set<BoardReader>();
  readonly #ports: LobbyBoardPorts;
  /** Of which domain an event of the feed tells how one stands. */
  readonly #newsOf: ReadonlyMap<string, string>;
  #popup: PopupWindow | undefined;
  /** How many events were heard. */
  #heard = 0;
  #unfollow: (() => void) | undefined;

  constructor(ports: LobbyBoardPorts) {
    this.#ports = ports;
    this.#newsOf = new Map(
      [...ports.lists].flatMap(([domain, { news }]) => news.map((type) => [type, domain] as const)),
    );
  }

  /** Follows the feed first and reads what there is then, so that nothing falls between. */
  async start(): Promise<void> {
    this.#unfollow = await this.#ports.feed.follow(LOBBY_TOPIC, {
      onEvent: (event) => this.#onEvent(event),
      onReset: () => this.#onReset(),
    });
    await this.#refresh();
  }

  /** Reads what is on. */
  async #refresh(): Promise<void> {
    const { lists, clock, database } = this.#ports;
    const domains = [...lists];
    for (let heard = -1; heard !== this.#heard; ) {
      heard = this.#heard;
      const [popup, ...read] = await Promise.all([
        openWindow(database, clock.now()),
        ...domains.map(([, list]) => list.board(database, MOST_KEPT)),
      ]);
      // What is heard during the read may be newer than what was read.
      if (heard !== this.#heard) continue;
      this.#fill(new Map(domains.map(([domain], at) => [domain, read[at]!])));
      this.#popup = popup;
    }
    for (const reader of this.#readers) reader.onBoard();
  }

  stop(): void {
    this.#unfollow?.();
    this.#unfollow = undefined;
  }

  join(reader: BoardReader): () => void {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }

  /** The popup window that is open, for whoever comes late. */
  get popup(): PopupWindow | undefined {
    return this.#popup && isOpen(this.#popup, this.#ports.clock.now()) ? this.#popup : undefined;
  }

  /** What has begun and is not over, oldest first: the latest of it where there is more than is shown. */
  get on(): BoardEntry[] {
    return this.#shownNow().on;
  }

  /** What has not begun, soonest first. */
  get coming(): BoardEntry[] {
    return this.#shownNow().coming;
  }

  /** Found once a change, however many rooms show it. */
  #shownNow(): { on: BoardEntry[]; coming: BoardEntry[] } {
    this.#shown ??= { on: this.#on.shown, coming: this.#coming.shown };
    return this.#shown;
  }

  #onReset(): void {
    for (const reader of this.#readers) reader.onReset();
    void this.#readAnew();
  }

  async #readAnew(): Promise<void> {
    const { clock, log } = this.#ports;
    await persist(() => this.#refresh(), {
      clock,
      isWanted: () => this.#unfollow !== undefined,
      failed: (error) => log.warn({ err: error }, "the lobby's board could not be read anew"),
    });
  }

  /** What is over makes room for what was beyond the board, which has to be read. */
  #topUp(): void {
    if (this.#isReadAnew || !(this.#on.lacks || this.#coming.lacks)) return;
    this.#isReadAnew = true;
    void this.#readAnew().finally(() => {
      this.#isReadAnew = false;
    });
  }

  #onEvent(event: FeedEvent): void {
    this.#heard += 1;
    const domain = this.#newsOf.get(event.type);
    if (domain !== undefined) this.#take(domain, event.data as Listed);
    this.#topUp();
    if (event.type === "popupOpened") this.#popup = event.data as PopupWindow;
    if (event.type === "popupClosed" && this.#popup?.id === (event.data as { id: string }).id) this.#popup = undefined;
    for (const reader of this.#readers) {
      reader.onBoard();
      reader.onEvent(event);
    }
  }

  /** Replaces everything by what was read. */
  #fill(read: ReadonlyMap<string, BoardList<Listed>>): void {
    for (const [domain, { over }] of read) for (const { id } of over) this.#end(keyOf({ domain, id }));
    const entriesOf = (part: "on" | "coming"): BoardEntry[] =>
      [...read].flatMap(([domain, list]) => list[part].map((listed) => entryOf(domain, listed)));
    const isWhole = (part: "on" | "coming"): boolean =>
      [...read.values()].every((list) => list[part].length < MOST_KEPT);
    this.#on.fill(entriesOf("on"), isWhole("on"));
    this.#coming.fill(entriesOf("coming"), isWhole("coming"));
    this.#shown = undefined;
  }

  #take(domain: string, listed: Listed): void {
    const { phase } = listed;
    const entry = entryOf(domain, listed);
    const key = keyOf(entry);
    this.#shown = undefined;
    const known = this.#on.get(key) ?? this.#coming.get(key);
    const { coming, on, over } = this.#ports.lists.get(domain)!.phases;
    if (over.includes(phase)) this.#end(key);
    if (this.#over.has(key) || (known && !mayFollow([...coming, ...on, ...over], known.phase, phase))) return;
    if (coming.includes(phase)) {
      this.#coming.put(entry);
    } else {
      this.#coming.remove(key);
      this.#on.put(entry);
    }
  }

  #end(key: string): void {
    this.#on.remove(key);
    this.#coming.remove(key);
    this.#over.delete(key);
    this.#over.add(key);
    if (this.#over.size > MOST_OVER) this.#over.delete(this.#over.values().next().value!);
  }
}

function entryOf(domain: string, listed: Listed): BoardEntry {
  const { id, name, phase, startsAt, phaseEndsAt: endsAt, pausedAt = 0, reviewSince = 0 } = listed;
  return { id, domain, name, phase, startsAt, endsAt, pausedAt, reviewSince };
}
