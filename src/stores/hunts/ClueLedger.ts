/**
 * The hot state of hunts: which clue instance is open for which player, who waits, who has how many points.
 *
 * An **instance** is one issue of a clue template: instance `n` uses template `n % templates`. Instances enter the pool in
 * order. Each instance is held by at most one player at a time; when its assignment is revoked it returns to the pool and
 * its **generation** (1 for the first holder) grows. An assignment's id is `"<instance>.<generation>"` (`assignmentIdOf`),
 * unique within its hunt.
 *
 * A player **may have** a template unless they have solved it (`LedgerRules.repeatable` aside) or used up its attempts, which
 * count over all their assignments of it; and never an instance that they lost after a wrong answer (`TemplateHistory`). The pool
 * gives of what the player may have a returned instance first, of the lowest template and of that the lowest; else one that was never
 * given, of the first template from that on which is due when all are given by turns (instances ever given modulo templates). So a rebuilt
 * pool gives what the lost one would have. Who waits may have nothing that is free.
 *
 * Every decision is atomic and is answered with the full row that it leaves behind (`AssignmentRow`), so that committing a
 * row to MySQL is an idempotent, order-free upsert. Nothing may be acknowledged before that commit (`rowsOf` lists what a
 * decision asks to be committed).
 *
 * Every operation may be repeated after a lost reply; but a wrong answer without a `requestId` is another attempt then.
 * A reply that is lost for good (its node died) loses nothing either: an assignment carries the player's `previous` row,
 * so that an acknowledged assignment implies that everything its player closed before is committed. Only the *telling* of
 * a served claim can be lost: who waits must ask again when a node has died or the ledger was rebuilt (a rebuild empties
 * the queue).
 *
 * Time comes from the caller, and is the hunt's own: it stands still while the hunt is paused. Callers' clocks differ. An assignment is revoked only by a `now` at or past its
 * `expiresAt`, so a clock that is behind never revokes; one that is ahead revokes that much early, hence nodes' clocks must
 * agree to well within `clueTtlMs`. A player's `closedAt` always grows, whatever the clocks say.
 *
 * The ledger's **epoch** is the fence between Redis and MySQL: rows are committed under the epoch that decided them, and a
 * rebuild or a freeze raises it, so that what an older ledger decided can no longer be committed.
 */
export interface ClueLedger {
  /**
   * Gives the player an instance, or a place in the queue, unless nothing will ever be theirs. Idempotent while the player's assignment is open; an open
   * assignment past its `expiresAt` is revoked first.
   */
  claim(hunt: HuntKey, request: ClaimRequest): Promise<ClaimDecision>;
  /**
   * Applies an answer to the player's open assignment. The same assignment solved again gets its first decision again; so does an
   * answer that comes again by its `requestId`, as long as the assignment is open or the one that closed last.
   */
  solve(hunt: HuntKey, request: SolveRequest): Promise<SolveDecision>;
  /**
   * Puts instances up to (not including) `issued` into the pool, at most `rules.total`; those already issued are left out.
   * Serves who waits. The answer's `issued` says how far it came: less than asked when the store failed on the way.
   */
  issue(hunt: HuntKey, issued: number, now: number): Promise<Undecided | IssueDecision>;
  /**
   * Revokes what `now` has reached the `expiresAt` of, at most 512 a call, and serves who waits, of whom it looks at most at 512 in
   * vain; `more` says whether something of either is left.
   */
  expire(hunt: HuntKey, now: number): Promise<Undecided | ExpireDecision>;
  /**
   * Revokes the player's open assignment because they want it no more: its answers count as they are. The same again gets the same
   * decision. Serves who waits.
   */
  giveBack(hunt: HuntKey, request: GiveBackRequest): Promise<GiveBackDecision>;
  /**
   * The player's last seat on a node is gone for good. Marks their open assignment with `token`, in the place of an earlier mark: the
   * mark stands until the assignment closes, or the player is heard of (`attend`, `claim`, `solve`). With the hot state it is lost.
   */
  depart(hunt: HuntKey, playerId: string, token: string): Promise<Undecided | DepartDecision>;
  /** Revokes the player's open assignment, as `giveBack` does, if it is marked with this token; `unknown` otherwise. */
  giveUp(hunt: HuntKey, request: GiveUpRequest): Promise<GiveBackDecision>;
  /**
   * The player has come in on this node: `depart` is void, and a waiting claim is not over before they have left it. False when the player
   * does not wait, or is on no node (`sweep`): who is back claims again.
   */
  attend(hunt: HuntKey, playerId: string, nodeId: string): Promise<boolean>;
  /**
   * A player has left `nodeId` for good. Takes them out of the queue, unless they are on another of the nodes that live (`live`: their
   * ids). An open assignment stays (`giveUp`).
   */
  forget(hunt: HuntKey, playerId: string, nodeId: string, live: readonly string[]): Promise<void>;
  /**
   * Takes the nodes that do not live off waiting claims, of at most 512 a call, behind the place `after` (0: from the first on). Who is
   * on no node any more keeps their place and is not served; with `drop` they lose it. Resolves with the place to go on behind;
   * `undefined` when all have been looked at.
   */
  sweep(hunt: HuntKey, live: readonly string[], from: { after: number; drop: boolean }): Promise<number | undefined>;
  /**
   * The places of these players in the queue, all of one moment, each counted from 1; 0 for one who does not wait. At most
   * `MOST_POSITIONS` players a call. `undefined` when the ledger holds nothing of this hunt.
   */
  positions(hunt: HuntKey, playerIds: readonly string[]): Promise<number[] | undefined>;
  /** Counts and the top rows; `undefined` when the ledger holds nothing of this hunt. */
  read(hunt: HuntKey, top: number): Promise<LedgerView | undefined>;
  /** Where a player stands, in a time that grows with the logarithm of the players. */
  standing(hunt: HuntKey, playerId: string): Promise<LedgerMissing | StandingAnswer>;
  /**
   * Replaces all hot state of the hunt by `rows` under `epoch`, at once: until then the ledger is as before. Ignored (false)
   * when the ledger is at this epoch or a later one, or another load overtook this one: ask the ledger again.
   * Afterwards instances below `issued` that are neither open nor solved are in the pool; nobody waits.
   */
  load(hunt: HuntKey, snapshot: LedgerSnapshot): Promise<boolean>;
  /** The hunt was paused or resumed, which makes `count` of both (`HuntKey.pauses`). Of a hunt that the ledger does not hold, nothing is kept. */
  pause(hunt: Pick<HuntKey, "id">, count: number): Promise<void>;
  /** Drops all hot state of the hunt. */
  drop(hunt: Pick<HuntKey, "id">): Promise<void>;
  close(): Promise<void>;
}

/** Which hunt, and the rules the ledger applies: these are the same in every call about the hunt (`ledgerRulesFault` says which it can keep). */
export interface HuntKey {
  id: string;
  rules: LedgerRules;
  /**
   * How often it was paused and resumed, as far as the caller knows; never unless given. The ledger decides nothing for a caller who knows of fewer than
   * it does, and hears of those that it does not know.
   */
  pauses?: number;
}

export interface LedgerRules {
  /** How long an assignment stays open, in milliseconds. */
  clueTtlMs: number;
  /**
   * Answers that a player has to a template, over all their assignments of it: the wrong one that leaves none revokes the
   * assignment, and the player gets the template no more.
   */
  attempts: number;
  /** Points by template; its length is the number of templates. */
  points: readonly number[];
  /** By template, whether a player who has solved it may have it again, with all attempts each time; none unless given. */
  repeatable?: readonly boolean[];
  /** How many instances there will ever be (`templates × repeat`). */
  total: number;
  /** How many instances one player may solve; any number unless given. */
  perPlayer?: number;
  /** How long after an assignment has closed its player gets no other, in milliseconds; 0 unless given. */
  cooldownMs?: number;
}

export interface ClaimRequest {
  playerId: string;
  playerName: string;
  /** The node on which the player is: a waiting claim is over once they have left all of theirs. */
  nodeId: string;
  /** The hunt's time by the deciding node's clock. */
  now: number;
}

export interface SolveRequest {
  playerId: string;
  assignmentId: string;
  /** Whether the answer is right (checked by the caller: the ledger holds no answers). */
  correct: boolean;
  /** The client's name of this answer, unique among those to this assignment: 1 to 64 characters. */
  requestId?: string | undefined;
  now: number;
}

export interface GiveBackRequest {
  playerId: string;
  assignmentId: string;
  now: number;
}

export interface GiveUpRequest {
  playerId: string;
  /** As `depart` was given it. */
  token: string;
  now: number;
}

/** The outcomes of an assignment, in the only order in which they may follow each other; a closed one never reopens. */
export const OUTCOME = { open: 0, solved: 1, exhausted: 2, expired: 3, returned: 4 } as const;
export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME];

/** One assignment as MySQL stores it (`hunt_assignments`, primary key hunt, instance, generation). */
export interface AssignmentRow {
  instance: number;
  generation: number;
  playerId: string;
  playerName: string;
  openedAt: number;
  expiresAt: number;
  /** The player's wrong answers to this template before this assignment; 0 once they have solved it. */
  attemptsBefore: number;
  /** Answers to this assignment. */
  attemptsUsed: number;
  /** By which request each answer came (`requestMarkOf`), 8 characters each, in order; what is missing at the end came without one. */
  requestMarks: string;
  outcome: Outcome;
  /** 0 while open. */
  closedAt: number;
  /** Points won by this assignment; 0 unless solved. */
  points: number;
  /** Order of solves within the hunt (1, 2, …); 0 unless solved. It breaks ties: who reached the score first. */
  solveSeq: number;
}

/** The ledger has lost this hunt (or never had it): rebuild it from MySQL, then ask again. */
export interface LedgerMissing {
  kind: "missing";
}

/** Not decided: the hunt was paused or resumed, and the caller has not heard of it. */
export interface LedgerPaused {
  kind: "paused";
}

export interface Demand {
  /** The ledger's epoch under which this was decided. */
  epoch: number;
  /** Instances in the pool, and claims waiting, after this decision; `issued` instances so far. */
  pool: number;
  waiting: number;
  issued: number;
  /** Whether not everybody who waits has been looked at yet for what is free: the next `expire` goes on with that. */
  unserved?: true;
}

export type ClaimDecision =
  | LedgerMissing
  | LedgerPaused
  /** `previous` is the player's last closed row (the same as `revoked` when there is one), to be committed with `row`. */
  | ({ kind: "assigned"; row: AssignmentRow; previous?: AssignmentRow; revoked?: AssignmentRow } & Demand &
      Partial<Served>)
  /** `position` counts from 1. */
  | ({ kind: "waiting"; position: number; revoked?: AssignmentRow } & Demand & Partial<Served>)
  /** Nothing is left for this player, nor will be; they do not wait. */
  | ({ kind: "exhausted"; revoked?: AssignmentRow } & Demand & Partial<Served>)
  /** The player gets nothing before `until` (epoch milliseconds), and has no place in the queue. */
  | ({ kind: "cooling"; until: number; revoked?: AssignmentRow } & Demand & Partial<Served>);

export type SolveDecision =
  | LedgerMissing
  | LedgerPaused
  | ({ kind: "solved"; row: AssignmentRow; total: number } & Demand)
  | ({ kind: "wrong"; row: AssignmentRow; total: number; attemptsLeft: number } & Demand)
  /** Out of attempts (outcome exhausted), past `expiresAt` (expired), or given back (returned); its next holder is in `served`. */
  | ({ kind: "revoked"; row: AssignmentRow; total: number } & Demand & Served)
  /** Not open for this player, and not the one it closed last. */
  | { kind: "unknown" };

export type GiveBackDecision = Extract<
  SolveDecision,
  { kind: "missing" | "paused" | "revoked" | "solved" | "unknown" }
>;

/** `isMarked`: the player has an assignment to give up. */
export interface DepartDecision {
  kind: "departed";
  isMarked: boolean;
}

/** Waiting claims that a decision served: commit each row, then tell the player, on whatever nodes they are. */
export interface Served extends Demand {
  served: ServedClaim[];
}

export type IssueDecision = { kind: "issued" } & Served;
export type ExpireDecision = { kind: "expired"; revoked: AssignmentRow[]; more: boolean } & Served;
/** Why nothing was decided. */
export type Undecided = LedgerMissing | LedgerPaused;

export interface ServedClaim {
  row: AssignmentRow;
  /** The player's last closed row, to be committed with `row`. */
  previous?: AssignmentRow;
}

export interface LedgerView extends Demand {
  /** Grows with every change of the hunt's hot state within an epoch. */
  version: number;
  /** Players who were ever given an assignment. */
  players: number;
  open: number;
  solved: number;
  /** The soonest `expiresAt` of an open assignment; 0 when none is open. */
  nextExpiry: number;
  /** Players with points, best first; equal points rank by who reached them first. */
  top: Standing[];
}

export interface Standing {
  rank: number;
  playerId: string;
  name: string;
  points: number;
}

/** How a player stands by themselves: `rank` counts from 1 and is `null` without points. */
export interface OwnStanding {
  rank: number | null;
  points: number;
}

export type StandingAnswer = { kind: "standing" } & OwnStanding;

export interface LedgerSnapshot {
  epoch: number;
  /** Instances issued so far; rows beyond it raise it. */
  issued: number;
  /**
   * Every committed row of the hunt, any order; may be streamed. Of each instance the highest generation counts; an open row
   * of a lower one counts as revoked, as do all but the newest open row of one player.
   */
  rows: Iterable<AssignmentRow> | AsyncIterable<AssignmentRow>;
}
