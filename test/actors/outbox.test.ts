import assert from "node:assert/strict";
import type { Actor, ActorType } from "../../src/actors/runtime/Actor.ts";
import { ActorStore } from "../../src/actors/runtime/ActorStore.ts";
import type { DeadLetter } from "../../src/actors/runtime/DeadLetters.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { LEAST_UNREACHED, LONGEST_UNREACHED_MS, MOST_ATTEMPTS } from "../../src/actors/runtime/MessagePump.ts";
import { MessageTable } from "../../src/actors/runtime/MessageTable.ts";
import { MOST_GAPS } from "../../src/actors/runtime/marks.ts";
import { OutboxEvents } from "../../src/actors/runtime/OutboxEvents.ts";
import type { Database } from "../../src/entities/sql.ts";
import { RingmasterError } from "../../src/errors.ts";
import { FEED_DEDUPE_MS, type FeedAppend } from "../../src/stores/feeds/Feed.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { openDatabase } from "../support/database.ts";
import { hearing } from "../support/hearing.ts";
import { makeActor } from "./madeActor.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

const HOUR_MS = 3_600_000;

/** A node's way to the feed of all nodes, which a test can close. */
class GatedFeed extends MemoryFeed {
  isClosed = false;
  /** What is appended is under way until this resolves. */
  held: Promise<void> | undefined;
  readonly #base: MemoryFeed;

  constructor(base: MemoryFeed, clock: ManualClock) {
    super(clock);
    this.#base = base;
  }

  override async append(events: readonly FeedAppend[]): Promise<void> {
    await this.held;
    if (this.isClosed) throw new RingmasterError("unavailable");
    await this.#base.append(events);
  }
}

/** Tells a list what comes to its mind. */
class Sender extends CounterActor {
  static override readonly kind: string = "sender";

  async say(to: string, ...words: string[]): Promise<void> {
    for (const word of words) this.send(Listener, to).hear(word);
  }

  async sayToNobody(...words: string[]): Promise<void> {
    for (const word of words) this.send(Nobodys, "l").hear(word);
  }

  async announceAll(...words: string[]): Promise<void> {
    for (const word of words) this.publish("news", { type: "said", data: word });
  }
}

/** Keeps what it has heard, in the order heard; some words it cannot bear. */
class Listener extends CounterActor {
  static override readonly kind: string = "listener";
  static unbearable = new Set<string>();
  static refused = new Set<string>();

  async hear(word: string): Promise<void> {
    const state = this.state as unknown as { heard?: string[] };
    state.heard = [...(state.heard ?? []), word];
    if (Listener.refused.has(word)) throw new RingmasterError("wrong_phase");
    if (Listener.unbearable.has(word)) throw new Error("unbearable");
  }

  async all(): Promise<string[]> {
    return (this.state as unknown as { heard?: string[] }).heard ?? [];
  }
}

/** No node knows this kind. */
class Nobodys extends Listener {
  static override readonly kind: string = "nobodys";
}

describe("what actors tell each other and the feeds (simulated cluster)", () => {
  let database: Database;
  let clock: ManualClock;
  let hub: MemoryHub;
  let feed: MemoryFeed;
  let news: unknown[];

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
    clock = new ManualClock();
    hub = new MemoryHub();
    feed = new MemoryFeed(clock);
    news = [];
    await feed.follow(
      "news",
      hearing(({ data }) => news.push(data)),
    );
    Listener.unbearable = new Set();
    Listener.refused = new Set();
  });

  afterEach(() => database.close());

  type Node = SimulatedNode & { gate: GatedFeed };

  async function start(
    id: string,
    types = [Sender, Listener],
    options: ConstructorParameters<typeof SimulatedNode>[2] = {},
  ): Promise<Node> {
    const gate = new GatedFeed(feed, clock);
    const kinds = types.map((type) => kindOf(type as unknown as ActorType<Actor<unknown>>));
    const node = new SimulatedNode({ id, hub, database, clock, feed: gate }, kinds, { idleMs: 1e12, ...options });
    await node.actors.start();
    await clock.advance(600);
    return Object.assign(node, { gate });
  }

  const within = <T>(ms: number, call: Promise<T>): Promise<T> => clock.within(ms, call, 50);
  const sender = (node: SimulatedNode, id = "t") => node.actors.ref(Sender, id);
  const heardBy = (node: SimulatedNode, id: string): Promise<string[]> =>
    within(2000, node.actors.ref(Listener, id).all());
  const versionOf = async (kind: string): Promise<number> =>
    Number(
      (await database.query<{ version: number }>("SELECT version FROM actors WHERE kind = ?", [kind]))[0]!.version,
    );
  const rowsOf = async (table: string): Promise<number> =>
    Number((await database.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`))[0]!.n);
  const words = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, at) => `${prefix}${at}`);

  it("publishes and sends nothing of a new owner before what its predecessor has committed, which yet drains", async () => {
    const a = await start("a");
    const held = Promise.withResolvers<void>();
    a.gate.held = held.promise;
    a.life.onOperation = (_when, statement) =>
      /gaps FROM actor_marks/.test(statement) ? "lose connection" : undefined;
    await within(500, sender(a).announceAll("1", "2"));
    await within(500, sender(a).say("l", "1", "2"));
    const b = await start("b");
    const drained = a.actors.drain();
    await clock.advance(200);
    await within(2000, sender(b).announceAll("3"));
    await within(2000, sender(b).say("l", "3"));
    await clock.advance(2000);
    assert.deepEqual(news, ["1", "2", "3"]);
    assert.deepEqual(await heardBy(b, "l"), ["1", "2", "3"]);
    held.resolve();
    await clock.advance(1000);
    await drained;
    await a.crash();
    await clock.advance(20_000);
    assert.deepEqual(news, ["1", "2", "3"]);
    assert.deepEqual(await heardBy(b, "l"), ["1", "2", "3"]);
    assert.equal((await rowsOf("actor_events")) + (await rowsOf("actor_tells")), 0);
  });

  it("keeps the order of an actor's events while the feed is away and more come than there is memory for", async () => {
    const a = await start("a");
    a.gate.isClosed = true;
    const all = words("w", 10_500);
    for (let at = 0; at < all.length; at += 1500) await within(500, sender(a).announceAll(...all.slice(at, at + 1500)));
    a.gate.isClosed = false;
    await clock.advance(200);
    await within(500, sender(a).announceAll("last"));
    await clock.advance(10_000);
    assert.deepEqual(news, [...all, "last"]);
    assert.equal(await rowsOf("actor_events"), 0);
  });

  it("publishes nothing again that a peer took over and published, though the feed has forgotten it by now", async () => {
    const a = await start("a");
    a.gate.isClosed = true;
    await within(500, sender(a).announceAll("once"));
    await database.write("UPDATE actor_events SET owner = 'b'");
    await start("b");
    await clock.advance(30_000);
    assert.deepEqual([news, await rowsOf("actor_events")], [["once"], 0]);

    await clock.advance(FEED_DEDUPE_MS);
    a.gate.isClosed = false;
    await clock.advance(30_000);
    assert.deepEqual(news, ["once"]);
  });

  it("publishes nothing again whose node has died before it could delete it, however late the next one comes", async () => {
    const a = await start("a");
    await within(500, sender(a).announceAll("before"));
    a.life.onOperation = (when, statement) =>
      when === "before" && statement.startsWith("DELETE FROM actor_events") ? "crash" : undefined;
    await within(500, sender(a).announceAll("one", "two"));
    await clock.advance(500);
    assert.deepEqual([news, await rowsOf("actor_events"), a.crashed], [["before", "one", "two"], 2, true]);

    await clock.advance(20 * FEED_DEDUPE_MS);
    const b = await start("b");
    await within(5000, sender(b).announceAll("three"));
    await clock.advance(30_000);
    assert.deepEqual([news, await rowsOf("actor_events")], [["before", "one", "two", "three"], 0]);
  });

  it("publishes nothing again whose row it could not delete for longer than the feed remembers", async () => {
    const a = await start("a");
    let isAway = false;
    a.life.onOperation = (when, statement) => {
      isAway ||= when === "before" && statement.startsWith("DELETE FROM actor_events");
      return isAway
        ? { refuse: Object.assign(new Error("gone"), { code: "ECONNREFUSED", syscall: "connect" }) }
        : undefined;
    };
    await within(500, sender(a).announceAll("once"));
    await clock.advance(2 * FEED_DEDUPE_MS);
    assert.deepEqual([news, await rowsOf("actor_events")], [["once"], 1]);
    a.life.onOperation = () => undefined;
    await clock.advance(30_000);
    assert.deepEqual([news, await rowsOf("actor_events")], [["once"], 0]);
  });

  it("loses no tell to a receiver whose database refuses to write, and has it take effect once", async () => {
    let isReadOnly = false;
    class ReadOnly extends ActorStore {
      override async write(...args: Parameters<ActorStore["write"]>): ReturnType<ActorStore["write"]> {
        if (isReadOnly && args[1].kind === Listener.kind)
          throw Object.assign(new Error("running with the --read-only option"), {
            ...{ code: "ER_OPTION_PREVENTS_STATEMENT", errno: 1290, sqlState: "HY000" },
          });
        return super.write(...args);
      }
    }
    const a = await start("a", undefined, { makeStore: (base, id) => new ReadOnly(base, id) });
    isReadOnly = true;
    await within(500, sender(a).say("l", "goOn"));
    await clock.advance(500);
    isReadOnly = false;
    await clock.advance(2000);
    assert.deepEqual(await heardBy(a, "l"), ["goOn"]);
    assert.equal(await rowsOf("actor_tells"), 0);
  });

  it("drops a message only on its receiver's own typed refusal, which holds up nothing", async () => {
    Listener.refused.add("no");
    const a = await start("a");
    await within(500, sender(a).say("l", "no", "yes"));
    await clock.advance(500);
    assert.deepEqual(await heardBy(a, "l"), ["yes"]);
    assert.equal((await rowsOf("actor_tells")) + (await rowsOf("actor_dead_letters")), 0);
  });

  it("keeps what something on the way refuses, and not its receiver", async () => {
    let isRefusing = true;
    const hosts = (): boolean => {
      if (isRefusing) throw new RingmasterError("not_found");
      return true;
    };
    const kinds = [Sender, Listener].map((type) => kindOf(type as unknown as ActorType<Actor<unknown>>));
    const node = new SimulatedNode({ id: "a", hub, database, clock, feed }, [kinds[0]!, { ...kinds[1]!, hosts }]);
    await node.actors.start();
    await clock.advance(600);
    await within(500, sender(node).say("l", "1"));
    await clock.advance(1000);
    isRefusing = false;
    await clock.advance(6000);
    assert.deepEqual(await heardBy(node, "l"), ["1"]);
  });

  it("is heard of an actor whose row is made again", async () => {
    const a = await start("a");
    await within(500, sender(a).say("l", "1", "2"));
    await within(500, sender(a).say("l", "3"));
    await clock.advance(1000);
    await a.crash();
    await database.write("DELETE FROM actors WHERE kind = 'sender'");
    const b = await start("b");
    await within(5000, sender(b).say("l", "made again"));
    await clock.advance(15_000);
    assert.deepEqual(await heardBy(b, "l"), ["1", "2", "3", "made again"]);
  });

  it("deletes no row that is another node's by now", async () => {
    const id = { kind: "sender", id: "t", version: 1, index: 0 };
    await database.write(
      `INSERT INTO actor_tells (kind, id, version, idx, owner, target_kind, target_id, message, created_at, attempts)
       VALUES ('sender', 't', 1, 0, 'peer', 'listener', 'l', '{}', 0, 0)`,
    );
    await database.write(
      "INSERT INTO actor_events (kind, id, version, idx, owner, message) VALUES ('sender', 't', 1, 0, 'peer', '{}')",
    );
    await new MessageTable(database, "me").delete([id]);
    await new OutboxEvents(database, "me").delete([id]);
    assert.equal((await rowsOf("actor_tells")) + (await rowsOf("actor_events")), 2);
    await new MessageTable(database, "peer").delete([id]);
    await new OutboxEvents(database, "peer").delete([id]);
    assert.equal((await rowsOf("actor_tells")) + (await rowsOf("actor_events")), 0);
  });

  it("tries what fails in its receiver's hands ever more seldom, while what others tell it goes on", async () => {
    Listener.unbearable.add("bad");
    const a = await start("a");
    await within(500, sender(a, "one").say("l", "bad", ...words("after", 100)));
    await within(500, sender(a, "two").say("l", ...words("w", 100)));
    await clock.advance(3000);
    assert.deepEqual(await heardBy(a, "l"), words("w", 100));
    const [row] = await database.query<{ attempts: number; error: string }>(
      "SELECT attempts, error FROM actor_tells WHERE error IS NOT NULL",
    );
    assert.ok(row!.attempts >= 4 && row!.attempts <= 6, `${row!.attempts} attempts`);
    assert.match(row!.error, /^internal/);
  });

  it("makes a dead letter of what has failed for an hour, goes on with the rest, and replays it once under its old key", async () => {
    Listener.unbearable.add("bad");
    let a = await start("a");
    await within(500, sender(a).say("l", "1", "bad", "2"));
    const said = await versionOf("sender");
    // The attempts are counted on whichever node.
    await clock.advance(60_000);
    await a.crash();
    a = await start("b");
    for (let hours = 0; hours < 4 && (await rowsOf("actor_dead_letters")) === 0; hours += 1)
      await clock.advance(HOUR_MS);
    assert.deepEqual(await heardBy(a, "l"), ["1", "2"]);
    const [letter, ...others] = await a.actors.deadLetters.list(10);
    assert.deepEqual(others, []);
    assert.deepEqual(
      { ...letter, createdAt: 0, diedAt: 0 },
      {
        from: { kind: "sender", id: "t", version: said, index: 1 },
        to: { kind: "listener", id: "l" },
        ...{ method: "hear", createdAt: 0, diedAt: 0, attempts: MOST_ATTEMPTS, unreached: 0 },
        error: "internal: Something failed on our side; it has been logged.",
      },
    );
    await within(500, sender(a).say("l", "3"));
    Listener.unbearable.clear();
    await within(500, a.actors.deadLetters.replay(letter!.from));
    await clock.advance(500);
    assert.deepEqual(await heardBy(a, "l"), ["1", "2", "3", "bad"]);
    await assert.rejects(within(500, a.actors.deadLetters.replay(letter!.from)), { code: "not_found" });
    // As after a crash between the delivery and its deletion.
    await database.write(
      `INSERT INTO actor_tells (kind, id, version, idx, owner, target_kind, target_id, message, created_at, attempts)
       VALUES ('sender', 't', ?, 1, 'b', 'listener', 'l', ?, 0, 0)`,
      [said, JSON.stringify({ method: "hear", args: ["bad"] })],
    );
    await clock.advance(15_000);
    assert.equal(await rowsOf("actor_tells"), 0);
    assert.deepEqual(await heardBy(a, "l"), ["1", "2", "3", "bad"]);
  }).timeout(30_000);

  it("counts what does not reach its receiver apart from what fails in its hands", async () => {
    Listener.unbearable.add("bad");
    let a = await start("a");
    await makeActor(new ActorStore(database, "a"), database, { kind: "listener", id: "l" });
    await a.crash();
    // A quarantine of two hours: nobody reaches it.
    await database.write("UPDATE actors SET crashes = 4, owner = NULL WHERE id = 'l'");
    a = await start("b");
    await within(500, sender(a).say("l", "bad", "good"));
    await clock.advance(10 * 60_000);
    const counts = async () =>
      (
        await database.query<{ attempts: number; unreached: number }>("SELECT attempts, unreached FROM actor_tells")
      )[0]!;
    const before = await counts();
    assert.ok(before.attempts === 0 && before.unreached > MOST_ATTEMPTS, JSON.stringify(before));
    await database.write("UPDATE actors SET crashes = 0 WHERE id = 'l'");
    await clock.advance(5 * 60_000);
    assert.equal(await rowsOf("actor_dead_letters"), 0, "its receiver has had it for minutes only");
    const after = await counts();
    assert.equal(after.unreached, before.unreached);
    assert.ok(after.attempts >= 8 && after.attempts < MOST_ATTEMPTS, JSON.stringify(after));
    for (let hours = 0; hours < 4 && (await rowsOf("actor_dead_letters")) === 0; hours += 1)
      await clock.advance(HOUR_MS);
    const [letter] = (await a.actors.deadLetters.list(10)) as DeadLetter[];
    assert.deepEqual([letter?.attempts, letter?.unreached], [MOST_ATTEMPTS, before.unreached]);
    assert.deepEqual(await heardBy(a, "l"), ["good"]);
  }).timeout(60_000);

  /** As if all that waits had been tried for a day: each becomes a dead letter when it fails once more. */
  async function growOld(node: SimulatedNode): Promise<Node> {
    await node.crash();
    await database.write("UPDATE actor_tells SET attempts = ?, unreached = ?, created_at = created_at - ?", [
      MOST_ATTEMPTS - 1,
      LEAST_UNREACHED - 1,
      LONGEST_UNREACHED_MS,
    ]);
    const next = await start(`${node.id}+`);
    await clock.advance(15_000);
    return next;
  }

  it("never delivers a dead letter that was discarded", async () => {
    Listener.unbearable.add("bad");
    let a = await start("a");
    await within(500, sender(a).say("l", "bad", "good"));
    a = await growOld(a);
    const [letter] = await a.actors.deadLetters.list(10);
    await within(500, a.actors.deadLetters.discard(letter!.from));
    assert.deepEqual(await a.actors.deadLetters.list(10), []);
    assert.deepEqual(await database.query("SELECT gaps FROM actor_marks"), [{ gaps: "[]" }]);
    assert.deepEqual(await heardBy(a, "l"), ["good"]);
  });

  it("makes no dead letter of what cannot reach its receiver before a day is over", async () => {
    const a = await start("a");
    await within(500, sender(a).sayToNobody("w"));
    await a.crash();
    await database.write("UPDATE actor_tells SET unreached = 1000, created_at = created_at - ?", [
      LONGEST_UNREACHED_MS - HOUR_MS,
    ]);
    await start("b");
    await clock.advance(60_000);
    assert.equal(await rowsOf("actor_dead_letters"), 0);
    assert.equal(await rowsOf("actor_tells"), 1);
  });

  it("lets no more dead letters be from one sender to one receiver than there may be gaps", async () => {
    let a = await start("a");
    await within(500, a.actors.ref(Listener, "l").add(1));
    await a.crash();
    await database.write("UPDATE actors SET crashes = 9, owner = NULL");
    a = await start("b");
    const all = words("w", MOST_GAPS + 2);
    await within(500, sender(a).say("l", ...all));
    a = await growOld(a);
    assert.equal(await rowsOf("actor_dead_letters"), MOST_GAPS);
    assert.equal(await rowsOf("actor_tells"), 2);
    await database.write("UPDATE actors SET crashes = 0");
    await clock.advance(120_000);
    assert.deepEqual(await heardBy(a, "l"), all.slice(MOST_GAPS));
    for (const { from } of await a.actors.deadLetters.list(100)) await within(500, a.actors.deadLetters.replay(from));
    await clock.advance(2000);
    assert.deepEqual((await heardBy(a, "l")).toSorted(), all.toSorted());
    assert.deepEqual(await database.query("SELECT gaps FROM actor_marks"), [{ gaps: "[]" }]);
  });

  for (const what of ["in quarantine", "of a kind that nobody hosts"]) {
    it(`holds up no event and no other message for 10,000 messages to one actor ${what}, and keeps a few in memory`, async () => {
      const a = await start("a");
      await within(500, a.actors.ref(Listener, "l").add(1));
      await a.crash();
      await database.write("UPDATE actors SET crashes = 9, owner = NULL WHERE id = 'l'");
      const b = await start("b");
      const tell = (some: string[]) =>
        what === "in quarantine" ? sender(b).say("l", ...some) : sender(b).sayToNobody(...some);
      for (let at = 0; at < 10; at += 1) await within(2000, tell(words("w", 1000)));
      let reads = 0;
      b.life.onOperation = (when, statement) => {
        if (when === "after" && /message, created_at.*FROM actor_tells/s.test(statement)) reads += 1;
        return undefined;
      };
      for (let at = 0; at < 30; at += 1) await within(2000, sender(b).say(`other${at}`, `o${at}`));
      await within(500, sender(b).announceAll("event"));
      await clock.advance(1000);
      for (let at = 0; at < 30; at += 1) assert.deepEqual(await heardBy(b, `other${at}`), [`o${at}`]);
      assert.deepEqual(news, ["event"]);
      assert.ok(reads < 100, `${reads} reads`);
      assert.equal(await rowsOf("actor_tells"), 10_000);
      // A successor begins with all of them.
      await b.crash();
      const c = await start("c");
      await clock.advance(15_000);
      await within(2000, sender(c).say("other0", "again"));
      await clock.advance(1000);
      assert.deepEqual(await heardBy(c, "other0"), ["o0", "again"]);
    }).timeout(60_000);
  }

  it("delivers 1,000 messages to one slow actor in order, and others' meanwhile", async () => {
    class Slow extends Listener {
      static override readonly kind: string = "listener";
      override async hear(word: string): Promise<void> {
        if (this.id === "slow") await new Promise<void>((resolve) => void clock.schedule(resolve, 20));
        await super.hear(word);
      }
    }
    const a = await start("a", [Sender, Slow]);
    for (let at = 0; at < 10; at += 1) await within(2000, sender(a).say("slow", ...words(`w${at}-`, 100)));
    await within(500, sender(a).say("quick", "q"));
    await clock.advance(200);
    assert.deepEqual(await heardBy(a, "quick"), ["q"]);
    await clock.advance(30_000);
    const expected = words("w", 10).flatMap((prefix) => words(`${prefix}-`, 100));
    assert.deepEqual(await heardBy(a, "slow"), expected);
  }).timeout(60_000);

  it("delivers what nodes of the version before have left, under the keys that those know it by", async () => {
    const a = await start("a");
    const old = (seq: number, message: object) =>
      database.write("INSERT INTO actor_outbox (seq, owner, message) VALUES (?, 'old', ?)", [
        seq,
        JSON.stringify(message),
      ]);
    const tell = (word: string) => ({ type: "tell", kind: "listener", id: "l", method: "hear", args: [word] });
    const event = (data: string) => ({ type: "event", topic: "news", at: 1, event: { type: "said", data } });
    for (const [at, message] of [tell("1"), event("a"), tell("2"), tell("3"), event("b")].entries())
      await old(at + 7, message);
    // The old node has told the second one, and published the first, before it went.
    await database.write(
      "INSERT INTO actor_requests (kind, id, request_id, response, created_at) VALUES ('listener', 'l', 'o9', '{}', 0)",
    );
    await feed.append([{ key: "o8", topic: "news", at: 1, type: "said", data: "a" }]);
    await clock.advance(20_000);
    assert.deepEqual(await heardBy(a, "l"), ["1", "3"]);
    assert.deepEqual(news, ["a", "b"]);
    assert.equal(await rowsOf("actor_outbox"), 0);
  });

  it("does not repeat what a node of the version before has taken, which goes by request ids", async () => {
    const a = await start("a");
    await within(500, sender(a).say("l", "1"));
    await clock.advance(500);
    const { messageRequestId } = await import("../../src/actors/runtime/messages.ts");
    const id = { kind: "sender", id: "t", version: (await versionOf("sender")) + 1, index: 0 };
    await database.write(
      "INSERT INTO actor_requests (kind, id, request_id, response, created_at) VALUES ('listener', 'l', ?, '{}', 0)",
      [messageRequestId(id)],
    );
    await database.write(
      `INSERT INTO actor_tells (kind, id, version, idx, owner, target_kind, target_id, message, created_at, attempts)
       VALUES ('sender', 't', ?, 0, 'a', 'listener', 'l', ?, 0, 0)`,
      [id.version, JSON.stringify({ method: "hear", args: ["2"] })],
    );
    await clock.advance(15_000);
    assert.deepEqual(await heardBy(a, "l"), ["1"]);
    assert.equal(await rowsOf("actor_tells"), 0);
  });

  it("fails the turn that sends to an actor whose id no column can hold", async () => {
    const a = await start("a");
    await assert.rejects(within(500, sender(a).say("x".repeat(129), "w")), { code: "invalid_payload" });
  });
});
