import { parseAssignmentId } from "./assignments.ts";
import type {
  AssignmentRow,
  ClaimDecision,
  ClaimRequest,
  Demand,
  ExpireDecision,
  IssueDecision,
  LedgerRules,
  LedgerView,
  Outcome,
  ServedClaim,
  SolveDecision,
  SolveRequest,
} from "./ClueLedger.ts";
import { pointsOf } from "./ledgerRules.ts";
import type { RebuiltPlayer } from "./rebuild.ts";

// The JSON that `decide.lua`, `read.lua` and `loadStage.lua` speak: positions instead of names, because the ledger's
// cost is mostly that of encoding and decoding.

/** A request of `decide.lua`. */
export type DecideRequest =
  | ["claim", playerId: string, name: string, nodeId: string, now: number]
  | ["solve", playerId: string, instance: number, generation: number, correct: boolean, points: number, now: number]
  | ["forget", playerId: string, nodeId: string]
  | ["issue", upTo: number, now: number]
  | ["expire", now: number];

/** instance, generation, openedAt, expiresAt, attemptsUsed, outcome, closedAt, points, solveSeq */
type WireRow = [number, number, number, number, number, Outcome, number, number, number];
type WireEntry = [playerId: string, name: string, row: WireRow];
type WireDemand = [pool: number, waiting: number, issued: number];
type WireServed = [nodeId: string, entry: WireEntry, previous: WireRow | false][] | false;

/** Answers of `decide.lua`, each to the request that it is named after. */
export type ClaimAnswer =
  | ["assigned", WireDemand, WireEntry, previous: WireRow | false, revoked: WireRow | false, WireServed]
  | ["waiting", WireDemand, position: number, revoked: WireEntry | false, WireServed];
export type SolveAnswer =
  | ["wrong" | "solved" | "revoked", WireDemand, WireEntry, total: number, WireServed]
  | ["unknown"];
export type IssueAnswer = ["issued", WireDemand, WireServed];
export type ExpireAnswer = ["expired", WireDemand, WireServed, revoked: WireEntry[] | false, more: boolean];
export type DecideAnswer = ClaimAnswer | SolveAnswer | IssueAnswer | ExpireAnswer | ["forgotten"];

/** The reply of `read.lua`. */
export type ReadReply = [
  epoch: number,
  version: number,
  pool: number,
  waiting: number,
  issued: number,
  players: number,
  open: number,
  solved: number,
  nextExpiry: number,
  top: [playerId: string, name: string, points: number][] | false,
];

export function claimRequest({ playerId, playerName, nodeId, now }: ClaimRequest): DecideRequest {
  return ["claim", playerId, playerName, nodeId, now];
}

export function solveRequest(
  rules: LedgerRules,
  { playerId, assignmentId, correct, now }: SolveRequest,
): DecideRequest {
  // Even an id that nobody was given is asked about: whether the ledger is missing is for it to say.
  const { instance, generation } = parseAssignmentId(assignmentId) ?? { instance: -1, generation: 0 };
  return ["solve", playerId, instance, generation, correct, pointsOf(rules, instance), now];
}

export function claimDecision(epoch: number, answer: ClaimAnswer): ClaimDecision {
  if (answer[0] === "waiting") {
    const [kind, demand, position, revoked, served] = answer;
    const lost = revoked === false ? {} : { revoked: rowOf(revoked) };
    return { kind, position, ...lost, ...demandOf(epoch, demand), ...someServed(served) };
  }
  const [kind, demand, [playerId, name, row], previous, revoked, served] = answer;
  return {
    kind,
    row: rowOf([playerId, name, row]),
    ...(previous !== false && { previous: rowOf([playerId, name, previous]) }),
    ...(revoked !== false && { revoked: rowOf([playerId, name, revoked]) }),
    ...demandOf(epoch, demand),
    ...someServed(served),
  };
}

export function solveDecision(rules: LedgerRules, epoch: number, answer: SolveAnswer): SolveDecision {
  if (answer[0] === "unknown") return { kind: "unknown" };
  const [kind, demand, entry, total, served] = answer;
  const common = { row: rowOf(entry), total, ...demandOf(epoch, demand) };
  switch (kind) {
    case "solved":
      return { kind, ...common };
    case "wrong":
      return { kind, attemptsLeft: rules.attempts - common.row.attemptsUsed, ...common };
    case "revoked":
      return { kind, served: servedOf(served), ...common };
  }
}

export function issueDecision(epoch: number, [kind, demand, served]: IssueAnswer): IssueDecision {
  return { kind, served: servedOf(served), ...demandOf(epoch, demand) };
}

export function expireDecision(epoch: number, [kind, demand, served, revoked, more]: ExpireAnswer): ExpireDecision {
  const rows = revoked === false ? [] : revoked.map(rowOf);
  return { kind, revoked: rows, more, served: servedOf(served), ...demandOf(epoch, demand) };
}

export function ledgerView(reply: ReadReply): LedgerView {
  const [epoch, version, pool, waiting, issued, players, open, solved, nextExpiry, top] = reply;
  const rows = top === false ? [] : top;
  return {
    ...{ epoch, version, pool, waiting, issued, players, open, solved, nextExpiry },
    top: rows.map(([playerId, name, points], index) => ({ rank: index + 1, playerId, name, points })),
  };
}

/** What `loadStage.lua` takes of a rebuilt player. */
export function stagedPlayer([playerId, player]: [string, RebuiltPlayer]): unknown[] {
  const row = (row: AssignmentRow | undefined): WireRow | false => row !== undefined && wireRow(row);
  return [playerId, player.name, player.total, player.reachedSeq, row(player.open), row(player.last)];
}

function demandOf(epoch: number, [pool, waiting, issued]: WireDemand): Demand {
  return { epoch, pool, waiting, issued };
}

function someServed(served: WireServed): { served?: ServedClaim[] } {
  return served === false ? {} : { served: servedOf(served) };
}

function servedOf(served: WireServed): ServedClaim[] {
  if (served === false) return [];
  return served.map(([nodeId, [playerId, name, row], previous]) => ({
    nodeId,
    row: rowOf([playerId, name, row]),
    ...(previous !== false && { previous: rowOf([playerId, name, previous]) }),
  }));
}

function wireRow(row: AssignmentRow): WireRow {
  const { instance, generation, openedAt, expiresAt, attemptsUsed, outcome, closedAt, points, solveSeq } = row;
  return [instance, generation, openedAt, expiresAt, attemptsUsed, outcome, closedAt, points, solveSeq];
}

function rowOf([playerId, playerName, row]: WireEntry): AssignmentRow {
  const [instance, generation, openedAt, expiresAt, attemptsUsed, outcome, closedAt, points, solveSeq] = row;
  return {
    ...{ instance, generation, playerId, playerName, openedAt, expiresAt },
    ...{ attemptsUsed, outcome, closedAt, points, solveSeq },
  };
}
