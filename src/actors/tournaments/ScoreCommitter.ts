import type { Clock } from "../../clock.ts";
import type { Tournaments } from "../../entities/tournaments/Tournament.ts";
import { type ErrorCode, RingmasterError, toRingmasterError } from "../../errors.ts";
import type { Leaderboard, ScoreEntry, Submission, SubmitDecision } from "../../stores/tournaments/Leaderboard.ts";
import type { ScoreJournal } from "../../stores/tournaments/ScoreJournal.ts";
import { RENEWAL } from "../events/LoadLease.ts";
import { Rebuilds, whileUseful } from "../events/Rebuilds.ts";
import { DECISION_DEADLINE_MS, RetryDeadline } from "../events/RetryDeadline.ts";
import type { Actors } from "../runtime/Actors.ts";
import type { Log } from "../runtime/ports.ts";
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

type Decided = Exclude<SubmitDecision, { kind: "unsure" }>;
type Accepted = Extract<Decided, { kind: "accepted" }>;
type Refused = Exclude<Decided, { kind: "accepted" | "missing" }>;

/** An entry whose predecessor is on its way from another node waits this long for it. */
const PREDECESSOR_PAUSE_MS = 20;
/** What a leaderboard refuses with before it decides anything. */
const NEVER_ASKED: ReadonlySet<ErrorCode> = new Set(["overloaded", "draining", "invalid_payload"]);

/** Carries a submission through: has the board decide it, commits what it has decided, rebuilds the board when that is lost. */
export class ScoreCommitter {
  readonly #ports: CommitterPorts;
  readonly #rebuilds: Rebuilds;
  readonly #reconcile: (table: TournamentView) => void;

  /** `reconcile` gets the boards that may have decided what was not committed. */
  constructor(ports: CommitterPorts, reconcile: (table: TournamentView) => void) {
    this.#ports = ports;
    this.#rebuilds = new Rebuilds(ports.clock);
    this.#reconcile = reconcile;
  }

  /**
   * Resolves with the entry that the submission is, now or since it was first made, once that is committed. Rejects with `unavailable`
   * when the board has not come back for half a minute.
   */
  async take(table: TournamentView, submission: Omit<Submission, "now" | "isNew">): Promise<ScoreEntry> {
    const deadline = new RetryDeadline(this.#ports.clock, DECISION_DEADLINE_MS);
    let refusedUnder = 0;
    try {
      while (!deadline.isOver) {
        const decision = await this.#decide(table, submission);
        if (decision.kind === "known") return decision.entry;
        if (decision.kind === "accepted") {
          const result = await this.#commit(table, decision);
          if (result === "committed") return decision.entry;
          if (result === "paused") throw this.#pausedAfter(table);
          if (decision.epoch !== refusedUnder) {
            // Another node may have loaded the board anew meanwhile, or have yet to commit the entry before this one.
            refusedUnder = decision.epoch;
            if (result === "contradicted") await this.#pause(PREDECESSOR_PAUSE_MS);
            continue;
          }
        } else if (decision.kind !== "missing") throw refusalOf(decision, table);
        await this.rebuild(table, deadline);
        if (!table.isTaking) throw table.wrongPhase();
      }
      throw new RingmasterError("unavailable", "The tournament's board is being rebuilt; try again in a moment.");
    } catch (error) {
      // What was decided and refused by the database may be on the board yet.
      if (refusedUnder > 0) this.#reconcile(table);
      throw error;
    }
  }

  /** The entry that this submission became before, if it did. */
  find(table: TournamentView, { playerId, submissionId }: Pick<Submission, "playerId" | "submissionId">) {
    return this.#ports.journal.find(table.id, playerId, submissionId);
  }

  /** Loads the board from what is committed, under a new epoch; false after a moment's wait while somebody else is loading it. */
  rebuild(table: TournamentView, deadline: RetryDeadline): Promise<boolean> {
    const { actors } = this.#ports;
    return this.#rebuilds.once(table.id, deadline, {
      ask: () => actors.ref(TournamentActor, table.id).rebuild(),
      renew: (epoch) => actors.ref(TournamentActor, table.id, RENEWAL).loading(epoch),
      load: ({ epoch }, signal) => this.#load(table, epoch, signal),
    });
  }

  /** What the board decided, or the entry where that does not remember the submission and the database does. */
  async #decide(
    table: TournamentView,
    submission: Omit<Submission, "now" | "isNew">,
  ): Promise<{ kind: "known"; entry: ScoreEntry } | Decided> {
    const decision = await this.#ask(table, submission, false);
    if (decision.kind !== "unsure") return decision;
    const entry = await this.find(table, submission);
    if (entry !== undefined) return { kind: "known", entry };
    const second = await this.#ask(table, submission, true);
    if (second.kind === "unsure") throw new RingmasterError("internal");
    return second;
  }

  async #ask(table: TournamentView, submission: Omit<Submission, "now" | "isNew">, isNew: boolean) {
    const { leaderboard, clock } = this.#ports;
    try {
      return await leaderboard.submit(table.key, { ...submission, now: clock.now(), isNew });
    } catch (error) {
      if (!NEVER_ASKED.has(toRingmasterError(error).code)) this.#reconcile(table);
      throw error;
    }
  }

  async #commit(table: TournamentView, { epoch, entry, previous }: Accepted) {
    try {
      return await this.#ports.journal.commit(table.id, table.definition.game, epoch, [{ entry, previous }]);
    } catch (error) {
      // It is decided, and may never be committed.
      this.#reconcile(table);
      throw error;
    }
  }

  /** The board has decided what is not committed. Whoever submits it again once the tournament goes on has it committed. */
  #pausedAfter(table: TournamentView): RingmasterError {
    this.#reconcile(table);
    return table.paused();
  }

  async #load({ id, key }: TournamentView, epoch: number, signal: AbortSignal): Promise<void> {
    const { journal, leaderboard, tournaments, log } = this.#ports;
    const { submissions, players } = await journal.snapshot(id);
    const isLoaded = await leaderboard.load(key, { epoch, submissions, players: whileUseful(players, signal) });
    if (!isLoaded) return;
    const record = await tournaments.get(id);
    // It ended during the load: whoever drops its board may have been here before.
    if (record === null || !isTaking(record.phase)) return leaderboard.drop(key);
    log.info({ tournament: id, epoch }, "the board was loaded from the database");
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#ports.clock.schedule(resolve, ms));
  }
}

function refusalOf(decision: Refused, table: TournamentView): RingmasterError {
  switch (decision.kind) {
    case "outOfBounds":
      return table.scoreRefused();
    case "full":
      return new RingmasterError("entries_used_up", undefined, { of: decision.of });
    case "tooFast":
      return new RingmasterError("rate_limited", undefined, { retryAfterMs: decision.retryAfterMs });
  }
}
