import type { Clock } from "../../clock.ts";
import type { Sql } from "../../entities/sql.ts";
import type { TournamentPhase, TournamentRecord, Tournaments } from "../../entities/tournaments/Tournament.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";
import { storedPage } from "../../stores/tournaments/committed.ts";
import type { BoardPage, Leaderboard } from "../../stores/tournaments/Leaderboard.ts";
import { EventViews } from "../events/EventViews.ts";
import type { Log } from "../runtime/ports.ts";
import { BoardRefresh, TOP } from "./BoardRefresh.ts";
import { type PhaseNews, tournamentTopic } from "./TournamentActor.ts";
import { type TournamentAudience, type TournamentTimes, TournamentView } from "./TournamentView.ts";

/** A tournament that has rooms on this node. */
export interface Seat {
  table: TournamentView;
  refresh: BoardRefresh;
}

export interface ViewsPorts {
  tournaments: Tournaments;
  leaderboard: Leaderboard;
  database: Pick<Sql, "query" | "dialect">;
  feed: Feed;
  clock: Clock;
  log: Log;
  /** A tournament has its first room here. */
  opened(table: TournamentView): void;
  /** This node has read how a tournament stands; peers should be told. */
  hasRead(table: TournamentView, view: BoardPage): void;
}

/** Of standings that are stored: later than any board's. */
const FINAL = { epoch: Number.MAX_SAFE_INTEGER, seq: 0 };

/** The tournaments that have rooms on this node. */
export class TournamentViews extends EventViews<TournamentAudience, Seat, TournamentRecord> {
  readonly #ports: ViewsPorts;

  constructor(ports: ViewsPorts) {
    super(
      {
        name: "tournament",
        topicOf: tournamentTopic,
        has: (id) => ports.tournaments.has(id),
        get: (id) => ports.tournaments.get(id),
        seat: (record) => {
          const table = new TournamentView(record);
          return { table, refresh: new BoardRefresh(table, ports) };
        },
        opened: (seat) => this.#opened(seat),
        onEvent: (seat, event) => this.#onEvent(seat, event),
        catchUp: (seat, record) => this.#catchUp(seat, record),
        closed: ({ refresh }) => refresh.stop(),
      },
      ports,
    );
    this.#ports = ports;
  }

  #opened(seat: Seat): void {
    seat.refresh.touch();
    this.#ports.opened(seat.table);
    this.#showStored(seat);
  }

  #onEvent(seat: Seat, { type, at, data }: FeedEvent): void {
    const { table } = seat;
    if (type === "phase") {
      const { phase, endsAt, phaseEndsAt, pausing = null, revision = 0 } = data as PhaseNews;
      if (table.hearRevision(revision)) this.refreshOne(table.id);
      // Opened early, it begins with the event; one that is postponed, with the end of being scheduled.
      const startsAt = phase === "scheduled" ? phaseEndsAt : Math.min(table.startsAt, at);
      this.#enter(seat, { phase, startsAt, endsAt, phaseEndsAt, pausing });
    }
    if (type === "standings") this.#showStored(seat);
    if (type === "settled") table.settle((data as { resultHash: string }).resultHash);
  }

  #catchUp(seat: Seat, record: TournamentRecord): void {
    const { table, refresh } = seat;
    table.correct(record);
    table.moveTo(record);
    this.#showStored(seat);
    if (record.resultHash !== null) table.settle(record.resultHash);
    refresh.touch();
  }

  #enter(seat: Seat, now: TournamentTimes): void {
    const { table } = seat;
    const before: TournamentPhase = table.phase;
    if (table.moveTo(now) && table.phase !== before) this.#showStored(seat);
  }

  /**
   * In the end the standings are those that are stored. Once it settles the best are stored first; before that is so, rooms see what the
   * board showed last, which may have decided in the last moment what was never committed.
   */
  #showStored(seat: Seat): void {
    const { table } = seat;
    // By the phase before the read: one that begins in the end has nothing left to come.
    const isFinal = table.phase === "settled";
    if (!isFinal && table.phase !== "settling") return;
    void this.persist(seat, "the stored standings could not be read", async () => {
      const { rows, total } = await storedPage(this.#ports.database, table.id, { limit: TOP });
      if (isFinal) return table.show({ ...FINAL, version: 1, rows, total });
      // Others are stored yet.
      const known = Math.max(total, table.view?.total ?? 0);
      if (rows.length > 0) table.show({ ...FINAL, version: 0, rows, total: known });
    });
  }
}
