import type { AssignmentJournal } from "../../src/actors/hunts/AssignmentJournal.ts";
import type { Database } from "../../src/entities/sql.ts";
import { type AssignmentRow, OUTCOME } from "../../src/stores/hunts/ClueLedger.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";

/** Both databases, migrated and empty. */
export const DATABASES: { name: string; open: () => Promise<Database> }[] = [
  { name: "SQLite", open: () => openDatabase({ kind: "sqlite", path: ":memory:" }) },
  { name: "MariaDB", open: async () => openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 32 }) },
];

let hunts = 0;

/** A hunt of no matter what definition, in solving until `endsAt` and under ledger epoch 1; resolves with its id. */
export async function insertHunt(database: Database, endsAt = Number.MAX_SAFE_INTEGER): Promise<string> {
  hunts += 1;
  const id = `hunt-${hunts}`;
  await database.write(
    `INSERT INTO hunts (id, name, phase, starts_at, phase_ends_at, ends_at, ledger_epoch, definition, created_by, created_at,
      updated_at) VALUES (?, 'Hunt', 'solving', 0, ?, 0, 1, '{}', 'operator', 0, 0)`,
    [id, endsAt],
  );
  return id;
}

export async function raiseEpoch(database: Database, huntId: string, epoch: number): Promise<void> {
  await database.write("UPDATE hunts SET ledger_epoch = ? WHERE id = ?", [epoch, huntId]);
}

export async function rowsIn(journal: AssignmentJournal, huntId: string): Promise<AssignmentRow[]> {
  const rows: AssignmentRow[] = [];
  for await (const row of journal.readAll(huntId)) rows.push(row);
  return rows;
}

export const OPENED_AT = 1_700_000_000_000;

export function openRow(instance: number, generation: number, playerId: string): AssignmentRow {
  return {
    ...{ instance, generation, playerId, playerName: `Ann 🎪 ${playerId}`, openedAt: OPENED_AT },
    ...{
      expiresAt: OPENED_AT + 60_000,
      attemptsBefore: 0,
      requestMarks: "",
      attemptsUsed: 0,
      outcome: OUTCOME.open,
      closedAt: 0,
      points: 0,
      solveSeq: 0,
    },
  };
}

export function solvedRow(instance: number, playerId: string, points: number, solveSeq: number): AssignmentRow {
  const closed = { attemptsUsed: 1, outcome: OUTCOME.solved, closedAt: OPENED_AT + solveSeq };
  return { ...openRow(instance, 1, playerId), ...closed, points, solveSeq };
}
