import type { Clock, Rng } from "../../clock.ts";
import { RingmasterError } from "../../errors.ts";
import type { Actor, TurnScope } from "./Actor.ts";
import type { ActorKind } from "./ActorKinds.ts";
import type { ActorState } from "./ActorState.ts";
import type { ActorStore } from "./ActorStore.ts";
import type { ActorTimers } from "./ActorTimers.ts";
import type { ClaimedRow } from "./actorRow.ts";
import type { Log } from "./ports.ts";
import { type ActorRequest, actorKey, type CallOutcome } from "./protocol.ts";
import { outsideTurns } from "./turnContext.ts";
import { failed, failureOfTurn } from "./turnFailure.ts";
import { copyOf } from "./values.ts";

/** What reads need of the runtime. */
export interface ReadPorts {
  nodeId: string;
  store: ActorStore;
  clock: Clock;
  rng: Rng;
  log: Log;
  /** Under which this node may answer reads from memory; another number than before: look whose the actor is. */
  lease(): number | undefined;
}

/** Reads of one actor under way; beyond it a read fails at once as overloaded. */
const READS_BOUND = 1024;

/**
 * The reads of one activation (`ActorType.reads`). They run beside each other and beside a turn, each on the state as it was stored
 * when it began, which nobody changes: an instance of the actor is made for each such state, at its first read.
 */
export class ActorReads {
  readonly #row: ClaimedRow;
  readonly #kind: ActorKind;
  readonly #state: ActorState;
  readonly #timers: ActorTimers;
  readonly #ports: ReadPorts;
  #reader: { of: unknown; actor: Actor<unknown> } | undefined;
  /** The lease that held when the row was last known to be ours. */
  #lease: number | undefined;
  #underWay = 0;

  constructor(
    row: ClaimedRow,
    { kind, state, timers }: { kind: ActorKind; state: ActorState; timers: ActorTimers },
    ports: ReadPorts,
  ) {
    this.#row = row;
    this.#kind = kind;
    this.#state = state;
    this.#timers = timers;
    this.#ports = ports;
  }

  get isIdle(): boolean {
    return this.#underWay === 0;
  }

  /** Whether a call is a read here. What is stored with its turn has one, and a suspect goes through the gate. */
  has({ method, told, audit }: ActorRequest): boolean {
    const { reads = [] } = this.#kind.type;
    return reads.includes(method) && told === undefined && audit === undefined && this.#row.crashes === 0;
  }

  /** Never rejects. `moved`: the row may be another node's. */
  async read({ method, args }: ActorRequest): Promise<CallOutcome> {
    const key = actorKey(this.#row);
    if (this.#underWay >= READS_BOUND)
      return failed(new RingmasterError("overloaded", `${key} has ${READS_BOUND} reads under way.`));
    this.#underWay += 1;
    try {
      if (!(await this.#isOurs())) return { kind: "moved" };
      const reader = this.#readerOfNow() as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
      const value = await outsideTurns(() => reader[method]!(...args));
      return { kind: "ok", value: copyOf(value, () => `the answer of ${key}.${method}`) };
    } catch (error) {
      const { outcome, why } = failureOfTurn(error, false);
      if (why === "fault") this.#ports.log.error({ err: error, actor: key, method }, "a read failed");
      return outcome;
    } finally {
      this.#underWay -= 1;
    }
  }

  async #isOurs(): Promise<boolean> {
    const lease = this.#ports.lease();
    if (lease !== undefined && lease === this.#lease && !this.#row.isNew) return true;
    if (!(await this.#ports.store.holds(this.#row))) return false;
    this.#lease = lease;
    return true;
  }

  #readerOfNow(): Actor<unknown> {
    const of = this.#state.stored;
    if (this.#reader?.of !== of) this.#reader = { of, actor: this.#make(of) };
    return this.#reader!.actor;
  }

  #make(state: unknown): Actor<unknown> {
    const { nodeId, rng, clock } = this.#ports;
    const { id, epoch } = this.#row;
    const refuse = (): never => {
      throw new Error("a read changes nothing, and has no SQL: that is a turn's");
    };
    const [isNew, timers] = [this.#row.isNew === true, this.#timers];
    const scope: TurnScope = {
      get now() {
        return clock.now();
      },
      ...{ isAudited: false, isNew, timerDue: (name) => timers.records.get(name)?.due },
      ...{ sql: refuse, setTimer: refuse, cancelTimer: refuse, publish: refuse, afterCommit: refuse },
      ...{ send: refuse, sendLater: refuse, destroy: refuse },
    };
    const actor = this.#kind.create({ id, rng, place: { nodeId, epoch }, scope: () => scope, tick: refuse });
    actor.state = state;
    return actor;
  }
}
