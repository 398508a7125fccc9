import type { Clock } from "../../clock.ts";
import { RingmasterError, toRingmasterError } from "../../errors.ts";
import type { AssignmentJournal } from "../../stores/hunts/AssignmentJournal.ts";
import { rowsOf } from "../../stores/hunts/assignments.ts";
import {
  type ClaimDecision,
  type ClueLedger,
  type ExpireDecision,
  type IssueDecision,
  OUTCOME,
  type ServedClaim,
  type SolveDecision,
} from "../../stores/hunts/ClueLedger.ts";
import type { CommitResult } from "../../stores/runtime/journaling.ts";
import type { Actors } from "../runtime/Actors.ts";
import type { Log } from "../runtime/ports.ts";
import { Closings } from "./Closings.ts";
import { type PoolDemand, wantsMore } from "./distribution.ts";
import { HuntActor } from "./HuntActor.ts";
import type { Seat } from "./HuntTables.ts";
import { RELOADED, REVOKED, SERVED } from "./signals.ts";

export interface ClerkPorts {
  actors: Actors;
  ledger: ClueLedger;
  journal: AssignmentJournal;
  clock: Clock;
  log: Log;
}

type Decision = ClaimDecision | SolveDecision | IssueDecision | ExpireDecision;
type Decided<D> = Exclude<D, { kind: "missing" }>;

/** How often a request is decided anew when the ledger is rebuilt under it. */
const ATTEMPTS = 20;
/** Pause before a ledger that somebody else is loading is asked again: 50 ms, 100 ms …, at most the longest. */
const LOADING_PAUSE_MS = 50;
const LONGEST_LOADING_PAUSE_MS = 300;

/** Carries a decision of the ledger through: commits it to MySQL, tells who was served, fetches more clues, rebuilds what is lost. */
export class LedgerClerk {
  readonly #ports: ClerkPorts;
  readonly #closings = new WeakMap<Seat, Closings>();

  constructor(ports: ClerkPorts) {
    this.#ports = ports;
  }

  /** Decides, rebuilding the ledger when it is lost or older than what was acknowledged, and commits before returning. */
  async decide<D extends Decision>(seat: Seat, ask: () => Promise<D>): Promise<Decided<D>> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const decision = await ask();
      if (decision.kind !== "missing") {
        const result = await this.#commit(seat, decision);
        if (result === "committed") {
          this.#afterwards(seat, decision);
          return decision as Decided<D>;
        }
      }
      seat.rebuilding ??= this.#rebuild(seat, attempt).finally(() => {
        seat.rebuilding = undefined;
      });
      await seat.rebuilding;
      seat.table.requireSolving();
    }
    throw new RingmasterError("unavailable", "The hunt's ledger is being rebuilt; try again in a moment.");
  }

  async #commit(seat: Seat, decision: Decision): Promise<CommitResult> {
    const rows = rowsOf(decision);
    if (rows.length === 0 || !("epoch" in decision)) return "committed";
    const closings = this.#closingsOf(seat);
    const result = await this.#ports.journal.commit(seat.table.id, decision.epoch, closings.outstanding(rows));
    if (result === "committed") closings.committed(rows);
    return result;
  }

  #closingsOf(seat: Seat): Closings {
    let closings = this.#closings.get(seat);
    if (closings === undefined) {
      closings = new Closings();
      this.#closings.set(seat, closings);
    }
    return closings;
  }

  #afterwards(seat: Seat, decision: Decision): void {
    if ("served" in decision && decision.served) this.#tellServed(seat, decision.served);
    if (!("epoch" in decision)) return;
    if ("row" in decision) seat.pulse.expectExpiry(decision.row.outcome === OUTCOME.open ? decision.row.expiresAt : 0);
    seat.pulse.touch();
    if (wantsMore(decision, seat.table.key.rules.total)) this.#demand(seat, decision);
  }

  #tellServed(seat: Seat, served: readonly ServedClaim[]): void {
    const byNode = Map.groupBy(served, (claim) => claim.nodeId);
    for (const [nodeId, claims] of byNode) {
      this.#ports.actors.peers.signal(nodeId, SERVED, {
        huntId: seat.table.id,
        rows: claims.map((claim) => claim.row),
      });
    }
  }

  /** Has the hunt's actor let more clues out, and puts them into the pool; one such errand a hunt and node at a time. */
  #demand(seat: Seat, seen: PoolDemand): void {
    if (seat.demanding) return;
    seat.demanding = true;
    void this.#meetDemand(seat, seen)
      .catch((error: unknown) => {
        if (toRingmasterError(error).code !== "wrong_phase")
          this.#ports.log.warn(
            { err: error, hunt: seat.table.id },
            "more clues could not be issued; the next claim asks again",
          );
      })
      .finally(() => {
        seat.demanding = false;
      });
  }

  async #meetDemand(seat: Seat, first: PoolDemand): Promise<void> {
    const { actors, ledger, clock } = this.#ports;
    const actor = actors.ref(HuntActor, seat.table.id);
    for (let seen = first; ; ) {
      const { pool, waiting } = seen;
      const { issued } = await actor.demand({ pool, waiting, issued: seen.issued });
      if (issued <= seen.issued) return;
      const now = await this.decide(seat, () => ledger.issue(seat.table.key, issued, clock.now()));
      if (!wantsMore(now, seat.table.key.rules.total)) return;
      seen = now;
    }
  }

  /** Revokes what has expired; resolves with whether some of it is left. */
  async expire(seat: Seat): Promise<boolean> {
    if (seat.table.phase !== "solving") return false;
    const decision = await this.decide(seat, () => this.#ports.ledger.expire(seat.table.key, this.#ports.clock.now()));
    if (decision.revoked.length > 0)
      this.#ports.actors.peers.signalAll(REVOKED, { huntId: seat.table.id, rows: decision.revoked });
    return decision.more;
  }

  /** Loads the ledger from what is committed, under a new epoch; or waits a moment for whoever is loading it. */
  async #rebuild(seat: Seat, attempt: number): Promise<void> {
    const { actors, journal, ledger, clock, log } = this.#ports;
    const { id, key } = seat.table;
    const answer = await actors.ref(HuntActor, id).rebuild();
    if ("wait" in answer) {
      const pauseMs = Math.min(LOADING_PAUSE_MS * (attempt + 1), LONGEST_LOADING_PAUSE_MS);
      await new Promise<void>((resolve) => void clock.schedule(resolve, pauseMs));
      return;
    }
    const loaded = await ledger.load(key, { ...answer, rows: journal.readAll(id) });
    if (!loaded) return;
    log.info({ hunt: id, epoch: answer.epoch }, "the clue ledger was loaded from the database");
    actors.peers.signalAll(RELOADED, { huntId: id });
  }
}
