import { Latencies, type LatencySummary } from "../../loadtest/runtime/Latencies.ts";
import { Actors } from "../../src/actors/runtime/Actors.ts";
import { MemoryBus } from "../../src/actors/runtime/MemoryBus.ts";
import { systemClock, systemRng } from "../../src/clock.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { openDatabase } from "../../test/support/database.ts";
import { armAll, dueOf, type Heard, ringKind } from "./ringing.ts";

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

/** Setting as many timeouts takes less than this. */
const ALONE_IN_MS = 500;

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

function runtimeOn(database: Awaited<ReturnType<typeof openDatabase>>, heard: Heard): Actors {
  return new Actors({
    node: { id: "bench", role: "all" },
    kinds: [ringKind(heard)],
    ...{ database, bus: new MemoryBus(), feed: new MemoryFeed(), clock: systemClock, rng: systemRng },
    log: createLogger("warn"),
    metrics: new Metrics(() => ({ rooms: 0, clients: 0 })),
  });
}
