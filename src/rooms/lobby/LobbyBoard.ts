import { persist } from "../../actors/events/persist.ts";
import { mayFollow } from "../../actors/events/phaseOrder.ts";
import { LOBBY_TOPIC } from "../../actors/hunts/HuntActor.ts";
import type { Log } from "../../actors/runtime/ports.ts";
import type { Clock } from "../../clock.ts";
import { HUNT_PHASES, type Hunts } from "../../entities/hunts/Hunt.ts";
import { isOpen, openWindow, type PopupWindow } from "../../entities/popups/Popup.ts";
import type { Sql } from "../../entities/sql.ts";
import { TOURNAMENT_PHASES, type Tournaments } from "../../entities/tournaments/Tournament.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";

/** Something to take part in, of whatever domain. Times are epoch milliseconds. */
export interface BoardEntry {
  id: string;
  domain: Domain;
  name: string;
  phase: string;
  startsAt: number;
  /** When the phase ends; 0 where that is not known. */
  endsAt: number;
}

type Domain = "hunts" | "tournaments";

/** What the board needs of a hunt or a tournament, in a list or in the news. */
type Listed = Omit<BoardEntry, "domain" | "endsAt"> & { phaseEndsAt: number };

/** Who reads the board. */
export interface BoardReader {
  onBoard(): void;
  onEvent(event: FeedEvent): void;
  /** Some events may have been lost. */
  onReset(): void;
}

export interface LobbyBoardPorts {
  feed: Feed;
  hunts: Pick<Hunts, "list">;
  tournaments: Pick<Tournaments, "list">;
  database: Sql;
  clock: Pick<Clock, "now" | "schedule">;
  log: Pick<Log, "warn">;
}

/** Entries shown in each of the two lists. */
const MOST_SHOWN = 50;

/** News of the lobby's feed that say how something stands. */
const NEWS = new Map<string, Domain>([
  ["huntScheduled", "hunts"],
  ["huntPhase", "hunts"],
  ["tournamentScheduled", "tournaments"],
  ["tournamentPhase", "tournaments"],
]);

/** The phases of what is over. */
const OVER: ReadonlySet<string> = new Set(["finished", "settled", "cancelled"]);

const ORDERS: Record<Domain, readonly string[]> = { hunts: HUNT_PHASES, tournaments: TOURNAMENT_PHASES };

/** What is over and remembered, so that a late word does not bring it back: as many as the lobby's feed keeps events. */
const MOST_OVER = 1000;

/** What is on and coming, kept up to date by the lobby's feed; one a node, for all its lobbies. */
export class LobbyBoard {
  readonly #entries = new Map<string, BoardEntry>();
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
        huntsTable.list(),
        tournamentsTable.list(),
        openWindow(database, clock.now()),
      ]);
      // What is heard during the read may be newer than what was read.
      if (heard !== this.#heard) continue;
      this.#entries.clear();
      for (const hunt of hunts) this.#take("hunts", hunt);
      for (const tournament of tournaments) this.#take("tournaments", tournament);
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

  #onReset(): void {
    for (const reader of this.#readers) reader.onReset();
    const { clock, log } = this.#ports;
    void persist(() => this.#refresh(), {
      clock,
      isWanted: () => this.#unfollow !== undefined,
      failed: (error) => log.warn({ err: error }, "the lobby's board could not be read anew"),
    });
  }

  #onEvent(event: FeedEvent): void {
    this.#heard += 1;
    const domain = NEWS.get(event.type);
    if (domain) this.#take(domain, event.data as Listed);
    if (event.type === "popupOpened") this.#popup = event.data as PopupWindow;
    if (event.type === "popupClosed" && this.#popup?.id === (event.data as { id: string }).id) this.#popup = undefined;
    for (const reader of this.#readers) {
      reader.onBoard();
      reader.onEvent(event);
    }
  }

  #take(domain: Domain, { id, name, phase, startsAt, phaseEndsAt }: Listed): void {
    const key = `${domain}/${id}`;
    const known = this.#entries.get(key);
    if (OVER.has(phase)) this.#end(key);
    if (this.#over.has(key) || (known && !mayFollow(ORDERS[domain], known.phase, phase))) return;
    this.#entries.set(key, { id, domain, name, phase, startsAt, endsAt: phaseEndsAt });
  }

  #end(key: string): void {
    this.#entries.delete(key);
    this.#over.delete(key);
    this.#over.add(key);
    if (this.#over.size > MOST_OVER) this.#over.delete(this.#over.values().next().value!);
  }
}
