import assert from "node:assert/strict";
import fc from "fast-check";
import { chooseByWeight, EVERY_MS, PopupActor, SPREAD_MS, WINDOW_MS } from "../../src/actors/popups/PopupActor.ts";
import { PopupViews } from "../../src/actors/popups/PopupViews.ts";
import { systemClock } from "../../src/clock.ts";
import { CommitUnknown } from "../../src/entities/failures.ts";
import { openWindow } from "../../src/entities/popups/Popup.ts";
import type { Database } from "../../src/entities/sql.ts";
import { SimulatedCluster } from "../actors/SimulatedCluster.ts";
import type { ManualClock } from "../actors/simulation.ts";

const HOUR = 3_600_000;

describe("popups", () => {
  let database: Database;
  let clock: ManualClock;
  let cluster: SimulatedCluster;

  beforeEach(async () => {
    cluster = await SimulatedCluster.open([PopupActor]);
    ({ clock, database } = cluster);
    await within(popup().arm());
  });
  afterEach(() => cluster.close());

  const popup = () => cluster.ref(PopupActor, "global");

  async function within<T>(call: Promise<T>): Promise<T> {
    call.catch(() => {});
    await clock.advance(20);
    return call;
  }

  /** Lets the wall clock jump to shortly before `time`, and passes it: hours take no time to simulate. */
  async function pass(time: number): Promise<void> {
    clock.wallOffset += Math.max(0, time - clock.now() - 2000);
    await clock.advance(time - clock.now() + 20);
  }

  const told = async () => (await cluster.told("lobby")).map(([type, data]) => [type, (data as { id: string }).id]);
  const nextOpening = async (): Promise<number> => {
    const [row] = await database.query<{ timers: string }>("SELECT timers FROM actors WHERE kind = 'popup'");
    return (JSON.parse(row!.timers) as Array<{ name: string; due: number }>).find(({ name }) => name === "open")!.due;
  };

  it("open about every three hours, for five minutes, and are announced once", async () => {
    const openings: number[] = [];
    for (let at = 0; at < 3; at++) {
      const due = await nextOpening();
      openings.push(due);
      await pass(due);
      assert.equal((await within(popup().current()))?.id, `w${at + 1}`);
      await pass(due + WINDOW_MS + 50);
      assert.equal(await within(popup().current()), null);
    }
    const gaps = openings.slice(1).map((due, at) => due - openings[at]!);
    assert.ok(
      gaps.every((gap) => Math.abs(gap - EVERY_MS) <= SPREAD_MS + 1500),
      `gaps ${gaps}`,
    );
    assert.notEqual(gaps[0], gaps[1]);
    assert.deepEqual(
      await told(),
      ["w1", "w2", "w3"].flatMap((id) => [
        ["popupOpened", id],
        ["popupClosed", id],
      ]),
    );
  });

  it("keep their next time when the node dies, and open once", async () => {
    const due = await nextOpening();
    await pass(clock.now() + HOUR);
    await cluster.nodes[0]!.crash();
    await cluster.join();
    await clock.advance(10_000);
    await within(popup().arm());
    assert.equal(await nextOpening(), due);
    await pass(due + 1000);
    assert.deepEqual(await told(), [["popupOpened", "w1"]]);
  });

  it("close what was open when the node died, late but once", async () => {
    await within(popup().openNow());
    await cluster.nodes[0]!.crash();
    await pass(clock.now() + WINDOW_MS);
    await cluster.join();
    await clock.advance(10_000);
    assert.deepEqual(await told(), [
      ["popupOpened", "w1"],
      ["popupClosed", "w1"],
    ]);
    assert.equal(await openWindow(database, clock.now()), undefined);
  });

  it("are neither shown nor counted from their end on, though nobody has closed them yet", async () => {
    const views = new PopupViews(database, clock);
    const window = await within(popup().openNow());
    const viewed = within(views.view("w1", "ada"));
    assert.deepEqual(await viewed, { views: 1 });
    await cluster.nodes[0]!.crash();
    clock.wallOffset += window.closesAt - clock.now() - 10;
    assert.equal((await openWindow(database, clock.now()))?.id, "w1");
    await clock.advance(10);
    assert.equal(await openWindow(database, clock.now()), undefined);
    await assert.rejects(within(views.view("w1", "bob")), { code: "conflict" });
  });

  it("are over for whoever asks at their end, also before their timer has fired", async () => {
    const window = await within(popup().openNow());
    clock.wallOffset += window.closesAt - clock.now();
    assert.equal(await within(popup().current()), null);
    await assert.rejects(within(popup().closeNow()), { code: "conflict" });
    assert.equal((await within(popup().openNow())).id, "w2");
    assert.deepEqual(await told(), [
      ["popupOpened", "w1"],
      ["popupClosed", "w1"],
      ["popupOpened", "w2"],
    ]);
    await pass(clock.now() + WINDOW_MS + 50);
    assert.deepEqual((await told()).at(-1), ["popupClosed", "w2"]);
  });

  it("are opened and closed by an operator, one at a time", async () => {
    const window = await within(popup().openNow());
    assert.equal(window.closesAt - window.openedAt, WINDOW_MS);
    assert.equal((await openWindow(database, clock.now()))?.id, window.id);
    await assert.rejects(within(popup().openNow()), { code: "conflict" });
    assert.deepEqual(await within(popup().closeNow()), { id: window.id, views: 0 });
    await assert.rejects(within(popup().closeNow()), { code: "conflict" });
  });

  it("pass a time without any content, and go on", async () => {
    await database.write("UPDATE popup_contents SET weight = 0");
    const due = await nextOpening();
    await pass(due + 50);
    assert.deepEqual(await told(), []);
    assert.ok((await nextOpening()) > due);
    await assert.rejects(within(popup().openNow()), { code: "not_found" });
  });

  it("count a view once a player and window, from the opening to the close", async () => {
    const views = new PopupViews(database, systemClock);
    await within(popup().openNow());
    const seen = await Promise.all(["ada", "bob", "ada", "cid"].map((player) => views.view("w1", player)));
    assert.deepEqual(seen.at(-1), { views: 3 });
    assert.deepEqual(await views.view("w1", "bob"), { views: 3 });
    assert.deepEqual(await within(popup().closeNow()), { id: "w1", views: 3 });
    await assert.rejects(views.view("w1", "dot"), { code: "conflict" });
    await within(popup().openNow());
    assert.deepEqual(await views.view("w2", "ada"), { views: 1 });
  });

  it("may be viewed again when nobody knows whether the view was stored", async () => {
    const unanswered: Pick<Database, "transaction"> = {
      async transaction(work) {
        await database.transaction(work);
        throw new CommitUnknown("the connection was lost during a commit");
      },
    };
    await within(popup().openNow());
    await assert.rejects(new PopupViews(unanswered, systemClock).view("w1", "ada"), { code: "unavailable" });
    assert.deepEqual(await new PopupViews(database, systemClock).view("w1", "ada"), { views: 1 });
  });
});

describe("a popup's content", () => {
  const content = (id: string, weight: number) => ({ id, title: id, body: id, weight });

  it("is chosen by weight", () => {
    const contents = [content("a", 1), content("b", 3)];
    assert.deepEqual(
      [0, 0.24, 0.26, 0.99].map((chance) => chooseByWeight(contents, chance)?.id),
      ["a", "a", "b", "b"],
    );
    assert.equal(chooseByWeight([], 0.5), undefined);
  });

  it("is always one of those there are", () => {
    const contents = fc
      .array(fc.integer({ min: 1, max: 100 }), { minLength: 1 })
      .map((weights) => weights.map((weight, at) => content(`c${at}`, weight)));
    fc.assert(
      fc.property(contents, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (all, chance) =>
        all.includes(chooseByWeight(all, chance)!),
      ),
    );
  });
});
