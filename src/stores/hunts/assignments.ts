import { createHash } from "node:crypto";
import type {
  AssignmentRow,
  ClaimDecision,
  ExpireDecision,
  IssueDecision,
  Outcome,
  SolveDecision,
} from "./ClueLedger.ts";

/** The id by which a client names an assignment: `"<instance>.<generation>"`. */
export function assignmentIdOf(row: Pick<AssignmentRow, "instance" | "generation">): string {
  return `${row.instance}.${row.generation}`;
}

const ASSIGNMENT_ID = /^(0|[1-9]\d{0,8})\.([1-9]\d{0,8})$/;

/** What an assignment's id names; `undefined` for anything that no ledger ever gave out. */
export function parseAssignmentId(id: string): { instance: number; generation: number } | undefined {
  const match = ASSIGNMENT_ID.exec(id);
  return match === null ? undefined : { instance: Number(match[1]), generation: Number(match[2]) };
}

/** Characters of a mark: 48 bits, for at most 20 requests that are told apart by it. */
const MARK_LENGTH = 8;
/** In the place of an answer that came without a request id; it is in no mark, and sorts behind the end of a text. */
const NO_MARK = ".".repeat(MARK_LENGTH);

/** What a row keeps of a request id: characters of base64url; empty when there is none. */
export function requestMarkOf(requestId: string | undefined): string {
  if (requestId === undefined) return "";
  return createHash("sha256").update(requestId).digest("base64url").slice(0, MARK_LENGTH);
}

/** The marks of a row once its `number`-th answer (from 1) has come by `mark`: what was before is its beginning. */
export function withMark(marks: string, number: number, mark: string): string {
  return mark === "" ? marks : marks.padEnd((number - 1) * MARK_LENGTH, NO_MARK) + mark;
}

/** Which answer to this assignment (from 1) came by `mark`; `undefined` when none did. */
export function answerBy({ requestMarks }: Pick<AssignmentRow, "requestMarks">, mark: string): number | undefined {
  if (mark === "") return undefined;
  for (let at = 0; at < requestMarks.length; at += MARK_LENGTH)
    if (requestMarks.startsWith(mark, at)) return at / MARK_LENGTH + 1;
  return undefined;
}

/**
 * What is known of an assignment once both rows of it are: the result is the same in whatever order rows meet, and a closed
 * assignment never reopens. MySQL and SQLite merge by the same rule (`AssignmentJournal`).
 */
export function mergeRows(known: AssignmentRow, row: AssignmentRow): AssignmentRow {
  return {
    ...known,
    attemptsUsed: Math.max(known.attemptsUsed, row.attemptsUsed),
    requestMarks: known.requestMarks > row.requestMarks ? known.requestMarks : row.requestMarks,
    outcome: Math.max(known.outcome, row.outcome) as Outcome,
    closedAt: Math.max(known.closedAt, row.closedAt),
    points: Math.max(known.points, row.points),
    solveSeq: Math.max(known.solveSeq, row.solveSeq),
  };
}

/** Every row that must be committed before `decision` may be acknowledged; empty when it changed nothing that lasts. */
export function rowsOf(decision: ClaimDecision | SolveDecision | IssueDecision | ExpireDecision): AssignmentRow[] {
  const rows: (AssignmentRow | undefined)[] = [];
  if ("previous" in decision) rows.push(decision.previous);
  if ("revoked" in decision) rows.push(...[decision.revoked].flat());
  if ("row" in decision) rows.push(decision.row);
  if ("served" in decision) rows.push(...(decision.served ?? []).flatMap((claim) => [claim.previous, claim.row]));
  return rows.filter((row) => row !== undefined);
}
