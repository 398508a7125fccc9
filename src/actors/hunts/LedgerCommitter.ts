import type { Clock } from "../../clock.ts";
import type { Hunts } from "../../entities/hunts/Hunt.ts";
import type { CommitResult } from "../../entities/journaling.ts";
import { toRingmasterError } from "../../errors.ts";
import { rowsOf } from "../../stores/hunts/assignments.ts";
import {
  type AssignmentRow,
  type ClaimDecision,
  type ClueLedger,
  type DepartDecision,
  type ExpireDecision,
  type IssueDecision,
  type LedgerMissing,
  OUTCOME,
  type ServedClaim,
  type SolveDecision,
  type StandingAnswer,
  type Undecided,
} from "../../stores/hunts/ClueLedger.ts";
import { type Decided, DecisionCommitter, type HotState } from "../events/DecisionCommitter.ts";
import { whileUseful } from "../events/Rebuilds.ts";
import { READ_DEADLINE_MS, RetryDeadline } from "../events/RetryDeadline.ts";
import type { Actors } from "../runtime/Actors.ts";
import type { Log } from "../runtime/ports.ts";
import type { AssignmentJournal } from "./AssignmentJournal.ts";
import { type PoolDemand, wantsMore } from "./distribution.ts";
import { HuntActor } from "./HuntActor.ts";
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
/** What is asked of the ledger and leaves nothing to be committed. */
type Uncommitted = DepartDecision | StandingAnswer;
type Answer = Decision | LedgerMissing | Uncommitted;
type Final<D> = Exclude<D, Undecided>;

/** Has the ledgers of hunts decide, commits that, tells who was served, and fetches more clues. */
export class LedgerCommitter {
  readonly #ports: CommitterPorts;
  readonly #committer: DecisionCommitter<OpenHunt, Granted>;

  constructor(ports: CommitterPorts) {
    this.#ports = ports;
    this.#committer = new DecisionCommitter({ hotState: ledgersOf(ports), clock: ports.clock });
  }

  /**
   * Decides, and commits before returning. Rejects as `DecisionCommitter` does, with `wrong_phase` once solving has ended by the
   * database's clock, with `paused` while the hunt is paused.
   */
  async decide<D extends Answer>(hunt: OpenHunt, ask: () => Promise<D>): Promise<Final<D>> {
    const decision = await this.#committer.carryOut(hunt, {
      require: () => hunt.requireSolving(),
      decide: () => this.#decided(hunt, ask),
      refused: (why) => (why === "over" ? hunt.solvingIsOver() : hunt.paused()),
    });
    this.#afterwards(hunt, decision as Final<Decision>);
    return decision;
  }

  /** Asks for what changes nothing, also while the hunt is paused. */
  read<D extends LedgerMissing | StandingAnswer>(hunt: OpenHunt, ask: () => Promise<D>): Promise<Final<D>> {
    return this.#committer.carryOut(hunt, {
      require: () => hunt.requirePhase(),
      decide: () => this.#decided(hunt, ask),
      refused: () => hunt.paused(),
    });
  }

  async #decided<D extends Answer>(hunt: OpenHunt, ask: () => Promise<D>): Promise<Decided<Final<D>>> {
    const { pauses } = hunt.key;
    const decision = await ask();
    if (decision.kind === "missing") return { kind: "missing" };
    if (decision.kind === "paused") throw hunt.paused();
    const result = decision as Final<D>;
    const rows = decision.kind === "standing" || decision.kind === "departed" ? [] : rowsOf(decision);
    if (rows.length === 0 || !("epoch" in decision)) return { kind: "final", result };
    const { epoch } = decision;
    return { kind: "decided", result, epoch, commit: () => this.#commit(hunt, rows, { epoch, pauses }) };
  }

  async #commit(
    { id, committed }: OpenHunt,
    rows: readonly AssignmentRow[],
    { epoch, pauses }: { epoch: number; pauses: number | undefined },
  ): Promise<CommitResult> {
    const result = await this.#ports.journal.commit(id, epoch, committed.outstanding(rows), pauses);
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
    if (!hunt.isInLedger || hunt.isPaused) return false;
    const { ledger, clock } = this.#ports;
    const decision = await this.decide(hunt, () => ledger.expire(hunt.key, hunt.timeAt(clock.now())));
    if (decision.revoked.length > 0)
      this.#ports.actors.peers.signalAll(REVOKED, { huntId: hunt.id, rows: decision.revoked });
    return decision.more;
  }

  /** Loads the ledger of a hunt that is paused, so that its standings are there to be read. */
  async load(hunt: OpenHunt): Promise<void> {
    await this.#committer.rebuild(hunt, new RetryDeadline(this.#ports.clock, READ_DEADLINE_MS));
  }
}

/** How ledgers are loaded from the assignments that are committed. */
function ledgersOf({ actors, hunts, journal, ledger, log }: CommitterPorts): HotState<OpenHunt, Granted> {
  return {
    names: { event: "hunt", state: "ledger" },
    actor: ({ id }, options) => actors.ref(HuntActor, id, options),
    load: ({ id, key }, { epoch, issued, pauses = 0 }, signal) =>
      ledger.load({ ...key, pauses }, { epoch, issued, rows: whileUseful(journal.readAll(id), signal) }),
    isOn: async ({ id }) => (await hunts.get(id))?.phase === "solving",
    drop: ({ key }) => ledger.drop(key),
    loaded: ({ id }, { epoch }) => {
      log.info({ hunt: id, epoch }, "the clue ledger was loaded from the database");
      actors.peers.signalAll(RELOADED, { huntId: id });
    },
  };
}
