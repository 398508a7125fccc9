import { type EventChange, eventChanges } from "../../entities/events/EventChange.ts";
import { statusPart, withStatus } from "../../entities/events/EventStatus.ts";
import type { ReviewReport } from "../../entities/events/Review.ts";
import type { PrizeRange } from "../../entities/prizes/PrizeLedger.ts";
import type { Sql } from "../../entities/sql.ts";
import { gameById } from "../../entities/tournaments/Game.ts";
import { inDecimals } from "../../entities/tournaments/precision.ts";
import { bestToBe, type FinalStanding, finalStandings, playersToBe } from "../../entities/tournaments/Standings.ts";
import type {
  GraceFor,
  Series,
  TournamentPhase,
  TournamentRecord,
  Tournaments,
  TournamentTerms,
} from "../../entities/tournaments/Tournament.ts";
import { RingmasterError } from "../../errors.ts";
import type { StandingRow } from "../../stores/tournaments/Leaderboard.ts";
import { callOptions, type OperatorCall } from "../admin/operatorCall.ts";
import { EventInterventions } from "../events/EventInterventions.ts";
import { totalsOf } from "../prizes/amounts.ts";
import type { Actors } from "../runtime/Actors.ts";
import { type TournamentCorrection, type TournamentDefinition, termsOf } from "./definition.ts";
import { type PrizePreview, withPrizes } from "./settlement.ts";
import type { TournamentStatus } from "./state.ts";
import { storedPage } from "./storedPage.ts";
import { TournamentActor } from "./TournamentActor.ts";
import { TournamentSeriesActor } from "./TournamentSeriesActor.ts";
import type { StandingsRange, TournamentService } from "./TournamentService.ts";

/** A tournament in a list. Times are epoch milliseconds. */
export interface TournamentSummary extends Omit<TournamentStatus, "phaseEndsAt"> {
  /** When the phase changes next by itself; `null` while it settles, and once it is settled or cancelled. */
  phaseEndsAt: number | null;
}

/** A tournament by itself. Once it is settled, this and its standings are all that its hash is made of. */
export interface TournamentDetails extends TournamentSummary, Omit<TournamentTerms, "series" | "prizes"> {
  precision: number;
  graceFor: GraceFor;
  prizes: PrizeRange[];
  /** What the series goes by, if this tournament is of one. */
  seriesId: string | null;
  series: Series | null;
  /** Who have a standing; `null` where nobody can say: while it settles, while its board is out of reach, and once it is cancelled. */
  players: number | null;
  /** `null` before it is settled. */
  resultHash: string | null;
  prizesDistributed: boolean;
  /** The top ten; final once it is settled. */
  standings: StandingRow[];
}

/** What is to be reviewed of a tournament: nobody and nothing before its result is held. */
export interface TournamentReview extends ReviewReport, PrizePreview {}

export interface StandingsPage {
  rows: StandingRow[];
  /** Players with a standing. */
  total: number;
}

/** A series that has no further tournaments after `coming`, which takes place unless it is cancelled; `null` when there is none. */
export interface EndedSeries {
  seriesId: string;
  coming: string | null;
}

export interface TournamentOperationsPorts {
  actors: Actors;
  tournaments: Tournaments;
  /** Where the standings of what is not settled are. */
  service: Pick<TournamentService, "standings">;
  database: Pick<Sql, "query" | "dialect">;
}

/** Rows that details show. */
const TOP = 10;
/** Ranks that a preview shows. */
const PREVIEWED = 100;
/** The phases in which somebody can say how many have a standing. */
const COUNTED: ReadonlySet<TournamentPhase> = new Set(["scheduled", "open", "grace", "settled"]);
const NOBODY: StandingsPage = { rows: [], total: 0 };

/** Where operators run tournaments and everybody reads of them. Each call but `list` throws `not_found` for an id that none has. */
export class TournamentOperations extends EventInterventions<TournamentStatus, TournamentSummary> {
  readonly #ports: TournamentOperationsPorts;

  constructor(ports: TournamentOperationsPorts) {
    super();
    this.#ports = ports;
  }

  /** Those on and coming, soonest first, then those that are over, latest first; as many as are worth a look. */
  async list(): Promise<TournamentSummary[]> {
    return (await this.#ports.tournaments.list()).map(summaryOf);
  }

  async get(id: string): Promise<TournamentDetails> {
    const record = await this.#record(id);
    const { definition, seriesId, players, resultHash, prizesDistributed } = record;
    // Details are of use also while the board is out of reach.
    const page = await this.#standings(record, { limit: TOP }).catch(() => undefined);
    return {
      ...definition,
      precision: definition.precision ?? 0,
      graceFor: definition.graceFor ?? "joined",
      runs: definition.runs ?? "optional",
      review: definition.review ?? false,
      ...summaryOf(withStatus(record)),
      seriesId,
      players: COUNTED.has(record.phase) ? (players ?? page?.total ?? null) : null,
      resultHash,
      prizesDistributed,
      standings: page?.rows ?? [],
    };
  }

  /** Those of a settled tournament are final; while it settles, so much of them as is stored; a cancelled one has none. */
  async standings(id: string, range: StandingsRange): Promise<StandingsPage> {
    return this.#standings(await this.#record(id), range);
  }

  /** Creates a tournament. Throws `not_found` for a game, or a prize's item, that is none. */
  async create(id: string, definition: TournamentDefinition, call: OperatorCall): Promise<void> {
    const game = await gameById(this.#ports.database, definition.game);
    await this.actor(id, call).create(termsOf(definition, game), call.operatorId, null);
  }

  /**
   * Replaces the definition of one that is scheduled, its times too, and nothing of its series. Throws `wrong_phase` once it has begun,
   * else what `create` does.
   */
  async correct(
    id: string,
    { definition, reason }: TournamentCorrection,
    call: OperatorCall,
  ): Promise<TournamentSummary> {
    const terms = termsOf(definition, await gameById(this.#ports.database, definition.game));
    return summaryOf(await this.actor(id, call).correct(terms, { operatorId: call.operatorId, reason }));
  }

  /** What operators did to it with a reason, latest first. */
  async changes(id: string, limit: number): Promise<EventChange[]> {
    return eventChanges(this.#ports.database, "tournaments", id, limit);
  }

  /** The result as it would be paid, the first 100 ranks and the sums of all; nobody's before it is held. */
  async review(id: string): Promise<TournamentReview> {
    const report = await this.#ports.actors.ref(TournamentActor, id).review();
    if (report.since === null) return { ...report, players: 0, prizes: [], totals: [] };
    const { database } = this.#ports;
    const { definition } = await this.#record(id);
    const [best, { total }] = await Promise.all([
      finalStandings(database, id, 1, PREVIEWED),
      storedPage(database, id, { limit: 1 }),
    ]);
    return { ...report, ...previewOf(best, total, definition) };
  }

  /** What would be paid if it ended now, or what is; changes nothing. Sorts all players, and nobody but the caller waits for that. */
  async preview(id: string): Promise<PrizePreview> {
    const { database } = this.#ports;
    const { phase, players: settled, definition } = await this.#record(id);
    if (phase === "cancelled") return { players: 0, prizes: [], totals: [] };
    const { order } = definition;
    const [players, best] = await Promise.all(
      phase === "settled"
        ? [settled!, finalStandings(database, id, 1, PREVIEWED)]
        : [playersToBe(database, id), bestToBe(database, { id, order }, PREVIEWED)],
    );
    return previewOf(best, players, definition);
  }

  /** The series of this tournament has no further ones; those that are there stay. Throws `conflict` for one that is of no series. */
  async endSeries(id: string, call: OperatorCall): Promise<EndedSeries> {
    const { seriesId } = await this.#record(id);
    if (seriesId === null) throw new RingmasterError("conflict", `Tournament ${id} is of no series.`);
    const series = this.#ports.actors.ref(TournamentSeriesActor, seriesId, callOptions(call));
    return { seriesId, ...(await series.endSeries()) };
  }

  async #standings(record: TournamentRecord, range: StandingsRange): Promise<StandingsPage> {
    const { id, phase, definition } = record;
    if (phase === "settling" || phase === "settled") {
      const { rows, total } = await storedPage(this.#ports.database, id, range);
      return { rows: inDecimals(rows, definition.precision ?? 0), total };
    }
    if (phase === "cancelled" || phase === "scheduled") return NOBODY;
    return await this.#ports.service.standings(id, range);
  }

  async #record(id: string): Promise<TournamentRecord> {
    const record = await this.#ports.tournaments.get(id);
    if (!record) throw new RingmasterError("not_found", `There is no tournament ${id}.`);
    return record;
  }

  protected actor(id: string, call: OperatorCall) {
    return this.#ports.actors.ref(TournamentActor, id, callOptions(call));
  }

  protected summaryOf(status: TournamentStatus): TournamentSummary {
    return summaryOf(status);
  }
}

function previewOf(
  best: readonly FinalStanding[],
  players: number,
  { prizes, precision = 0 }: TournamentTerms,
): PrizePreview {
  const previewed = inDecimals(best, precision).map((row) => withPrizes(row, prizes));
  return { players, prizes: previewed, totals: totalsOf(players, prizes) };
}

function summaryOf({ phaseEndsAt, ...tournament }: TournamentStatus): TournamentSummary {
  const { id, name, game, phase, startsAt, endsAt } = tournament;
  return {
    ...{ id, name, game, phase, startsAt, endsAt, phaseEndsAt: phaseEndsAt === 0 ? null : phaseEndsAt },
    ...statusPart(tournament),
  };
}
