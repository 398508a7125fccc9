import assert from "node:assert/strict";
import type { Actor, ActorType } from "../../src/actors/runtime/Actor.ts";
import { DeadEvents } from "../../src/actors/runtime/DeadEvents.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { MOST_REFUSALS, MOST_REFUSED } from "../../src/actors/runtime/RefusedEvents.ts";
import type { Database } from "../../src/entities/sql.ts";
import type { FeedAppend } from "../../src/stores/feeds/Feed.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { openDatabase } from "../support/database.ts";
import { hearing } from "../support/hearing.ts";
import { CounterActor, kindOf, ManualClock, noMetrics, SimulatedNode } from "./simulation.ts";

const MINUTE_MS = 60_000;

class Herald extends CounterActor {
  static override readonly kind: string = "herald";

  async herald(...words: string[]): Promise<void> {
    for (const word of words) this.publish("news", { type: "said", data: word });
  }
}

/** A feed that takes nothing of a batch in which one is that it refuses. */
class RefusingFeed extends MemoryFeed {
  /** What it refuses, by its data. */
  readonly refused = new Set<unknown>();
  isAway = false;
  /** How many appends fail after one that is refused, whatever they bring: it has cost the connection. */
  costs = 0;
  #away = 0;
  appends = 0;

  override async append(events: readonly FeedAppend[]): Promise<void> {
    this.appends += 1;
    if (this.isAway) throw new Error("out of reach");
    if (this.#away > 0) {
      this.#away -= 1;
      throw new Error("the connection is closed");
    }
    if (events.some(({ data }) => this.refused.has(data))) {
      this.#away = this.costs;
      throw new Error("too large");
    }
    return super.append(events);
  }
}

describe("an event that its feed refuses (simulated cluster)", () => {
  let database: Database;
  let clock: ManualClock;
  let hub: MemoryHub;
  let feed: RefusingFeed;
  let news: unknown[];
  let dead: string[];
  let lag: () => number;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    clock = new ManualClock();
    hub = new MemoryHub();
    feed = new RefusingFeed(clock);
    news = [];
    dead = [];
    await feed.follow(
      "news",
      hearing(({ data }) => news.push(data)),
    );
  });
  afterEach(() => database.close());

  async function start(id: string): Promise<SimulatedNode> {
    const kinds = [kindOf(Herald as unknown as ActorType<Actor<unknown>>)];
    const metrics = {
      ...noMetrics,
      deadLetter: (kind: string) => void dead.push(kind),
      outboxLag: (read: () => { events: number }) => {
        lag = () => read().events;
      },
    };
    const node = new SimulatedNode({ id, hub, database, clock, feed }, kinds, { idleMs: 1e12, metrics });
    await node.actors.start();
    await clock.advance(600);
    return node;
  }

  const within = <T>(ms: number, call: Promise<T>): Promise<T> => clock.within(ms, call, 50);
  const herald = (node: SimulatedNode, id: string, ...words: string[]): Promise<void> =>
    within(2000, node.actors.ref(Herald, id).herald(...words));
  const rows = async (): Promise<number> =>
    Number((await database.query<{ n: number }>("SELECT COUNT(*) AS n FROM actor_events"))[0]!.n);

  it("holds up nobody but its actor, and becomes a dead letter in minutes, after which that goes on in order", async () => {
    feed.refused.add("bad");
    const node = await start("a");
    await Promise.all([herald(node, "x", "1", "bad", "2"), herald(node, "y", "other")]);
    await herald(node, "x", "3");
    await herald(node, "y", "later");
    await clock.advance(1000);
    assert.deepEqual(news.toSorted(), ["1", "later", "other"]);
    assert.deepEqual(await node.actors.deadLetters.list(10), []);
    await clock.advance(4 * MINUTE_MS);
    assert.deepEqual(news.slice(3), ["2", "3"]);
    assert.equal(await rows(), 0);
    const [letter, ...more] = await node.actors.deadLetters.list(10);
    assert.deepEqual(more, []);
    const { from, createdAt, diedAt, ...rest } = letter!;
    const [actor] = await database.query<{ version: number }>("SELECT version FROM actors WHERE id = 'x'");
    assert.deepEqual(from, { kind: "herald", id: "x", version: Number(actor!.version) - 1, index: 1 });
    assert.ok(diedAt - createdAt > MINUTE_MS && diedAt - createdAt < 4 * MINUTE_MS, `after ${diedAt - createdAt} ms`);
    assert.deepEqual(rest, {
      topic: "news",
      type: "said",
      attempts: MOST_REFUSALS,
      error: "internal: Something failed on our side; it has been logged.",
    });
    assert.deepEqual(dead, ["event"]);
    await herald(node, "x", "4");
    await clock.advance(100);
    assert.deepEqual(news.slice(3), ["2", "3", "4"]);
  });

  it("leaves nothing behind where its burial happened and the answer was lost", async () => {
    const { bury } = DeadEvents.prototype;
    let isLost = false;
    DeadEvents.prototype.bury = async function (...args) {
      const end = await bury.apply(this, args);
      if (!isLost) {
        isLost = true;
        dead = [];
        throw new Error("the connection is closed");
      }
      return end;
    };
    try {
      feed.refused.add("bad");
      const node = await start("a");
      await herald(node, "x", "bad", "2");
      await clock.advance(8 * MINUTE_MS);
      assert.deepEqual([isLost, news, dead, await rows(), lag()], [true, ["2"], ["event"], 0, 0]);
    } finally {
      DeadEvents.prototype.bury = bury;
    }
  });

  it("is published in its order when it is taken after all", async () => {
    feed.refused.add("bad");
    const node = await start("a");
    await herald(node, "x", "1", "bad", "2");
    await clock.advance(20_000);
    feed.refused.clear();
    await herald(node, "x", "3");
    await clock.advance(30_000);
    assert.deepEqual(news, ["1", "bad", "2", "3"]);
    assert.deepEqual(await node.actors.deadLetters.list(10), []);
    assert.equal(await rows(), 0);
  });

  it("is found where each time it costs the connection to the store", async () => {
    feed.refused.add("bad");
    feed.costs = 3;
    const node = await start("a");
    await herald(node, "x", "bad", "2");
    await herald(node, "y", "other");
    await clock.advance(8 * MINUTE_MS);
    assert.deepEqual(news, ["other", "2"]);
    assert.deepEqual(dead, ["event"]);
  });

  it("is no event's doing while the feed takes nothing, however long", async () => {
    const node = await start("a");
    feed.isAway = true;
    await herald(node, "x", "1", "2");
    await herald(node, "y", "3");
    await clock.advance(15 * MINUTE_MS);
    assert.deepEqual([news, dead, await rows()], [[], [], 3]);
    feed.isAway = false;
    await clock.advance(10_000);
    assert.deepEqual(news.toSorted(), ["1", "2", "3"]);
    assert.equal(await rows(), 0);
  });

  it("counts no refusal while the feed takes nothing", async () => {
    feed.refused.add("bad");
    const node = await start("a");
    await herald(node, "x", "bad", "2");
    await clock.advance(5000);
    feed.isAway = true;
    await clock.advance(15 * MINUTE_MS);
    feed.refused.clear();
    feed.isAway = false;
    await clock.advance(2 * MINUTE_MS);
    assert.deepEqual([news, dead], [["bad", "2"], []]);
  });

  it("comes when an operator replays it, once, and never when it is discarded", async () => {
    feed.refused.add("bad").add("worse");
    const node = await start("a");
    await herald(node, "x", "bad", "1", "worse", "2");
    await clock.advance(8 * MINUTE_MS);
    const [worse, bad] = await node.actors.deadLetters.list(10);
    assert.deepEqual(news, ["1", "2"]);
    await assert.rejects(node.actors.deadLetters.replay(bad!.from), /too large/);
    assert.equal((await node.actors.deadLetters.list(10)).length, 2, "it is kept");
    feed.refused.clear();
    await Promise.allSettled([node.actors.deadLetters.replay(bad!.from), node.actors.deadLetters.replay(bad!.from)]);
    await node.actors.deadLetters.discard(worse!.from);
    assert.deepEqual(news, ["1", "2", "bad"]);
    assert.deepEqual(await node.actors.deadLetters.list(10), []);
    for (const { from } of [bad!, worse!]) {
      await assert.rejects(node.actors.deadLetters.replay(from), { code: "not_found" });
      await assert.rejects(node.actors.deadLetters.discard(from), { code: "not_found" });
    }
  });

  it("is given up by the next owner where its node dies, and holds up nobody there", async () => {
    feed.refused.add("bad");
    const a = await start("a");
    await herald(a, "x", "1", "bad", "2");
    await clock.advance(10_000);
    await a.crash();
    const b = await start("b");
    await clock.advance(15_000);
    await herald(b, "x", "3");
    await herald(b, "y", "other");
    await clock.advance(500);
    assert.deepEqual(news, ["1", "other"]);
    await clock.advance(5 * MINUTE_MS);
    assert.deepEqual(news, ["1", "other", "2", "3"]);
    assert.equal(await rows(), 0);
  });

  it("costs few further appends, however many of others come with it", async () => {
    feed.refused.add("bad");
    const node = await start("a");
    feed.isAway = true;
    for (let at = 0; at < 300; at += 1) await herald(node, `o${at}`, `${at}`);
    await herald(node, "x", "bad");
    await clock.advance(6000);
    const before = feed.appends;
    feed.isAway = false;
    await clock.advance(6000);
    assert.equal(news.length, 300);
    assert.ok(feed.appends - before < 100, `${feed.appends - before} appends`);
  });

  it(`comes where more than ${MOST_REFUSED} actors had one refused and the feed takes it after all`, async () => {
    const words = Array.from({ length: MOST_REFUSED + 5 }, (_, at) => `w${at}`);
    for (const word of words) feed.refused.add(word);
    const node = await start("a");
    await within(60_000, Promise.all(words.map((word) => node.actors.ref(Herald, word).herald(word))));
    await clock.advance(2000);
    feed.refused.clear();
    await clock.advance(5 * MINUTE_MS);
    assert.deepEqual(news.toSorted(), words.toSorted());
    assert.deepEqual([dead, await rows()], [[], 0]);
  }).timeout(120_000);

  it(`holds up no other actor's where more than ${MOST_REFUSED} are refused for good, and all become dead letters`, async () => {
    const words = Array.from({ length: MOST_REFUSED + 5 }, (_, at) => `w${at}`);
    for (const word of words) feed.refused.add(word);
    const node = await start("a");
    await within(60_000, Promise.all(words.map((word) => node.actors.ref(Herald, word).herald(word))));
    await clock.advance(2000);
    await herald(node, "y", "other");
    await clock.advance(10_000);
    assert.deepEqual(news, ["other"]);
    await clock.advance(10 * MINUTE_MS);
    assert.deepEqual([dead.length, await rows(), lag()], [MOST_REFUSED + 5, 0, 0]);
  }).timeout(240_000);
});
