import type { Clock } from "../../clock.ts";
import type { Sql } from "../../entities/sql.ts";
import type { TournamentRecord, Tournaments } from "../../entities/tournaments/Tournament.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";
import type { BoardPage, Leaderboard } from "../../stores/tournaments/Leaderboard.ts";
import { EventViews, type OpenEvent, type Upkeep } from "../events/EventViews.ts";
import { ThrottledRefresh } from "../events/ThrottledRefresh.ts";
import type { Log } from "../runtime/ports.ts";
import { KeyedMutex } from "./KeyedMutex.ts";
import type { PhaseNews } from "./state.ts";
import { storedPage } from "./storedPage.ts";
import { TournamentActor } from "./TournamentActor.ts";
import { type TournamentAudience, type TournamentTimes, TournamentView } from "./TournamentView.ts";

export interface OpenTournamentPorts {
  tournaments: Pick<Tournaments, "get" | "has">;
  leaderboard: Leaderboard;
  database: Pick<Sql, "query" | "dialect">;
  clock: Clock;
  log: Log;
  /** It has its first room here. */
  onOpened(tournament: OpenTournament): void;
  /** This node has read how it stands; peers should be told. */
  onRead(tournament: OpenTournament, view: BoardPage): void;
}

/** The tournaments that have rooms on this node. */
export type OpenTournaments = EventViews<TournamentAudience, OpenTournament, TournamentRecord>;

export function openTournaments(ports: OpenTournamentPorts & { feed: Feed }): OpenTournaments {
  const { tournaments } = ports;
  const open = (record: TournamentRecord, upkeep: Upkeep): OpenTournament => new OpenTournament(record, upkeep, ports);
  const [has, get] = [(id: string) => tournaments.has(id), (id: string) => tournaments.get(id)];
  return new EventViews({ actor: TournamentActor, has, get, open }, ports);
}

/** Rows of the standings that everybody sees. */
export const TOP = 10;
/** Of standings that are stored: later than any board's. */
const FINAL = { epoch: Number.MAX_SAFE_INTEGER, seq: 0 };

/** A tournament that has rooms on this node, from its first room to its last: what is known of it, and what keeps that up to date. */
export class OpenTournament extends TournamentView implements OpenEvent<TournamentAudience, TournamentRecord> {
  /** Shows the top rows of the board to the rooms soon after they may have changed. */
  readonly refresh: ThrottledRefresh;
  /** By player: one submission of a player's at a time. */
  readonly submissions = new KeyedMutex();
  readonly #ports: OpenTournamentPorts;
  readonly #upkeep: Upkeep;

  constructor(record: TournamentRecord, upkeep: Upkeep, ports: OpenTournamentPorts) {
    super(record);
    this.#ports = ports;
    this.#upkeep = upkeep;
    this.refresh = new ThrottledRefresh(ports.clock, () => this.#read());
  }

  opened(): void {
    this.refresh.touch();
    this.#ports.onOpened(this);
    this.#showStored();
  }

  onEvent({ type, at, data }: FeedEvent): void {
    if (type === "phase") {
      const { phase, endsAt, phaseEndsAt, revision = 0, ...news } = data as PhaseNews;
      const { pausing = null, reviewSince = null, cancelReason = null } = news;
      if (this.hearRevision(revision)) this.#upkeep.lookUp();
      // Opened early, it begins with the event; one that is postponed, with the end of being scheduled.
      const startsAt = phase === "scheduled" ? phaseEndsAt : Math.min(this.startsAt, at);
      this.#enter({ phase, startsAt, endsAt, phaseEndsAt, pausing, reviewSince, cancelReason });
    }
    if (type === "standings") this.#showStored();
    if (type === "settled") this.settle((data as { resultHash: string }).resultHash);
  }

  catchUp(record: TournamentRecord): void {
    this.correct(record);
    this.moveTo(record);
    this.#showStored();
    if (record.resultHash !== null) this.settle(record.resultHash);
    this.refresh.touch();
  }

  override closed(): void {
    super.closed();
    this.refresh.stop();
  }

  async #read(): Promise<void> {
    if (!this.isTaking) return;
    const { leaderboard, log, onRead } = this.#ports;
    try {
      const view = await leaderboard.page(this.key, 0, TOP);
      if (!view) return;
      this.show(view);
      onRead(this, view);
    } catch (error) {
      log.debug({ err: error, tournament: this.id }, "the board could not be read");
    }
  }

  #enter(now: TournamentTimes): void {
    const before = this.phase;
    if (this.moveTo(now) && this.phase !== before) this.#showStored();
  }

  /**
   * In the end the standings are those that are stored. Once it settles the best are stored first; before that is so, rooms see what the
   * board showed last, which may have decided in the last moment what was never committed.
   */
  #showStored(): void {
    // By the phase before the read: one that begins in the end has nothing left to come.
    const isFinal = this.phase === "settled";
    if (!isFinal && this.phase !== "settling") return;
    this.#upkeep.persist("the stored standings could not be read", async () => {
      const { rows, total } = await storedPage(this.#ports.database, this.id, { limit: TOP });
      if (isFinal) return this.show({ ...FINAL, version: 1, rows, total });
      // Others are stored yet.
      const known = Math.max(total, this.view?.total ?? 0);
      if (rows.length > 0) this.show({ ...FINAL, version: 0, rows, total: known });
    });
  }
}
