import assert from "node:assert/strict";
import type { Redis } from "ioredis";
import type { FeedAppend, FeedEvent } from "../../src/stores/feeds/Feed.ts";
import { RedisFeed } from "../../src/stores/feeds/RedisFeed.ts";
import { isAfter, streamKey } from "../../src/stores/feeds/streams.ts";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import { hearing } from "../support/hearing.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { type RedisServer, startRedis } from "../support/servers.ts";

const TOPIC = "outage";
/** What stands among the types of what was heard where the follower was reset. */
const RESET = "(reset)";

function event(type: string): FeedAppend {
  return { key: type, topic: TOPIC, at: 1, type, data: null };
}

describe("RedisFeed when Redis fails", () => {
  let server: RedisServer;
  let client: Redis;
  let feed: RedisFeed;
  let heard: FeedEvent[];
  /** The types of what was heard, and the resets. */
  let told: string[];
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown): void => void unhandled.push(reason);

  const types = (): string[] => heard.map(({ type }) => type);
  const hears = (type: string): Promise<unknown> =>
    until(() => types().includes(type), { what: `${type} is heard`, timeoutMs: DEADLINE_MS });
  const resets = (): Promise<unknown> =>
    until(() => told.includes(RESET), { what: "the follower is reset", timeoutMs: DEADLINE_MS });
  const appendOnceBack = (...all: string[]): Promise<unknown> =>
    until(() => feed.append(all.map(event)).then(() => true), { what: "an append succeeds", timeoutMs: DEADLINE_MS });

  beforeEach(async () => {
    process.on("unhandledRejection", onUnhandled);
    server = await startRedis();
    client = connectRedis(server.url, "feed-test");
    await whenReady(client);
    feed = new RedisFeed(client, server.url);
    heard = [];
    told = [];
    await feed.follow(
      TOPIC,
      hearing(
        (each) => {
          heard.push(each);
          told.push(each.type);
        },
        () => told.push(RESET),
      ),
    );
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
      feed.follow(
        "another",
        hearing(() => {}),
      ),
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

  /** Has Redis come back as it was before `meanwhile`. */
  async function comeBackOlder(meanwhile: () => Promise<void>): Promise<void> {
    await client.save();
    await meanwhile();
    await server.kill();
    await server.restart();
    await whenReady(client);
  }

  /** An event whose id is far ahead of the server's clock, so that those of later ones go on from there. */
  async function appendAhead(type: string): Promise<void> {
    const fields = ["g", "g", "at", "1", "type", type, "data", "null"];
    await client.xadd(streamKey(TOPIC), "9999999999999-1", ...fields);
    // Followers hear of it with the next one.
    await feed.append([event(`after ${type}`)]);
    await hears(`after ${type}`);
  }

  it("tells followers that something may be lost when Redis comes back older, though nothing new is appended", async () => {
    await comeBackOlder(async () => {
      await feed.append([event("lost")]);
      await hears("lost");
    });
    await resets();
    await feed.append([event("new")]);
    await hears("new");
    assert.deepEqual(told, ["before", "lost", RESET, "new"]);
  });

  it("tells followers so with the first new event, when that comes before they look", async () => {
    await comeBackOlder(() => feed.append([event("lost")]));
    await appendOnceBack("new");
    await hears("new");
    assert.deepEqual(told.slice(told.indexOf(RESET)), [RESET, "new"]);
    assert.equal(told.filter((type) => type === RESET).length, 1);
  });

  it("tells followers so though none had heard what was lost", async () => {
    await comeBackOlder(async () => {
      const fields = ["g", "g", "at", "1", "type", "lost", "data", "null"];
      await client.xadd(streamKey(TOPIC), "*", ...fields);
    });
    await resets();
    assert.deepEqual(told, ["before", RESET]);
  });

  it("hears what was never published, once something is", async () => {
    const fields = ["g", "g", "at", "1", "type", "silent", "data", "null"];
    await client.xadd(streamKey(TOPIC), "*", ...fields);
    await feed.append([event("loud")]);
    await hears("loud");
    assert.deepEqual(told, ["before", "silent", "loud"]);
  });

  it("takes no cursor of a future that was lost for one of another, restored from the same snapshot", async () => {
    const cursors: string[] = [];
    for (const future of ["first", "second", "third"]) {
      await comeBackOlder(async () => {
        await feed.append([event(future)]);
        cursors.push((await feed.read(TOPIC, undefined)).events.at(-1)!.id);
      });
      for (const cursor of cursors) assert.equal((await feed.read(TOPIC, cursor)).reset, true);
    }
  });

  it("hears events whose ids are below its position, when the new Redis gives such", async () => {
    await comeBackOlder(() => appendAhead("ahead"));
    const ahead = heard.at(-1)!;
    await resets();
    await feed.append([event("older")]);
    await hears("older");
    await feed.append([event("older still")]);
    await hears("older still");
    assert.deepEqual(told.slice(-3), [RESET, "older", "older still"]);
    assert.ok(isAfter(ahead.id, heard.at(-1)!.id), "the new ids are below");
    assert.equal((await feed.read(TOPIC, ahead.id)).reset, true);
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
