import type { Clock } from "../../clock.ts";
import type { Hunts } from "../../entities/hunts/Hunt.ts";
import { RingmasterError, toRingmasterError } from "../../errors.ts";
import type { AssignmentJournal } from "../../stores/hunts/AssignmentJournal.ts";
import { rowsOf } from "../../stores/hunts/assignments.ts";
import {
  type ClaimDecision,
  type ClueLedger,
  type ExpireDecision,
  type IssueDecision,
  type LedgerMissing,
  OUTCOME,
  type ServedClaim,
  type SolveDecision,
  type StandingAnswer,
  type Undecided,
} from "../../stores/hunts/ClueLedger.ts";
import type { CommitResult } from "../../stores/runtime/journaling.ts";
import { RENEWAL } from "../events/LoadLease.ts";
import { Rebuilds, whileUseful } from "../events/Rebuilds.ts";
import { DECISION_DEADLINE_MS, READ_DEADLINE_MS, RetryDeadline } from "../events/RetryDeadline.ts";
import type { Actors } from "../runtime/Actors.ts";
import type { Log } from "../runtime/ports.ts";
import { type PoolDemand, wantsMore } from "./distribution.ts";
import { HuntActor } from "./HuntActor.ts";
import type { HuntView } from "./HuntView.ts";
import type { OpenHunt } from "./OpenHunt.ts";
import { RELOADED, REVOKED, SERVED } from "./signals.ts";

export interface CommitterPorts {
  actors: Actors;
  hunts: Pick<Hunts, "get">;
  ledger: ClueLedger;
  journal: AssignmentJournal;
  clock: Clock;
  log: Log;
}

/** What the hunt's actor says to whoever is to load its ledger. */
interface Granted {
  epoch: number;
  issued: number;
  pauses?: number;
}

type Decision = ClaimDecision | SolveDecision | IssueDecision | ExpireDecision;
type Answer = Decision | LedgerMissing | StandingAnswer;
type Decided<D> = Exclude<D, Undecided>;

/** Carries a decision of the ledger through: commits it to MySQL, tells who was served, fetches more clues, rebuilds what is lost. */
export class LedgerCommitter {
  readonly #ports: CommitterPorts;
  readonly #rebuilds: Rebuilds;

  constructor(ports: CommitterPorts) {
    this.#ports = ports;
    this.#rebuilds = new Rebuilds(ports.clock);
  }

  /**
   * Decides, rebuilding the ledger when it is lost or older than what was acknowledged, and commits before returning. Rejects with
   * `unavailable` when the ledger has not come back for half a minute, with `wrong_phase` once solving has ended by the
   * database's clock, with `paused` while the hunt is paused.
   */
  decide<D extends Answer>(hunt: OpenHunt, ask: () => Promise<D>): Promise<Decided<D>> {
    return this.#answer(hunt, ask, () => hunt.requireSolving());
  }

  /** Asks for what changes nothing, also while the hunt is paused. */
  read<D extends LedgerMissing | StandingAnswer>(hunt: OpenHunt, ask: () => Promise<D>): Promise<Decided<D>> {
    return this.#answer(hunt, ask, () => hunt.requirePhase());
  }

  async #answer<D extends Answer>(hunt: OpenHunt, ask: () => Promise<D>, require: () => void): Promise<Decided<D>> {
    const deadline = new RetryDeadline(this.#ports.clock, DECISION_DEADLINE_MS);
    while (!deadline.isOver) {
      require();
      const { pauses } = hunt.key;
      const decision = await ask();
      if (decision.kind === "paused") throw hunt.paused();
      if (decision.kind === "standing") return decision as Decided<D>;
      if (decision.kind !== "missing") {
        const result = await this.#commit(hunt, decision, pauses);
        if (result === "committed") {
          this.#afterwards(hunt, decision);
          return decision as Decided<D>;
        }
        if (result === "over") throw hunt.solvingIsOver();
        if (result === "paused") throw hunt.paused();
      }
      await this.#rebuild(hunt, deadline);
    }
    throw new RingmasterError("unavailable", "The hunt's ledger is being rebuilt; try again in a moment.");
  }

  async #commit(hunt: OpenHunt, decision: Decision, pauses: number | undefined): Promise<CommitResult> {
    const rows = rowsOf(decision);
    if (rows.length === 0 || !("epoch" in decision)) return "committed";
    const { id, committed } = hunt;
    const result = await this.#ports.journal.commit(id, decision.epoch, committed.outstanding(rows), pauses);
    if (result === "committed") committed.committed(rows);
    return result;
  }

  #afterwards(hunt: OpenHunt, decision: Decision): void {
    if ("served" in decision && decision.served) this.#notifyServed(hunt, decision.served);
    if (!("epoch" in decision)) return;
    if ("row" in decision)
      hunt.refresh.expectExpiry(decision.row.outcome === OUTCOME.open ? decision.row.expiresAt : 0);
    // Some who wait are still to be looked at: the next serving goes on with them.
    if (decision.unserved) hunt.refresh.expectExpiry(hunt.timeAt(this.#ports.clock.now()));
    hunt.refresh.touch();
    if (wantsMore(decision, hunt.key.rules.total)) this.#demand(hunt, decision);
  }

  #notifyServed(hunt: OpenHunt, served: readonly ServedClaim[]): void {
    if (served.length === 0) return;
    this.#ports.actors.peers.signalAll(SERVED, { huntId: hunt.id, rows: served.map(({ row }) => row) });
  }

  /** Has the hunt's actor let more clues out, and puts them into the pool; one such request a hunt and node at a time. */
  #demand(hunt: OpenHunt, seen: PoolDemand): void {
    if (hunt.isDemanding) return;
    hunt.isDemanding = true;
    void this.#meetDemand(hunt, seen)
      .catch((error: unknown) => {
        if (toRingmasterError(error).code !== "wrong_phase")
          this.#ports.log.warn(
            { err: error, hunt: hunt.id },
            "more clues could not be issued; the next claim asks again",
          );
      })
      .finally(() => {
        hunt.isDemanding = false;
      });
  }

  async #meetDemand(hunt: OpenHunt, first: PoolDemand): Promise<void> {
    const { actors, ledger, clock } = this.#ports;
    const actor = actors.ref(HuntActor, hunt.id);
    for (let seen = first; ; ) {
      const { pool, waiting } = seen;
      const { issued } = await actor.demand({ pool, waiting, issued: seen.issued });
      if (issued <= seen.issued) return;
      const now = await this.decide(hunt, () => ledger.issue(hunt.key, issued, hunt.timeAt(clock.now())));
      if (!wantsMore(now, hunt.key.rules.total)) return;
      seen = now;
    }
  }

  /** Revokes what has expired; resolves with whether some of it is left. */
  async expire(hunt: OpenHunt): Promise<boolean> {
    if (hunt.phase !== "solving" || hunt.isPaused) return false;
    const { ledger, clock } = this.#ports;
    const decision = await this.decide(hunt, () => ledger.expire(hunt.key, hunt.timeAt(clock.now())));
    if (decision.revoked.length > 0)
      this.#ports.actors.peers.signalAll(REVOKED, { huntId: hunt.id, rows: decision.revoked });
    return decision.more;
  }

  /** Loads the ledger of a hunt that is paused, so that its standings are there to be read. */
  async load(hunt: OpenHunt): Promise<void> {
    await this.#rebuild(hunt, new RetryDeadline(this.#ports.clock, READ_DEADLINE_MS));
  }

  /** Loads the ledger from what is committed, under a new epoch; or waits a moment for whoever is loading it. */
  #rebuild(hunt: OpenHunt, deadline: RetryDeadline): Promise<boolean> {
    const { actors } = this.#ports;
    return this.#rebuilds.once(hunt.id, deadline, {
      ask: () => actors.ref(HuntActor, hunt.id).rebuild(),
      renew: (epoch) => actors.ref(HuntActor, hunt.id, RENEWAL).loading(epoch),
      load: (granted, signal) => this.#load(hunt, granted, signal),
    });
  }

  async #load({ id, key }: HuntView, granted: Granted, signal: AbortSignal): Promise<void> {
    const { actors, hunts, journal, ledger, log } = this.#ports;
    const { epoch, issued, pauses = 0 } = granted;
    const rows = whileUseful(journal.readAll(id), signal);
    const isLoaded = await ledger.load({ ...key, pauses }, { epoch, issued, rows });
    if (!isLoaded) return;
    const record = await hunts.get(id);
    // It ended during the load: whoever drops its hot state may have been here before.
    if (record?.phase !== "solving") return ledger.drop(key);
    log.info({ hunt: id, epoch }, "the clue ledger was loaded from the database");
    actors.peers.signalAll(RELOADED, { huntId: id });
  }
}
