import type { Redis } from "ioredis";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { slotOf } from "../../src/actors/runtime/placement.ts";
import { RedisBus } from "../../src/actors/runtime/RedisBus.ts";
import { countedDatabase } from "../../test/actors/countedDatabase.ts";
import {
  CounterActor,
  EFFECTS_TABLE,
  kindOf,
  ManualClock,
  SimulatedNode,
  silentLog,
} from "../../test/actors/simulation.ts";
import { openDatabase } from "../../test/support/database.ts";

export interface IdleOptions {
  nodes: number;
  actors: number;
  /** Simulated. */
  seconds: number;
}

/** Of the whole cluster, a second. */
export interface IdleResult {
  nodes: number;
  statements: number;
  rows: number;
  /** Each beat is one command, and so is each message to a peer. */
  redisCommands: number;
  /** What one beat costs a real server, in microseconds of its own, and what it answers, in bytes. */
  beatMicros: number;
  beatBytes: number;
}

/** Far enough ahead that nothing is due while this is measured. */
const DUE_IN_MS = 24 * 3_600_000;
/** Until all nodes have heard of each other, and told their loads. */
const SETTLE_MS = 30_000;
const BEATS_MEASURED = 2000;

/** What a cluster costs in which nothing happens: its actors are let go, and their timers are far away. */
export async function benchIdle(options: IdleOptions, redis: Redis): Promise<IdleResult> {
  const base = await openDatabase({ kind: "sqlite", path: ":memory:" });
  const clock = new ManualClock();
  const hub = new MemoryHub();
  hub.now = () => clock.monotonic();
  const count = { statements: 0, rows: 0, redisCommands: 0 };
  try {
    await base.write(EFFECTS_TABLE);
    await storeActors(base, options.actors, clock.now() + DUE_IN_MS);
    const database = countedDatabase(base, ({ rows }) => {
      count.statements += 1;
      count.rows += rows;
    });
    for (let at = 0; at < options.nodes; at++) {
      const node = new SimulatedNode({ id: `n${at}`, hub, database, clock, seed: at + 1 }, [kindOf(CounterActor)]);
      countCommands(node, () => {
        count.redisCommands += 1;
      });
      await node.actors.start();
    }
    await clock.advance(SETTLE_MS);
    Object.assign(count, { statements: 0, rows: 0, redisCommands: 0 });
    await clock.advance(options.seconds * 1000);
    const perSecond = Object.fromEntries(Object.entries(count).map(([what, times]) => [what, times / options.seconds]));
    return { nodes: options.nodes, ...(perSecond as typeof count), ...(await costOfBeats(options.nodes, redis)) };
  } finally {
    await base.close();
  }
}

function countCommands({ bus }: SimulatedNode, told: () => void): void {
  for (const name of ["beat", "send", "broadcast"] as const) {
    const command = bus[name].bind(bus) as (...args: unknown[]) => unknown;
    const counted = (...args: unknown[]): unknown => {
      told();
      return command(...args);
    };
    Object.assign(bus, { [name]: counted });
  }
}

async function storeActors(
  database: { write(sql: string, params: unknown[]): Promise<unknown> },
  actors: number,
  dueAt: number,
) {
  const PAGE = 500;
  for (let from = 0; from < actors; from += PAGE) {
    const ids = Array.from({ length: Math.min(PAGE, actors - from) }, (_, at) => `a${from + at}`);
    const timers = JSON.stringify([{ name: "tick", due: dueAt, seq: 1 }]);
    await database.write(
      `INSERT INTO actors (kind, id, owner, epoch, version, state, timers, due_at, crashes, created_at, updated_at, slot)
       VALUES ${ids.map(() => `('counter', ?, NULL, 1, 0, '{"count":0}', ?, ?, 0, 0, 0, ?)`).join(", ")}`,
      ids.flatMap((id) => [id, timers, dueAt, slotOf(`counter/${id}`)]),
    );
  }
}

/** Beats of a real bus, with the list known, as they are when nothing changes. */
async function costOfBeats(nodes: number, redis: Redis): Promise<{ beatMicros: number; beatBytes: number }> {
  await redis.flushall();
  const bus = new RedisBus(redis, silentLog);
  const beat = (at: number, known: Parameters<typeof bus.beat>[2]["known"]) =>
    bus.beat({ id: `node-${at}`, role: "all", actors: 500, clockOffMs: 0 }, 1, {
      isNews: false,
      known,
      quietMs: 60_000,
    });
  for (let at = 0; at < nodes; at++) await beat(at, undefined);
  const { revision } = await beat(0, undefined);
  await redis.config("RESETSTAT");
  for (let at = 0; at < BEATS_MEASURED; at++) await beat(at % nodes, revision);
  const [commands, stats] = [await redis.info("commandstats"), await redis.info("stats")];
  const micros = Number(/cmdstat_evalsha:calls=\d+,usec=(\d+)/.exec(commands)?.[1]);
  const bytes = Number(/total_net_output_bytes:(\d+)/.exec(stats)?.[1]);
  await bus.close();
  return { beatMicros: micros / BEATS_MEASURED, beatBytes: bytes / BEATS_MEASURED };
}
