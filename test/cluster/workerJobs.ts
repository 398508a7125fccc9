/** One node of a cluster that runs jobs, each of which writes every attempt at it into the table `attempts`. */
import { setTimeout as sleep } from "node:timers/promises";
import { Actors } from "../../src/actors/runtime/Actors.ts";
import type { NodeInfo } from "../../src/actors/runtime/ports.ts";
import { RedisBus } from "../../src/actors/runtime/RedisBus.ts";
import { systemClock, systemRng } from "../../src/clock.ts";
import { defineJob, type Job } from "../../src/schedulers/runtime/defineJob.ts";
import { Jobs } from "../../src/schedulers/runtime/Jobs.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import { silentLog } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";

/** As JSON in the environment's `WORKER`. */
export interface JobsWorkerOptions {
  id: string;
  role: NodeInfo["role"];
  redisUrl: string;
  databaseUrl: string;
  jobs: Array<{ name: string; overlap: "skip" | "queue"; takesMs: number }>;
}

const options = JSON.parse(process.env.WORKER!) as JobsWorkerOptions;
const redis = connectRedis(options.redisUrl, options.id);
await whenReady(redis);
const database = await openDatabase({ kind: "mysql", url: options.databaseUrl, pool: 32 });

const jobs = new Jobs(options.jobs.map(jobOf), {
  database,
  clock: systemClock,
  log: silentLog,
  ran: () => {},
  buried: () => {},
  overdue: () => {},
  endFailed: () => {},
  timezone: "UTC",
  switches: new Map(),
});
const actors: Actors = new Actors({
  node: { id: options.id, role: options.role },
  kinds: [jobs.kind(() => actors)],
  bus: new RedisBus(redis, silentLog),
  database,
  feed: new MemoryFeed(),
  clock: systemClock,
  rng: systemRng,
  log: silentLog,
  metrics: {
    turn() {},
    timerLateness() {},
    active() {},
    timersFailing() {},
    actorFailed() {},
    deadLetter() {},
    outboxLag() {},
    clockOff() {},
  },
});

function jobOf({ name, overlap, takesMs }: JobsWorkerOptions["jobs"][number]): Job {
  return defineJob({
    name,
    schedule: { everyMs: 1000 },
    missed: "fire",
    overlap,
    run: async ({ scheduledAt, attempt, signal }) => {
      await database.write("INSERT INTO attempts (job, scheduled_at, attempt, node) VALUES (?, ?, ?, ?)", [
        name,
        scheduledAt,
        attempt,
        options.id,
      ]);
      await sleep(takesMs, undefined, { signal });
      return options.id;
    },
  });
}

process.on("message", async ({ trigger }: { trigger: string }) => {
  process.send!({ triggered: await jobs.trigger(trigger) });
});

process.once("SIGTERM", async () => {
  jobs.stop();
  await actors.drain();
  await actors.stop();
  redis.disconnect();
  await database.close();
  process.exit(0);
});

await actors.start();
await jobs.start(actors);
process.send!({ event: "ready" });
