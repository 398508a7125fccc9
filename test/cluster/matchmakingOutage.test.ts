import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { RoomProcess } from "../rooms/support/RoomProcess.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { type RedisServer, startRedis } from "../support/servers.ts";

/** What the issue allows between the return of Redis and the first join. */
const BACK_WITHIN_MS = 5000;

describe("matchmaking of a cluster when Redis fails", () => {
  let server: RedisServer;
  let a: RoomProcess;
  let b: RoomProcess;

  beforeEach(async () => {
    server = await startRedis();
    [a, b] = await Promise.all([RoomProcess.start(server.url), RoomProcess.start(server.url)]);
  });

  afterEach(async () => {
    await Promise.all([a, b].map((node) => node.program.kill()));
    await server.stop();
  });

  it("has clients join the rooms that ran on, once Redis is back without its data, on either node", async () => {
    const room = await a.sdk.joinOrCreate("keyed", { event: "outage" });
    const leaver = await b.sdk.joinOrCreate("keyed", { event: "outage" });
    await b.join("plain", "other");
    await server.kill();
    assert.equal(await room.request("hello"), "hello", "players play on");
    await leaver.leave();
    for (const node of [a, b]) {
      await assert.rejects(node.join("keyed", "outage"), { code: "unavailable" });
      await assert.rejects(node.join("keyed", "new"), { code: "unavailable" });
      await assert.rejects(node.sdk.joinOrCreate("plain", { event: "other" }), {
        code: 503,
        message: /^unavailable: /,
      });
    }
    await server.restart();
    for (const node of [b, a]) {
      const joined = await until(() => node.sdk.join("keyed", { event: "outage" }), {
        what: "a client joins",
        timeoutMs: BACK_WITHIN_MS,
      });
      assert.equal(joined.roomId, room.roomId);
      assert.equal(await joined.request("hello"), "hello");
    }
    const fresh = await b.sdk.joinOrCreate("keyed", { event: "after" });
    assert.equal((await a.join("keyed", "after")).roomId, fresh.roomId);
    const listed = (await b.listings()).find(({ roomId }) => roomId === room.roomId);
    assert.equal(listed?.clients, 3, "who left meanwhile is no longer counted");

    const redis = new Redis(server.url);
    assert.deepEqual((await redis.hkeys("roomcount")).sort(), [a.processId, b.processId].sort());
    const channels = (await redis.pubsub("CHANNELS", "*")) as string[];
    for (const channel of [`p:${a.processId}`, `p:${b.processId}`, `$${room.roomId}`, `$${fresh.roomId}`]) {
      assert.ok(channels.includes(channel), `${channel} is heard`);
    }
    redis.disconnect();
    // rooms that could not be listed are disposed of, not leaked
    const running = [...(await a.running()), ...(await b.running())];
    assert.deepEqual(running.sort(), (await b.listings()).map(({ roomId }) => roomId).sort());
    for (const node of [a, b]) assert.deepEqual(await node.faults(), []);
  });

  it("takes joins in flight to an end, whatever becomes of Redis under them", async () => {
    await a.placeAt(b.processId);
    const joins = Array.from({ length: 40 }, (_, i) => a.join(i % 2 ? "keyed" : "plain", `flight-${i}`));
    const settled = Promise.allSettled(joins);
    await until(async () => (await b.running()).length > 0, { what: "some rooms are created", timeoutMs: DEADLINE_MS });
    await server.kill();
    await server.restart();
    await settled;
    await until(() => a.join("keyed", "afterwards"), { what: "joins work again", timeoutMs: BACK_WITHIN_MS });
    for (const node of [a, b]) assert.deepEqual(await node.faults(), []);
  });

  it("closes its rooms with the code of a shutdown also while Redis is away", async () => {
    const room = await a.sdk.joinOrCreate("keyed", { event: "drain" });
    const left = new Promise<number>((resolve) => room.onLeave(resolve));
    await server.kill();
    await a.drain();
    assert.equal(await left, 4001);
    assert.deepEqual(await a.running(), []);
    assert.deepEqual(await a.faults(), []);
  });

  it("tells Redis of a dead process once it is back, when it was away at the decision", async () => {
    const kept = await startRedis({ keepData: true });
    const [survivor, victim] = await Promise.all([RoomProcess.start(kept.url), RoomProcess.start(kept.url)]);
    const lost = await victim.join("keyed", "lost");
    await victim.program.kill();
    await kept.kill();
    await survivor.forget(victim.processId);
    await kept.restart();
    await until(async () => (await survivor.listings()).every(({ roomId }) => roomId !== lost.roomId), {
      what: "the lost room is off the list",
      timeoutMs: BACK_WITHIN_MS,
    });
    assert.deepEqual(await survivor.faults(), []);
    await survivor.program.kill();
    await kept.stop();
  });
});
