import { isPaused, type Pausing, pausedError } from "../../entities/events/Pausing.ts";
import { RingmasterError } from "../../errors.ts";
import { mayFollow } from "./phaseOrder.ts";

/** What every kind of events has in its row. Times are epoch milliseconds. */
export interface EventRecord {
  id: string;
  /** `revision`: how often it was corrected; never unless given. */
  definition: { revision?: number | undefined };
  phase: string;
  startsAt: number;
  /** When the phase changes next by itself; 0 for one that does not. */
  phaseEndsAt: number;
  /** Null until it is paused for the first time. */
  pausing: Pausing | null;
  /** Since when the result is held for review; null while it is not. */
  reviewSince: number | null;
  /** Why it was cancelled; null where nobody said. */
  cancelReason: string | null;
}

/** What the rooms of every kind of events hear. The view tells how the event is. */
export interface EventAudience {
  /** Phase, times, or whether it is paused or its result is held have changed. */
  onPhase(phase: string): void;
  /** The definition is another one. */
  onCorrected(): void;
}

/** What a node knows of one event, whatever its kind. Times are epoch milliseconds. */
export abstract class EventView<Stored extends EventRecord, Audience extends EventAudience> {
  readonly id: string;
  definition: Stored["definition"];
  phase: Stored["phase"];
  startsAt: number;
  /** When the phase changes next by itself; 0 for one that does not. */
  phaseEndsAt: number;
  /** Undefined until it is paused for the first time. */
  pausing: Pausing | undefined;
  /** Since when the result is held for review. */
  reviewSince: number | undefined;
  /** Why it was cancelled, where its operator said. */
  cancelReason: string | undefined;
  /** The rooms of this node that hear what happens to the event. */
  readonly audience = new Set<Audience>();
  /** What such an event is called, and its phases in their order. */
  protected abstract readonly kind: { noun: string; phases: readonly Stored["phase"][] };
  /** The latest revision of the definition that was heard of; the definition itself may be older for a moment. */
  #revisionHeard = 0;
  #isClosed = false;

  constructor({ id, definition, phase, startsAt, phaseEndsAt, pausing, reviewSince, cancelReason }: Stored) {
    this.id = id;
    this.definition = definition;
    this.phase = phase;
    this.startsAt = startsAt;
    this.phaseEndsAt = phaseEndsAt;
    this.pausing = pausing ?? undefined;
    this.reviewSince = reviewSince ?? undefined;
    this.cancelReason = cancelReason ?? undefined;
  }

  /** Takes over what follows from the definition, which is another one now. */
  protected abstract onDefinition(stored: Stored): void;

  get isPaused(): boolean {
    return isPaused(this.pausing);
  }

  /** Why nothing is taken, while the event is paused and when it was since something was decided. */
  paused(): RingmasterError {
    return pausedError(this.pausing);
  }

  /** Throws `paused` while it is. */
  requireRunning(): void {
    if (this.isPaused) throw this.paused();
  }

  /** Its last room on this node has left: nothing keeps this up to date any more. */
  closed(): void {
    this.#isClosed = true;
  }

  /** Throws `unavailable` once it is closed: for what a room asks, while what was under way for it goes on. */
  requireOpen(): void {
    if (this.#isClosed) throw new RingmasterError("unavailable", "This room is closing; join again.");
  }

  /** Throws `unavailable` for the moment in which a correction has been heard of, and not been read. */
  requireCurrent(): void {
    if (this.#isOutdated)
      throw new RingmasterError("unavailable", `The ${this.kind.noun} was corrected just now; try again in a moment.`);
  }

  get #isOutdated(): boolean {
    return (this.definition.revision ?? 0) < this.#revisionHeard;
  }

  /** The event was heard to have this revision; answers whether the definition is to be read. */
  hearRevision(revision: number): boolean {
    this.#revisionHeard = Math.max(this.#revisionHeard, revision);
    return this.#isOutdated;
  }

  /** Takes the definition over if it is a later one. */
  correct(stored: Stored): void {
    if ((stored.definition.revision ?? 0) <= (this.definition.revision ?? 0)) return;
    this.definition = stored.definition;
    this.onDefinition(stored);
    for (const room of this.audience) room.onCorrected();
  }

  /**
   * Whether this may be later than what is known: what is heard late, of an owner of the event that has died since, may be of a phase
   * or a pause that is over.
   */
  protected mayFollow({ phase, pausing }: { phase: Stored["phase"]; pausing?: Pausing | null | undefined }): boolean {
    return mayFollow(this.kind.phases, this.phase, phase) && (pausing?.count ?? 0) >= (this.pausing?.count ?? 0);
  }
}
