import type { Clock } from "../../clock.ts";
import type { HuntRecord, Hunts, Winner } from "../../entities/hunts/Hunt.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";
import type { ClueLedger, LedgerView } from "../../stores/hunts/ClueLedger.ts";
import { EventViews } from "../events/EventViews.ts";
import type { Log } from "../runtime/ports.ts";
import type { FiguresReader } from "./FiguresReader.ts";
import { huntTopic, type PhaseNews } from "./HuntActor.ts";
import { type HuntAudience, HuntView } from "./HuntView.ts";
import { LedgerRefresh } from "./LedgerRefresh.ts";
import { Positions } from "./Positions.ts";

/** A hunt that has rooms on this node. */
export interface Seat {
  table: HuntView;
  refresh: LedgerRefresh;
  positions: Positions;
  /** Whether more clues are being asked for. */
  demanding: boolean;
  /** Whether everybody who waits here was asked about since every clue is solved. */
  isExhausted: boolean;
}

export interface ViewsPorts {
  hunts: Hunts;
  ledger: ClueLedger;
  figures: FiguresReader;
  feed: Feed;
  clock: Clock;
  log: Log;
  /** Revokes what has expired; resolves with whether some of it is left. */
  expire(seat: Seat): Promise<boolean>;
  /** Loads the ledger of a paused hunt. */
  load(seat: Seat): Promise<void>;
  /** How a hunt stands is known anew; `isOwn` when this node has read it, and peers should be told. */
  known(huntId: string, view: LedgerView, isOwn: boolean): void;
  /** The hunt is over, or has no rooms here any more. */
  removeGauges(huntId: string): void;
}

/** A view that no ledger's can replace. */
const FROZEN = { epoch: Number.MAX_SAFE_INTEGER, version: 0, pool: 0, waiting: 0, issued: 0, open: 0, nextExpiry: 0 };

/** The hunts that have rooms on this node. */
export class HuntViews extends EventViews<HuntAudience, Seat, HuntRecord> {
  readonly #ports: ViewsPorts;

  constructor(ports: ViewsPorts) {
    const { hunts, removeGauges } = ports;
    super(
      {
        name: "hunt",
        topicOf: huntTopic,
        has: (id) => hunts.has(id),
        get: (id) => hunts.get(id),
        seat: (record) => this.#seat(record),
        opened: (seat) => this.#opened(seat),
        onEvent: (seat, event) => this.#onEvent(seat, event),
        catchUp: (seat, record) => this.#catchUp(seat, record),
        closed: ({ table, refresh, positions }) => {
          refresh.stop();
          positions.stop();
          removeGauges(table.id);
        },
      },
      ports,
    );
    this.#ports = ports;
  }

  #seat(record: HuntRecord): Seat {
    const { ledger, clock, log, expire, load, known } = this.#ports;
    const table = new HuntView(record);
    const refresh: LedgerRefresh = new LedgerRefresh(table, {
      ...{ ledger, clock, log },
      expire: () => expire(seat),
      load: () => load(seat),
      show: (view, isOwn) => known(table.id, view, isOwn),
    });
    const positions = new Positions(table, { ledger, clock, log });
    const seat: Seat = { table, refresh, positions, demanding: false, isExhausted: false };
    return seat;
  }

  #opened(seat: Seat): void {
    if (seat.table.phase === "reveal" || seat.table.phase === "finished") this.#showFrozen(seat);
    seat.refresh.touch();
  }

  #catchUp(seat: Seat, record: HuntRecord): void {
    const { table, refresh } = seat;
    const { phase, phaseEndsAt, pausing, winners } = record;
    table.correct(record);
    if (winners && !table.winners) this.#openChest(seat, winners);
    const isNews =
      phase !== table.phase || phaseEndsAt !== table.phaseEndsAt || pausing?.count !== table.pausing?.count;
    if (isNews) this.#enter(seat, { phase, endsAt: phaseEndsAt, ...(pausing && { pausing }) });
    refresh.touch();
  }

  #onEvent(seat: Seat, { type, data }: FeedEvent): void {
    if (type === "phase") {
      const news = data as PhaseNews;
      if (seat.table.hearRevision(news.revision ?? 0)) this.refreshOne(seat.table.id);
      this.#enter(seat, news);
    }
    if (type === "chest") this.#openChest(seat, (data as { winners: Winner[] }).winners);
  }

  #enter({ table, refresh }: Seat, news: PhaseNews): void {
    const { phase } = news;
    table.moveTo(news);
    // What is open ends later, or not at all for now.
    if (news.pausing) refresh.touch();
    if (phase === "finished" || phase === "cancelled") this.#ports.removeGauges(table.id);
  }

  #openChest(seat: Seat, winners: Winner[]): void {
    seat.table.open(winners);
    this.#showFrozen(seat);
  }

  /** From the reveal on, the standings are what is committed, not what a ledger may have decided at the last moment. */
  #showFrozen(seat: Seat): void {
    const { id } = seat.table;
    const { hunts, figures } = this.#ports;
    void this.persist(seat, "the frozen standings could not be read", async () => {
      const { players, solved, standings } = (await hunts.figures(id)) ?? (await figures.read(id, true));
      seat.table.show({ ...FROZEN, players, solved, top: standings });
    });
  }
}
