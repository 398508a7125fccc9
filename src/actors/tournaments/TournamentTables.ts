import type { Clock } from "../../clock.ts";
import type { Sql } from "../../entities/sql.ts";
import { finalStandings, playersToBe } from "../../entities/tournaments/Standings.ts";
import type { TournamentPhase, TournamentRecord, Tournaments } from "../../entities/tournaments/Tournament.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";
import { top } from "../../stores/tournaments/committed.ts";
import type { BoardPage, Leaderboard } from "../../stores/tournaments/Leaderboard.ts";
import { EventTables } from "../events/EventTables.ts";
import type { Log } from "../runtime/ports.ts";
import { BoardPulse, TOP } from "./BoardPulse.ts";
import { tournamentTopic } from "./TournamentActor.ts";
import { type TournamentAudience, TournamentTable } from "./TournamentTable.ts";

/** A tournament that has rooms on this node. */
export interface Seat {
  table: TournamentTable;
  pulse: BoardPulse;
}

export interface TablesPorts {
  tournaments: Tournaments;
  leaderboard: Leaderboard;
  database: Pick<Sql, "query" | "dialect">;
  feed: Feed;
  clock: Clock;
  log: Log;
  /** This node has read how a tournament stands; peers should be told. */
  hasRead(table: TournamentTable, view: BoardPage): void;
}

/** Later than any board's. */
const FROZEN_EPOCH = Number.MAX_SAFE_INTEGER;

/** The tournaments that have rooms on this node. */
export class TournamentTables extends EventTables<TournamentAudience, Seat, TournamentRecord> {
  readonly #ports: TablesPorts;

  constructor(ports: TablesPorts) {
    super(
      {
        name: "tournament",
        topicOf: tournamentTopic,
        has: (id) => ports.tournaments.has(id),
        get: (id) => ports.tournaments.get(id),
        seat: (record) => {
          const table = new TournamentTable(record);
          return { table, pulse: new BoardPulse(table, ports) };
        },
        opened: (seat) => this.#opened(seat),
        onEvent: (seat, event) => this.#onEvent(seat, event),
        catchUp: (seat, record) => this.#catchUp(seat, record),
        closed: ({ pulse }) => pulse.stop(),
      },
      ports,
    );
    this.#ports = ports;
  }

  #opened({ table, pulse }: Seat): void {
    pulse.touch();
    this.#showCommitted(table);
  }

  #onEvent({ table }: Seat, { type, at, data }: FeedEvent): void {
    if (type === "phase") {
      const { phase, endsAt, phaseEndsAt } = data as Pick<TournamentRecord, "phase" | "endsAt" | "phaseEndsAt">;
      // Opened early, it begins with the event.
      const startsAt = phase === "scheduled" ? table.startsAt : Math.min(table.startsAt, at);
      this.#enter(table, { phase, startsAt, endsAt, phaseEndsAt });
    }
    if (type === "settled") table.settle((data as { resultHash: string }).resultHash);
  }

  #catchUp({ table, pulse }: Seat, record: TournamentRecord): void {
    this.#enter(table, record);
    if (record.resultHash !== null) table.settle(record.resultHash);
    pulse.touch();
  }

  #enter(table: TournamentTable, now: Pick<TournamentRecord, "phase" | "startsAt" | "endsAt" | "phaseEndsAt">): void {
    const before: TournamentPhase = table.phase;
    if (!table.moveTo(now) || table.phase === before || table.isTaking) return;
    this.#showCommitted(table);
  }

  /** Once nothing is taken any more, the standings are what is committed, not what a board may have decided at the last moment. */
  #showCommitted(table: TournamentTable): void {
    if (table.phase !== "settling" && table.phase !== "settled") return;
    const { log } = this.#ports;
    this.#committed(table).then(
      (view) => table.show(view),
      (error: unknown) => log.warn({ err: error, tournament: table.id }, "the final standings could not be read"),
    );
  }

  async #committed({ id, definition, phase }: TournamentTable): Promise<BoardPage> {
    const { database } = this.#ports;
    const isFinal = phase === "settled";
    const [rows, total] = await Promise.all([
      isFinal ? finalStandings(database, id, 1, TOP) : top(database, id, definition.order, TOP),
      playersToBe(database, id),
    ]);
    return { epoch: FROZEN_EPOCH, version: Number(isFinal), total, rows };
  }
}
