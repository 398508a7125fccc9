import { insertNew } from "./insertNew.ts";
import type { Sql } from "./sql.ts";

/**
 * What came of a command. `done`: it took effect. `refused`: a definite no, nothing happened. `failed`: something on our side broke, nothing
 * happened. `unknown`: no answer came in time; where it took effect after all, the effect makes the line `done`.
 */
export const AUDIT_OUTCOMES = ["done", "refused", "failed", "unknown"] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

/** Who does what: what is known of a line of the audit before the command is carried out. */
export interface AuditEntry {
  /** At most 32 characters; a repeat of a command by its request id has the same one. */
  id: string;
  operatorId: string;
  /** What the operator's token called them. */
  operator: string;
  role: string;
  command: string;
  /** What it is done to (`hunt:h1`, `player:p1`, `job:retention`), where the arguments name it; at most 80 characters. */
  subject: string | null;
  /** JSON text without secrets, at most `MOST_ARGS` characters. */
  args: string;
  /** The node that was asked. */
  node: string;
  via: "room" | "http";
  /** The caller's own id of the command; over HTTP without one, the `X-Request-Id` of the answer. */
  requestId: string | null;
}

/** A line of the audit. */
export interface AuditLine extends Omit<AuditEntry, "args"> {
  /** Of what took effect: when its transaction began; else when the command came. Epoch milliseconds. */
  at: number;
  args: unknown;
  outcome: AuditOutcome;
  /** The code of the error, unless it is done. */
  error: string | null;
}

/** Characters of JSON that a line keeps of its arguments. */
export const MOST_ARGS = 8000;

const COLUMNS = [
  ...["id", "at", "operator_id", "operator", "role", "command", "subject", "args"],
  ...["node", "via", "request_id", "outcome", "error"],
];

const valuesOf = (entry: AuditEntry, at: number, outcome: AuditOutcome, error: string | null) => [
  ...[entry.id, at, entry.operatorId, entry.operator, entry.role, entry.command, entry.subject, entry.args],
  ...[entry.node, entry.via, entry.requestId, outcome, error],
];

/**
 * Writes the line of a command in the transaction of its effect. A line that says of the same command that it failed, or that nobody
 * knows what came of it, is overwritten: now it is known.
 */
export async function writeEffect(tx: Pick<Sql, "write" | "dialect">, entry: AuditEntry, at: number): Promise<void> {
  const [onTaken, given] =
    tx.dialect === "mysql"
      ? ["ON DUPLICATE KEY UPDATE", "VALUES(at)"]
      : ["ON CONFLICT (id) DO UPDATE SET", "excluded.at"];
  await tx.write(
    `INSERT INTO audit (${COLUMNS.join(", ")}) VALUES (${COLUMNS.map(() => "?").join(", ")})
     ${onTaken} at = CASE WHEN outcome = 'done' THEN at ELSE ${given} END, outcome = 'done', error = NULL`,
    valuesOf(entry, at, "done", null),
  );
}

/** What stores an effect is handed: whose it is, where an operator's command sets it off. */
export interface Audited {
  audit?: AuditEntry | undefined;
}

/** In the transaction of an effect: writes its line, where there is to be one. */
export async function audited(tx: Pick<Sql, "write" | "dialect">, { audit }: Audited, at: number): Promise<void> {
  if (audit) await writeEffect(tx, audit, at);
}

/** A line that no effect has written. */
export interface AuditNote {
  entry: AuditEntry;
  at: number;
  outcome: AuditOutcome;
  error: string | null;
}

/** Writes a line by itself, unless there is one of this command: that of the effect. Answers whether it did. */
export async function writeNote(sql: Sql, { entry, at, outcome, error }: AuditNote): Promise<boolean> {
  const added = await insertNew(sql, { table: "audit", columns: COLUMNS }, [valuesOf(entry, at, outcome, error)]);
  return added === 1;
}

/** Writes before an effect that no transaction stores that it may have happened; `writeEffect` says later that it has. */
export async function noteUnknown(sql: Sql, entry: AuditEntry, at: number): Promise<void> {
  await writeNote(sql, { entry, at, outcome: "unknown", error: "outcome_unknown" });
}

/** Which lines: all of these must hold. */
export interface AuditFilter {
  operatorId?: string | undefined;
  command?: string | undefined;
  subject?: string | undefined;
  outcome?: AuditOutcome | undefined;
  /** Epoch milliseconds, both included. */
  from?: number | undefined;
  to?: number | undefined;
}

/** Where a page begins: behind this line. */
export interface AuditPlace {
  at: number;
  id: string;
}

interface AuditRow extends Record<"id" | "operator_id" | "operator" | "role" | "command" | "args" | "node", string> {
  at: unknown;
  subject: string | null;
  via: AuditEntry["via"];
  request_id: string | null;
  outcome: AuditOutcome;
  error: string | null;
}

/** Lines, latest first: at most `limit` of those behind `after`. */
export async function auditLines(
  sql: Pick<Sql, "query">,
  { operatorId, command, subject, outcome, from, to }: AuditFilter,
  { after, limit }: { after: AuditPlace | undefined; limit: number },
): Promise<AuditLine[]> {
  const conditions: [condition: string, ...params: unknown[]][] = [];
  for (const [column, value] of Object.entries({ operator_id: operatorId, command, subject, outcome }))
    if (value !== undefined) conditions.push([`${column} = ?`, value]);
  if (from !== undefined) conditions.push(["at >= ?", from]);
  if (to !== undefined) conditions.push(["at <= ?", to]);
  // The first condition is for the index, which servers use of pairs only where they stand alone.
  if (after) conditions.push(["at <= ?", after.at], ["(at < ? OR id < ?)", after.at, after.id]);
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.map(([condition]) => condition).join(" AND ")}`;
  const rows = await sql.query<AuditRow>(
    `SELECT ${COLUMNS.join(", ")} FROM audit ${where} ORDER BY at DESC, id DESC LIMIT ?`,
    [...conditions.flatMap(([, ...params]) => params), limit],
  );
  return rows.map(lineOf);
}

/** In the order in which somebody reads an export. */
function lineOf({ id, at, operator_id, operator, role, command, subject, args, ...row }: AuditRow): AuditLine {
  const { outcome, error, node, via, request_id } = row;
  return {
    ...{ id, at: Number(at), operatorId: operator_id, operator, role, command, subject, args: JSON.parse(args) },
    ...{ outcome, error, node, via, requestId: request_id },
  };
}
