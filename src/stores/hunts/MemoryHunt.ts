import { Ranks } from "../runtime/Ranks.ts";
import { answerBy, assignmentIdOf, parseAssignmentId, requestMarkOf, withMark } from "./assignments.ts";
import {
  type AssignmentRow,
  type ClaimDecision,
  type ClaimRequest,
  type Demand,
  type DepartDecision,
  type ExpireDecision,
  type GiveBackDecision,
  type GiveBackRequest,
  type GiveUpRequest,
  type IssueDecision,
  type LedgerRules,
  type LedgerView,
  OUTCOME,
  type Outcome,
  type OwnStanding,
  type ServedClaim,
  type SolveDecision,
  type SolveRequest,
  type Standing,
} from "./ClueLedger.ts";
import { attemptsLeftOf, instancesOf, LEDGER_STEP, pointsOf, templateOf } from "./ledgerRules.ts";
import { type FreeInstance, MemoryPool } from "./MemoryPool.ts";
import { newPlayer, type RebuiltLedger, type RebuiltPlayer } from "./rebuild.ts";
import { TemplateHistory } from "./TemplateHistory.ts";

interface Waiter {
  name: string;
  readonly nodes: Set<string>;
}

/** A player among those with points. */
interface Ranked {
  id: string;
  player: RebuiltPlayer;
}

/** What a claim decided beside its own answer. */
interface Extras {
  revoked?: AssignmentRow;
  served?: ServedClaim[];
}

/** Of a player who was never given anything. */
const NO_HISTORY = new TemplateHistory();

/**
 * The hot state of one hunt in memory: the same decisions as `decide.lua`, in the same order.
 * Holds one record a player, one entry an open assignment, a waiting claim and a returned instance.
 */
export class MemoryHunt {
  readonly epoch: number;
  readonly #rules: LedgerRules;
  readonly #pool: MemoryPool;
  #solved: number;
  readonly #solvedOf: number[];
  #solveSeq: number;
  #version = 1;
  readonly #players: Map<string, RebuiltPlayer>;
  /** Players with an open assignment. */
  readonly #open = new Set<string>();
  /** Whose last seat is gone for good, and who has not been heard of since: the token of that, by player with an open assignment. */
  readonly #departed = new Map<string, string>();
  /** Players with points, best first. */
  readonly #ranks = new Ranks<Ranked>(
    (a, b) => b.player.total - a.player.total || a.player.reachedSeq - b.player.reachedSeq,
  );
  /** In the order in which they came: a Map keeps a key's place when its value changes. */
  readonly #waiting = new Map<string, Waiter>();

  /** How often it was paused and resumed. */
  #pauses: number;

  constructor(rules: LedgerRules, rebuilt: RebuiltLedger, pauses = 0) {
    this.epoch = rebuilt.epoch;
    this.#pauses = pauses;
    this.#rules = rules;
    this.#pool = new MemoryPool(rules, rebuilt);
    this.#solved = rebuilt.solved;
    this.#solvedOf = [...rebuilt.solvedOf];
    this.#solveSeq = rebuilt.solveSeq;
    this.#players = rebuilt.players;
    for (const [id, player] of rebuilt.players) {
      if (player.open !== undefined) this.#open.add(id);
      if (player.total > 0) this.#ranks.add({ id, player });
    }
  }

  /** Somebody knows of so many pauses and resumptions; false where there were more. */
  hearPauses(count: number): boolean {
    this.#pauses = Math.max(this.#pauses, count);
    return count === this.#pauses;
  }

  claim({ playerId, playerName, nodeId, now }: ClaimRequest): ClaimDecision {
    this.#departed.delete(playerId);
    const player = this.#players.get(playerId);
    const extras: Extras = {};
    if (player?.open !== undefined) {
      if (now < player.open.expiresAt) return this.#assigned(player, {});
      extras.revoked = this.#revoke(playerId, player, OUTCOME.expired, now);
      const served = this.#serve(now);
      if (served.length > 0) extras.served = served;
    }
    const history = player?.history ?? NO_HISTORY;
    if (history.solved >= (this.#rules.perPlayer ?? Number.POSITIVE_INFINITY)) return this.#exhausted(playerId, extras);
    const { cooldownMs = 0 } = this.#rules;
    const until = player?.last === undefined || cooldownMs === 0 ? 0 : player.last.closedAt + cooldownMs;
    const isCooling = now < until && !this.#waiting.has(playerId);
    const free = isCooling ? undefined : this.#pool.take(history);
    if (free !== undefined) {
      this.#waiting.delete(playerId);
      return this.#assigned(this.#assign(playerId, playerName, free, now), extras);
    }
    if (!this.#mayStillHave(history)) return this.#exhausted(playerId, extras);
    if (isCooling) return { kind: "cooling", until, ...extras, ...this.#demand() };
    const waiter = this.#waiting.get(playerId);
    if (waiter === undefined) this.#version += 1;
    this.#waiting.set(playerId, { name: playerName, nodes: (waiter?.nodes ?? new Set()).add(nodeId) });
    return { kind: "waiting", position: this.positions([playerId])[0]!, ...extras, ...this.#demand() };
  }

  solve({ playerId, assignmentId, correct, requestId, now }: SolveRequest): SolveDecision {
    const player = this.#players.get(playerId);
    const asked = parseAssignmentId(assignmentId);
    if (player === undefined || asked === undefined) return { kind: "unknown" };
    const isAsked = (row: AssignmentRow): boolean =>
      row.instance === asked.instance && row.generation === asked.generation;
    const row = [player.open, player.last].find((row) => row !== undefined && isAsked(row));
    if (row === undefined) return { kind: "unknown" };
    const mark = requestMarkOf(requestId);
    const repeated = this.#wrongAgain(player, row, answerBy(row, mark));
    if (repeated !== undefined) return repeated;
    return row === player.open
      ? this.#answer(playerId, player, correct, mark, now)
      : this.#closedDecision(player, row, []);
  }

  /** The decision about the `number`-th answer to this assignment, which was wrong and not the last one that there was. */
  #wrongAgain(player: RebuiltPlayer, row: AssignmentRow, number: number | undefined): SolveDecision | undefined {
    if (number === undefined || (row.outcome === OUTCOME.solved && number === row.attemptsUsed)) return undefined;
    const attemptsLeft = attemptsLeftOf(this.#rules, { ...row, attemptsUsed: number });
    if (attemptsLeft <= 0) return undefined;
    return { kind: "wrong", row, total: player.total - row.points, attemptsLeft, ...this.#demand() };
  }

  giveBack({ playerId, assignmentId, now }: GiveBackRequest): GiveBackDecision {
    const player = this.#players.get(playerId);
    const row = [player?.open, player?.last].find((row) => row !== undefined && assignmentIdOf(row) === assignmentId);
    if (player === undefined || row === undefined) return { kind: "unknown" };
    if (row !== player.open) return this.#closedDecision(player, row, []);
    const outcome = now >= row.expiresAt ? OUTCOME.expired : OUTCOME.returned;
    const revoked = this.#revoke(playerId, player, outcome, now);
    return this.#closedDecision(player, revoked, this.#serve(now));
  }

  depart(playerId: string, token: string): DepartDecision {
    const isMarked = this.#open.has(playerId);
    if (isMarked) this.#departed.set(playerId, token);
    return { kind: "departed", isMarked };
  }

  giveUp({ playerId, token, now }: GiveUpRequest): GiveBackDecision {
    const open = this.#players.get(playerId)?.open;
    if (open === undefined || this.#departed.get(playerId) !== token) return { kind: "unknown" };
    return this.giveBack({ playerId, assignmentId: assignmentIdOf(open), now });
  }

  issue(upTo: number, now: number): IssueDecision {
    if (this.#pool.issue(Math.min(upTo, this.#rules.total))) this.#version += 1;
    return { kind: "issued", served: this.#serve(now), ...this.#demand() };
  }

  expire(now: number): ExpireDecision {
    const due = [...this.#open]
      .map((id) => ({ id, player: this.#players.get(id)! }))
      .filter(({ player }) => player.open!.expiresAt <= now)
      .sort((a, b) => a.player.open!.expiresAt - b.player.open!.expiresAt || (a.id < b.id ? -1 : 1));
    const batch = due.slice(0, LEDGER_STEP);
    const revoked = batch.map(({ id, player }) => this.#revoke(id, player, OUTCOME.expired, now));
    const served = this.#serve(now);
    return { kind: "expired", revoked, more: due.length > batch.length, served, ...this.#demand() };
  }

  attend(playerId: string, nodeId: string): boolean {
    this.#departed.delete(playerId);
    const nodes = this.#waiting.get(playerId)?.nodes;
    return nodes !== undefined && nodes.size > 0 && nodes.add(nodeId) !== undefined;
  }

  forget(playerId: string, nodeId: string, live: readonly string[]): void {
    const nodes = this.#waiting.get(playerId)?.nodes;
    if (nodes === undefined) return;
    for (const id of nodes) if (id === nodeId || !live.includes(id)) nodes.delete(id);
    if (nodes.size === 0) this.#leaveQueue(playerId);
  }

  sweep(live: readonly string[], drop: boolean): void {
    for (const [playerId, { nodes }] of this.#waiting) {
      for (const id of nodes) if (!live.includes(id)) nodes.delete(id);
      if (drop && nodes.size === 0) this.#leaveQueue(playerId);
    }
  }

  /** Walks the queue, which is short beside the players of one process. */
  positions(playerIds: readonly string[]): number[] {
    const places = new Map<string, number>();
    for (const id of this.#waiting.keys()) places.set(id, places.size + 1);
    return playerIds.map((id) => places.get(id) ?? 0);
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

  standing(playerId: string): OwnStanding {
    const player = this.#players.get(playerId);
    if (player === undefined || player.total === 0) return { rank: null, points: 0 };
    return { rank: this.#ranks.placeOf({ id: playerId, player }) + 1, points: player.total };
  }

  #demand(): Demand {
    const { size: pool, issued } = this.#pool;
    return { epoch: this.epoch, pool, waiting: this.#waiting.size, issued };
  }

  #answer(playerId: string, player: RebuiltPlayer, correct: boolean, mark: string, now: number): SolveDecision {
    this.#departed.delete(playerId);
    const open = player.open!;
    if (now >= open.expiresAt) {
      const row = this.#revoke(playerId, player, OUTCOME.expired, now);
      return this.#closedDecision(player, row, this.#serve(now));
    }
    const attemptsUsed = open.attemptsUsed + 1;
    const tried = { ...open, attemptsUsed, requestMarks: withMark(open.requestMarks, attemptsUsed, mark) };
    player.open = tried;
    this.#version += 1;
    if (correct) {
      const points = pointsOf(this.#rules, tried.instance);
      this.#solveSeq += 1;
      this.#solved += 1;
      this.#solvedOf[templateOf(this.#rules, tried.instance)]! += 1;
      const outcome = OUTCOME.solved;
      const row = this.#close(playerId, player, { outcome, now, points, solveSeq: this.#solveSeq });
      this.#score(playerId, player, row);
      return this.#closedDecision(player, row, []);
    }
    const attemptsLeft = attemptsLeftOf(this.#rules, tried);
    if (attemptsLeft <= 0) {
      const row = this.#revoke(playerId, player, OUTCOME.exhausted, now);
      return this.#closedDecision(player, row, this.#serve(now));
    }
    return { kind: "wrong", row: tried, total: player.total, attemptsLeft, ...this.#demand() };
  }

  #closedDecision(player: RebuiltPlayer, row: AssignmentRow, served: ServedClaim[]): GiveBackDecision {
    const common = { row, total: player.total, ...this.#demand() };
    return row.outcome === OUTCOME.solved ? { kind: "solved", ...common } : { kind: "revoked", served, ...common };
  }

  #assigned(player: RebuiltPlayer, extras: Extras): ClaimDecision {
    const previous = player.last && { previous: player.last };
    return { kind: "assigned", row: player.open!, ...previous, ...extras, ...this.#demand() };
  }

  #leaveQueue(playerId: string): void {
    if (this.#waiting.delete(playerId)) this.#version += 1;
  }

  #exhausted(playerId: string, extras: Extras): ClaimDecision {
    this.#leaveQueue(playerId);
    return { kind: "exhausted", ...extras, ...this.#demand() };
  }

  /** Whether any instance, free or not, may come to be this player's. One that they have lost and somebody holds counts until it is back. */
  #mayStillHave(history: TemplateHistory): boolean {
    return this.#solvedOf.some((solved, template) => {
      if (!history.mayHave(template)) return false;
      const lost = history.tried.get(template)?.lost ?? [];
      const unfit = lost.filter((instance) => this.#pool.hasReturned(instance)).length;
      return instancesOf(this.#rules, template) - solved > unfit;
    });
  }

  /** Gives what was taken out of the pool to a player without an open assignment. */
  #assign(playerId: string, playerName: string, free: FreeInstance, now: number): RebuiltPlayer {
    let player = this.#players.get(playerId);
    if (player === undefined) {
      player = newPlayer(playerName);
      this.#players.set(playerId, player);
    }
    player.name = playerName;
    player.open = {
      ...free,
      playerId,
      playerName,
      openedAt: now,
      expiresAt: now + this.#rules.clueTtlMs,
      attemptsBefore: player.history.attemptsBefore(templateOf(this.#rules, free.instance)),
      attemptsUsed: 0,
      requestMarks: "",
      outcome: OUTCOME.open,
      closedAt: 0,
      points: 0,
      solveSeq: 0,
    };
    this.#open.add(playerId);
    this.#version += 1;
    return player;
  }

  /**
   * Gives what has become free to whoever waits and may have it, first come, first served. Walks the queue, which is short beside
   * the players of one process.
   */
  #serve(now: number): ServedClaim[] {
    const served: ServedClaim[] = [];
    const freed = this.#pool.takeFreed();
    for (const [playerId, { name, nodes }] of this.#waiting) {
      if (nodes.size === 0) continue;
      if (!this.#pool.hasFree(freed)) break;
      const free = this.#pool.take(this.#players.get(playerId)?.history ?? NO_HISTORY, freed);
      if (free === undefined) continue;
      this.#waiting.delete(playerId);
      const { open, last } = this.#assign(playerId, name, free, now);
      served.push({ row: open!, ...(last && { previous: last }) });
    }
    return served;
  }

  /** Closes the player's open assignment and puts its instance back. */
  #revoke(playerId: string, player: RebuiltPlayer, outcome: Outcome, now: number): AssignmentRow {
    const row = this.#close(playerId, player, { outcome, now, points: 0, solveSeq: 0 });
    this.#pool.put({ instance: row.instance, generation: row.generation + 1 });
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
    player.history.close(this.#rules, row);
    this.#open.delete(playerId);
    this.#departed.delete(playerId);
    this.#version += 1;
    return row;
  }

  #score(id: string, player: RebuiltPlayer, { points, solveSeq }: AssignmentRow): void {
    if (player.total > 0) this.#ranks.remove({ id, player });
    player.total += points;
    player.reachedSeq = solveSeq;
    this.#ranks.add({ id, player });
  }

  #top(limit: number): Standing[] {
    return this.#ranks
      .slice(0, limit)
      .map(({ id, player: { name, total } }, index) => ({ rank: index + 1, playerId: id, name, points: total }));
  }
}
