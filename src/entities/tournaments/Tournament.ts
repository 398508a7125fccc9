import { EntitySchema } from "typeorm";
import { bigNumber, json } from "../columns.ts";
import { EventList } from "../events/EventList.ts";
import { type EventStatus, STATUS_COLUMNS, type StatusRow, statusOfRow } from "../events/EventStatus.ts";
import type { Pausing } from "../events/Pausing.ts";
import type { PrizeRange } from "../prizes/PrizeLedger.ts";
import { type Database, readWith, type Sql, type Transaction } from "../sql.ts";
import type { RunsPolicy } from "./Game.ts";

/**
 * A tournament's life. `grace`: the time is over, and scores of what was being played are still taken. `settling`: nothing is taken
 * any more, standings and prizes are on their way. `cancelled` may follow any phase but
 * `settled`, and `settling` only where the result is to be reviewed.
 */
export const TOURNAMENT_PHASES = ["scheduled", "open", "grace", "settling", "settled", "cancelled"] as const;
export type TournamentPhase = (typeof TOURNAMENT_PHASES)[number];

/** How a player's entries make the one score that counts (`actors/tournaments` has the rules). */
export type ScoreOperator = "best" | "sum" | "last" | "increment";
/** Whether more is better (`desc`) or less is. */
export type Order = "desc" | "asc";

/** Whose scores are taken in grace: of those who were in a room of the tournament before its end, or anybody's. */
export type GraceFor = "joined" | "anyone";

/** When a series has its next tournament. */
export interface Series {
  cron: string;
  /** IANA name. */
  timezone: string;
  /** Whether each lasts until the next one begins; else each lasts as long as the first. */
  duration?: "untilNext" | undefined;
}

/** A tournament's definition as it is stored: every choice made. Times are epoch milliseconds. */
export interface TournamentTerms {
  name: string;
  game: string;
  startsAt: number;
  endsAt: number;
  graceMs: number;
  /** `joined` where there is none. */
  graceFor?: GraceFor | undefined;
  operator: ScoreOperator;
  order: Order;
  /** Entries that one player may make. */
  maxEntries: number;
  /** Entries that the tournament takes from all players together. */
  maxSubmissions: number;
  /** Digits that a score of the game may have after the point. Terms of before games had that are without: those scores are whole. */
  precision?: number | undefined;
  /** What the game allowed when the tournament was created, as clients write it. */
  minScore: number;
  maxScore: number;
  /** Of an `increment`: what a step may be, bounds included, as clients write it. Terms of before are without: then only the sum is bounded. */
  minStep?: number | undefined;
  maxStep?: number | undefined;
  submissionsPerMinute: number;
  /** Whether each score must come of a run that was begun; `optional` where there is none. */
  runs?: RunsPolicy | undefined;
  prizes: PrizeRange[];
  series: Series | null;
  /** Whether the result is held for an operator's review before it pays; not unless given. */
  review?: boolean | undefined;
  /** How often it was corrected; never unless given. */
  revision?: number | undefined;
}

/** A tournament as everybody but its actor sees it; the actor's turns write it. Times are epoch milliseconds. */
export interface TournamentRecord {
  id: string;
  name: string;
  game: string;
  phase: TournamentPhase;
  startsAt: number;
  /** When the open phase ends, or did. */
  endsAt: number;
  /** When the phase changes next by itself; 0 while it settles and once it is over. */
  phaseEndsAt: number;
  /** When it was settled or cancelled; 0 before. */
  overAt: number;
  /** The fence of the leaderboard: entries decided under another epoch cannot be committed. */
  boardEpoch: number;
  /** How often it was paused and resumed: odd while it is paused. */
  pauses: number;
  /** Null until it is paused for the first time. */
  pausing: Pausing | null;
  /** Since when the result is held for review; null while it is not. */
  reviewSince: number | null;
  /** Why it was cancelled; null where nobody said. */
  cancelReason: string | null;
  definition: TournamentTerms;
  /** The first tournament of the series that this one belongs to. */
  seriesId: string | null;
  /** How many have a standing; `null` before it is settled. */
  players: number | null;
  /** SHA-256 of the canonical result in hex; `null` before it is settled. */
  resultHash: string | null;
  prizesDistributed: boolean;
  createdBy: string;
  createdAt: number;
  updatedAt: number;
}

const flag = {
  type: "smallint",
  transformer: { to: (value: boolean) => Number(value), from: (value: unknown) => Number(value) === 1 },
} as const;

export const Tournament = new EntitySchema<TournamentRecord>({
  name: "tournaments",
  columns: {
    id: { type: "varchar", length: 32, primary: true },
    name: { type: "varchar", length: 128 },
    game: { type: "varchar", length: 32 },
    phase: { type: "varchar", length: 16 },
    startsAt: { ...bigNumber, name: "starts_at" },
    endsAt: { ...bigNumber, name: "ends_at" },
    phaseEndsAt: { ...bigNumber, name: "phase_ends_at" },
    overAt: { ...bigNumber, name: "over_at" },
    boardEpoch: { ...bigNumber, name: "board_epoch" },
    pauses: { type: "int", default: 0 },
    pausing: { ...json, type: "varchar", length: 256, nullable: true },
    reviewSince: { ...bigNumber, name: "review_since", nullable: true },
    cancelReason: { type: "varchar", length: 800, name: "cancel_reason", nullable: true },
    definition: { ...json },
    seriesId: { type: "varchar", length: 32, name: "series_id", nullable: true },
    players: { type: "int", nullable: true },
    resultHash: { type: "varchar", length: 64, name: "result_hash", nullable: true },
    prizesDistributed: { ...flag, name: "prizes_distributed" },
    createdBy: { type: "varchar", length: 32, name: "created_by" },
    createdAt: { ...bigNumber, name: "created_at" },
    updatedAt: { ...bigNumber, name: "updated_at" },
  },
});

/** What a list shows. */
export type TournamentListing = Omit<
  TournamentRecord,
  | "definition"
  | "boardEpoch"
  | "pauses"
  | "pausing"
  | "reviewSince"
  | "cancelReason"
  | "createdBy"
  | "createdAt"
  | "updatedAt"
> &
  EventStatus;

interface ListedRow extends Pick<TournamentRecord, "id" | "name" | "game" | "phase">, StatusRow {
  starts_at: unknown;
  ends_at: unknown;
  phase_ends_at: unknown;
  over_at: unknown;
  series_id: string | null;
  players: unknown;
  result_hash: string | null;
  prizes_distributed: unknown;
}

export const TOURNAMENT_LIST = new EventList<ListedRow, TournamentListing>({
  table: "tournaments",
  columns: `id, name, game, phase, starts_at, ends_at, phase_ends_at, over_at, series_id, players, result_hash, prizes_distributed, ${STATUS_COLUMNS}`,
  phases: { coming: ["scheduled"], on: ["open", "grace", "settling"], over: ["settled", "cancelled"] },
  overAt: "over_at",
  listed: listingOf,
});

/** Tournaments, read by whoever may; written only inside a turn of the tournament's actor. */
export class Tournaments {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get(id: string): Promise<TournamentRecord | null> {
    return readWith(this.#database, (manager) => manager.findOneBy(Tournament, { id }));
  }

  has(id: string): Promise<boolean> {
    return TOURNAMENT_LIST.has(this.#database, id);
  }

  /** Those on and coming, soonest first, then those that are over, latest first. */
  list(): Promise<TournamentListing[]> {
    return TOURNAMENT_LIST.list(this.#database);
  }

  isEmpty(): Promise<boolean> {
    return TOURNAMENT_LIST.isEmpty(this.#database);
  }
}

function listingOf(row: ListedRow): TournamentListing {
  const { id, name, game, phase } = row;
  return {
    ...{ id, name, game, phase, startsAt: Number(row.starts_at), endsAt: Number(row.ends_at) },
    ...{ phaseEndsAt: Number(row.phase_ends_at), overAt: Number(row.over_at), seriesId: row.series_id },
    ...{ players: row.players === null ? null : Number(row.players), resultHash: row.result_hash },
    prizesDistributed: Number(row.prizes_distributed) === 1,
    ...statusOfRow(row),
  };
}

export async function insertTournament(tx: Transaction, record: TournamentRecord): Promise<void> {
  await tx.manager.insert(Tournament, record);
}

export async function updateTournament(tx: Transaction, id: string, change: Partial<TournamentRecord>): Promise<void> {
  await tx.manager.update(Tournament, { id }, change);
}

/** Raises the leaderboard's fence: waits for the commits under way, and stops those of older epochs. */
export async function raiseBoardEpoch(tx: Sql, id: string, epoch: number): Promise<void> {
  await tx.write("UPDATE tournaments SET board_epoch = ? WHERE id = ?", [epoch, id]);
}
