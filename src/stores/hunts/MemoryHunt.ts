import { answerBy, assignmentIdOf, parseAssignmentId, requestMarkOf } from "./assignments.ts";
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
  type OwnStanding,
  type ServedClaim,
  type SolveDecision,
  type SolveRequest,
} from "./ClueLedger.ts";
import { attemptsLeftOf } from "./ledgerRules.ts";
import { MemoryAssignments } from "./MemoryAssignments.ts";
import { MemoryPool } from "./MemoryPool.ts";
import { MemoryQueue } from "./MemoryQueue.ts";
import type { RebuiltLedger, RebuiltPlayer } from "./rebuild.ts";
import { TemplateHistory } from "./TemplateHistory.ts";

/** What a claim decided beside its own answer. */
interface Extras {
  revoked?: AssignmentRow;
  served?: ServedClaim[];
}

/** How an assignment ends whose instance goes back. */
type Revocation = typeof OUTCOME.exhausted | typeof OUTCOME.expired | typeof OUTCOME.returned;

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
  readonly #assignments: MemoryAssignments;
  readonly #queue = new MemoryQueue();
  /** How often instances were issued, and 1. */
  #issues = 1;
  /** How often it was paused and resumed. */
  #pauses: number;

  constructor(rules: LedgerRules, rebuilt: RebuiltLedger, pauses = 0) {
    this.epoch = rebuilt.epoch;
    this.#pauses = pauses;
    this.#rules = rules;
    this.#pool = new MemoryPool(rules, rebuilt);
    this.#assignments = new MemoryAssignments(rules, rebuilt);
  }

  /** Somebody knows of so many pauses and resumptions; false where there were more. */
  hearPauses(count: number): boolean {
    this.#pauses = Math.max(this.#pauses, count);
    return count === this.#pauses;
  }

  claim({ playerId, playerName, nodeId, now }: ClaimRequest): ClaimDecision {
    this.#assignments.welcome(playerId);
    const player = this.#assignments.get(playerId);
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
    const isCooling = now < until && !this.#queue.has(playerId);
    const free = isCooling ? undefined : this.#pool.take(history);
    if (free !== undefined) {
      this.#queue.leave(playerId);
      return this.#assigned(this.#assignments.open(playerId, playerName, free, now), extras);
    }
    if (!this.#mayStillHave(history)) return this.#exhausted(playerId, extras);
    if (isCooling) return { kind: "cooling", until, ...extras, ...this.#demand() };
    this.#queue.enter(playerId, playerName, nodeId);
    return { kind: "waiting", position: this.positions([playerId])[0]!, ...extras, ...this.#demand() };
  }

  solve({ playerId, assignmentId, correct, requestId, now }: SolveRequest): SolveDecision {
    const player = this.#assignments.get(playerId);
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
    const player = this.#assignments.get(playerId);
    const row = [player?.open, player?.last].find((row) => row !== undefined && assignmentIdOf(row) === assignmentId);
    if (player === undefined || row === undefined) return { kind: "unknown" };
    if (row !== player.open) return this.#closedDecision(player, row, []);
    const outcome = now >= row.expiresAt ? OUTCOME.expired : OUTCOME.returned;
    const revoked = this.#revoke(playerId, player, outcome, now);
    return this.#closedDecision(player, revoked, this.#serve(now));
  }

  depart(playerId: string, token: string): DepartDecision {
    return { kind: "departed", isMarked: this.#assignments.depart(playerId, token) };
  }

  giveUp({ playerId, token, now }: GiveUpRequest): GiveBackDecision {
    const open = this.#assignments.get(playerId)?.open;
    if (open === undefined || !this.#assignments.hasDeparted(playerId, token)) return { kind: "unknown" };
    return this.giveBack({ playerId, assignmentId: assignmentIdOf(open), now });
  }

  issue(upTo: number, now: number): IssueDecision {
    if (this.#pool.issue(Math.min(upTo, this.#rules.total))) this.#issues += 1;
    return { kind: "issued", served: this.#serve(now), ...this.#demand() };
  }

  expire(now: number): ExpireDecision {
    const { ids, more } = this.#assignments.due(now);
    const revoked = ids.map((id) => this.#revoke(id, this.#assignments.get(id)!, OUTCOME.expired, now));
    const served = this.#serve(now);
    return { kind: "expired", revoked, more, served, ...this.#demand() };
  }

  attend(playerId: string, nodeId: string): boolean {
    this.#assignments.welcome(playerId);
    return this.#queue.attend(playerId, nodeId);
  }

  forget(playerId: string, nodeId: string, live: readonly string[]): void {
    this.#queue.forget(playerId, nodeId, live);
  }

  sweep(live: readonly string[], drop: boolean): void {
    this.#queue.sweep(live, drop);
  }

  positions(playerIds: readonly string[]): number[] {
    return this.#queue.positions(playerIds);
  }

  read(top: number): LedgerView {
    const { counts, nextExpiry, version } = this.#assignments;
    return {
      ...this.#demand(),
      version: this.#issues + version + this.#queue.version,
      ...counts,
      nextExpiry,
      top: this.#assignments.top(top),
    };
  }

  standing(playerId: string): OwnStanding {
    return this.#assignments.standing(playerId);
  }

  #demand(): Demand {
    const { size: pool, issued } = this.#pool;
    return { epoch: this.epoch, pool, waiting: this.#queue.size, issued };
  }

  #answer(playerId: string, player: RebuiltPlayer, correct: boolean, mark: string, now: number): SolveDecision {
    this.#assignments.welcome(playerId);
    if (now >= player.open!.expiresAt) {
      const row = this.#revoke(playerId, player, OUTCOME.expired, now);
      return this.#closedDecision(player, row, this.#serve(now));
    }
    const answered = this.#assignments.answer(player, mark);
    if (correct) return this.#closedDecision(player, this.#assignments.solve(playerId, player, now), []);
    const attemptsLeft = attemptsLeftOf(this.#rules, answered);
    if (attemptsLeft <= 0) {
      const row = this.#revoke(playerId, player, OUTCOME.exhausted, now);
      return this.#closedDecision(player, row, this.#serve(now));
    }
    return { kind: "wrong", row: answered, total: player.total, attemptsLeft, ...this.#demand() };
  }

  #closedDecision(player: RebuiltPlayer, row: AssignmentRow, served: ServedClaim[]): GiveBackDecision {
    const common = { row, total: player.total, ...this.#demand() };
    return row.outcome === OUTCOME.solved ? { kind: "solved", ...common } : { kind: "revoked", served, ...common };
  }

  #assigned(player: RebuiltPlayer, extras: Extras): ClaimDecision {
    const previous = player.last && { previous: player.last };
    return { kind: "assigned", row: player.open!, ...previous, ...extras, ...this.#demand() };
  }

  #exhausted(playerId: string, extras: Extras): ClaimDecision {
    this.#queue.leave(playerId);
    return { kind: "exhausted", ...extras, ...this.#demand() };
  }

  /** Whether any instance, free or not, may come to be this player's. One that they have lost and somebody holds counts until it is back. */
  #mayStillHave(history: TemplateHistory): boolean {
    for (const template of this.#rules.points.keys()) {
      const unsolved = history.mayHave(template) ? this.#assignments.unsolvedOf(template) : 0;
      const lost = history.tried.get(template)?.lost ?? [];
      const unfit = unsolved > 0 ? lost.filter((instance) => this.#pool.hasReturned(instance)).length : 0;
      if (unsolved > unfit) return true;
    }
    return false;
  }

  /** Gives what has become free to whoever waits and may have it, first come, first served. */
  #serve(now: number): ServedClaim[] {
    const served: ServedClaim[] = [];
    const freed = this.#pool.takeFreed();
    for (const { playerId, name } of this.#queue.present()) {
      if (!this.#pool.hasFree(freed)) break;
      const free = this.#pool.take(this.#assignments.get(playerId)?.history ?? NO_HISTORY, freed);
      if (free === undefined) continue;
      this.#queue.leave(playerId);
      const { open, last } = this.#assignments.open(playerId, name, free, now);
      served.push({ row: open!, ...(last && { previous: last }) });
    }
    return served;
  }

  /** Closes the player's open assignment and puts its instance back. */
  #revoke(playerId: string, player: RebuiltPlayer, outcome: Revocation, now: number): AssignmentRow {
    const row = this.#assignments.close(playerId, player, { outcome, now });
    this.#pool.put({ instance: row.instance, generation: row.generation + 1 });
    return row;
  }
}
