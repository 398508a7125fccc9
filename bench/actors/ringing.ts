import { Actor, type ActorContext, type ActorType, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import type { ActorKind } from "../../src/actors/runtime/ActorKinds.ts";
import type { Actors } from "../../src/actors/runtime/Actors.ts";
import type { Firing } from "../../src/actors/runtime/timers.ts";

/** How many timers are armed, and over how many seconds they are due. */
export interface Ringing {
  timers: number;
  seconds: number;
}

/** Is told of each timer when its turn begins, and when that has committed. */
export type Heard = (ring: "fired" | "stored", dueAt: number) => void;

/** Calls under way while the timers are armed. */
const CALLERS = 256;
/** Between the last arming and the first firing, in milliseconds. */
const MARGIN_MS = 3000;
/** Armed first, to learn how long all of them will take. */
const SAMPLE = 0.05;

/** Rings once, and tells when. Its state changes, so that each ring has to be stored. */
class RingActor extends Actor<{ rung: number }> {
  static readonly kind = "bench-ring";
  static initial(): { rung: number } {
    return { rung: 0 };
  }

  readonly #heard: Heard;

  constructor(context: ActorContext, heard: Heard) {
    super(context);
    this.#heard = heard;
  }

  async arm(at: number): Promise<void> {
    this.at("ring", at);
  }

  readonly timers: TimerHandlers = {
    ring: async ({ dueAt }: Firing) => {
      this.#heard("fired", dueAt);
      this.state.rung += 1;
      this.afterCommit(() => this.#heard("stored", dueAt));
    },
  };
}

export function ringKind(heard: Heard): ActorKind {
  return {
    type: RingActor as unknown as ActorType<Actor<unknown>>,
    create: (context) => new RingActor(context, heard) as unknown as Actor<unknown>,
  };
}

/** When the timer `at` is due. */
export function dueOf({ timers, seconds }: Ringing, firstDueAt: number, at: number): number {
  return firstDueAt + Math.floor((at * seconds * 1000) / timers);
}

/** Arms one timer an actor, so far ahead that all are armed before the first is due. */
export async function armAll(ringing: Ringing, actors: Actors): Promise<{ firstDueAt: number; perSecond: number }> {
  const { timers } = ringing;
  const sample = Math.ceil(timers * SAMPLE);
  // What the samples are due at is set right with the others. The first one opens the connections, which takes time of its own.
  const later = (): number => Date.now() + 3_600_000;
  await armEach(actors, 0, sample, later);
  const startedAt = Date.now();
  await armEach(actors, sample, Math.min(timers, 2 * sample), later);
  const perTimerMs = (Date.now() - startedAt) / sample;
  const firstDueAt = Math.round(Date.now() + perTimerMs * timers * 2 + MARGIN_MS);
  await armEach(actors, 0, timers, (at) => dueOf(ringing, firstDueAt, at));
  if (Date.now() > firstDueAt) throw new Error("arming took longer than foreseen: the machine is busy; try again");
  return { firstDueAt, perSecond: 1000 / perTimerMs };
}

async function armEach(actors: Actors, from: number, to: number, dueAt: (at: number) => number): Promise<void> {
  let next = from;
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      while (next < to) {
        const at = next++;
        await actors.ref(RingActor, `ring-${at}`, { deadlineMs: 60_000 }).arm(dueAt(at));
      }
    }),
  );
}
