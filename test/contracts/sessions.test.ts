import assert from "node:assert/strict";
import type { EndedSession } from "../../src/entities/sessions/SessionHistory.ts";
import { LEAVING_MS, MOST_SEATS, type SessionStore } from "../../src/stores/sessions/SessionStore.ts";
import { type OpenSessionStore, SESSION_STORES } from "./sessionStores.ts";

const NOW = 1_700_000_000_000;
const TIMEOUT_MS = 1_800_000;
const LATER = NOW + 100 * TIMEOUT_MS;

for (const { name, connect } of SESSION_STORES) {
  describe(name, () => {
    let stores: OpenSessionStore;
    let store: SessionStore;

    before(async () => {
      stores = await connect();
    });
    beforeEach(async () => {
      store = await stores.open({ timeoutMs: TIMEOUT_MS });
    });
    afterEach(() => store.close());
    after(() => stores.close());

    interface Where {
      node?: string;
      seat?: string;
      from?: number;
      live?: string[];
    }

    const see = (
      playerId: string,
      at: number,
      { node = "n1", seat = "", from = at, live = ["n1", "n2"] }: Where = {},
    ) => store.report({ nodeId: node, liveNodes: live, seen: [{ playerId, seat, from, at }], left: [] });

    const leave = (playerId: string, at: number, { node = "n1", seat = "", live = ["n1", "n2"] }: Where = {}) =>
      store.report({ nodeId: node, liveNodes: live, seen: [], left: [{ playerId, seat, at }] });

    const over = (
      playerId: string,
      startedAt: number,
      seenAt: number,
      more: Partial<EndedSession> = {},
    ): EndedSession => ({
      playerId,
      startedAt,
      seenAt,
      endedAt: seenAt + TIMEOUT_MS,
      end: "timeout",
      ...more,
    });

    it("begins a session with the first activity, and prolongs it with every further one", async () => {
      assert.equal(await store.current("ada", NOW), undefined);
      assert.equal(await see("ada", NOW + 5, { from: NOW }), 0);
      assert.deepEqual(await store.current("ada", NOW + 5), {
        startedAt: NOW,
        seenAt: NOW + 5,
        endsAt: NOW + 5 + TIMEOUT_MS,
      });
      await see("ada", NOW + TIMEOUT_MS);
      const endsAt = NOW + 2 * TIMEOUT_MS;
      assert.deepEqual(await store.current("ada", endsAt - 1), { startedAt: NOW, seenAt: NOW + TIMEOUT_MS, endsAt });
      assert.equal(await store.current("ada", endsAt), undefined);
    });

    it("ends a session once nothing was heard for the timeout, and no sooner", async () => {
      await see("ada", NOW + 9, { from: NOW });
      assert.deepEqual(await store.ended(NOW + 8 + TIMEOUT_MS, 10), []);
      assert.deepEqual(await store.ended(NOW + 9 + TIMEOUT_MS, 10), [over("ada", NOW, NOW + 9)]);
    });

    it("gives what has ended again until it is told to forget, and then never", async () => {
      await see("ada", NOW);
      await see("a name of many words/é", NOW + 1);
      const ended = await store.ended(LATER, 10);
      assert.deepEqual(ended, [over("ada", NOW, NOW), over("a name of many words/é", NOW + 1, NOW + 1)]);
      assert.deepEqual(await store.ended(LATER, 10), ended);
      await store.forget([ended[1]!]);
      assert.deepEqual(await store.ended(LATER, 10), [ended[0]]);
      await store.forget(ended);
      await store.forget([]);
      assert.deepEqual(await store.ended(LATER, 10), []);
    });

    it("gives no more than it is asked for, and all of it in the end", async () => {
      for (let at = 0; at < 7; at++) await see(`p${at}`, NOW + at);
      const found: string[] = [];
      for (let ended = await store.ended(LATER, 3); ended.length > 0; ended = await store.ended(LATER, 3)) {
        assert.ok(ended.length <= 3);
        found.push(...ended.map(({ playerId }) => playerId));
        await store.forget(ended);
      }
      assert.deepEqual(found, ["p0", "p1", "p2", "p3", "p4", "p5", "p6"]);
    });

    it("begins a new session for activity after the end, and keeps the old one", async () => {
      await see("ada", NOW);
      await see("ada", NOW + TIMEOUT_MS);
      assert.equal((await store.current("ada", NOW + TIMEOUT_MS))?.startedAt, NOW + TIMEOUT_MS);
      assert.deepEqual(await store.ended(NOW + TIMEOUT_MS, 10), [over("ada", NOW, NOW)]);
    });

    it("never prolongs a session that it has given, however late the report", async () => {
      await see("ada", NOW);
      await store.ended(NOW + TIMEOUT_MS, 10);
      await see("ada", NOW + TIMEOUT_MS - 1);
      assert.deepEqual(await store.ended(NOW + TIMEOUT_MS, 10), [over("ada", NOW, NOW)]);
      assert.equal((await store.current("ada", NOW + TIMEOUT_MS))?.startedAt, NOW + TIMEOUT_MS - 1);
    });

    it("ends a session soon after its player has left", async () => {
      await see("ada", NOW, { seat: "s1" });
      await leave("ada", NOW + 5, { seat: "s1" });
      assert.deepEqual(await store.ended(NOW + 4 + LEAVING_MS, 10), []);
      assert.deepEqual(await store.ended(NOW + 5 + LEAVING_MS, 10), [
        over("ada", NOW, NOW, { endedAt: NOW + 5, end: "left" }),
      ]);
    });

    it("goes on with the session of who comes back at once, also to another node and without a seat", async () => {
      for (const where of [{ seat: "s2" }, { seat: "s2", node: "n2" }, {}]) {
        store = await stores.open({ timeoutMs: TIMEOUT_MS });
        await see("ada", NOW, { seat: "s1" });
        await leave("ada", NOW + 5, { seat: "s1" });
        await see("ada", NOW + LEAVING_MS, where);
        assert.deepEqual(await store.ended(NOW + TIMEOUT_MS, 10), []);
        assert.equal((await store.current("ada", NOW + TIMEOUT_MS))?.startedAt, NOW);
      }
    });

    it("has one session for a player on two nodes, which goes on until the last seat is given up", async () => {
      await see("ada", NOW, { node: "n1", seat: "s1" });
      await see("ada", NOW + 1, { node: "n2", seat: "s1" });
      await leave("ada", NOW + 2, { node: "n1", seat: "s1" });
      assert.deepEqual(await store.ended(NOW + TIMEOUT_MS, 10), []);
      await leave("ada", NOW + 3, { node: "n2", seat: "s1" });
      assert.deepEqual(await store.ended(NOW + TIMEOUT_MS, 10), [
        over("ada", NOW, NOW + 1, { endedAt: NOW + 3, end: "left" }),
      ]);
    });

    it("does not count seats on nodes that are gone", async () => {
      await see("ada", NOW, { node: "n1", seat: "s1" });
      await see("ada", NOW, { node: "n2", seat: "s2" });
      await leave("ada", NOW + 1, { node: "n2", seat: "s2", live: ["n3"] });
      assert.equal((await store.current("ada", NOW + 1))?.endsAt, NOW + 1 + LEAVING_MS);
    });

    it("knows that who was seen elsewhere after leaving has not left", async () => {
      await see("ada", NOW, { seat: "s1" });
      await see("ada", NOW + 9);
      await leave("ada", NOW + 5, { seat: "s1" });
      assert.equal((await store.current("ada", NOW + 9))?.endsAt, NOW + 9 + TIMEOUT_MS);
    });

    it("knows that who sits elsewhere has not left, though it hears of that seat too late", async () => {
      await see("ada", NOW, { seat: "s1" });
      await leave("ada", NOW + 5, { seat: "s1" });
      await see("ada", NOW + 1, { node: "n2", seat: "s2" });
      assert.equal((await store.current("ada", NOW + 5))?.endsAt, NOW + 1 + TIMEOUT_MS);
    });

    it("takes activity before leaving for no return", async () => {
      await see("ada", NOW, { seat: "s1" });
      await leave("ada", NOW + 5, { seat: "s1" });
      await see("ada", NOW + 4);
      assert.deepEqual(await store.ended(NOW + 5 + LEAVING_MS, 10), [
        over("ada", NOW, NOW + 4, { endedAt: NOW + 5, end: "left" }),
      ]);
    });

    it("begins nothing for who only leaves, and leaves a session alone that had ended before", async () => {
      await leave("ada", NOW, { seat: "s1" });
      assert.equal(await store.current("ada", NOW), undefined);
      await see("ada", NOW, { seat: "s1" });
      await leave("ada", NOW + TIMEOUT_MS, { seat: "s1" });
      assert.deepEqual(await store.ended(LATER, 10), [over("ada", NOW, NOW)]);
    });

    it("changes nothing when a report is repeated", async () => {
      for (let time = 0; time < 2; time++) {
        await store.report({
          nodeId: "n1",
          liveNodes: [],
          seen: [{ playerId: "ada", seat: "s1", from: NOW, at: NOW + 3 }],
          left: [{ playerId: "ada", seat: "s1", at: NOW + 4 }],
        });
      }
      assert.deepEqual(await store.ended(LATER, 10), [over("ada", NOW, NOW + 3, { endedAt: NOW + 4, end: "left" })]);
    });

    it("remembers a bounded number of seats, the newest", async () => {
      for (let seat = 0; seat <= MOST_SEATS; seat++) await see("bot", NOW + seat, { seat: `s${seat}` });
      for (let seat = 1; seat < MOST_SEATS; seat++) await leave("bot", NOW + 100, { seat: `s${seat}` });
      assert.equal((await store.current("bot", NOW + 100))?.endsAt, NOW + MOST_SEATS + TIMEOUT_MS);
      await leave("bot", NOW + 100, { seat: `s${MOST_SEATS}` });
      assert.equal((await store.current("bot", NOW + 100))?.endsAt, NOW + 100 + LEAVING_MS);
    });

    it("begins no more sessions than it may hold, and keeps those that it has", async () => {
      store = await stores.open({ timeoutMs: TIMEOUT_MS, mostSessions: 2 });
      const seen = ["ada", "bob", "cy"].map((playerId) => ({ playerId, seat: "", from: NOW, at: NOW }));
      assert.equal(await store.report({ nodeId: "n1", liveNodes: [], seen, left: [] }), 1);
      assert.equal(await see("ada", NOW + TIMEOUT_MS - 1), 0);
      assert.equal(await see("bob", NOW + TIMEOUT_MS), 1);
      assert.equal(await see("cy", NOW + TIMEOUT_MS), 1);
      await store.forget(await store.ended(NOW + TIMEOUT_MS, 10));
      assert.equal(await see("cy", NOW + TIMEOUT_MS), 0);
      assert.deepEqual(
        (await store.ended(LATER, 10)).map(({ playerId }) => playerId),
        ["ada", "cy"],
      );
    });
  });
}
