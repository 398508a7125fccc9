/** One node of a cluster that the tests break: the actor runtime on real servers, told what to do over the process's channel. */
import { setTimeout as sleep } from "node:timers/promises";
import { ActorStore } from "../../src/actors/runtime/ActorStore.ts";
import { Actors } from "../../src/actors/runtime/Actors.ts";
import type { ClaimedRow } from "../../src/actors/runtime/actorRow.ts";
import type { Log } from "../../src/actors/runtime/ports.ts";
import { RedisBus } from "../../src/actors/runtime/RedisBus.ts";
import { systemClock, systemRng } from "../../src/clock.ts";
import type { Sql } from "../../src/entities/sql.ts";
import { toRingmasterError } from "../../src/errors.ts";
import type { Feed, FeedAppend } from "../../src/stores/feeds/Feed.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { RedisFeed } from "../../src/stores/feeds/RedisFeed.ts";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import { openDatabase } from "../support/database.ts";
import { type WorkerNode, workerKinds } from "./workerActors.ts";
import { WorkerLoad } from "./workerLoad.ts";
import type { WorkerAnswer, WorkerCall, WorkerMessage, WorkerOptions, WorkerRequest } from "./workerProtocol.ts";

const options = JSON.parse(process.env.WORKER!) as WorkerOptions;

/** The runtime's store without the check that every write begins with. */
class UnfencedStore extends ActorStore {
  protected override async fenced(sql: Sql, update: string, params: readonly unknown[], at: ClaimedRow): Promise<void> {
    await sql.write(`${update} WHERE kind = ? AND id = ?`, [...params, at.kind, at.id]);
  }
}

/** A feed whose appends never come to an end. */
class HangingFeed extends MemoryFeed {
  readonly #after: Feed | undefined;

  constructor(after: Feed | undefined) {
    super();
    this.#after = after;
  }

  override async append(events: readonly FeedAppend[]): Promise<void> {
    await this.#after?.append(events);
    await new Promise(() => {});
  }
}

/** Counts the turns in the middle. Asked to stall, it keeps them there until they are as many as were asked for, and stops the process. */
class Middle implements WorkerNode {
  readonly id = options.id;
  readonly balances = options.balances ?? false;
  turns = 0;
  #stall: { turns: number; over: PromiseWithResolvers<void> } | undefined;

  stallAt(turns: number): void {
    this.#stall = { turns, over: Promise.withResolvers() };
  }

  async inTheMiddle(ms: number): Promise<void> {
    this.turns += 1;
    if (this.#stall) {
      const { turns, over } = this.#stall;
      if (this.turns === turns) tell({ event: "stalling" }, () => this.#stop());
      await over.promise;
    }
    await sleep(ms);
    this.turns -= 1;
  }

  #stop(): void {
    process.kill(process.pid, "SIGSTOP");
    this.#stall?.over.resolve();
    this.#stall = undefined;
  }
}

const print =
  (level: string) =>
  (fields: object, message: string): void =>
    console.log(
      JSON.stringify({ level, at: Date.now(), message, ...fields, err: String((fields as { err?: unknown }).err) }),
    );
const log: Log = { debug() {}, info: print("info"), warn: print("warn"), error: print("error") };

function tell(message: WorkerMessage, sent: () => void = () => {}): void {
  process.send!(message, sent);
}

const redis = connectRedis(options.redisUrl, options.id);
await whenReady(redis);
const database = await openDatabase({ kind: "mysql", url: options.databaseUrl, pool: 32 });
const redisFeed = options.feed === undefined ? undefined : new RedisFeed(redis, options.redisUrl);
const feeds = {
  redis: () => redisFeed!,
  hangs: () => new HangingFeed(undefined),
  "hangs after append": () => new HangingFeed(redisFeed),
};
const middle = new Middle();
const actors = new Actors({
  node: { id: options.id, role: options.role ?? "all" },
  kinds: workerKinds(middle, options.version),
  bus: new RedisBus(redis, log),
  database,
  feed: options.feed === undefined ? new MemoryFeed() : feeds[options.feed](),
  clock: systemClock,
  rng: systemRng,
  log,
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
  ttlMs: options.ttlMs,
  ...(options.unfenced ? { makeStore: (base, nodeId) => new UnfencedStore(base, nodeId) } : {}),
});
let load: WorkerLoad | undefined;

async function call({ kind, actor, method, args, options: given }: WorkerCall): Promise<WorkerAnswer> {
  try {
    return { value: await actors.call({ kind, id: actor }, method, args, given) };
  } catch (error) {
    const { code, message } = toRingmasterError(error);
    return { code, message };
  }
}

async function answer(request: WorkerRequest): Promise<unknown> {
  switch (request.op) {
    case "join":
      await actors.start();
      return null;
    case "calls":
      return Promise.all(request.calls.map(call));
    case "nodes":
      return actors.membership.live().map((node) => node.id);
    case "residents":
      return actors.residents;
    case "middle":
      return middle.turns;
    case "load":
      load = new WorkerLoad(actors, options.id, request.load);
      return null;
    case "answered":
      return load!.answered;
    case "endLoad":
      return load!.end();
    case "stall":
      middle.stallAt(request.turns);
      return null;
  }
}

process.on("message", async ({ id, request }: { id: number; request: WorkerRequest }) => {
  tell({ reply: id, value: await answer(request) });
});

process.once("SIGTERM", async () => {
  await actors.drain();
  await actors.stop();
  await redisFeed?.close();
  redis.disconnect();
  await database.close();
  process.exit(0);
});

tell({ event: "ready" });
