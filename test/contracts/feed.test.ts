import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { type Clock, systemClock } from "../../src/clock.ts";
import { FEED_DEDUPE_MS, FEED_KEEPS, type Feed, type FeedAppend, type FeedEvent } from "../../src/stores/feeds/Feed.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { RedisFeed } from "../../src/stores/feeds/RedisFeed.ts";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import { hearing } from "../support/hearing.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { freshRedisUrl, startRedis } from "../support/servers.ts";

/** What the suite needs of an implementation. */
interface Subject {
  feed: Feed;
  /** The same feed as another node of the cluster sees it; a process alone has no other. */
  peer: Feed;
  /** Makes the time pass in which keys are remembered. */
  passDedupeWindow(): Promise<void>;
  /** The feed as it comes back, on the data that it had before `meanwhile`, or on none. */
  comeBackOlder(meanwhile: () => Promise<void>): Promise<Feed>;
  close(): Promise<void>;
}

async function memorySubject(): Promise<Subject> {
  let ahead = 0;
  const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + ahead };
  const feed = new MemoryFeed(clock);
  return {
    feed,
    peer: feed,
    passDedupeWindow: async () => {
      ahead += FEED_DEDUPE_MS;
    },
    comeBackOlder: async (meanwhile) => {
      await meanwhile();
      return new MemoryFeed(clock);
    },
    close: () => feed.close(),
  };
}

async function redisSubject(): Promise<Subject> {
  const server = await startRedis();
  const client = connectRedis(server.url, "feed-test");
  await whenReady(client);
  const feed = new RedisFeed(client, server.url);
  const peer = new RedisFeed(client, server.url);
  return {
    feed,
    peer,
    passDedupeWindow: async () => {
      for (const key of await client.keys("*:seen:*")) {
        assert.ok((await client.pttl(key)) <= FEED_DEDUPE_MS, "a mark must expire");
        await client.pexpire(key, 0);
      }
    },
    comeBackOlder: async (meanwhile) => {
      await client.save();
      await meanwhile();
      await server.kill();
      await server.restart();
      await whenReady(client);
      return feed;
    },
    close: async () => {
      await Promise.all([feed.close(), peer.close()]);
      client.disconnect();
      await server.stop();
    },
  };
}

let keys = 0;

function event(topic: string, type: string, key = `key-${++keys}`): FeedAppend {
  return { key, topic, at: 1_700_000_000_000, type, data: { type } };
}

/** An event of a sender that counts what it sends. */
function sent(topic: string, type: string, position: [sender: string, version: number, index: number], at = 1000) {
  const [sender, version, index] = position;
  return { ...event(topic, type), at, from: { sender, version, index } };
}

function events(topic: string, count: number): FeedAppend[] {
  return Array.from({ length: count }, (_, i) => event(topic, `e${i}`));
}

const types = (heard: readonly FeedEvent[]): string[] => heard.map(({ type }) => type);

const heardAll = (heard: readonly FeedEvent[], count: number): Promise<unknown> =>
  until(() => heard.length >= count, { what: `${count} events are heard`, timeoutMs: DEADLINE_MS });

for (const [name, create] of [
  ["MemoryFeed", memorySubject],
  ["RedisFeed", redisSubject],
] as const) {
  describe(`the feed contract of ${name}`, () => {
    let subject: Subject;
    let feed: Feed;

    before(async () => {
      subject = await create();
      feed = subject.feed;
    });

    after(() => subject.close());

    it("gives back what was appended, in order, with its topic, time, type and data", async () => {
      await feed.append([
        { key: "a", topic: "whole", at: 1, type: "one", data: { deep: [1, "two", null, { three: true }] } },
        { key: "b", topic: "whole", at: 2, type: "two", data: undefined },
      ]);
      const { events, reset } = await feed.read("whole", undefined);
      assert.equal(reset, false);
      assert.deepEqual(
        events.map(({ id, ...rest }) => rest),
        [
          { topic: "whole", at: 1, type: "one", data: { deep: [1, "two", null, { three: true }] } },
          { topic: "whole", at: 2, type: "two", data: null },
        ],
      );
      assert.notEqual(events[0]?.id, events[1]?.id);
    });

    it("gives nothing of a topic that nothing was appended to", async () => {
      assert.deepEqual(await feed.read("empty", undefined), { events: [], reset: false });
    });

    it("keeps an appended event apart from what its publisher does with the data later", async () => {
      const data = { count: 1 };
      await feed.append([{ ...event("apart", "one"), data }]);
      data.count = 2;
      assert.deepEqual((await feed.read("apart", undefined)).events[0]?.data, { count: 1 });
    });

    it("leaves out an event whose key was appended before, in the same call or in another", async () => {
      await feed.append([event("twice", "first", "k1"), event("twice", "again", "k1"), event("twice", "second", "k2")]);
      await feed.append([event("twice", "again", "k2"), event("twice", "third", "k3")]);
      assert.deepEqual(types((await feed.read("twice", undefined)).events), ["first", "second", "third"]);
    });

    it("leaves out a key that is appended by many callers at once", async () => {
      await Promise.all(Array.from({ length: 20 }, () => feed.append([event("race", "once", "race-key")])));
      assert.deepEqual(types((await feed.read("race", undefined)).events), ["once"]);
    });

    it("forgets a key once its window has passed", async () => {
      await feed.append([event("window", "before", "window-key")]);
      await subject.passDedupeWindow();
      await feed.append([event("window", "after", "window-key")]);
      assert.deepEqual(types((await feed.read("window", undefined)).events), ["before", "after"]);
    });

    it("leaves out what stands at or before the last that its sender appended, however long ago, in whichever topic", async () => {
      await feed.append([
        sent("marks", "1.0", ["m", 1, 0]),
        sent("marks-too", "2.0", ["m", 2, 0]),
        sent("marks", "2.1", ["m", 2, 1]),
      ]);
      await subject.passDedupeWindow();
      await subject.peer.append([
        ...[
          sent("marks", "again", ["m", 1, 0]),
          sent("marks-too", "again", ["m", 2, 0]),
          sent("marks", "again", ["m", 2, 1]),
        ],
        ...[sent("marks", "10.0", ["m", 10, 0]), sent("marks", "of another", ["m2", 1, 0])],
      ]);
      await feed.append([sent("marks", "again", ["m", 9, 0])]);
      assert.deepEqual(types((await feed.read("marks", undefined)).events), ["1.0", "2.1", "10.0", "of another"]);
      assert.deepEqual(types((await feed.read("marks-too", undefined)).events), ["2.0"]);
    });

    it("goes by positions alone where a sender counts: neither by keys, nor by what is younger", async () => {
      await feed.append([{ ...event("counted", "keyed", "same-key") }]);
      await feed.append([{ ...sent("counted", "7.0", ["c", 7, 0], 1000), key: "same-key" }]);
      await feed.append([sent("counted", "lower", ["c", 6, 0], 2000), sent("counted", "8.0", ["c", 8, 0], 900)]);
      assert.deepEqual(types((await feed.read("counted", undefined)).events), ["keyed", "7.0", "8.0"]);
    });

    it("tells positions apart that are microseconds of our time", async () => {
      const now = 1_796_000_000_000_000;
      await feed.append([sent("micros", "one", ["µ", now, 0]), sent("micros", "two", ["µ", now + 1, 0])]);
      await feed.append([sent("micros", "again", ["µ", now + 1, 0]), sent("micros", "three", ["µ", now + 2, 0])]);
      assert.deepEqual(types((await feed.read("micros", undefined)).events), ["one", "two", "three"]);
    });

    it("catches a reader up from its cursor, exclusively", async () => {
      await feed.append(events("cursor", 5));
      const all = (await feed.read("cursor", undefined)).events;
      const missed = await feed.read("cursor", all[1]!.id);
      assert.deepEqual(missed, { events: all.slice(2), reset: false });
      assert.deepEqual(await feed.read("cursor", all[4]!.id), { events: [], reset: false });
    });

    it("gives the newest events to a reader without a cursor, at most as many as it wants", async () => {
      await feed.append(events("newest", 5));
      assert.deepEqual(types((await feed.read("newest", undefined, 2)).events), ["e3", "e4"]);
    });

    it("resets a reader that missed more than it wants to read, and gives it the newest", async () => {
      await feed.append(events("far", 5));
      const [first] = (await feed.read("far", undefined)).events;
      const { events: newest, reset } = await feed.read("far", first!.id, 2);
      assert.equal(reset, true);
      assert.deepEqual(types(newest), ["e3", "e4"]);
    });

    it("keeps the newest thousand, and resets a reader whose cursor is no longer among them", async () => {
      await feed.append([event("full", "first")]);
      const [first] = (await feed.read("full", undefined)).events;
      await feed.append(events("full", 2 * FEED_KEEPS));
      const { events: kept, reset } = await feed.read("full", first!.id);
      assert.equal(reset, true);
      assert.equal(kept.length, FEED_KEEPS);
      assert.equal(kept.at(-1)?.type, `e${2 * FEED_KEEPS - 1}`);
      const oldest = await feed.read("full", undefined, 10 * FEED_KEEPS);
      assert.ok(oldest.events.length < 1.2 * FEED_KEEPS, `${oldest.events.length} events are kept`);
    });

    it("resets a reader whose cursor is nothing it could have had from here", async () => {
      await feed.append(events("strange", 2));
      for (const cursor of ["", "x", "-", "+", "$", "0-0", "1-1", "99999999999999999999999-0", "1-1 2", "∞"]) {
        const { events, reset } = await feed.read("strange", cursor);
        assert.equal(reset, true, `cursor ${JSON.stringify(cursor)}`);
        assert.deepEqual(types(events), ["e0", "e1"]);
      }
    });

    it("tells followers of a topic each of its new events once, in order, and no others", async () => {
      await feed.append(events("followed", 3));
      const heard: FeedEvent[] = [];
      const unfollow = await feed.follow(
        "followed",
        hearing((each) => heard.push(each)),
      );
      await feed.append([event("other", "no"), event("followed", "yes", "f1"), event("followed", "again", "f1")]);
      await feed.append([event("followed", "yes too")]);
      await heardAll(heard, 2);
      assert.deepEqual(types(heard), ["yes", "yes too"]);
      assert.deepEqual(heard, (await feed.read("followed", undefined, 2)).events);
      unfollow();
    });

    it("tells a topic's followers on every node", async () => {
      const here: FeedEvent[] = [];
      const there: FeedEvent[] = [];
      const ends = [
        await feed.follow(
          "nodes",
          hearing((each) => here.push(each)),
        ),
        await subject.peer.follow(
          "nodes",
          hearing((each) => there.push(each)),
        ),
      ];
      await Promise.all([feed.append(events("nodes", 50)), subject.peer.append(events("nodes", 50))]);
      await heardAll(here, 100);
      await heardAll(there, 100);
      assert.deepEqual(here, there);
      assert.deepEqual(here, (await feed.read("nodes", undefined)).events);
      for (const end of ends) end();
    });

    it("takes up topics while it waits for others, and many at once", async () => {
      const heard: FeedEvent[] = [];
      const topics = Array.from({ length: 40 }, (_, i) => `many-${i}`);
      const ends = await Promise.all(
        topics.map((topic) =>
          feed.follow(
            topic,
            hearing((each) => heard.push(each)),
          ),
        ),
      );
      await feed.append(topics.map((topic) => event(topic, "hello")));
      await heardAll(heard, topics.length);
      const late = await feed.follow(
        "many-late",
        hearing((each) => heard.push(each)),
      );
      await feed.append([event("many-late", "late")]);
      await heardAll(heard, topics.length + 1);
      assert.equal(new Set(heard.map(({ topic }) => topic)).size, topics.length + 1);
      for (const end of [...ends, late]) end();
    });

    it("tells a second follower of a topic only what comes after it began, and ends each by itself", async () => {
      const first: FeedEvent[] = [];
      const second: FeedEvent[] = [];
      const endFirst = await feed.follow(
        "pair",
        hearing((each) => first.push(each)),
      );
      await feed.append([event("pair", "one")]);
      const endSecond = await feed.follow(
        "pair",
        hearing((each) => second.push(each)),
      );
      await feed.append([event("pair", "two")]);
      await heardAll(first, 2);
      await heardAll(second, 1);
      endFirst();
      endFirst();
      await feed.append([event("pair", "three")]);
      await heardAll(second, 2);
      assert.deepEqual(types(first), ["one", "two"]);
      assert.deepEqual(types(second), ["two", "three"]);
      endSecond();
    });

    it("keeps telling the others when one listener throws", async () => {
      const heard: FeedEvent[] = [];
      const ends = [
        await feed.follow(
          "throws",
          hearing(() => {
            throw new Error("a listener's own fault");
          }),
        ),
        await feed.follow(
          "throws",
          hearing((each) => heard.push(each)),
        ),
      ];
      await feed.append(events("throws", 2));
      await heardAll(heard, 2);
      for (const end of ends) end();
    });

    describe("come back older than it was", () => {
      const newestOf = async (topic: string): Promise<string> => (await feed.read(topic, undefined)).events.at(-1)!.id;

      it("resets a reader whose cursor is lost, also when newer events have passed it", async () => {
        await feed.append(events("lost", 3));
        let cursor = "";
        const back = await subject.comeBackOlder(async () => {
          await feed.append([event("lost", "lost")]);
          cursor = await newestOf("lost");
        });
        assert.equal((await back.read("lost", cursor)).reset, true);
        await back.append(events("lost", 2));
        const { events: newest, reset } = await back.read("lost", cursor);
        assert.equal(reset, true);
        assert.deepEqual(types(newest).slice(-2), ["e0", "e1"]);
        assert.ok(!types(newest).includes("lost"));
      });

      it("resets a reader whose cursor is kept: what came after it may be lost", async () => {
        await feed.append(events("kept", 3));
        const cursor = await newestOf("kept");
        const back = await subject.comeBackOlder(() => feed.append([event("kept", "lost")]));
        await back.append([event("kept", "new")]);
        const { events: newest, reset } = await back.read("kept", cursor);
        assert.equal(reset, true);
        assert.equal(newest.at(-1)?.type, "new");
      });

      it("takes again what was lost, and nothing that was not", async () => {
        await feed.append([sent("retaken", "kept", ["l", 1, 0])]);
        const back = await subject.comeBackOlder(() => feed.append([sent("retaken", "lost", ["l", 2, 0])]));
        await back.append([sent("retaken", "kept", ["l", 1, 0]), sent("retaken", "lost", ["l", 2, 0])]);
        assert.deepEqual(types((await back.read("retaken", undefined)).events), ["kept", "lost"]);
      });

      it("takes its own cursors again from then on", async () => {
        const back = await subject.comeBackOlder(() => feed.append(events("anew", 3)));
        await back.append(events("anew", 3));
        const all = (await back.read("anew", undefined)).events;
        assert.deepEqual(await back.read("anew", all.at(-2)!.id), { events: all.slice(-1), reset: false });
        assert.deepEqual(await back.read("anew", all.at(-1)!.id), { events: [], reset: false });
      });
    });

    it("resets a reader whose cursor is of an earlier version of this server", async () => {
      await feed.append(events("earlier", 2));
      const [id] = (await feed.read("earlier", undefined)).events.map((each) => each.id.split(".")[0]!);
      assert.deepEqual(types((await feed.read("earlier", id)).events), ["e0", "e1"]);
      assert.equal((await feed.read("earlier", id)).reset, true);
    });

    it("refuses to serve once it is closed", async () => {
      const other = await create();
      await other.close();
      await assert.rejects(
        other.feed.follow(
          "closed",
          hearing(() => {}),
        ),
        { code: "unavailable" },
      );
      await assert.rejects(other.feed.append(events("closed", 1)), { code: "unavailable" });
      await assert.rejects(other.feed.read("closed", undefined), { code: "unavailable" });
    });
  });
}

describe("RedisFeed", () => {
  it("lets a topic that nobody appends to go in the end, and its marks before", async () => {
    const url = await freshRedisUrl();
    const client = new Redis(url);
    const feed = new RedisFeed(client, url);
    await feed.append([...events("idle", 3), sent("idle", "counted", ["idle", 1, 0])]);
    for (const key of await client.keys("*")) assert.ok((await client.pttl(key)) > 0, `${key} must expire`);
    await feed.close();
    client.disconnect();
  });

  it("goes by the positions that a node of the version before has stored, and stores them as that reads them", async () => {
    const url = await freshRedisUrl();
    const client = new Redis(url);
    const feed = new RedisFeed(client, url);
    await client.set("{feed}:sender:s", "5 1 1000 -1");
    await feed.append([sent("beside", "again", ["s", 5, 1], 2000), sent("beside", "next", ["s", 6, 0], 2000)]);
    assert.deepEqual(types((await feed.read("beside", undefined)).events), ["next"]);
    const [, version, index, at, anew] = /^(\S+) (\S+) (\S+) (\S+)$/.exec((await client.get("{feed}:sender:s"))!)!;
    assert.deepEqual([version, index, anew], ["6", "0", "-1"]);
    assert.ok(Number(at) > systemClock.now() + 1e12, "it takes nothing for younger than all");
    await feed.close();
    client.disconnect();
  });
});
