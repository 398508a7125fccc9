import assert from "node:assert/strict";
import { Redis } from "ioredis";
import type { FeedAppend, FeedEvent } from "../../src/stores/feeds/Feed.ts";
import { RedisFeed } from "../../src/stores/feeds/RedisFeed.ts";
import { streamKey } from "../../src/stores/feeds/streams.ts";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import { PATIENCE_MS, until } from "../support/processes.ts";
import { type RedisServer, startRedis } from "../support/servers.ts";

const TOPIC = "outage";

function event(type: string): FeedAppend {
  return { key: type, topic: TOPIC, at: 1, type, data: null };
}

describe("RedisFeed when Redis fails", () => {
  let server: RedisServer;
  let client: Redis;
  let feed: RedisFeed;
  let heard: FeedEvent[];
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);

  const types = (): string[] => heard.map(({ type }) => type);
  const hears = (type: string): Promise<unknown> =>
    until(() => types().includes(type), { what: `${type} is heard`, timeoutMs: PATIENCE_MS });
  const appendOnceBack = (...all: string[]): Promise<unknown> =>
    until(() => feed.append(all.map(event)).then(() => true), { what: "an append succeeds", timeoutMs: PATIENCE_MS });

  beforeEach(async () => {
    process.on("unhandledRejection", onUnhandled);
    server = await startRedis();
    client = connectRedis(server.url, "feed-test");
    await whenReady(client);
    feed = new RedisFeed(client, server.url);
    heard = [];
    await feed.follow(TOPIC, (each) => heard.push(each));
    await feed.append([event("before")]);
    await hears("before");
  });

  afterEach(async () => {
    await feed.close();
    client.disconnect();
    await server.stop();
    process.off("unhandledRejection", onUnhandled);
    assert.deepEqual(unhandled, []);
  });

  it("goes on hearing after Redis came back without its data, and resets readers with an older cursor", async () => {
    const cursor = heard[0]!.id;
    await server.kill();
    await assert.rejects(feed.append([event("during")]), { code: "unavailable" });
    await assert.rejects(feed.read(TOPIC, cursor), { code: "unavailable" });
    await assert.rejects(
      feed.follow("another", () => {}),
      { code: "unavailable" },
    );
    await server.restart();
    await appendOnceBack("after");
    await hears("after");
    await feed.append([event("later")]);
    await hears("later");
    assert.deepEqual(types(), ["before", "after", "later"]);
    const { events, reset } = await feed.read(TOPIC, cursor);
    assert.equal(reset, true);
    assert.deepEqual(
      events.map(({ type }) => type),
      ["after", "later"],
    );
    assert.deepEqual(await feed.read(TOPIC, events[0]!.id), { events: [events[1]], reset: false });
  });

  it("hears events whose ids are below its position, when the clock of the new Redis is behind", async () => {
    await server.kill();
    await server.restart();
    await whenReady(client);
    const other = new Redis(server.url);
    await other.xadd(streamKey(TOPIC), "5-1", "at", "1", "type", "older", "data", "null");
    await hears("older");
    await other.xadd(streamKey(TOPIC), "5-2", "at", "1", "type", "older still", "data", "null");
    await hears("older still");
    assert.equal((await feed.read(TOPIC, heard[0]!.id)).reset, true);
    other.disconnect();
  });

  it("goes on hearing when all data are wiped under its connections", async () => {
    await client.flushall();
    await feed.append([event("after")]);
    await hears("after");
    assert.deepEqual(types(), ["before", "after"]);
  });

  it("neither loses nor doubles an event when its reading connection breaks again and again", async () => {
    const expected = ["before"];
    for (let i = 0; i < 20; i += 1) {
      const clients = (await client.client("LIST")) as string;
      const reader = /^id=(\d+) .*name=ringmaster:feeds /m.exec(clients)?.[1];
      if (reader !== undefined) await client.client("KILL", "ID", reader);
      await feed.append([event(`a${i}`), event(`b${i}`)]);
      expected.push(`a${i}`, `b${i}`);
    }
    await hears(expected.at(-1)!);
    assert.deepEqual(types(), expected);
  });

  it("leaves out what was appended before an outage that ended without a loss of data", async () => {
    const [entry] = (await feed.read(TOPIC, undefined)).events;
    await client.client("KILL", "TYPE", "normal", "SKIPME", "no").catch(() => {});
    await appendOnceBack("before", "after");
    assert.deepEqual(
      (await feed.read(TOPIC, entry!.id)).events.map(({ type }) => type),
      ["after"],
    );
  });
});
