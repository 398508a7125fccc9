import type { Cancellation, Intervention } from "../../entities/events/EventChange.ts";
import { isPaused } from "../../entities/events/Pausing.ts";
import { isHeld } from "../../entities/events/Review.ts";
import { type HuntPhase, insertHunt, type SealedHunt } from "../../entities/hunts/Hunt.ts";
import { RingmasterError } from "../../errors.ts";
import type { Actor, ActorType, TimerHandlers } from "../runtime/Actor.ts";
import type { ActorKind } from "../runtime/ActorKinds.ts";
import { CountedHunt, type HuntPorts } from "./CountedHunt.ts";
import { issueUpTo, LOW_WATER, type PoolDemand } from "./distribution.ts";
import { durationOf, huntEndsAt, phaseAfter, type TimedPhase } from "./phases.ts";
import { NOTHING_COUNTED, solvedUpTo } from "./scores.ts";
import { type HuntState, type HuntStatus, planOf } from "./state.ts";

/** Owns one hunt: its phases, each by its own durable timer, and how many clues may be handed out. */
export class HuntActor extends CountedHunt {
  static readonly kind = "hunt";
  static readonly reads = ["status", "review"];
  /** A definition has up to 2 MB, of which its plan keeps the prizes. */
  static readonly stateBytes = 4 * 1024 * 1024;
  static initial(): HuntState {
    return { phase: "scheduled", phaseEndsAt: 0, issued: 0, ledgerEpoch: 0 };
  }

  /** While it runs, its rooms are where it is, and who may load its ledger is in its memory. */
  override mayMove(): boolean {
    return this.state.phase === "scheduled" || this.state.phase === "finished";
  }

  /** Creates the hunt. Throws `conflict` when it exists, and what `assertPayable` does for prizes that could not be paid. */
  async create(definition: SealedHunt, createdBy: string): Promise<HuntStatus> {
    this.requireNew(this.state.plan);
    const { name, startsAt } = definition;
    const plan = planOf(definition);
    this.state.plan = plan;
    await this.schedule(definition, (tx) =>
      insertHunt(tx, {
        id: this.id,
        name,
        phase: "scheduled",
        startsAt,
        phaseEndsAt: startsAt,
        endsAt: huntEndsAt("scheduled", startsAt, plan),
        ledgerEpoch: 0,
        pauses: 0,
        pausing: null,
        reviewSince: null,
        cancelReason: null,
        definition,
        winners: null,
        figures: null,
        createdBy,
        createdAt: this.now,
        updatedAt: this.now,
      }),
    );
    return this.statusNow();
  }

  /**
   * Replaces the definition of one that is scheduled, its times too. Throws `wrong_phase` once it has begun, and what `create` does for
   * prizes that could not be paid.
   */
  async correct(definition: SealedHunt, why: Intervention): Promise<HuntStatus> {
    this.require("scheduled");
    const revision = (this.plan().revision ?? 0) + 1;
    this.state.plan = { ...planOf(definition), revision };
    return this.reschedule(definition, why, { name: definition.name, definition: { ...definition, revision } });
  }

  /**
   * Cancels the hunt: nothing more is given out, and nothing will be paid; how it stood is counted, for whoever reads it. What has been paid at
   * the reveal stays with the winners.
   */
  async cancel(why?: Cancellation): Promise<HuntStatus> {
    this.plan();
    const phase = super.require("scheduled", "discovery", "solving", "reveal");
    this.cancelTimer(phase);
    this.cancelTimer("exhausted");
    if (phase === "solving" && !isHeld(this.state.review)) {
      const { instance, generation, tally } = this.state.counting ?? NOTHING_COUNTED;
      this.state.countingCancelled = { instance, generation, ...(tally && { tally }) };
      this.at("count", this.now);
    }
    delete this.state.counting;
    await this.endByCancelling(why);
    this.dropHotState(this.ports.ledger);
    this.state.prizes = phase === "reveal" ? "paid" : "unpaid";
    return this.enter("cancelled", 0, { ledgerEpoch: ++this.state.ledgerEpoch });
  }

  /**
   * The ledger has seen every clue solved: ends solving if the hunt is to end then, once all of those answers are seen to be committed, a
   * part of them a turn. Whoever gave one that is not would lose their points.
   */
  async endIfExhausted(): Promise<void> {
    const { endWhenExhausted } = this.plan();
    if (endWhenExhausted && this.due("exhausted") === undefined) await this.#endIfCommitted();
  }

  /** Looks at a part of the answers. Where one of them is not committed yet, the next call goes on there: what is solved stays solved. */
  async #endIfCommitted(): Promise<void> {
    if (!this.#isGiving) return;
    const { total } = this.plan();
    const { solvedUpTo: from = 0 } = this.state;
    const to = await solvedUpTo(await this.sql(), this.id, { from, total, limit: this.pages.assignments });
    if (to === from) return;
    this.state.solvedUpTo = to;
    if (to === total) await this.advance("solving");
    else this.at("exhausted", this.now);
  }

  /** Lets more clues out as demand calls. Answers how many instances the ledger may have: give it those, once this is answered. */
  async demand(seen: PoolDemand): Promise<{ issued: number }> {
    if (this.#isGiving) this.state.issued = issueUpTo(seen, this.state.issued, this.plan().total);
    return { issued: this.state.issued };
  }

  /**
   * The ledger has lost this hunt: raises its epoch, so that what the lost one decided cannot be committed any more. Answers
   * what to load, which is to be said again and again while that takes (`loading`), or `wait` while somebody else does so. Throws
   * `wrong_phase` unless the hunt is in solving.
   */
  async rebuild(): Promise<{ epoch: number; issued: number; pauses?: number } | { wait: true }> {
    this.require("solving");
    if (!(await this.beginLoading())) return { wait: true };
    const { ledgerEpoch: epoch, issued, pausing } = this.state;
    return { epoch, issued, ...(pausing && { pauses: pausing.count }) };
  }

  readonly timers: TimerHandlers = {
    scheduled: () => this.advance("scheduled"),
    discovery: () => this.advance("discovery"),
    solving: () => this.advance("solving"),
    count: () => this.count(),
    exhausted: () => this.#endIfCommitted(),
    reveal: () => this.advance("reveal"),
    results: () => this.storeResults(),
    review: () => this.remindOfReview(),
    resume: () => this.goOn(),
  };

  /** Whether clues are given out. */
  get #isGiving(): boolean {
    return this.state.phase === "solving" && !this.state.counting && !isPaused(this.state.pausing);
  }

  protected async advance(phase: TimedPhase): Promise<HuntStatus> {
    const plan = this.plan();
    if (this.state.phase !== phase) return this.statusNow();
    this.cancelTimer(phase);
    const next = phaseAfter(phase, plan);
    if (next === "solving") this.state.issued = Math.min(plan.total, LOW_WATER);
    // A phase begins when the one before it ended, also when its timer was late, so that a hunt keeps to its plan: what an
    // outage has wholly covered is passed through. Ended early, it begins now.
    const begins = Math.min(this.now, this.state.phaseEndsAt);
    if (phase === "solving") {
      await this.freeze(begins);
      return this.statusNow();
    }
    // Once more at the end: its node may have died before it came to that, or the ledger was out of reach.
    if (phase === "reveal") this.dropHotState(this.ports.ledger);
    await this.enter(next, begins + durationOf(next, plan), {});
    return this.statusNow();
  }

  protected override require<P extends HuntPhase>(...phases: readonly P[]): P {
    this.plan();
    if (this.state.counting)
      throw new RingmasterError("wrong_phase", "The hunt's solving is over, and its results are being counted.", {
        phase: "solving",
        changesAt: this.state.phaseEndsAt,
      });
    return super.require(...phases);
  }
}

/** The kind as a node registers it. */
export function huntKind(ports: HuntPorts): ActorKind {
  return {
    type: HuntActor as unknown as ActorType<Actor<unknown>>,
    create: (context) => new HuntActor(context, ports) as unknown as Actor<unknown>,
  };
}
