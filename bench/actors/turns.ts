import type { Actor, ActorContext, ActorType } from "../../src/actors/runtime/Actor.ts";
import { Actors } from "../../src/actors/runtime/Actors.ts";
import { MemoryBus } from "../../src/actors/runtime/MemoryBus.ts";
import { systemClock, systemRng } from "../../src/clock.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { openDatabase } from "../../test/support/database.ts";
import { CounterActor, CREATE_ROWS } from "./benchActors.ts";
import { RawTurns } from "./rawTurns.ts";

export interface TurnsOptions {
  databaseUrl: string;
  actors: number;
  /** Calls under way at any time. */
  callers: number;
  /** Connections of either side's pool. */
  connections: number;
  rounds: number;
  /** How long each side runs in each round. */
  roundMs: number;
}

/** One round of one side. */
export interface Round {
  perSecond: number;
  /** CPU of this process, which is the client of both sides, for one of them in microseconds. */
  cpuMicros: number;
}

/** One kind of turn, round by round: first the runtime, then mysql2. */
export interface TurnsResult {
  runtime: Round[];
  raw: Round[];
}

type Work = (which: number) => Promise<unknown>;

/**
 * Durable turns a second of the actor runtime, beside the same statements sent by mysql2 to the same server, from as many
 * connections, with as many under way. The two take turns, so that a change of the machine's mood meets both.
 */
export async function benchTurns(options: TurnsOptions): Promise<{ oneStatement: TurnsResult; withSql: TurnsResult }> {
  const { databaseUrl, actors: rows, connections } = options;
  const database = await openDatabase({ kind: "mysql", url: databaseUrl, pool: connections });
  await database.write(CREATE_ROWS);
  const raw = await RawTurns.open(databaseUrl, connections, rows);
  const actors = runtimeOn(database);
  await actors.start();
  const refs = Array.from({ length: rows }, (_, at) => actors.ref(CounterActor, `actor-${at}`));
  try {
    const oneStatement = await compare(
      options,
      (at) => refs[at]!.add(),
      (at) => raw.add(at),
    );
    const withSql = await compare(
      options,
      (at) => refs[at]!.addRow(),
      (at) => raw.addRow(at),
    );
    return { oneStatement, withSql };
  } finally {
    await actors.drain();
    await actors.stop();
    await raw.close();
    await database.close();
  }
}

function runtimeOn(database: Database): Actors {
  return new Actors({
    node: { id: "bench", role: "all" },
    kinds: [
      {
        type: CounterActor as unknown as ActorType<Actor<unknown>>,
        create: (context: ActorContext) => new CounterActor(context) as unknown as Actor<unknown>,
      },
    ],
    ...{ database, bus: new MemoryBus(), feed: new MemoryFeed(), clock: systemClock, rng: systemRng },
    log: createLogger("warn"),
    metrics: new Metrics(() => ({ rooms: 0, clients: 0 })),
  });
}

async function compare(options: TurnsOptions, ofRuntime: Work, ofRaw: Work): Promise<TurnsResult> {
  // Brings every actor to life and every pool to its size.
  for (const work of [ofRuntime, ofRaw]) await once(options, work);
  const result: TurnsResult = { runtime: [], raw: [] };
  for (let round = 0; round < options.rounds; round++) {
    result.runtime.push(await rateOf(options, ofRuntime));
    result.raw.push(await rateOf(options, ofRaw));
  }
  return result;
}

async function once({ actors, callers }: TurnsOptions, work: Work): Promise<void> {
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      for (let which = caller; which < actors; which += callers) await work(which);
    }),
  );
}

/** Each caller goes through rows that no other one touches: nothing ever waits for a row. */
async function rateOf({ actors, callers, roundMs }: TurnsOptions, work: Work): Promise<Round> {
  const usedBefore = process.cpuUsage();
  const startedAt = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      for (let which = caller; performance.now() - startedAt < roundMs; which += callers) {
        if (which >= actors) which = caller;
        await work(which);
        done += 1;
      }
    }),
  );
  const { user, system } = process.cpuUsage(usedBefore);
  return { perSecond: (done * 1000) / (performance.now() - startedAt), cpuMicros: (user + system) / done };
}
