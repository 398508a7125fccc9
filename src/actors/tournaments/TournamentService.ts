import type { Clock } from "../../clock.ts";
import { EVENT_ERRORS } from "../../entities/events/errors.ts";
import { databaseError } from "../../entities/failures.ts";
import type { ItemAmount } from "../../entities/prizes/PrizeLedger.ts";
import type { Sql } from "../../entities/sql.ts";
import { TOURNAMENT_ERRORS } from "../../entities/tournaments/errors.ts";
import { decimalOf, inDecimals } from "../../entities/tournaments/precision.ts";
import { finalStandingsOf } from "../../entities/tournaments/Standings.ts";
import type { Tournaments } from "../../entities/tournaments/Tournament.ts";
import { type ErrorCode, RingmasterError, toRingmasterError } from "../../errors.ts";
import type { Feed } from "../../stores/feeds/Feed.ts";
import type {
  BoardPage,
  Leaderboard,
  ScoreEntry,
  StandingRow,
  Submission,
} from "../../stores/tournaments/Leaderboard.ts";
import { isStep, isWithinBounds } from "../../stores/tournaments/scoring.ts";
import { amountsOf } from "../prizes/amounts.ts";
import type { Actors } from "../runtime/Actors.ts";
import type { Log } from "../runtime/ports.ts";
import { BoardReconciliation } from "./BoardReconciliation.ts";
import type { Entrants } from "./Entrants.ts";
import { type OpenTournament, type OpenTournaments, openTournaments, TOP } from "./OpenTournament.ts";
import type { BegunRun, Run, Runs } from "./Runs.ts";
import { type CheckedScore, type ScoreCheck, ScoreChecks } from "./ScoreCheck.ts";
import { ScoreCommitter } from "./ScoreCommitter.ts";
import type { ScoreJournal } from "./ScoreJournal.ts";
import { VIEW } from "./signals.ts";
import { type StoredPage, storedPage } from "./storedPage.ts";
import { TournamentView } from "./TournamentView.ts";

/** A node that has said that it leaves has answered all that it was asked by then. */
const LEAVING_MS = 10_000;

/** What a submission may be refused for that was taken before. */
const TAKEN_BEFORE: ReadonlySet<ErrorCode> = new Set([
  "wrong_phase",
  EVENT_ERRORS.paused,
  TOURNAMENT_ERRORS.score_refused,
]);

/** Somebody in a room of this node. */
export interface TournamentPlayer {
  playerId: string;
  name: string;
}

export interface SubmittedScore {
  /** The player's own id of it: the same id means the same submission. Of a run, that is its own id, whatever is given here. */
  submissionId?: string | undefined;
  /** What `begin` answered, of the run that this came of. */
  run?: string | undefined;
  score: number;
  subscore?: number | undefined;
  /** For the game's check. */
  proof?: string | undefined;
}

export interface SubmitAnswer {
  /** The player's rank right after this entry. */
  rank: number;
  /** What counted for the player after it. */
  best: number;
  /** How many entries the player had made with it. */
  entries: number;
}

/** Which rows of the standings: those behind the first `offset`, or with the player `around` in their middle. */
export interface StandingsRange {
  limit: number;
  offset?: number | undefined;
  around?: string | undefined;
}

export interface ServicePorts {
  actors: Actors;
  tournaments: Tournaments;
  leaderboard: Leaderboard;
  journal: ScoreJournal;
  database: Pick<Sql, "query" | "dialect">;
  feed: Feed;
  clock: Clock;
  log: Log;
  entrants: Pick<Entrants, "note" | "joinedAt" | "close">;
  /** By game. */
  checks: ReadonlyMap<string, ScoreCheck>;
  runs: Runs;
}

/**
 * The tournaments of this node: has scores decided on the board, commits each before anybody hears of it, and tells the rooms what
 * comes from elsewhere.
 */
export class TournamentService {
  readonly #ports: ServicePorts;
  /** The tournaments that have rooms here. A room joins its tournament, and hands it on with all that it asks for. */
  readonly views: OpenTournaments;
  readonly #committer: ScoreCommitter;
  readonly #reconciliation: BoardReconciliation;
  readonly #checks: ScoreChecks;

  constructor(ports: ServicePorts) {
    this.#ports = ports;
    const { peers, membership } = ports.actors;
    this.#committer = new ScoreCommitter(ports, (tournament) => this.#reconciliation.raise(tournament));
    this.#reconciliation = new BoardReconciliation({
      ...ports,
      rebuild: (tournament) => this.#showRebuilt(tournament),
    });
    this.#checks = new ScoreChecks(ports.checks, ports);
    this.views = openTournaments({
      ...ports,
      onOpened: (tournament) => this.#reconciliation.opened(tournament),
      onRead: ({ id }, view) => peers.signalAll(VIEW, { tournamentId: id, view }),
    });
    peers.onSignal(VIEW, (payload) => {
      const { tournamentId, view } = payload as { tournamentId: string; view: BoardPage };
      this.views.at(tournamentId, (tournament) => tournament.show(view));
    });
    membership.on((event) => {
      if (event.type === "gone") this.#afterTheLossOf(event.why);
    });
  }

  /** A player is in a room of this tournament since `joinedAt`: what they play then counts in grace, also from another connection or node. */
  entered({ id, phase, endsAt }: TournamentView, playerId: string, joinedAt: number): void {
    const isBeforeTheEnd = (phase === "scheduled" || phase === "open") && joinedAt < endsAt;
    if (isBeforeTheEnd) this.#ports.entrants.note({ tournamentId: id, playerId, joinedAt });
  }

  /**
   * Begins a run of the player's, from now on. Nothing is kept of it: who hears no answer begins another. Rejects with `wrong_phase` unless
   * the tournament is open, with `paused` while it is.
   */
  async begin(tournament: OpenTournament, playerId: string, requestId?: string): Promise<BegunRun> {
    const { clock, runs } = this.#ports;
    const now = clock.now();
    if (tournament.isTaking) tournament.requireRunning();
    if (tournament.windowAt(now) !== "open") throw tournament.wrongPhase();
    return runs.begin(tournament.id, playerId, now, requestId);
  }

  /**
   * Takes a score. Durable when it resolves; a submission that was taken before gets its first answer, also when it would not be
   * taken now. Rejects with `wrong_phase` outside of the window (in grace, the run must have been begun before the end; without one,
   * `joinedAt` or an earlier `entered` of the player must be from before it, unless the definition lets anyone), `paused` while it is, `run_refused` for a run
   * that is none of this player's here, or where one is required and none is given, `invalid_payload` (more digits than the game's
   * precision), `score_refused`, `entries_used_up`, `rate_limited`, `overloaded`, or `unavailable`.
   */
  async submit(
    tournament: OpenTournament,
    { playerId, name }: TournamentPlayer,
    submitted: SubmittedScore,
    joinedAt: number,
  ): Promise<SubmitAnswer> {
    tournament.requireOpen();
    tournament.requireCurrent();
    const { score, subscore = 0, proof } = submitted;
    const run = this.#runOf(tournament, playerId, submitted);
    const submissionId = run?.id ?? submitted.submissionId!;
    const submission = { playerId, playerName: name, submissionId, score: tournament.unitsOf(score), subscore };
    // One of a player's at a time: entries are committed in their order, and none is decided while an older one is under way.
    const entry = await tournament.submissions.do(playerId, async () => {
      try {
        await this.#requireWindow(tournament, playerId, run?.begunAt ?? joinedAt, run !== undefined);
        await this.#requireBelievable(tournament, submission, { proof, run });
        return await this.#committer.take(tournament, submission);
      } catch (error) {
        return await this.#takenBefore(tournament, submission, error);
      }
    });
    tournament.refresh.touch();
    return { rank: entry.toldRank, best: decimalOf(entry.best, tournament.precision), entries: entry.entryNo };
  }

  /** Throws `not_found`; rejects with `unavailable` while the board cannot be read. */
  async standings(id: string, range: StandingsRange): Promise<{ rows: StandingRow[]; total: number }> {
    const open = await this.views.find(id);
    const tournament = open ?? new TournamentView(await this.views.read(id));
    const { limit, offset = 0, around } = range;
    const { view } = tournament;
    // Who has just been told that their score counts must see it.
    const isKnown = view !== undefined && tournament.isTaking && open?.refresh.isBehind === false;
    if (isKnown && around === undefined && offset + limit <= TOP) {
      return { rows: inDecimals(view.rows.slice(offset, offset + limit), tournament.precision), total: view.total };
    }
    const { rows, total } = await this.#read(tournament, range);
    return { rows: inDecimals(rows, tournament.precision), total };
  }

  /** How a settled tournament ended for these players, as far as they have a standing. Throws `wrong_phase` before. */
  async resultsOf(
    id: string,
    playerIds: readonly string[],
  ): Promise<Map<string, { rank: number; prizes: ItemAmount[] }>> {
    const { phase, definition } = (await this.views.find(id)) ?? (await this.views.read(id));
    if (phase !== "settled") throw new RingmasterError("wrong_phase", undefined, { phase, changesAt: null });
    const standings = await finalStandingsOf(this.#ports.database, id, playerIds).catch((error: unknown) => {
      throw databaseError(error);
    });
    return new Map(
      standings.map(({ playerId, rank }) => [playerId, { rank, prizes: amountsOf(rank, definition.prizes) }]),
    );
  }

  /** To be called after an outage of the shared memory, in which the event of a phase, and boards, may have been lost. */
  refresh(): void {
    this.views.refresh();
    this.#doubtAll();
  }

  /** Commits what is buffered, for a drain. */
  async flush(): Promise<void> {
    this.#reconciliation.close();
    await Promise.all([this.#ports.journal.flush(), this.#ports.entrants.close()]);
  }

  /** The run that a score came of; `undefined` where none is needed, nor given. */
  #runOf({ id, definition }: TournamentView, playerId: string, { run: token }: SubmittedScore): Run | undefined {
    const run = token === undefined ? undefined : this.#ports.runs.read(id, playerId, token);
    if (run === undefined && (token !== undefined || definition.runs === "required"))
      throw new RingmasterError(TOURNAMENT_ERRORS.run_refused);
    return run;
  }

  /** `begunAt`: since when this was played, as far as is known; of a run, the player cannot have played it before. */
  async #requireWindow(tournament: TournamentView, playerId: string, begunAt: number, isRun: boolean): Promise<void> {
    const { clock, entrants } = this.#ports;
    if (tournament.isTaking) tournament.requireRunning();
    const window = tournament.windowAt(clock.now());
    if (window === "closed") throw tournament.wrongPhase();
    if (window === "open" || begunAt < tournament.endsAt) return;
    if (isRun) throw tournament.wrongPhase();
    if (tournament.definition.graceFor === "anyone") return;
    // Who has dropped out and joined again was there before.
    const firstJoinedAt = await entrants.joinedAt(tournament.id, playerId);
    if (firstJoinedAt === undefined || firstJoinedAt >= tournament.endsAt) throw tournament.wrongPhase();
  }

  /** What the board would refuse anyway is no work for the game's check. */
  async #requireBelievable(
    tournament: TournamentView,
    { playerId, submissionId, score, subscore }: Pick<Submission, "playerId" | "submissionId" | "score" | "subscore">,
    evidence: Pick<CheckedScore, "proof" | "run">,
  ): Promise<void> {
    const { id, key, precision } = tournament;
    const { game, operator } = tournament.definition;
    const entry = { score, subscore };
    const asWritten = { score: decimalOf(score, precision), subscore };
    // Of what comes of a step, which must be within the bounds too, only the board knows.
    const isPossible =
      operator === "increment"
        ? isStep(tournament.definition, asWritten.score)
        : isWithinBounds(key.rules, entry, entry);
    const takenAt = this.#ports.clock.now();
    const checked = { tournamentId: id, game, playerId, submissionId, ...asWritten, ...evidence, takenAt };
    if (!isPossible || !(await this.#checks.pass(checked))) throw tournament.scoreRefused();
  }

  /** A submission that was taken, and whose answer was lost, is not refused for what has changed since. */
  async #takenBefore(
    tournament: TournamentView,
    submission: Pick<ScoreEntry, "playerId" | "submissionId">,
    refusal: unknown,
  ): Promise<ScoreEntry> {
    const code = toRingmasterError(refusal).code;
    const mayBeTaken = tournament.phase !== "scheduled" && TAKEN_BEFORE.has(code);
    const entry = mayBeTaken ? await this.#committer.find(tournament, submission) : undefined;
    if (entry === undefined) throw refusal;
    return entry;
  }

  /** Once nothing is taken any more, what is stored: nobody has players sorted by asking. */
  #read(tournament: TournamentView, range: StandingsRange): Promise<StoredPage> {
    if (tournament.isTaking) return this.#onBoard(tournament, range);
    return storedPage(this.#ports.database, tournament.id, range);
  }

  #onBoard(tournament: TournamentView, { limit, offset = 0, around }: StandingsRange): Promise<BoardPage> {
    const { leaderboard } = this.#ports;
    return this.#committer.read(tournament, () =>
      around === undefined
        ? leaderboard.page(tournament.key, offset, limit)
        : leaderboard.around(tournament.key, around, limit),
    );
  }

  async #showRebuilt(tournament: TournamentView): Promise<boolean> {
    const isLoaded = await this.#committer.rebuild(tournament);
    if (isLoaded) this.views.at(tournament.id, ({ refresh }) => refresh.touch());
    return isLoaded;
  }

  /** What a peer had read, decided or committed last may have reached nobody. One that leaves still answers what it was asked. */
  #afterTheLossOf(why: "dead" | "left"): void {
    this.views.all(({ refresh }) => refresh.touch());
    this.#ports.clock.schedule(() => this.#doubtAll(), why === "left" ? LEAVING_MS : 0);
  }

  #doubtAll(): void {
    this.#reconciliation.forget();
    this.views.all((tournament) => this.#reconciliation.raise(tournament));
  }
}
