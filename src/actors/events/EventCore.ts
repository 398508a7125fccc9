import {
  type EventChangeKind,
  type EventDomain,
  type Intervention,
  noteEventChange,
} from "../../entities/events/EventChange.ts";
import { type EventStatus, eventStatus } from "../../entities/events/EventStatus.ts";
import { isPaused, type Pausing } from "../../entities/events/Pausing.ts";
import { type Review, reviewStatus } from "../../entities/events/Review.ts";
import { type Transaction, WHOLE_EVENT_MS } from "../../entities/sql.ts";
import type { ActorContext } from "../runtime/Actor.ts";
import type { Log } from "../runtime/ports.ts";
import { LoadLease } from "./LoadLease.ts";
import { PhasedActor, type PhasedState, type PhasedStatus } from "./PhasedActor.ts";

/** What the actor of an event keeps of where it stands. */
export interface EventState<Phase extends string = string> extends PhasedState<Phase> {
  /** Absent until it is paused for the first time. */
  pausing?: Pausing;
  /** Absent while the result is to be paid without a review. */
  review?: Review;
  /** Of one that is cancelled, where its operator said why. */
  cancelReason?: string;
}

/** What the actor of an event needs beside its turns. */
export interface EventPorts {
  log: Log;
  /** A result has been held for a day, or for an hour more: for the metrics. */
  reviewOverdue(): void;
}

/** What the news of a phase tells of any event beside phase and times: only what there is to tell. */
export interface EventNews {
  /** Of an event that was corrected: of which definition this is said. */
  revision?: number;
  /** Of an event that was paused at some time. */
  pausing?: Pausing;
  /** Since when its result is held for review. */
  reviewSince?: number | undefined;
  /** Of one that is cancelled, where its operator said why. */
  cancelReason?: string | undefined;
}

interface StatusColumns {
  pauses?: number;
  pausing?: Pausing;
  reviewSince: number | null;
  cancelReason?: string;
}

/** The domain of an event, and in which phases it can be paused, and ended and extended. */
interface EventTerms<Phase extends string> {
  domain: EventDomain;
  running: readonly Phase[];
  endable: readonly Phase[];
}

/** What the actors of hunts and tournaments have in common beside what operators do to them: where it stands, and who is told. */
export abstract class EventCore<State extends EventState, Status extends PhasedStatus> extends PhasedActor<
  State,
  Status
> {
  protected abstract readonly event: EventTerms<State["phase"]>;
  /** The fence of its hot state: what was decided under another epoch cannot be committed. */
  protected abstract readonly epoch: number;
  /** Ends the epoch, in the event's row too: waits for the commits under way. */
  protected abstract raiseEpoch(): Promise<void>;

  protected readonly ports: EventPorts;
  readonly #lease = new LoadLease();

  constructor(context: ActorContext, ports: EventPorts) {
    super(context);
    this.ports = ports;
  }

  /** Its hot state is being loaded under this epoch, and nobody else need begin; false when the epoch is over. Changes memory only. */
  async loading(epoch: number): Promise<boolean> {
    if (epoch !== this.epoch) return false;
    this.#lease.renew(this.now);
    return true;
  }

  /** The hot state is lost: whoever asks loads it anew, once it has a new epoch. Answers false while somebody else does so. */
  protected async beginLoading(): Promise<boolean> {
    if (this.#lease.isHeld(this.now)) return false;
    await this.raiseEpoch();
    this.#lease.renew(this.now);
    return true;
  }

  /** Nothing is decided any more. What does not come to pass here ends by itself: hot state lives for some weeks at most. */
  protected dropHotState(store: { drop(event: { id: string }): Promise<void> }): void {
    const { log } = this.ports;
    const { id, noun } = this;
    this.afterCommit(() => {
      store
        .drop({ id })
        .catch((error: unknown) => log.warn({ err: error, [noun]: id }, "hot state of what is over stays for now"));
    });
  }

  /** The turn's transaction, whose statements may go through a part of all that an event holds. */
  protected async patientSql(): Promise<Transaction> {
    const tx = await this.sql();
    tx.allow(WHOLE_EVENT_MS);
    return tx;
  }

  /** The clock of a phase stands still while the event is paused. */
  protected override arm(): void {
    if (!isPaused(this.state.pausing)) super.arm();
  }

  /** What stands of pauses, review and cancelling in the event's row. */
  protected get statusColumns(): StatusColumns {
    const { pausing, review, cancelReason } = this.state;
    return {
      ...(pausing && { pauses: pausing.count, pausing }),
      reviewSince: review?.since ?? null,
      ...(cancelReason !== undefined && { cancelReason }),
    };
  }

  /** What everybody is told of them. */
  protected get eventStatus(): EventStatus {
    const { pausing, review, cancelReason } = this.state;
    return eventStatus({ pausing, reviewSince: review?.since, cancelReason });
  }

  /** What rooms are told of them. `revision`: that of the definition, if it was ever corrected. */
  protected newsOf(revision: number | undefined): EventNews {
    const { pausing, review, cancelReason } = this.state;
    return {
      ...(revision !== undefined && { revision }),
      ...(pausing && { pausing }),
      ...reviewStatus(review?.since),
      ...(cancelReason !== undefined && { cancelReason }),
    };
  }

  /** What the audit does not have: a node of the version before asks for it without a line. */
  protected async note(kind: EventChangeKind, { operatorId, reason }: Intervention): Promise<void> {
    if (this.isAudited) return;
    const named = { domain: this.event.domain, eventId: this.id, id: this.rng.id(12) };
    await noteEventChange(await this.sql(), named, { kind, operatorId, reason, changedAt: this.now });
  }
}
