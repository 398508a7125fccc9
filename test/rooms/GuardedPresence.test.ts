import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { GuardedPresence } from "../../src/rooms/runtime/GuardedPresence.ts";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { type RedisServer, startRedis } from "../support/servers.ts";

describe("GuardedPresence", () => {
  let server: RedisServer;
  let presence: GuardedPresence;
  let redis: Redis;

  beforeEach(async () => {
    server = await startRedis();
    redis = new Redis(server.url);
    redis.on("error", () => {});
    const client = connectRedis(server.url, "presence-test");
    await whenReady(client);
    presence = new GuardedPresence(client);
  });

  afterEach(async () => {
    presence.shutdown();
    redis.disconnect();
    await server.stop();
  });

  it("counts joins that create a room, never below zero, and forgets them a second after the last began", async () => {
    const count = (value: number): Promise<number> => presence.hincrbyex("ch:hunt", "huntId:1", value, 1);
    assert.deepEqual(
      [await count(1), await count(1), await count(-1), await count(-1), await count(-1)],
      [1, 2, 1, 0, 0],
    );
    assert.equal(await count(1), 1);
    assert.equal(await presence.hget("ch:hunt", "huntId:1"), "1", "it is in the hash, as anybody would read it");
    await presence.hincrbyex("ch:hunt", "huntId:2", 1, 60);
    await until(async () => (await redis.exists("ch:hunt:huntId:1")) === 0, {
      what: "another event's joins do not prolong it",
      timeoutMs: DEADLINE_MS,
    });
    assert.equal(await count(1), 1, "what was left behind does not count");
    assert.equal(await presence.hget("ch:hunt", "huntId:2"), "1");
  });

  it("waits for an item on a connection of its own, which it gives up again", async () => {
    const clients = async (): Promise<number> => ((await redis.client("LIST")) as string).trim().split("\n").length;
    // The test's own, and the two that the presence has.
    await until(async () => (await clients()) === 3, { what: "all are connected", timeoutMs: DEADLINE_MS });
    const waiting = presence.brpop("list", 30);
    await until(async () => /blocked_clients:1/.test(await redis.info("clients")), {
      what: "it waits",
      timeoutMs: DEADLINE_MS,
    });
    await presence.lpush("list", "item");
    assert.deepEqual(await waiting, ["list", "item"]);
    assert.equal(await presence.brpop("list", 0.01), null);
    await until(async () => (await clients()) === 3, {
      what: "its connections are closed",
      timeoutMs: DEADLINE_MS,
    });
    await server.kill();
    await assert.rejects(presence.brpop("list", 1));
  });

  it("rejects nothing that Colyseus leaves unattended while Redis is away, and makes up for subscriptions", async () => {
    await server.kill();
    const heard: unknown[] = [];
    await presence.subscribe("topic", (message) => heard.push(message));
    await presence.subscribe("another", () => {});
    await presence.unsubscribe("another");
    await presence.publish("topic", "lost");
    assert.equal(await presence.hset("hash", "field", "value"), false);
    assert.equal(await presence.hdel("hash", "field"), false);
    assert.equal(await presence.hincrbyex("hash", "field", 1, 1), 1, "as if there were no other");
    await assert.rejects(presence.hgetall("hash"));
    await server.restart();
    await until(
      async () => {
        await presence.publish("topic", "found");
        return heard.length > 0;
      },
      { what: "the topic is heard", timeoutMs: DEADLINE_MS },
    );
    assert.equal(heard[0], "found");
  });

  it("has a request wait for a room that is listed before it listens, and delivers it once", async () => {
    const heard: unknown[] = [];
    const published = presence.publish("$room", ["_reserveSeat", "1", []]);
    await until(async () => /cmdstat_publish:calls=([2-9]|\d\d)/.test(await redis.info("commandstats")), {
      what: "it is published again",
      timeoutMs: DEADLINE_MS,
    });
    await presence.subscribe("$room", (request) => heard.push(request));
    await published;
    await until(() => heard.length > 0, { what: "the request is heard", timeoutMs: DEADLINE_MS });
    assert.deepEqual(heard, [["_reserveSeat", "1", []]]);
  });

  it("gives errors of another process their code back", async () => {
    const replies: unknown[] = [];
    await presence.subscribe("ipc:1", (reply) => replies.push(reply));
    await until(async () => ((await redis.pubsub("CHANNELS", "ipc:1")) as string[]).length === 1, {
      what: "the channel is heard",
      timeoutMs: DEADLINE_MS,
    });
    for (const reply of [
      [1, "wrong_phase: Not yet."],
      [1, "room 'hunt' not created: shutting down"],
      [1, "no code of ours: x"],
      [0, "wrong_phase: a value"],
    ]) {
      await presence.publish("ipc:1", reply);
    }
    await until(() => replies.length === 4, { what: "all replies are heard", timeoutMs: DEADLINE_MS });
    type Typed = [number, { code: string; message: string }];
    const [[, error], [, closing], ...rest] = replies as [Typed, Typed, ...unknown[]];
    assert.equal(closing.code, "draining");
    assert.equal(error.code, "wrong_phase");
    assert.equal(error.message, "wrong_phase: Not yet.");
    assert.deepEqual(rest, [
      [1, "no code of ours: x"],
      [0, "wrong_phase: a value"],
    ]);
  });
});
