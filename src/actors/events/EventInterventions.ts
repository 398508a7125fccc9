import type { Cancellation } from "../../entities/events/EventChange.ts";
import type { OperatorCall } from "../admin/operatorCall.ts";
import type { EventActor } from "./EventActor.ts";
import type { EventState } from "./EventCore.ts";
import type { PhasedStatus } from "./PhasedActor.ts";
import type { PauseRequest } from "./requests.ts";

/** What operators ask of the actor of an event. */
interface Intervened<Status extends PhasedStatus>
  extends Pick<
    EventActor<EventState, Status>,
    "start" | "end" | "extend" | "postpone" | "pause" | "resume" | "hold" | "release"
  > {
  cancel(why: Cancellation): Promise<Status>;
}

/**
 * What operators do to an event that is there, by its id; each answers how it stands then. Throws `not_found` for an id that no event has,
 * `wrong_phase` where the phase does not allow it.
 */
export abstract class EventInterventions<Status extends PhasedStatus, Summary> {
  protected abstract actor(id: string, call: OperatorCall): Intervened<Status>;
  protected abstract summaryOf(status: Status): Summary;

  /** Ends the scheduled phase now. */
  async start(id: string, call: OperatorCall): Promise<Summary> {
    return this.summaryOf(await this.actor(id, call).start());
  }

  /** Ends the running phase now. */
  async end(id: string, call: OperatorCall): Promise<Summary> {
    return this.summaryOf(await this.actor(id, call).end());
  }

  /** Moves the end of the running phase, or of what follows one that is scheduled, and all that comes after, by `ms`. */
  async extend(id: string, ms: number, call: OperatorCall): Promise<Summary> {
    return this.summaryOf(await this.actor(id, call).extend(ms));
  }

  /** Moves the start of one that is scheduled, and all that follows, by `ms`. */
  async postpone(id: string, ms: number, call: OperatorCall): Promise<Summary> {
    return this.summaryOf(await this.actor(id, call).postpone(ms));
  }

  /** Nothing is given out or taken until it is resumed, after `ms` at the latest. */
  async pause(id: string, { ms, reason }: PauseRequest, call: OperatorCall): Promise<Summary> {
    return this.summaryOf(await this.actor(id, call).pause({ ms, reason, operatorId: call.operatorId }));
  }

  /** Goes on with a paused one, and gives back the time. Throws `conflict` when it is not paused. */
  async resume(id: string, reason: string, call: OperatorCall): Promise<Summary> {
    return this.summaryOf(await this.actor(id, call).resume({ reason, operatorId: call.operatorId }));
  }

  /** Holds the result, once it is known, until it is released. Throws `conflict` when it is to be held already. */
  async hold(id: string, reason: string, call: OperatorCall): Promise<Summary> {
    return this.summaryOf(await this.actor(id, call).hold({ reason, operatorId: call.operatorId }));
  }

  /** Has the result paid, now where it is held, else as soon as it is known. Throws `conflict` when no review is to take place. */
  async release(id: string, reason: string, call: OperatorCall): Promise<Summary> {
    return this.summaryOf(await this.actor(id, call).release({ reason, operatorId: call.operatorId }));
  }

  /** `reason`: what players are told. */
  async cancel(id: string, reason: string | undefined, call: OperatorCall): Promise<Summary> {
    return this.summaryOf(await this.actor(id, call).cancel({ reason, operatorId: call.operatorId }));
  }
}
