import { persist } from "../../actors/events/persist.ts";
import { mayFollow } from "../../actors/events/phaseOrder.ts";
import { LOBBY_TOPIC } from "../../actors/hunts/HuntActor.ts";
import type { Log } from "../../actors/runtime/ports.ts";
import type { Clock } from "../../clock.ts";
import { HUNT_PHASES, type Hunts } from "../../entities/hunts/Hunt.ts";
import type { BoardList } from "../../entities/phaseLists.ts";
import { isOpen, openWindow, type PopupWindow } from "../../entities/popups/Popup.ts";
import type { Sql } from "../../entities/sql.ts";
import { TOURNAMENT_PHASES, type Tournaments } from "../../entities/tournaments/Tournament.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";
import { BoardWindow, keyOf } from "./BoardWindow.ts";

/** Something to take part in, of whatever domain. Times are epoch milliseconds. */
export interface BoardEntry {
  id: string;
  domain: Domain;
  name: string;
  phase: string;
  startsAt: number;
  /** When the phase ends; 0 where that is not known. */
  endsAt: number;
  /** Since when it is paused; 0 while it is not. */
  pausedAt: number;
}

type Domain = "hunts" | "tournaments";

/** What the board needs of a hunt or a tournament, in a list or in the news. */
type Listed = Omit<BoardEntry, "domain" | "endsAt" | "pausedAt"> & { phaseEndsAt: number; pausedAt?: number };

/** Who reads the board. */
export interface BoardReader {
  onBoard(): void;
  onEvent(event: FeedEvent): void;
  /** Some events may have been lost. */
  onReset(): void;
}

export interface LobbyBoardPorts {
  feed: Feed;
  hunts: Pick<Hunts, "board">;
  tournaments: Pick<Tournaments, "board">;
  database: Sql;
  clock: Pick<Clock, "now" | "schedule">;
  log: Pick<Log, "warn">;
}

/** Entries shown in each of the two lists. */
const MOST_SHOWN = 50;
/** Entries kept of each, and read of each domain: once they are fewer than are shown, the next ones are read. */
const MOST_KEPT = 200;

/** News of the lobby's feed that say how something stands. */
const NEWS = new Map<string, Domain>([
  ["huntScheduled", "hunts"],
  ["huntPhase", "hunts"],
  ["tournamentScheduled", "tournaments"],
  ["tournamentPhase", "tournaments"],
]);

/** The phases of what is over. */
const OVER: ReadonlySet<string> = new Set(["finished", "settled", "cancelled"]);
/** The phase of what has not begun. */
const COMING = "scheduled";

const ORDERS: Record<Domain, readonly string[]> = { hunts: HUNT_PHASES, tournaments: TOURNAMENT_PHASES };

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
  #popup: PopupWindow | undefined;
  /** How many events were heard. */
  #heard = 0;
  #unfollow: (() => void) | undefined;

  constructor(ports: LobbyBoardPorts) {
    this.#ports = ports;
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
    const { hunts: huntsTable, tournaments: tournamentsTable, clock, database } = this.#ports;
    for (let heard = -1; heard !== this.#heard; ) {
      heard = this.#heard;
      const [hunts, tournaments, popup] = await Promise.all([
        huntsTable.board(MOST_KEPT),
        tournamentsTable.board(MOST_KEPT),
        openWindow(database, clock.now()),
      ]);
      // What is heard during the read may be newer than what was read.
      if (heard !== this.#heard) continue;
      this.#fill({ hunts, tournaments });
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
    const domain = NEWS.get(event.type);
    if (domain) this.#take(domain, event.data as Listed);
    this.#topUp();
    if (event.type === "popupOpened") this.#popup = event.data as PopupWindow;
    if (event.type === "popupClosed" && this.#popup?.id === (event.data as { id: string }).id) this.#popup = undefined;
    for (const reader of this.#readers) {
      reader.onBoard();
      reader.onEvent(event);
    }
  }

  /** Replaces everything by what was read. */
  #fill(read: Record<Domain, BoardList<Listed>>): void {
    const domains = Object.keys(read) as Domain[];
    for (const domain of domains) for (const { id } of read[domain].over) this.#end(keyOf({ domain, id }));
    const entriesOf = (part: "on" | "coming"): BoardEntry[] =>
      domains.flatMap((domain) => read[domain][part].map((listed) => entryOf(domain, listed)));
    const isWhole = (part: "on" | "coming"): boolean =>
      domains.every((domain) => read[domain][part].length < MOST_KEPT);
    this.#on.fill(entriesOf("on"), isWhole("on"));
    this.#coming.fill(entriesOf("coming"), isWhole("coming"));
    this.#shown = undefined;
  }

  #take(domain: Domain, listed: Listed): void {
    const { phase } = listed;
    const entry = entryOf(domain, listed);
    const key = keyOf(entry);
    this.#shown = undefined;
    const known = this.#on.get(key) ?? this.#coming.get(key);
    if (OVER.has(phase)) this.#end(key);
    if (this.#over.has(key) || (known && !mayFollow(ORDERS[domain], known.phase, phase))) return;
    if (phase === COMING) {
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

function entryOf(domain: Domain, { id, name, phase, startsAt, phaseEndsAt, pausedAt = 0 }: Listed): BoardEntry {
  return { id, domain, name, phase, startsAt, endsAt: phaseEndsAt, pausedAt };
}
