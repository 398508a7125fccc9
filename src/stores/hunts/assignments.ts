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

/**
 * What is known of an assignment once both rows of it are: the result is the same in whatever order rows meet, and a closed
 * assignment never reopens. MySQL and SQLite merge by the same rule (`AssignmentJournal`).
 */
export function mergeRows(known: AssignmentRow, row: AssignmentRow): AssignmentRow {
  return {
    ...known,
    attemptsUsed: Math.max(known.attemptsUsed, row.attemptsUsed),
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
