import { Actor, type ActorType, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import { Actors } from "../../src/actors/runtime/Actors.ts";
import { MemoryBus } from "../../src/actors/runtime/MemoryBus.ts";
import { systemClock, systemRng } from "../../src/clock.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { openDatabase } from "../../test/support/database.ts";

interface Entry {
  id: string;
  score: number;
  at: number;
}

/** Keeps many entries; `look` is a read, and `lookInTurn` a turn that changes nothing. */
class LargeActor extends Actor<{ entries: Entry[] }> {
  static readonly kind = "bench-large";
  static readonly reads = ["look"];
  static initial(): { entries: Entry[] } {
    return { entries: [] };
  }
  readonly timers: TimerHandlers = {};

  async fill(bytes: number): Promise<number> {
    while (JSON.stringify(this.state).length < bytes)
      for (let at = 0; at < 50; at++)
        this.state.entries.push({ id: `player-${this.state.entries.length}`, score: at * 17, at: 1_700_000_000_000 });
    return JSON.stringify(this.state).length;
  }

  async look(at: number): Promise<Entry> {
    return this.state.entries[at % this.state.entries.length]!;
  }

  async lookInTurn(at: number): Promise<Entry> {
    return this.look(at);
  }

  async change(at: number): Promise<void> {
    this.state.entries[at % this.state.entries.length]!.score += 1;
  }
}

/** CPU of one of them, in microseconds. */
export interface ReadsResult {
  bytes: number;
  read: number;
  turn: number;
  change: number;
}

/** What a read, a turn that changes nothing and one that does cost of an actor with a large state; one process, SQLite in memory. */
export async function benchReads({ bytes, count }: { bytes: number; count: number }): Promise<ReadsResult> {
  const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
  const type = LargeActor as unknown as ActorType<Actor<unknown>>;
  const actors = new Actors({
    node: { id: "bench", role: "all" },
    kinds: [{ type, create: (context) => new LargeActor(context) as Actor<unknown> }],
    ...{ database, bus: new MemoryBus(), feed: new MemoryFeed(), clock: systemClock, rng: systemRng },
    log: createLogger("warn"),
    metrics: new Metrics(() => ({ rooms: 0, clients: 0 })),
  });
  await actors.start();
  const actor = actors.ref(LargeActor, "large");
  const stored = await actor.fill(bytes);
  const result = {
    bytes: stored,
    read: await cpuOf(count, (at) => actor.look(at)),
    turn: await cpuOf(count / 10, (at) => actor.lookInTurn(at)),
    change: await cpuOf(count / 10, (at) => actor.change(at)),
  };
  await actors.drain();
  await actors.stop();
  await database.close();
  return result;
}

async function cpuOf(count: number, work: (at: number) => Promise<unknown>): Promise<number> {
  for (let at = 0; at < count / 10; at++) await work(at);
  const before = process.cpuUsage();
  for (let at = 0; at < count; at++) await work(at);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}
