import {
  type EventChangeKind,
  type EventDomain,
  type Intervention,
  noteEventChange,
} from "../../entities/events/EventChange.ts";
import { beginPause, endPause, isPaused, type Pausing, pausedError } from "../../entities/events/Pausing.ts";
import { RingmasterError } from "../../errors.ts";
import { Actor } from "../runtime/Actor.ts";

/** What the actor of an event keeps of where it stands. */
export interface EventState<Phase extends string = string> {
  phase: Phase;
  /** Epoch milliseconds; 0 for a phase that does not end by itself. */
  phaseEndsAt: number;
  /** Absent until it is paused for the first time. */
  pausing?: Pausing;
}

/** For how long an event is paused at most, and why. */
export interface PauseOrder extends Intervention {
  ms: number;
}

/** What operators do to hunts and tournaments alike while these are on. */
export abstract class EventActor<State extends EventState, Status> extends Actor<State> {
  /** What it is called, and the phases in which it can be paused. */
  protected abstract readonly event: { domain: EventDomain; noun: string; running: readonly string[] };
  /** Enters a phase, or the same one with another end, and tells everybody. */
  protected abstract enter(phase: State["phase"], phaseEndsAt: number): Promise<void>;
  protected abstract statusNow(): Status;
  /** Moves the end of the running phase, and what follows, in the plan. */
  protected abstract moveEnd(ms: number): void;

  /**
   * Nothing is taken or given any more until it is resumed, and its time stands still. Throws `wrong_phase` unless it is running, `paused`
   * when it is paused.
   */
  async pause({ ms, ...why }: PauseOrder): Promise<Status> {
    const phase = this.require(...this.event.running);
    if (isPaused(this.state.pausing)) throw pausedError(this.state.pausing);
    this.cancelTimer(phase);
    const resumesAt = this.now + ms;
    this.state.pausing = beginPause(this.state.pausing, this.now, resumesAt);
    this.at("resume", resumesAt);
    await this.note("pause", why);
    await this.enter(phase, this.state.phaseEndsAt);
    return this.statusNow();
  }

  /** Goes on with a paused one: what was still to come comes later by as long as it was paused. Throws `conflict` when it is not paused. */
  async resume(why: Intervention): Promise<Status> {
    this.require(...this.event.running);
    if (!isPaused(this.state.pausing))
      throw new RingmasterError("conflict", `The ${this.event.noun} ${this.id} is not paused.`);
    await this.note("resume", why);
    await this.goOn();
    return this.statusNow();
  }

  /** The end of the pause, by an operator or by itself. */
  protected async goOn(): Promise<void> {
    if (!isPaused(this.state.pausing)) return;
    this.endPause();
    await this.enter(this.state.phase, this.state.phaseEndsAt);
  }

  /** The pause is over, since something else follows it in this turn. */
  protected endPause(): void {
    const { state } = this;
    if (!isPaused(state.pausing)) return;
    this.cancelTimer("resume");
    const { pausing, ms } = endPause(state.pausing, this.now);
    state.pausing = pausing;
    this.moveEnd(ms);
  }

  /** What stands of the pauses in the event's row. */
  protected get pauseColumns(): { pauses?: number; pausing?: Pausing } {
    const { pausing } = this.state;
    return pausing === undefined ? {} : { pauses: pausing.count, pausing };
  }

  /** What the audit does not have: a node of the version before asks for it without a line. */
  protected async note(kind: EventChangeKind, { operatorId, reason }: Intervention): Promise<void> {
    if (this.isAudited) return;
    const named = { domain: this.event.domain, eventId: this.id, id: this.rng.id(12) };
    await noteEventChange(await this.sql(), named, { kind, operatorId, reason, changedAt: this.now });
  }

  /** The running phase, which must be one of these. Throws `wrong_phase`. */
  protected require<P extends State["phase"]>(...phases: readonly P[]): P {
    const { phase, phaseEndsAt } = this.state;
    if (phases.includes(phase as P)) return phase as P;
    const { noun } = this.event;
    throw new RingmasterError("wrong_phase", `The ${noun} is ${phase}; this needs ${phases.join(" or ")}.`, {
      phase,
      changesAt: phaseEndsAt === 0 ? null : phaseEndsAt,
    });
  }
}
