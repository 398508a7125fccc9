import assert from "node:assert/strict";
import { Actor, type ActorType, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { copyOf, copyOfArgs, isSame } from "../../src/actors/runtime/values.ts";
import type { Database } from "../../src/entities/sql.ts";
import { RingmasterError } from "../../src/errors.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { openDatabase } from "../support/database.ts";
import { kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

interface Item {
  name: string;
  tags: string[];
}

/** Keeps what it is given as it is given, and answers with what it keeps. */
class KeeperActor extends Actor<{ items: Item[] }> {
  static readonly kind = "keeper";
  static initial(): { items: Item[] } {
    return { items: [] };
  }
  readonly timers: TimerHandlers = {};

  async keep(item: Item): Promise<Item> {
    this.state.items.push(item);
    return this.state.items.at(-1)!;
  }

  async items(): Promise<Item[]> {
    return this.state.items;
  }

  async touch(): Promise<void> {
    this.state.items.push({ name: "touched", tags: [] });
  }

  async refuse(): Promise<void> {
    throw new RingmasterError("conflict", "as asked", { items: this.state.items });
  }

  async takeFirst(tags: string[]): Promise<string | undefined> {
    const first = tags.shift();
    this.state.items.push({ name: first ?? "none", tags: [] });
    return first;
  }

  async answerWith(what: string): Promise<unknown> {
    this.state.items.push({ name: "answered", tags: [] });
    return ODD[what];
  }

  async storeOdd(what: string): Promise<void> {
    this.state.items.push(ODD[what] as Item);
  }

  async orElse(name: string, tag = "none"): Promise<string> {
    return `${name} ${tag}`;
  }

  async tellLater(item: Item): Promise<void> {
    this.sendLater(1000, KeeperActor, `${this.id}-later`).keep(item);
    item.name = "changed after it was sent";
  }
}

const circular: { inside?: unknown } = {};
circular.inside = circular;
class Point {
  readonly x = 1;
}
/** What JSON has no form for, or another form than the types say. */
const ODD: Record<string, unknown> = {
  date: { at: new Date(0) },
  bigint: [1n],
  "not a number": { a: { b: Number.NaN } },
  infinity: Number.POSITIVE_INFINITY,
  map: new Map([[1, 2]]),
  "an instance of a class": new Point(),
  bytes: Buffer.from("bytes"),
  function: () => {},
  circle: circular,
};

for (const nodes of [1, 2]) {
  describe(`values that cross to an actor and back over ${nodes} ${nodes === 1 ? "node" : "nodes"}`, () => {
    let database: Database;
    let clock: ManualClock;
    let caller: SimulatedNode;

    beforeEach(async () => {
      database = await openDatabase({ kind: "sqlite", path: ":memory:" });
      clock = new ManualClock();
      const parts = { hub: new MemoryHub(), database, clock, feed: new MemoryFeed() };
      const kinds = [kindOf(KeeperActor as unknown as ActorType<Actor<unknown>>)];
      const host = new SimulatedNode({ ...parts, id: "host" }, kinds);
      await host.actors.start();
      caller = host;
      if (nodes === 1) return;
      caller = new SimulatedNode({ ...parts, id: "caller" }, kinds, { role: "web" });
      await caller.actors.start();
      await clock.advance(1000);
    });

    afterEach(() => database.close());

    const within = <T>(call: Promise<T>): Promise<T> => clock.within(20_000, call, 50);
    const keeper = () => caller.actors.ref(KeeperActor, "k");
    const stored = async (id = "k"): Promise<{ items: Item[] }> => {
      const [row] = await database.query<{ state: string }>("SELECT state FROM actors WHERE id = ?", [id]);
      return JSON.parse(row!.state) as { items: Item[] };
    };
    const COIN: Item = { name: "coin", tags: ["gold"] };

    it("leaves the actor what it was given, whatever the caller does with it", async () => {
      const item = structuredClone(COIN);
      const kept = keeper().keep(item);
      item.tags.push("changed while it was under way");
      await within(kept);
      item.name = "changed afterwards";
      await within(keeper().touch());
      assert.deepEqual((await stored()).items[0], COIN);
    });

    it("gives the caller a copy of what the actor returns", async () => {
      const answer = await within(keeper().keep(structuredClone(COIN)));
      answer.tags.push("changed by the caller");
      (await within(keeper().items())).length = 0;
      await within(keeper().touch());
      assert.deepEqual((await stored()).items[0], COIN);
    });

    it("gives the caller a copy of what an error tells", async () => {
      await within(keeper().keep(structuredClone(COIN)));
      const error = (await within(
        keeper()
          .refuse()
          .catch((thrown: unknown) => thrown),
      )) as RingmasterError;
      assert.deepEqual(error.details, { items: [COIN] });
      (error.details as { items: Item[] }).items.length = 0;
      await within(keeper().touch());
      assert.deepEqual((await stored()).items[0], COIN);
    });

    it("leaves the caller its arguments, and gives them anew to a turn that is repeated", async () => {
      await within(keeper().touch());
      const tags = ["first", "second"];
      // Its row is nobody's any more: the turn meets the fence, and the call is tried again.
      await database.write("UPDATE actors SET owner = NULL, epoch = epoch + 1 WHERE id = 'k'");
      assert.equal(await within(keeper().takeFirst(tags)), "first");
      assert.deepEqual(tags, ["first", "second"]);
    });

    it("keeps what is to be sent later as it was when that was said", async () => {
      await within(keeper().tellLater(structuredClone(COIN)));
      await clock.advance(3000);
      assert.deepEqual((await stored("k-later")).items, [COIN]);
    });

    it("leaves arguments at the end that are undefined to their defaults", async () => {
      assert.equal(await within(keeper().orElse("a", undefined)), "a none");
    });

    for (const [what, value] of Object.entries(ODD)) {
      it(`refuses an argument, an answer and a state with a ${what}, and stores nothing`, async () => {
        await within(keeper().touch());
        const before = await stored();
        const refused = { code: "not_serializable", status: 500 };
        await assert.rejects(within(keeper().keep(value as Item)), refused);
        await assert.rejects(within(keeper().answerWith(what)), refused);
        await assert.rejects(within(keeper().storeOdd(what)), refused);
        assert.deepEqual(await stored(), before);
        await within(keeper().touch());
        assert.equal((await stored()).items.length, before.items.length + 1);
      });
    }
  });
}

describe("copies of values", () => {
  it("name what has no form in JSON by its place", () => {
    const value = { list: [{ fine: 1 }, { when: new Date(0) }] };
    assert.throws(() => copyOf(value, () => "the answer"), {
      message: "the answer.list[1].when is a Date, which JSON has no form for.",
    });
    assert.throws(
      () => copyOfArgs([1, Number.NaN], () => "the arguments"),
      /the arguments\[1\] is NaN, which JSON has no form for/,
    );
  });

  it("are what JSON makes of the value", () => {
    const values = [
      { a: undefined, b: [undefined, null, -0], c: "é\u0000", d: { e: true } },
      Object.assign(Object.create(null), { x: 1 }),
      JSON.parse('{"__proto__": {"polluted": true}, "x": 1}'),
    ];
    for (const value of values) {
      const copy = copyOf(value, () => "it");
      assert.equal(JSON.stringify(copy), JSON.stringify(value));
      assert.ok(isSame(value, copy));
      assert.equal((copy as { polluted?: boolean }).polluted, undefined);
    }
  });

  it("tell apart what JSON tells apart", () => {
    const different: Array<[unknown, unknown]> = [
      [{ a: 1 }, { a: 1, b: 2 }],
      [{ a: 1, b: 2 }, { a: 1 }],
      [{ a: undefined, b: 1 }, { a: 1 }],
      [[1, 2], [1]],
      [[], {}],
      [{}, []],
      [null, {}],
      ["1", 1],
      [{ toString: 1 }, {}],
    ];
    for (const [value, stored] of different)
      assert.equal(isSame(value, stored), false, JSON.stringify([value, stored]));
    assert.ok(isSame({ a: 1, b: undefined }, { a: 1 }));
  });
});
