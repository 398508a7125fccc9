import { RingmasterError } from "../../errors.ts";
import { Actor } from "../runtime/Actor.ts";

/** What the actor of an event keeps of where it stands. */
export interface PhasedState<Phase extends string = string> {
  phase: Phase;
  /** Epoch milliseconds; 0 for a phase that does not end by itself. */
  phaseEndsAt: number;
}

/** How an event stands, as operators, rooms and the lobby are told at least. Times are epoch milliseconds. */
export interface PhasedStatus {
  id: string;
  name: string;
  phase: string;
  startsAt: number;
  /** When the phase ends by itself; 0 for one that does not. */
  phaseEndsAt: number;
}

/**
 * The actor of an event, named by its kind (`hunt`). Its phases end by durable timers that are named like them; its row, its rooms and the
 * lobby follow each turn that changes it.
 *
 * States: none (`statusNow` throws), then its phases, from the one that `begin` names, each entered by `enter`.
 */
export abstract class PhasedActor<State extends PhasedState, Status extends PhasedStatus> extends Actor<State> {
  /** How it stands. Throws `unknown()` until it is created. */
  protected abstract statusNow(): Status;
  /** Writes into its row how it stands, and what else of it has changed. */
  protected abstract store(change: object): Promise<void>;

  /** Throws `not_found` until it is created. */
  async status(): Promise<Status> {
    return this.statusNow();
  }

  /** What it is called: `hunt`. */
  protected get noun(): string {
    return (this.constructor as unknown as { kind: string }).kind;
  }

  /** Its life begins in this phase, which ends at `phaseEndsAt`: the row has been inserted. The lobby is told of it. */
  protected begin(phase: State["phase"], phaseEndsAt: number): Status {
    this.state.phase = phase;
    this.state.phaseEndsAt = phaseEndsAt;
    this.arm();
    this.notifyLobby(`${this.noun}Scheduled`, this.statusNow());
    return this.statusNow();
  }

  /** Enters a phase, or the same one with another end: its row, its rooms and the lobby are told. */
  protected async enter(phase: State["phase"], phaseEndsAt: number, change: object = {}): Promise<Status> {
    if (phase !== this.state.phase) this.cancelTimer(this.state.phase);
    this.state.phase = phase;
    this.state.phaseEndsAt = phaseEndsAt;
    this.arm();
    await this.changed(change);
    this.notifyLobby(`${this.noun}Phase`, this.statusNow());
    return this.statusNow();
  }

  /** Something has changed that its rooms show: its row and its rooms are told. */
  protected async changed(change: object = {}): Promise<void> {
    await this.store(change);
    this.notifyRooms("phase", this.news());
  }

  /** What its rooms are told of a change: how it stands, unless told. */
  protected news(): object {
    return this.statusNow();
  }

  /** Sets the clock for the end of the phase, if it has one. */
  protected arm(): void {
    const { phase, phaseEndsAt } = this.state;
    if (phaseEndsAt > 0) this.at(phase, phaseEndsAt);
  }

  /** The running phase, which must be one of these. Throws `wrong_phase`. */
  protected require<P extends State["phase"]>(...phases: readonly P[]): P {
    const { phase, phaseEndsAt } = this.state;
    if (phases.includes(phase as P)) return phase as P;
    throw new RingmasterError("wrong_phase", `The ${this.noun} is ${phase}; this needs ${phases.join(" or ")}.`, {
      phase,
      changesAt: phaseEndsAt === 0 ? null : phaseEndsAt,
    });
  }

  /** The `not_found` of one that was not created. */
  protected unknown(): RingmasterError {
    return new RingmasterError("not_found", `There is no ${this.noun} ${this.id}.`);
  }

  /** Throws `conflict` where what is known only of one that was created is there. */
  protected requireNew(known: unknown): void {
    const noun = `${this.noun[0]!.toUpperCase()}${this.noun.slice(1)}`;
    if (known) throw new RingmasterError("conflict", `${noun} ${this.id} exists already.`);
  }
}
