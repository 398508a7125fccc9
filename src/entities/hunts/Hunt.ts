import { EntitySchema } from "typeorm";
import { bigNumber, json } from "../columns.ts";
import { EventList } from "../events/EventList.ts";
import { type EventStatus, STATUS_COLUMNS, type StatusRow, statusOfRow } from "../events/EventStatus.ts";
import type { Pausing } from "../events/Pausing.ts";
import type { ItemAmount, PrizeRange } from "../prizes/PrizeLedger.ts";
import { type Database, readWith, type Transaction } from "../sql.ts";

/** A hunt's life, in this order; `cancelled` may follow any phase but `finished`. */
export const HUNT_PHASES = ["scheduled", "discovery", "solving", "reveal", "finished", "cancelled"] as const;
export type HuntPhase = (typeof HUNT_PHASES)[number];

/** A hunt's definition as it is stored: each answer is a salted hash. Durations are milliseconds. */
export interface SealedHunt {
  name: string;
  startsAt: number;
  discoveryMs: number;
  solvingMs: number;
  revealMs: number;
  clueTtlMs: number;
  attempts: number;
  winners: number;
  /** Paid to the winners at the reveal. */
  prizes: PrizeRange[];
  repeat: number;
  /** How many clues one player may solve; any number unless given. */
  perPlayer?: number | undefined;
  /** How long after a clue is closed its player gets no other; 0 unless given. */
  cooldownMs?: number | undefined;
  /** Whether solving ends as soon as every clue is solved; not unless given. */
  endWhenExhausted?: boolean | undefined;
  /** Whether the result is held for an operator's review before it pays; not unless given. */
  review?: boolean | undefined;
  /** How often it was corrected; never unless given. */
  revision?: number | undefined;
  salt: string;
  clues: Array<{
    type: string;
    prompt: string;
    points: number;
    /** Whether a player who has solved it may have it again; not unless given. */
    repeatable?: boolean | undefined;
    hashes: string[];
  }>;
}

export interface Winner {
  rank: number;
  playerId: string;
  name: string;
  points: number;
  /** What they were paid. */
  prizes: ItemAmount[];
}

/** How a hunt went. */
export interface HuntFigures {
  /** Who were ever given a clue. */
  players: number;
  /** Clues solved, of all players together. */
  solved: number;
  /** The best players. */
  standings: Array<Omit<Winner, "prizes">>;
}

/** A hunt as everybody but its actor sees it; the actor's turns write it. Times are epoch milliseconds. */
export interface HuntRecord {
  id: string;
  name: string;
  phase: HuntPhase;
  startsAt: number;
  /** When the phase changes next; 0 once the hunt is over. */
  phaseEndsAt: number;
  /** When the hunt is over, or was. */
  endsAt: number;
  /** The fence of the clue ledger: rows decided under another epoch cannot be committed. */
  ledgerEpoch: number;
  /** How often it was paused and resumed: odd while it is paused. */
  pauses: number;
  /** Null until it is paused for the first time. */
  pausing: Pausing | null;
  /** Since when the result is held for review; null while it is not. */
  reviewSince: number | null;
  /** Why it was cancelled; null where nobody said. */
  cancelReason: string | null;
  /** Answers are in here as salted hashes only. */
  definition: SealedHunt;
  winners: Winner[] | null;
  /** Known once all is counted, also while the result is held; null before, and of hunts that an earlier version has counted. */
  figures: HuntFigures | null;
  createdBy: string;
  createdAt: number;
  updatedAt: number;
}

export const Hunt = new EntitySchema<HuntRecord>({
  name: "hunts",
  columns: {
    id: { type: "varchar", length: 32, primary: true },
    name: { type: "varchar", length: 128 },
    phase: { type: "varchar", length: 16 },
    startsAt: { ...bigNumber, name: "starts_at" },
    phaseEndsAt: { ...bigNumber, name: "phase_ends_at" },
    endsAt: { ...bigNumber, name: "ends_at" },
    ledgerEpoch: { ...bigNumber, name: "ledger_epoch" },
    pauses: { type: "int", default: 0 },
    pausing: { ...json, type: "varchar", length: 256, nullable: true },
    reviewSince: { ...bigNumber, name: "review_since", nullable: true },
    cancelReason: { type: "varchar", length: 800, name: "cancel_reason", nullable: true },
    definition: { ...json },
    winners: { ...json, nullable: true },
    figures: { ...json, nullable: true },
    createdBy: { type: "varchar", length: 32, name: "created_by" },
    createdAt: { ...bigNumber, name: "created_at" },
    updatedAt: { ...bigNumber, name: "updated_at" },
  },
});

/** What a list shows: without the definition, which may be large. */
export type HuntListing = Pick<HuntRecord, "id" | "name" | "phase" | "startsAt" | "phaseEndsAt" | "endsAt"> &
  EventStatus;

interface ListedRow extends Pick<HuntRecord, "id" | "name" | "phase">, StatusRow {
  starts_at: unknown;
  phase_ends_at: unknown;
  ends_at: unknown;
}

export const HUNT_LIST = new EventList<ListedRow, HuntListing>({
  table: "hunts",
  columns: `id, name, phase, starts_at, phase_ends_at, ends_at, ${STATUS_COLUMNS}`,
  phases: { coming: ["scheduled"], on: ["discovery", "solving", "reveal"], over: ["finished", "cancelled"] },
  listed: ({ id, name, phase, starts_at, phase_ends_at, ends_at, ...row }) => ({
    ...{ id, name, phase, startsAt: Number(starts_at) },
    ...{ phaseEndsAt: Number(phase_ends_at), endsAt: Number(ends_at) },
    ...statusOfRow(row),
  }),
});

/** Hunts, read by whoever may; written only inside a turn of the hunt's actor. */
export class Hunts {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get(id: string): Promise<HuntRecord | null> {
    return readWith(this.#database, (manager) => manager.findOneBy(Hunt, { id }));
  }

  has(id: string): Promise<boolean> {
    return HUNT_LIST.has(this.#database, id);
  }

  /** Those on and coming, soonest first, then those that are over, latest first. */
  list(): Promise<HuntListing[]> {
    return HUNT_LIST.list(this.#database);
  }

  /** How a hunt went, once that is counted. */
  async figures(id: string): Promise<HuntFigures | undefined> {
    const [row] = await this.#database.query<{ figures: string | null }>("SELECT figures FROM hunts WHERE id = ?", [
      id,
    ]);
    return row?.figures ? JSON.parse(row.figures) : undefined;
  }

  /** Where a player came in a hunt that is counted; `rank` is `null` without points, while the result is held, and until it is stored. */
  async result(id: string, playerId: string): Promise<{ rank: number | null; points: number }> {
    const [row] = await this.#database.query<{ place: unknown; points: unknown }>(
      "SELECT place, points FROM hunt_results WHERE player_id = ? AND hunt_id = ?",
      [playerId, id],
    );
    if (row) return { rank: row.place === null ? null : Number(row.place), points: Number(row.points) };
    const [score] = await this.#database.query<{ points: unknown }>(
      "SELECT points FROM hunt_scores WHERE hunt_id = ? AND player_id = ?",
      [id, playerId],
    );
    return { rank: null, points: Number(score?.points ?? 0) };
  }

  isEmpty(): Promise<boolean> {
    return HUNT_LIST.isEmpty(this.#database);
  }
}

export async function insertHunt(tx: Transaction, record: HuntRecord): Promise<void> {
  await tx.manager.insert(Hunt, record);
}

export async function updateHunt(tx: Transaction, id: string, change: Partial<HuntRecord>): Promise<void> {
  await tx.manager.update(Hunt, { id }, change);
}

/** Raises the ledger's fence: waits for the commits under way, and stops those of older epochs. */
export async function raiseLedgerEpoch(tx: Transaction, id: string, epoch: number): Promise<void> {
  await tx.write("UPDATE hunts SET ledger_epoch = ? WHERE id = ?", [epoch, id]);
}
