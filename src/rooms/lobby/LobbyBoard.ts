import { type HuntStatus, LOBBY_TOPIC } from "../../actors/hunts/HuntActor.ts";
import type { HuntListing, Hunts } from "../../entities/hunts/Hunt.ts";
import { openWindow, type PopupWindow } from "../../entities/popups/Popup.ts";
import type { Sql } from "../../entities/sql.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";

/** Something to take part in, of whatever domain. Times are epoch milliseconds. */
export interface BoardEntry {
  id: string;
  domain: "hunts";
  name: string;
  phase: string;
  startsAt: number;
  endsAt: number;
}

/** Who reads the board. */
export interface BoardReader {
  onBoard(): void;
  onEvent(event: FeedEvent): void;
}

/** Entries shown in each of the two lists. */
const MOST_SHOWN = 50;

/** What is on and coming, kept up to date by the lobby's feed; one a node, for all its lobbies. */
export class LobbyBoard {
  readonly #entries = new Map<string, BoardEntry>();
  readonly #readers = new Set<BoardReader>();
  readonly #feed: Feed;
  readonly #hunts: Hunts;
  readonly #sql: Sql;
  #popup: PopupWindow | undefined;
  /** How many events were heard. */
  #heard = 0;
  #unfollow: (() => void) | undefined;

  constructor(ports: { feed: Feed; hunts: Hunts; database: Sql }) {
    this.#feed = ports.feed;
    this.#hunts = ports.hunts;
    this.#sql = ports.database;
  }

  /** Follows the feed first and reads the hunts then, so that nothing falls between. */
  async start(): Promise<void> {
    this.#unfollow = await this.#feed.follow(LOBBY_TOPIC, (event) => this.#onEvent(event));
    await this.refresh();
  }

  /** Reads what is on; to be called again after an outage of the shared memory, in which news may have been lost. */
  async refresh(): Promise<void> {
    for (let heard = -1; heard !== this.#heard; ) {
      heard = this.#heard;
      const [hunts, popup] = await Promise.all([this.#hunts.list(), openWindow(this.#sql)]);
      // What is heard during the read may be newer than what was read.
      if (heard !== this.#heard) continue;
      this.#entries.clear();
      for (const hunt of hunts) this.#take(hunt);
      this.#popup = popup;
    }
    for (const reader of this.#readers) reader.onBoard();
  }

  stop(): void {
    this.#unfollow?.();
  }

  join(reader: BoardReader): () => void {
    this.#readers.add(reader);
    return () => this.#readers.delete(reader);
  }

  /** The popup window that is open, for whoever comes late. */
  get popup(): PopupWindow | undefined {
    return this.#popup;
  }

  /** What has begun and is not over, oldest first. */
  get on(): BoardEntry[] {
    return this.#sorted((entry) => entry.phase !== "scheduled");
  }

  /** What has not begun, soonest first. */
  get coming(): BoardEntry[] {
    return this.#sorted((entry) => entry.phase === "scheduled");
  }

  #sorted(filter: (entry: BoardEntry) => boolean): BoardEntry[] {
    const entries = [...this.#entries.values()].filter(filter);
    return entries.sort((a, b) => a.startsAt - b.startsAt || (a.id < b.id ? -1 : 1)).slice(0, MOST_SHOWN);
  }

  #onEvent(event: FeedEvent): void {
    this.#heard += 1;
    if (event.type === "huntScheduled" || event.type === "huntPhase") this.#take(event.data as HuntStatus);
    if (event.type === "popupOpened") this.#popup = event.data as PopupWindow;
    if (event.type === "popupClosed" && this.#popup?.id === (event.data as { id: string }).id) this.#popup = undefined;
    for (const reader of this.#readers) {
      reader.onBoard();
      reader.onEvent(event);
    }
  }

  #take({ id, name, phase, startsAt, phaseEndsAt }: HuntStatus | HuntListing): void {
    if (phase === "finished" || phase === "cancelled") this.#entries.delete(id);
    else this.#entries.set(id, { id, domain: "hunts", name, phase, startsAt, endsAt: phaseEndsAt });
  }
}
