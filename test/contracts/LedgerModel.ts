import { requestMarkOf } from "../../src/stores/hunts/assignments.ts";
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
  type ServedClaim,
  type SolveDecision,
  type SolveRequest,
} from "../../src/stores/hunts/ClueLedger.ts";

interface Slot {
  /** Of its holder, or of its last one. */
  generation: number;
  holder: string | undefined;
  solved: boolean;
}

/**
 * The ledger as simply as it can be said: every assignment that ever was is kept, and everything else is looked up in them. Slow on
 * purpose, and alike in nothing but its answers to what it judges.
 */
export class LedgerModel {
  readonly #rules: LedgerRules;
  readonly #slots: Slot[] = [];
  /** Every assignment, in the order in which they were given. */
  readonly #rows: AssignmentRow[] = [];
  /** Indices into `#rows`, in the order in which they were closed. */
  readonly #closed: AssignmentRow[] = [];
  readonly #names = new Map<string, string>();
  /** First decisions, by assignment and request id, each without how the hunt stood then. */
  readonly #decided = new Map<string, { kind: "wrong"; attemptsLeft: number; total: number }>();
  /** By player, the token of their departure, until they are heard of again. */
  readonly #departed = new Map<string, string>();
  #queue: { playerId: string; nodes: string[] }[] = [];
  #epoch: number;

  constructor(rules: LedgerRules, epoch: number) {
    this.#rules = rules;
    this.#epoch = epoch;
  }

  claim({ playerId, playerName, nodeId, now }: ClaimRequest): ClaimDecision {
    this.#names.set(playerId, playerName);
    this.#departed.delete(playerId);
    const held = this.#openOf(playerId);
    if (held !== undefined && now < held.expiresAt) return this.#assigned(playerId, {});
    const revoked = held === undefined ? {} : { revoked: this.#close(held, OUTCOME.expired, now) };
    const served = held === undefined ? [] : this.#serve(now);
    const extras = { ...revoked, ...(served.length > 0 ? { served } : {}) };
    const place = this.#queue.find((waiter) => waiter.playerId === playerId);
    const { perPlayer = Number.POSITIVE_INFINITY, cooldownMs = 0 } = this.#rules;
    if (this.#solvedOf(playerId).length >= perPlayer || !this.#mayEverGet(playerId)) {
      this.#queue = this.#queue.filter((waiter) => waiter !== place);
      return { kind: "exhausted", ...extras, ...this.#demand() };
    }
    const until = (this.#lastOf(playerId)?.closedAt ?? Number.NEGATIVE_INFINITY) + cooldownMs;
    if (cooldownMs > 0 && now < until && place === undefined)
      return { kind: "cooling", until, ...extras, ...this.#demand() };
    if (this.#freeFor(playerId).length > 0) {
      this.#queue = this.#queue.filter((waiter) => waiter !== place);
      this.#give(playerId, now);
      return this.#assigned(playerId, extras);
    }
    if (place === undefined) this.#queue.push({ playerId, nodes: [nodeId] });
    else place.nodes.push(nodeId);
    const position = this.#queue.findIndex((waiter) => waiter.playerId === playerId) + 1;
    return { kind: "waiting", position, ...extras, ...this.#demand() };
  }

  solve({ playerId, assignmentId, correct, requestId, now }: SolveRequest): SolveDecision {
    const isAsked = (row: AssignmentRow | undefined): row is AssignmentRow =>
      row !== undefined && `${row.instance}.${row.generation}` === assignmentId;
    const open = this.#openOf(playerId);
    const last = this.#lastOf(playerId);
    const request = requestId === undefined ? "" : `${assignmentId} ${requestId}`;
    const first = this.#decided.get(request);
    const asked = [open, last].find(isAsked);
    if (first !== undefined && asked !== undefined) return { ...first, row: { ...asked }, ...this.#demand() };
    if (isAsked(open)) {
      if (requestId !== undefined) this.#mark(open, requestId, now);
      const decision = this.#answer(open, correct, now);
      if (decision.kind === "wrong" && requestId !== undefined) {
        const { kind, attemptsLeft, total } = decision;
        this.#decided.set(request, { kind, attemptsLeft, total });
      }
      return decision;
    }
    if (!isAsked(last)) return { kind: "unknown" };
    const common = { row: { ...last }, total: this.#totalOf(playerId), ...this.#demand() };
    return last.outcome === OUTCOME.solved ? { kind: "solved", ...common } : { kind: "revoked", served: [], ...common };
  }

  giveBack({ playerId, assignmentId, now }: GiveBackRequest): GiveBackDecision {
    const row = [this.#openOf(playerId), this.#lastOf(playerId)].find(
      (row) => row !== undefined && `${row.instance}.${row.generation}` === assignmentId,
    );
    if (row === undefined) return { kind: "unknown" };
    const wasOpen = row.outcome === OUTCOME.open;
    if (wasOpen) this.#close(row, now >= row.expiresAt ? OUTCOME.expired : OUTCOME.returned, now);
    const served = wasOpen ? this.#serve(now) : [];
    const common = { row: { ...row }, total: this.#totalOf(playerId), ...this.#demand() };
    return row.outcome === OUTCOME.solved ? { kind: "solved", ...common } : { kind: "revoked", served, ...common };
  }

  depart(playerId: string, token: string): DepartDecision {
    const isMarked = this.#openOf(playerId) !== undefined;
    if (isMarked) this.#departed.set(playerId, token);
    return { kind: "departed", isMarked };
  }

  giveUp({ playerId, token, now }: GiveUpRequest): GiveBackDecision {
    const assignmentId = this.openIdOf(playerId);
    const isMeant = assignmentId !== undefined && this.#departed.get(playerId) === token;
    return isMeant ? this.giveBack({ playerId, assignmentId, now }) : { kind: "unknown" };
  }

  issue(issued: number, now: number): IssueDecision {
    while (this.#slots.length < Math.min(issued, this.#rules.total)) {
      this.#slots.push({ generation: 0, holder: undefined, solved: false });
    }
    return { kind: "issued", served: this.#serve(now), ...this.#demand() };
  }

  expire(now: number): ExpireDecision {
    const due = this.#openRows()
      .filter((row) => row.expiresAt <= now)
      .sort((a, b) => a.expiresAt - b.expiresAt || (a.playerId < b.playerId ? -1 : 1));
    const revoked = due.map((row) => this.#close(row, OUTCOME.expired, now));
    return { kind: "expired", revoked, more: false, served: this.#serve(now), ...this.#demand() };
  }

  attend(playerId: string, nodeId: string): boolean {
    this.#departed.delete(playerId);
    const place = this.#queue.find((waiter) => waiter.playerId === playerId && waiter.nodes.length > 0);
    place?.nodes.push(nodeId);
    return place !== undefined;
  }

  sweep(live: readonly string[], drop: boolean): undefined {
    for (const waiter of this.#queue) waiter.nodes = waiter.nodes.filter((id) => live.includes(id));
    if (drop) this.#queue = this.#queue.filter(({ nodes }) => nodes.length > 0);
  }

  forget(playerId: string, nodeId: string, live: readonly string[]): void {
    const place = this.#queue.find((waiter) => waiter.playerId === playerId);
    if (place === undefined) return;
    place.nodes = place.nodes.filter((id) => id !== nodeId && live.includes(id));
    if (place.nodes.length === 0) this.#queue = this.#queue.filter((waiter) => waiter !== place);
  }

  positions(playerIds: readonly string[]): number[] {
    return playerIds.map((playerId) => this.#queue.findIndex((waiter) => waiter.playerId === playerId) + 1);
  }

  /** Everything but the queue, and who has departed, outlives the loss of the hot state. */
  rebuild(epoch: number): void {
    this.#epoch = epoch;
    this.#queue = [];
    this.#departed.clear();
  }

  view(): Omit<LedgerView, "version"> {
    const expiries = this.#openRows().map((row) => row.expiresAt);
    const players = [...new Set(this.#rows.map((row) => row.playerId))];
    const reachedSeq = (id: string): number => Math.max(...this.#solvedOf(id).map((row) => row.solveSeq));
    return {
      ...this.#demand(),
      players: players.length,
      open: expiries.length,
      solved: this.#rows.filter((row) => row.outcome === OUTCOME.solved).length,
      nextExpiry: expiries.length === 0 ? 0 : Math.min(...expiries),
      top: players
        .filter((id) => this.#totalOf(id) > 0)
        .sort((a, b) => this.#totalOf(b) - this.#totalOf(a) || reachedSeq(a) - reachedSeq(b))
        .map((id, index) => ({ rank: index + 1, playerId: id, name: this.#nameOf(id), points: this.#totalOf(id) })),
    };
  }

  /** Ids of assignments that were ever given, newest first. */
  assignmentIds(): string[] {
    return this.#rows.map(({ instance, generation }) => `${instance}.${generation}`).reverse();
  }

  /** Players with an open assignment. */
  holders(): string[] {
    return this.#openRows().map((row) => row.playerId);
  }

  openIdOf(playerId: string): string | undefined {
    const row = this.#openOf(playerId);
    return row && `${row.instance}.${row.generation}`;
  }

  lastIdOf(playerId: string): string | undefined {
    const row = this.#lastOf(playerId);
    return row && `${row.instance}.${row.generation}`;
  }

  /** Eight characters an answer, dots for one without an id. */
  #mark(row: AssignmentRow, requestId: string, now: number): void {
    if (now >= row.expiresAt) return;
    while (row.requestMarks.length < row.attemptsUsed * 8) row.requestMarks += "........";
    row.requestMarks += requestMarkOf(requestId);
  }

  #answer(row: AssignmentRow, correct: boolean, now: number): SolveDecision {
    const decided = (): { row: AssignmentRow; total: number } & Demand => ({
      row: { ...row },
      total: this.#totalOf(row.playerId),
      ...this.#demand(),
    });
    const revoke = (outcome: Outcome): SolveDecision => {
      this.#close(row, outcome, now);
      const served = this.#serve(now);
      return { kind: "revoked", served, ...decided() };
    };
    this.#departed.delete(row.playerId);
    if (now >= row.expiresAt) return revoke(OUTCOME.expired);
    row.attemptsUsed += 1;
    if (correct) {
      row.solveSeq = this.#rows.filter(({ outcome }) => outcome === OUTCOME.solved).length + 1;
      row.points = this.#rules.points[row.instance % this.#rules.points.length]!;
      this.#close(row, OUTCOME.solved, now);
      this.#slots[row.instance]!.solved = true;
      return { kind: "solved", ...decided() };
    }
    const attemptsLeft = this.#rules.attempts - row.attemptsBefore - row.attemptsUsed;
    if (attemptsLeft === 0) return revoke(OUTCOME.exhausted);
    return { kind: "wrong", attemptsLeft, ...decided() };
  }

  #give(playerId: string, now: number): AssignmentRow {
    const instance = this.#freeFor(playerId)[0]!;
    const slot = this.#slots[instance]!;
    slot.generation += 1;
    slot.holder = playerId;
    const row: AssignmentRow = {
      ...{ instance, generation: slot.generation, playerId, playerName: this.#nameOf(playerId) },
      ...{ openedAt: now, expiresAt: now + this.#rules.clueTtlMs },
      ...{ attemptsBefore: this.#wrongOf(playerId, this.#templateOf(instance)), attemptsUsed: 0 },
      ...{ requestMarks: "", outcome: OUTCOME.open, closedAt: 0, points: 0, solveSeq: 0 },
    };
    this.#rows.push(row);
    return row;
  }

  #close(row: AssignmentRow, outcome: Outcome, now: number): AssignmentRow {
    const last = this.#lastOf(row.playerId);
    row.outcome = outcome;
    row.closedAt = Math.max(now, row.openedAt, last === undefined ? 0 : last.closedAt + 1);
    this.#slots[row.instance]!.holder = undefined;
    this.#departed.delete(row.playerId);
    this.#closed.push(row);
    return { ...row };
  }

  #serve(now: number): ServedClaim[] {
    const served: ServedClaim[] = [];
    for (const waiter of [...this.#queue]) {
      const { playerId } = waiter;
      if (waiter.nodes.length === 0 || this.#freeFor(playerId).length === 0) continue;
      this.#queue = this.#queue.filter((other) => other !== waiter);
      served.push({ row: { ...this.#give(playerId, now) }, ...this.#previousOf(playerId) });
    }
    return served;
  }

  #assigned(playerId: string, extras: { revoked?: AssignmentRow; served?: ServedClaim[] }): ClaimDecision {
    const row = { ...this.#openOf(playerId)! };
    return { kind: "assigned", row, ...this.#previousOf(playerId), ...extras, ...this.#demand() };
  }

  #previousOf(playerId: string): { previous?: AssignmentRow } {
    const last = this.#lastOf(playerId);
    return last === undefined ? {} : { previous: { ...last } };
  }

  #templateOf(instance: number): number {
    return instance % this.#rules.points.length;
  }

  /** Wrong answers that count: none once the player has solved the template. */
  #wrongOf(playerId: string, template: number): number {
    const rows = this.#rows.filter((row) => row.playerId === playerId && this.#templateOf(row.instance) === template);
    if (rows.some((row) => row.outcome === OUTCOME.solved)) return 0;
    return rows.reduce((sum, row) => sum + row.attemptsUsed, 0);
  }

  #hasSolved(playerId: string, template: number): boolean {
    return this.#solvedOf(playerId).some((row) => this.#templateOf(row.instance) === template);
  }

  /** Whether the player may have this instance once it is free. */
  #mayHave(playerId: string, instance: number): boolean {
    const template = this.#templateOf(instance);
    if (this.#hasSolved(playerId, template)) return this.#rules.repeatable?.[template] ?? false;
    if (this.#wrongOf(playerId, template) >= this.#rules.attempts) return false;
    return !this.#rows.some((row) => row.playerId === playerId && row.instance === instance && row.attemptsUsed > 0);
  }

  /** What is free and may be the player's: what is returned first, by template; then what was never given, by turns of templates. */
  #freeFor(playerId: string): number[] {
    const templates = this.#rules.points.length;
    const wasGiven = (instance: number): boolean => this.#slots[instance]!.generation > 0;
    const turn = [...this.#slots.keys()].filter(wasGiven).length;
    const order = (instance: number): number => {
      const template = this.#templateOf(instance);
      return wasGiven(instance) ? template : templates + ((((template - turn) % templates) + templates) % templates);
    };
    return this.#pool()
      .filter((instance) => this.#mayHave(playerId, instance))
      .sort((a, b) => order(a) - order(b) || a - b);
  }

  /** Whether any instance may come to be the player's: one that somebody else holds may come back. */
  #mayEverGet(playerId: string): boolean {
    for (let instance = 0; instance < this.#rules.total; instance += 1) {
      const slot = this.#slots[instance];
      if (slot?.solved) continue;
      if (this.#mayHave(playerId, instance)) return true;
      const template = this.#templateOf(instance);
      const mayHaveAnother =
        !this.#hasSolved(playerId, template) && this.#wrongOf(playerId, template) < this.#rules.attempts;
      // As the ledger sees it: who holds what the player has lost is not looked up.
      if (slot?.holder !== undefined && mayHaveAnother) return true;
    }
    return false;
  }

  /** Everybody who is there and waits beside something free that they may have. */
  overlooked(): string[] {
    const present = this.#queue.filter(({ nodes }) => nodes.length > 0).map(({ playerId }) => playerId);
    return present.filter((playerId) => this.#freeFor(playerId).length > 0);
  }

  #pool(): number[] {
    return [...this.#slots.keys()].filter((n) => this.#slots[n]!.holder === undefined && !this.#slots[n]!.solved);
  }

  #demand(): Demand {
    return {
      epoch: this.#epoch,
      pool: this.#pool().length,
      waiting: this.#queue.length,
      issued: this.#slots.length,
    };
  }

  #openRows(): AssignmentRow[] {
    return this.#rows.filter((row) => row.outcome === OUTCOME.open);
  }

  #openOf(playerId: string): AssignmentRow | undefined {
    return this.#openRows().find((row) => row.playerId === playerId);
  }

  #lastOf(playerId: string): AssignmentRow | undefined {
    return this.#closed.findLast((row) => row.playerId === playerId);
  }

  #solvedOf(playerId: string): AssignmentRow[] {
    return this.#rows.filter((row) => row.playerId === playerId && row.outcome === OUTCOME.solved);
  }

  #totalOf(playerId: string): number {
    return this.#solvedOf(playerId).reduce((sum, row) => sum + row.points, 0);
  }

  #nameOf(playerId: string): string {
    return this.#names.get(playerId)!;
  }
}
