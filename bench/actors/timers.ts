import { Latencies, type LatencySummary } from "../../loadtest/runtime/Latencies.ts";
import { Actor, type ActorContext, type ActorType, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import { Actors } from "../../src/actors/runtime/Actors.ts";
import { MemoryBus } from "../../src/actors/runtime/MemoryBus.ts";
import type { Firing } from "../../src/actors/runtime/timers.ts";
import { systemClock, systemRng } from "../../src/clock.ts";
import { openDatabase } from "../../src/entities/database.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";

export interface TimersOptions {
  databaseUrl: string;
  /** How many are armed at once. */
  timers: number;
  /** They are due evenly over so many seconds. */
  seconds: number;
  connections: number;
}

/** Lateness in milliseconds, but for the rate. */
export interface TimersResult {
  /** `setTimeout`s with nothing else in the process. */
  alone: LatencySummary;
  /** The actors' timers: to the beginning of the turn that fires them. */
  fired: LatencySummary;
  /** The same, to the end of its commit. */
  stored: LatencySummary;
  /** `setTimeout`s for the same moments, in the same process at the same time. */
  beside: LatencySummary;
  armedPerSecond: number;
}

/** Calls under way while the timers are armed. */
const CALLERS = 256;
/** Between the last arming and the first firing, in milliseconds. */
const MARGIN_MS = 3000;
/** Setting as many timeouts takes less than this. */
const ALONE_IN_MS = 500;
/** Armed first, to learn how long all of them will take. */
const SAMPLE = 0.05;

/** Rings once, and tells when. Its state changes, so that each ring has to be stored. */
class RingActor extends Actor<{ rung: number }> {
  static readonly kind = "bench-ring";
  static initial(): { rung: number } {
    return { rung: 0 };
  }

  readonly #heard: (ring: "fired" | "stored", dueAt: number) => void;

  constructor(context: ActorContext, heard: (ring: "fired" | "stored", dueAt: number) => void) {
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

/**
 * How late durable timers fire, one an actor, all of them armed at once on one node with MariaDB, beside as many `setTimeout`s
 * for the same moments: once with the process to themselves, and once in the process of the actors, under the same load.
 */
export async function benchTimers(options: TimersOptions, tell: (line: string) => void): Promise<TimersResult> {
  tell(`${options.timers} setTimeouts alone`);
  const alone = await setTimeouts(options, Date.now() + ALONE_IN_MS);
  const database = await openDatabase({ kind: "mysql", url: options.databaseUrl, pool: options.connections });
  const late = { fired: new Latencies(), stored: new Latencies() };
  const rung = Promise.withResolvers<void>();
  let stored = 0;
  const actors = runtimeOn(database, (ring, dueAt) => {
    late[ring].record(Date.now() - dueAt);
    if (ring === "stored" && ++stored === options.timers) rung.resolve();
  });
  await actors.start();
  try {
    tell(`arming ${options.timers} timers of as many actors`);
    const { firstDueAt, perSecond } = await armAll(options, actors);
    tell("all are armed; waiting for them, and for as many setTimeouts beside them");
    const beside = await setTimeouts(options, firstDueAt);
    await rung.promise;
    return { alone, beside, fired: late.fired.summary(), stored: late.stored.summary(), armedPerSecond: perSecond };
  } finally {
    await actors.drain();
    await actors.stop();
    await database.close();
  }
}

const dueOf = ({ timers, seconds }: TimersOptions, firstDueAt: number, at: number): number =>
  firstDueAt + Math.floor((at * seconds * 1000) / timers);

/** Resolves when all have fired. */
function setTimeouts(options: TimersOptions, firstDueAt: number): Promise<LatencySummary> {
  return new Promise((resolve) => {
    const late = new Latencies();
    let left = options.timers;
    for (let at = 0; at < options.timers; at++) {
      const due = dueOf(options, firstDueAt, at);
      setTimeout(() => {
        late.record(Date.now() - due);
        if (--left === 0) resolve(late.summary());
      }, due - Date.now());
    }
  });
}

/** Arms one timer an actor, so far ahead that all are armed before the first is due. */
async function armAll(options: TimersOptions, actors: Actors): Promise<{ firstDueAt: number; perSecond: number }> {
  const { timers } = options;
  const sample = Math.ceil(timers * SAMPLE);
  // What the samples are due at is set right with the others. The first one opens the connections, which takes time of its own.
  const later = (): number => Date.now() + 3_600_000;
  await armEach(actors, 0, sample, later);
  const startedAt = Date.now();
  await armEach(actors, sample, 2 * sample, later);
  const perTimerMs = (Date.now() - startedAt) / sample;
  const firstDueAt = Math.round(Date.now() + perTimerMs * timers * 1.5 + MARGIN_MS);
  await armEach(actors, 0, timers, (at) => dueOf(options, firstDueAt, at));
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

function runtimeOn(
  database: Awaited<ReturnType<typeof openDatabase>>,
  heard: (ring: "fired" | "stored", dueAt: number) => void,
): Actors {
  return new Actors({
    node: { id: "bench", role: "all" },
    kinds: [
      {
        type: RingActor as unknown as ActorType<Actor<unknown>>,
        create: (context) => new RingActor(context, heard) as unknown as Actor<unknown>,
      },
    ],
    ...{ database, bus: new MemoryBus(), feed: new MemoryFeed(), clock: systemClock, rng: systemRng },
    log: createLogger("warn"),
    metrics: new Metrics(() => ({ rooms: 0, clients: 0 })),
  });
}
