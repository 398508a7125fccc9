import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { DeadEvents } from "../../src/actors/runtime/DeadEvents.ts";
import { EventPump } from "../../src/actors/runtime/EventPump.ts";
import type { MessageId } from "../../src/actors/runtime/messages.ts";
import { addEvents, OutboxEvents } from "../../src/actors/runtime/OutboxEvents.ts";
import { type Clock, systemClock, systemRng } from "../../src/clock.ts";
import type { Database } from "../../src/entities/sql.ts";
import { RedisFeed } from "../../src/stores/feeds/RedisFeed.ts";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import { openDatabase } from "../support/database.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { type RedisServer, startRedis } from "../support/servers.ts";
import { silentLog } from "./simulation.ts";

/** Long pauses take a sixtieth of their time. */
const hasty: Clock = {
  ...systemClock,
  schedule: (callback, ms) => systemClock.schedule(callback, ms > 1000 ? ms / 60 : ms),
};

describe("an event that Redis refuses", () => {
  let server: RedisServer;
  let admin: Redis;
  let client: Redis;
  let database: Database;
  let feed: RedisFeed;
  let pump: EventPump;
  let deadEvents: DeadEvents;

  beforeEach(async () => {
    server = await startRedis();
    admin = new Redis(server.url);
    client = connectRedis(server.url, "refused-test");
    await whenReady(client);
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    feed = new RedisFeed(client, server.url);
    const ports = { database, nodeId: "n", feed, clock: systemClock, onBuried: () => {} };
    deadEvents = new DeadEvents(ports);
    const events = new OutboxEvents(database, "n");
    pump = new EventPump({ events, deadEvents, feed, clock: hasty, rng: systemRng, log: silentLog });
  });
  afterEach(async () => {
    await pump.stop();
    await feed.close();
    client.disconnect();
    admin.disconnect();
    await server.stop();
    await database.close();
  });

  /** A turn of this actor publishes these. */
  async function publish(id: string, version: number, ...events: Array<[topic: string, data: unknown]>): Promise<void> {
    const rows = events.map(([topic, data], index) => ({
      index,
      message: JSON.stringify({ topic, at: systemClock.now(), event: { type: "said", data } }),
    }));
    pump.deliver(await addEvents(database, "n", { kind: "herald", id, version }, rows), false);
  }

  const said = async (topic: string): Promise<unknown[]> =>
    (await feed.read(topic, undefined)).events.map(({ data }) => data);
  const dead = async (): Promise<Array<{ from: MessageId; topic: string; error: string }>> =>
    (await deadEvents.list(10)).map(({ from, topic, error }) => ({ from, topic, error }));

  async function untilDead(): Promise<void> {
    await until(async () => (await dead()).length > 0, { what: "it is a dead letter", timeoutMs: DEADLINE_MS });
    const isEmpty = async () => (await database.query("SELECT 1 FROM actor_events")).length === 0;
    await until(isEmpty, { what: "all is delivered", timeoutMs: DEADLINE_MS });
  }

  it("for its topic is no stream holds up no other, and is a dead letter with Redis's own words", async () => {
    await admin.set("{feed}:topic:odd", "a text");
    await Promise.all([publish("x", 1, ["even", 1], ["odd", 2], ["even", 3]), publish("y", 1, ["even", "y"])]);
    await untilDead();
    assert.deepEqual((await said("even")).toSorted(), [1, 3, "y"]);
    const [letter, ...more] = await dead();
    assert.deepEqual(
      [letter?.from, letter?.topic, more],
      [{ kind: "herald", id: "x", version: 1, index: 1 }, "odd", []],
    );
    assert.match(letter!.error, /WRONGTYPE/);
    await assert.rejects(deadEvents.replay(letter!.from), { code: "unavailable" });
    await admin.del("{feed}:topic:odd");
    await deadEvents.replay(letter!.from);
    assert.deepEqual([await said("odd"), await dead()], [[2], []]);
  });

  it("for its size, each time with the connection, holds up no other", async () => {
    await admin.config("SET", "proto-max-bulk-len", "1mb");
    await Promise.all([publish("x", 1, ["t", "x".repeat(1_200_000)], ["t", "after"]), publish("y", 1, ["t", "y"])]);
    await untilDead();
    assert.deepEqual((await said("t")).toSorted(), ["after", "y"]);
    assert.equal((await dead()).length, 1);
  });

  it("with all others for a lack of memory waits, and is no dead letter", async () => {
    await admin.config("SET", "maxmemory", "1mb", "maxmemory-policy", "noeviction");
    await publish("x", 1, ["t", "x"]);
    await new Promise<void>((resolve) => void hasty.schedule(resolve, 300_000));
    assert.deepEqual(await dead(), []);
    await admin.config("SET", "maxmemory", "0");
    await until(async () => (await said("t")).length === 1, { what: "it is published", timeoutMs: DEADLINE_MS });
    assert.deepEqual(await said("t"), ["x"]);
  });
});
