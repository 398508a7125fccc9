import { parseAssignmentId, requestMarkOf } from "./assignments.ts";
import type {
  AssignmentRow,
  ClaimDecision,
  ClaimRequest,
  Demand,
  ExpireDecision,
  GiveBackRequest,
  IssueDecision,
  LedgerRules,
  LedgerView,
  Outcome,
  ServedClaim,
  SolveDecision,
  SolveRequest,
} from "./ClueLedger.ts";
import { attemptsLeftOf, instancesOf, isRepeatable, pointsOf, templateOf } from "./ledgerRules.ts";
import type { RebuiltLedger, RebuiltPlayer } from "./rebuild.ts";
import { TemplateSet } from "./TemplateHistory.ts";

// The JSON that the scripts `decide`, `read` and `loadStage` speak: positions instead of names, because the ledger's
// cost is mostly that of encoding and decoding.

/** A request of `decide`. */
export type DecideRequest =
  | ["claim", playerId: string, name: string, nodeId: string, now: number]
  | [
      "solve",
      ...[playerId: string, instance: number, generation: number, correct: boolean],
      ...[points: number, repeatable: boolean, mark: string, now: number],
    ]
  | ["giveBack", playerId: string, instance: number, generation: number, now: number]
  | ["depart", playerId: string, token: string]
  | ["giveUp", playerId: string, token: string, now: number]
  | ["attend", playerId: string, nodeId: string]
  | ["forget", playerId: string, nodeId: string, live: readonly string[]]
  | ["sweep", live: readonly string[], after: number, drop: boolean]
  | ["issue", upTo: number, now: number]
  | ["expire", now: number];

/** instance, generation, openedAt, expiresAt, attemptsUsed, outcome, closedAt, points, solveSeq, attemptsBefore, requestMarks */
type WireRow = [number, number, number, number, number, Outcome, number, number, number, number, string];
type WireEntry = [playerId: string, name: string, row: WireRow];
type WireDemand = [pool: number, waiting: number, issued: number, unserved: boolean];
type WireServed = [entry: WireEntry, previous: WireRow | false][] | false;

/** Answers of `decide`, each to the request that it is named after. */
export type ClaimAnswer =
  | ["assigned", WireDemand, WireEntry, previous: WireRow | false, revoked: WireRow | false, WireServed]
  | ["waiting" | "exhausted" | "cooling", WireDemand, value: number, revoked: WireEntry | false, WireServed];
export type SolveAnswer =
  | ["wrong" | "solved" | "revoked", WireDemand, WireEntry, total: number, WireServed, answers: number]
  | ["unknown"];
export type IssueAnswer = ["issued", WireDemand, WireServed];
export type ExpireAnswer = ["expired", WireDemand, WireServed, revoked: WireEntry[] | false, more: boolean];
export type DepartAnswer = ["departed", isMarked: boolean];
export type AttendAnswer = ["attended", isWaiting: boolean];
export type SweepAnswer = ["swept", goOnBehind: number | false];
export type DecideAnswer =
  | ClaimAnswer
  | SolveAnswer
  | IssueAnswer
  | ExpireAnswer
  | DepartAnswer
  | AttendAnswer
  | SweepAnswer
  | ["forgotten"];

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
  { playerId, assignmentId, correct, requestId, now }: SolveRequest,
): DecideRequest {
  // Even an id that nobody was given is asked about: whether the ledger is missing is for it to say.
  const { instance, generation } = parseAssignmentId(assignmentId) ?? { instance: -1, generation: 0 };
  const { points, repeatable } = {
    points: pointsOf(rules, instance),
    repeatable: isRepeatable(rules, templateOf(rules, instance)),
  };
  return ["solve", playerId, instance, generation, correct, points, repeatable, requestMarkOf(requestId), now];
}

export function giveBackRequest({ playerId, assignmentId, now }: GiveBackRequest): DecideRequest {
  const { instance, generation } = parseAssignmentId(assignmentId) ?? { instance: -1, generation: 0 };
  return ["giveBack", playerId, instance, generation, now];
}

export function claimDecision(epoch: number, answer: ClaimAnswer): ClaimDecision {
  if (answer[0] !== "assigned") {
    const [kind, demand, value, revoked, served] = answer;
    const lost = revoked === false ? {} : { revoked: rowOf(revoked) };
    const common = { ...lost, ...demandOf(epoch, demand), ...someServed(served) };
    if (kind === "exhausted") return { kind, ...common };
    return kind === "waiting" ? { kind, position: value, ...common } : { kind, until: value, ...common };
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
  const [kind, demand, entry, total, served, attemptsUsed] = answer;
  const common = { row: rowOf(entry), total, ...demandOf(epoch, demand) };
  switch (kind) {
    case "solved":
      return { kind, ...common };
    case "wrong":
      return { kind, attemptsLeft: attemptsLeftOf(rules, { ...common.row, attemptsUsed }), ...common };
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
  const { name, total, reachedSeq, open, last, history } = player;
  const tried = [...history.tried].map(([template, { wrong, lost }]) => [template, wrong, ...lost]);
  const templates = [history.solved, history.closed.bytes, history.known.bytes, tried];
  return [playerId, name, total, reachedSeq, row(open), row(last), ...templates];
}

/** What `loadStage.lua` takes of the pool, returned instances and fields of templates; and the sets of templates in meta. */
export function stagedPool(rules: LedgerRules, { issued, next, solvedOf, returned }: RebuiltLedger) {
  const [returnedIn, neverIn, leftIn] = [new TemplateSet(), new TemplateSet(), new TemplateSet()];
  for (const { instance } of returned) returnedIn.add(templateOf(rules, instance));
  const fields: [name: string, value: number][] = [];
  for (const [template, instance] of next.entries()) {
    if (instance < issued) neverIn.add(template);
    if (instance > template) fields.push([`n${template}`, instance]);
  }
  for (const [template, solved] of solvedOf.entries()) {
    if (solved < instancesOf(rules, template)) leftIn.add(template);
    if (solved > 0) fields.push([`s${template}`, solved]);
  }
  const stored = ({ bytes }: TemplateSet): Buffer => Buffer.from(bytes);
  return {
    returned: returned.map(({ instance, generation }) => [templateOf(rules, instance), instance, generation]),
    fields,
    sets: { returnedIn: stored(returnedIn), neverIn: stored(neverIn), leftIn: stored(leftIn) },
  };
}

function demandOf(epoch: number, [pool, waiting, issued, unserved]: WireDemand): Demand {
  return { epoch, pool, waiting, issued, ...(unserved && { unserved }) };
}

function someServed(served: WireServed): { served?: ServedClaim[] } {
  return served === false ? {} : { served: servedOf(served) };
}

function servedOf(served: WireServed): ServedClaim[] {
  if (served === false) return [];
  return served.map(([[playerId, name, row], previous]) => ({
    row: rowOf([playerId, name, row]),
    ...(previous !== false && { previous: rowOf([playerId, name, previous]) }),
  }));
}

function wireRow(row: AssignmentRow): WireRow {
  const { instance, generation, openedAt, expiresAt, attemptsBefore, attemptsUsed, outcome, closedAt } = row;
  const { points, solveSeq, requestMarks } = row;
  return [
    ...([instance, generation, openedAt, expiresAt, attemptsUsed, outcome, closedAt] as const),
    ...([points, solveSeq, attemptsBefore, requestMarks] as const),
  ];
}

function rowOf([playerId, playerName, row]: WireEntry): AssignmentRow {
  const [instance, generation, openedAt, expiresAt, attemptsUsed, outcome, closedAt, ...rest] = row;
  const [points, solveSeq, attemptsBefore, requestMarks] = rest;
  return {
    ...{ instance, generation, playerId, playerName, openedAt, expiresAt, attemptsBefore },
    ...{ attemptsUsed, requestMarks, outcome, closedAt, points, solveSeq },
  };
}
