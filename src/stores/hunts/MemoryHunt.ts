import { parseAssignmentId } from "./assignments.ts";
import {
  type AssignmentRow,
  type ClaimDecision,
  type ClaimRequest,
  type Demand,
  type ExpireDecision,
  type IssueDecision,
  type LedgerRules,
  type LedgerView,
  OUTCOME,
  type Outcome,
  type ServedClaim,
  type SolveDecision,
  type SolveRequest,
  type Standing,
} from "./ClueLedger.ts";
import { LEDGER_STEP, pointsOf } from "./ledgerRules.ts";
import type { RebuiltLedger, RebuiltPlayer } from "./rebuild.ts";

interface Waiter {
  nodeId: string;
  name: string;
}

/**
 * The hot state of one hunt in memory: the same decisions as `decide.lua`, in the same order.
 * Holds one record a player, one entry an open assignment, a waiting claim and a returned instance.
 */
export class MemoryHunt {
  readonly epoch: number;
  #issued: number;
  #fresh: number;
  #solved: number;
  #solveSeq: number;
  #version = 1;
  /** Highest instance first, so that the lowest is popped. */
  readonly #returned: RebuiltLedger["returned"];
  readonly #players: Map<string, RebuiltPlayer>;
  /** Players with an open assignment. */
  readonly #open = new Set<string>();
  /** In the order in which they came: a Map keeps a key's place when its value changes. */
  readonly #waiting = new Map<string, Waiter>();

  constructor(rebuilt: RebuiltLedger) {
    this.epoch = rebuilt.epoch;
    this.#issued = rebuilt.issued;
    this.#fresh = rebuilt.fresh;
    this.#solved = rebuilt.solved;
    this.#solveSeq = rebuilt.solveSeq;
    this.#returned = rebuilt.returned.toReversed();
    this.#players = rebuilt.players;
    for (const [id, player] of rebuilt.players) if (player.open !== undefined) this.#open.add(id);
  }

  claim(rules: LedgerRules, { playerId, playerName, nodeId, now }: ClaimRequest): ClaimDecision {
    const player = this.#players.get(playerId);
    let revoked: AssignmentRow | undefined;
    let served: ServedClaim[] = [];
    if (player?.open !== undefined) {
      if (now < player.open.expiresAt) return this.#assigned(player, {});
      revoked = this.#revoke(playerId, player, OUTCOME.expired, now);
      served = this.#serve(rules, now);
    }
    const extras = { ...(revoked && { revoked }), ...(served.length > 0 && { served }) };
    if (this.#pool > 0 && !this.#waiting.has(playerId)) {
      return this.#assigned(this.#assign(rules, playerId, playerName, now), extras);
    }
    if (!this.#waiting.has(playerId)) this.#version += 1;
    this.#waiting.set(playerId, { nodeId, name: playerName });
    return { kind: "waiting", position: this.#positionOf(playerId), ...extras, ...this.#demand() };
  }

  solve(rules: LedgerRules, { playerId, assignmentId, correct, now }: SolveRequest): SolveDecision {
    const player = this.#players.get(playerId);
    const asked = parseAssignmentId(assignmentId);
    if (player === undefined || asked === undefined) return { kind: "unknown" };
    const isAsked = (row: AssignmentRow): boolean =>
      row.instance === asked.instance && row.generation === asked.generation;
    if (player.open !== undefined && isAsked(player.open)) return this.#answer(rules, playerId, player, correct, now);
    return player.last !== undefined && isAsked(player.last)
      ? this.#closedDecision(player, player.last, [])
      : { kind: "unknown" };
  }

  issue(rules: LedgerRules, upTo: number, now: number): IssueDecision {
    const issued = Math.min(upTo, rules.total);
    if (issued > this.#issued) {
      this.#issued = issued;
      this.#version += 1;
    }
    return { kind: "issued", served: this.#serve(rules, now), ...this.#demand() };
  }

  expire(rules: LedgerRules, now: number): ExpireDecision {
    const due = [...this.#open]
      .map((id) => ({ id, player: this.#players.get(id)! }))
      .filter(({ player }) => player.open!.expiresAt <= now)
      .sort((a, b) => a.player.open!.expiresAt - b.player.open!.expiresAt || (a.id < b.id ? -1 : 1));
    const batch = due.slice(0, LEDGER_STEP);
    const revoked = batch.map(({ id, player }) => this.#revoke(id, player, OUTCOME.expired, now));
    const served = this.#serve(rules, now);
    return { kind: "expired", revoked, more: due.length > batch.length, served, ...this.#demand() };
  }

  forget(playerId: string, nodeId: string): void {
    if (this.#waiting.get(playerId)?.nodeId !== nodeId) return;
    this.#waiting.delete(playerId);
    this.#version += 1;
  }

  read(top: number): LedgerView {
    let nextExpiry = Number.POSITIVE_INFINITY;
    for (const id of this.#open) nextExpiry = Math.min(nextExpiry, this.#players.get(id)!.open!.expiresAt);
    return {
      ...this.#demand(),
      version: this.#version,
      players: this.#players.size,
      open: this.#open.size,
      solved: this.#solved,
      nextExpiry: Number.isFinite(nextExpiry) ? nextExpiry : 0,
      top: this.#top(top),
    };
  }

  get #pool(): number {
    return this.#returned.length + this.#issued - this.#fresh;
  }

  #demand(): Demand {
    return { epoch: this.epoch, pool: this.#pool, waiting: this.#waiting.size, issued: this.#issued };
  }

  #answer(rules: LedgerRules, playerId: string, player: RebuiltPlayer, correct: boolean, now: number): SolveDecision {
    const open = player.open!;
    if (now >= open.expiresAt) {
      const row = this.#revoke(playerId, player, OUTCOME.expired, now);
      return this.#closedDecision(player, row, this.#serve(rules, now));
    }
    const tried = { ...open, attemptsUsed: open.attemptsUsed + 1 };
    player.open = tried;
    this.#version += 1;
    if (correct) {
      const row = this.#close(playerId, player, {
        outcome: OUTCOME.solved,
        now,
        points: pointsOf(rules, tried.instance),
        solveSeq: this.#solveSeq + 1,
      });
      this.#solveSeq += 1;
      this.#solved += 1;
      player.total += row.points;
      player.reachedSeq = row.solveSeq;
      return this.#closedDecision(player, row, []);
    }
    if (tried.attemptsUsed >= rules.attempts) {
      const row = this.#revoke(playerId, player, OUTCOME.exhausted, now);
      return this.#closedDecision(player, row, this.#serve(rules, now));
    }
    const attemptsLeft = rules.attempts - tried.attemptsUsed;
    return { kind: "wrong", row: tried, total: player.total, attemptsLeft, ...this.#demand() };
  }

  #closedDecision(player: RebuiltPlayer, row: AssignmentRow, served: ServedClaim[]): SolveDecision {
    const common = { row, total: player.total, ...this.#demand() };
    return row.outcome === OUTCOME.solved ? { kind: "solved", ...common } : { kind: "revoked", served, ...common };
  }

  #assigned(player: RebuiltPlayer, extras: { revoked?: AssignmentRow; served?: ServedClaim[] }): ClaimDecision {
    const previous = player.last && { previous: player.last };
    return { kind: "assigned", row: player.open!, ...previous, ...extras, ...this.#demand() };
  }

  /** Gives the front of the pool, which must not be empty, to a player without an open assignment. */
  #assign(rules: LedgerRules, playerId: string, playerName: string, now: number): RebuiltPlayer {
    let player = this.#players.get(playerId);
    if (player === undefined) {
      player = { name: playerName, total: 0, reachedSeq: 0, open: undefined, last: undefined };
      this.#players.set(playerId, player);
    }
    const front = this.#returned.pop() ?? { instance: this.#fresh++, generation: 1 };
    player.name = playerName;
    player.open = {
      ...front,
      playerId,
      playerName,
      openedAt: now,
      expiresAt: now + rules.clueTtlMs,
      attemptsUsed: 0,
      outcome: OUTCOME.open,
      closedAt: 0,
      points: 0,
      solveSeq: 0,
    };
    this.#open.add(playerId);
    this.#version += 1;
    return player;
  }

  #serve(rules: LedgerRules, now: number): ServedClaim[] {
    const served: ServedClaim[] = [];
    for (const [playerId, { nodeId, name }] of this.#waiting) {
      if (this.#pool === 0) break;
      this.#waiting.delete(playerId);
      const { open, last } = this.#assign(rules, playerId, name, now);
      served.push({ nodeId, row: open!, ...(last && { previous: last }) });
    }
    return served;
  }

  /** Closes the player's open assignment and puts its instance back. */
  #revoke(playerId: string, player: RebuiltPlayer, outcome: Outcome, now: number): AssignmentRow {
    const row = this.#close(playerId, player, { outcome, now, points: 0, solveSeq: 0 });
    const entry = { instance: row.instance, generation: row.generation + 1 };
    const at = this.#returned.findLastIndex(({ instance }) => instance > entry.instance) + 1;
    this.#returned.splice(at, 0, entry);
    return row;
  }

  #close(
    playerId: string,
    player: RebuiltPlayer,
    { outcome, now, points, solveSeq }: { outcome: Outcome; now: number; points: number; solveSeq: number },
  ): AssignmentRow {
    const open = player.open!;
    // Strictly after the closing before it, so that a rebuild knows which one was last, whatever the nodes' clocks say.
    const closedAt = Math.max(now, open.openedAt, (player.last?.closedAt ?? -1) + 1);
    const row = { ...open, outcome, closedAt, points, solveSeq };
    player.open = undefined;
    player.last = row;
    this.#open.delete(playerId);
    this.#version += 1;
    return row;
  }

  /** From 1. Walks the queue, which is short beside the players of one process. */
  #positionOf(playerId: string): number {
    let position = 0;
    for (const id of this.#waiting.keys()) {
      position += 1;
      if (id === playerId) break;
    }
    return position;
  }

  #top(limit: number): Standing[] {
    return [...this.#players]
      .filter(([, player]) => player.total > 0)
      .sort(([, a], [, b]) => b.total - a.total || a.reachedSeq - b.reachedSeq)
      .slice(0, limit)
      .map(([playerId, { name, total }], index) => ({ rank: index + 1, playerId, name, points: total }));
  }
}
