import { type Clock, sleep } from "../../clock.ts";
import type { CommitResult } from "../../entities/journaling.ts";
import { TOURNAMENT_ERRORS } from "../../entities/tournaments/errors.ts";
import type { Tournaments } from "../../entities/tournaments/Tournament.ts";
import { type ErrorCode, RingmasterError, toRingmasterError } from "../../errors.ts";
import type { Leaderboard, ScoreEntry, Submission, SubmitDecision } from "../../stores/tournaments/Leaderboard.ts";
import { type Decided, DecisionCommitter, type HotState } from "../events/DecisionCommitter.ts";
import { whileUseful } from "../events/Rebuilds.ts";
import { DECISION_DEADLINE_MS, READ_DEADLINE_MS, RetryDeadline } from "../events/RetryDeadline.ts";
import type { Actors } from "../runtime/Actors.ts";
import type { Log } from "../runtime/ports.ts";
import type { EntryCommit } from "./entries.ts";
import type { ScoreJournal } from "./ScoreJournal.ts";
import { TournamentActor } from "./TournamentActor.ts";
import { isTaking, type TournamentView } from "./TournamentView.ts";

export interface CommitterPorts {
  actors: Actors;
  tournaments: Pick<Tournaments, "get">;
  leaderboard: Leaderboard;
  journal: ScoreJournal;
  clock: Clock;
  log: Log;
}

type Refused = Exclude<SubmitDecision, { kind: "accepted" | "missing" | "unsure" }>;

/** An entry whose predecessor is on its way from another node waits this long for it. */
const PREDECESSOR_PAUSE_MS = 20;
/** What a leaderboard refuses with before it decides anything. */
const NEVER_ASKED: ReadonlySet<ErrorCode> = new Set(["overloaded", "draining", "invalid_payload"]);

/** Has the boards of tournaments decide submissions, and commits that. */
export class ScoreCommitter {
  readonly #ports: CommitterPorts;
  readonly #committer: DecisionCommitter<TournamentView, { epoch: number }>;
  readonly #reconcile: (tournament: TournamentView) => void;

  /** `reconcile` gets the boards that may have decided what was not committed. */
  constructor(ports: CommitterPorts, reconcile: (tournament: TournamentView) => void) {
    this.#ports = ports;
    this.#committer = new DecisionCommitter({ hotState: boardsOf(ports), clock: ports.clock });
    this.#reconcile = reconcile;
  }

  /**
   * Resolves with the entry that the submission is, now or since it was first made, once that is committed. Rejects as
   * `DecisionCommitter` does, and with what the board refuses it for.
   */
  async take(tournament: TournamentView, submission: Omit<Submission, "now" | "isNew">): Promise<ScoreEntry> {
    let refusedUnder = 0;
    try {
      return await this.#committer.carryOut(tournament, {
        require: () => tournament.requireTaking(),
        decide: () => this.#decided(tournament, submission),
        refused: (why) => (why === "over" ? tournament.wrongPhase() : this.#pausedAfter(tournament)),
        // Another node may have loaded the board anew meanwhile, or have yet to commit the entry before this one.
        isAskedAgain: async (epoch, result) => {
          if (epoch === refusedUnder) return false;
          refusedUnder = epoch;
          if (result === "contradicted") await sleep(this.#ports.clock, PREDECESSOR_PAUSE_MS);
          return true;
        },
      });
    } catch (error) {
      // What was decided and refused by the database may be on the board yet.
      if (refusedUnder > 0) this.#reconcile(tournament);
      throw error;
    }
  }

  /** Reads the board. Rejects with `unavailable` when it has not come back for some seconds. */
  read<T extends object>(tournament: TournamentView, read: () => Promise<T | undefined>): Promise<T> {
    const decide = async (): Promise<Decided<T>> => {
      const result = await read();
      return result === undefined ? { kind: "missing" } : { kind: "final", result };
    };
    const refused = (): RingmasterError => tournament.paused();
    return this.#committer.carryOut(tournament, { require: () => {}, decide, refused }, READ_DEADLINE_MS);
  }

  /** The entry that this submission became before, if it did. */
  find(tournament: TournamentView, { playerId, submissionId }: Pick<Submission, "playerId" | "submissionId">) {
    return this.#ports.journal.find(tournament.id, playerId, submissionId);
  }

  /** Loads the board from what is committed, under a new epoch; false after a moment's wait while somebody else is loading it. */
  rebuild(tournament: TournamentView): Promise<boolean> {
    return this.#committer.rebuild(tournament, new RetryDeadline(this.#ports.clock, DECISION_DEADLINE_MS));
  }

  async #decided(
    tournament: TournamentView,
    submission: Omit<Submission, "now" | "isNew">,
  ): Promise<Decided<ScoreEntry>> {
    let decision = await this.#ask(tournament, submission, false);
    if (decision.kind === "unsure") {
      // The board does not remember the submission; the database may.
      const entry = await this.find(tournament, submission);
      if (entry !== undefined) return { kind: "final", result: entry };
      decision = await this.#ask(tournament, submission, true);
      if (decision.kind === "unsure") throw new RingmasterError("internal");
    }
    if (decision.kind === "missing") return { kind: "missing" };
    if (decision.kind !== "accepted") throw refusalOf(decision, tournament);
    const { epoch, entry, previous } = decision;
    const commit = () => this.#commit(tournament, epoch, { entry, previous });
    return { kind: "decided", result: entry, epoch, commit };
  }

  async #ask(tournament: TournamentView, submission: Omit<Submission, "now" | "isNew">, isNew: boolean) {
    const { leaderboard, clock } = this.#ports;
    try {
      return await leaderboard.submit(tournament.key, { ...submission, now: clock.now(), isNew });
    } catch (error) {
      if (!NEVER_ASKED.has(toRingmasterError(error).code)) this.#reconcile(tournament);
      throw error;
    }
  }

  async #commit(tournament: TournamentView, epoch: number, commit: EntryCommit): Promise<CommitResult> {
    const { id, definition } = tournament;
    try {
      return await this.#ports.journal.commit(id, definition.game, epoch, [commit]);
    } catch (error) {
      // It is decided, and may never be committed.
      this.#reconcile(tournament);
      throw error;
    }
  }

  /** The board has decided what is not committed. Whoever submits it again once the tournament goes on has it committed. */
  #pausedAfter(tournament: TournamentView): RingmasterError {
    this.#reconcile(tournament);
    return tournament.paused();
  }
}

/** How boards are loaded from the entries that are committed. */
function boardsOf(ports: CommitterPorts): HotState<TournamentView, { epoch: number }> {
  const { actors, journal, leaderboard, tournaments, log } = ports;
  return {
    names: { event: "tournament", state: "board" },
    actor: ({ id }, options) => actors.ref(TournamentActor, id, options),
    load: async ({ id, key }, { epoch }, signal) => {
      const { submissions, players } = await journal.snapshot(id);
      return leaderboard.load(key, { epoch, submissions, players: whileUseful(players, signal) });
    },
    isOn: async ({ id }) => {
      const record = await tournaments.get(id);
      return record !== null && isTaking(record.phase);
    },
    drop: ({ key }) => leaderboard.drop(key),
    loaded: ({ id }, { epoch }) => log.info({ tournament: id, epoch }, "the board was loaded from the database"),
  };
}

function refusalOf(decision: Refused, tournament: TournamentView): RingmasterError {
  switch (decision.kind) {
    case "outOfBounds":
      return tournament.scoreRefused();
    case "full":
      return new RingmasterError(TOURNAMENT_ERRORS.entries_used_up, undefined, { of: decision.of });
    case "tooFast":
      return new RingmasterError("rate_limited", undefined, { retryAfterMs: decision.retryAfterMs });
  }
}
