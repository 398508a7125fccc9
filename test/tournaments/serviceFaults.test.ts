import assert from "node:assert/strict";
import { MemoryLeaderboard } from "../../src/stores/tournaments/MemoryLeaderboard.ts";
import { ManualClock } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { FaultyJournal, FaultyLeaderboard, type Mishap } from "./faults.ts";
import { playerOf, type Service, TournamentCluster } from "./TournamentCluster.ts";

/** A board that may count what is not committed is loaded anew after this at the latest, in milliseconds. */
const DOUBTED_MS = 10_500;
/** Calls that an actor would refuse. */
const MORE_THAN_A_MAILBOX = 3000;
/** The cluster knows by then that a node has died, in milliseconds. */
const DEAD_MS = 5000;

describe("the services of a tournament, when something fails between a score and its answer,", () => {
  let cluster: TournamentCluster<ManualClock>;
  let journal: FaultyJournal;
  let way: FaultyLeaderboard;
  /** The one to which it happens. */
  let a: Service;
  let b: Service;

  beforeEach(async () => {
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    cluster = new TournamentCluster(new ManualClock(), database, new MemoryLeaderboard());
    journal = new FaultyJournal(database, cluster.clock);
    way = new FaultyLeaderboard(cluster.leaderboard);
    b = await cluster.join("b");
    a = await cluster.join("a", { journal, leaderboard: way });
    await cluster.clock.advance(1000);
    await b.submit("bob", "s1", 5);
    await cluster.clock.advance(5000);
  });
  afterEach(() => cluster.database.close());

  /** A submission on `a`, which is decided and not committed. */
  const begin = async (
    playerId: string,
    submissionId: string,
    score: number,
  ): Promise<{ answer: Promise<unknown> }> => {
    const answer = a.service.submit(a.tournament, playerOf(playerId), { submissionId, score }, 0);
    answer.catch(() => {});
    await cluster.clock.advance(10);
    return { answer };
  };
  const onBoard = async (): Promise<string[]> =>
    (await cluster.leaderboard.page(await cluster.key(), 0, 100))!.rows.map(
      ({ playerId, score }) => `${playerId} ${score}`,
    );
  const epoch = async (): Promise<number> => (await cluster.tournaments.get("t"))!.boardEpoch;

  describe("as a node that dies before its commit,", () => {
    beforeEach(async () => {
      journal.hold();
      await begin("ann", "s1", 10);
      await a.node.crash();
    });

    it("count the score once when its player sends it again elsewhere", async () => {
      assert.deepEqual(await onBoard(), ["ann 10", "bob 5"]);
      const answer = await b.submit("ann", "s1", 10);
      assert.deepEqual(answer, { rank: 1, best: 10, entries: 1 });
      await cluster.clock.advance(DEAD_MS + DOUBTED_MS);
      assert.deepEqual(await b.submit("ann", "s1", 10), answer);
      assert.deepEqual((await cluster.committed()).slice(1), [["ann", 1, "s1"]]);
    });

    it("commit it together with the next one of its player: no entry is without its predecessor", async () => {
      assert.deepEqual(await b.submit("ann", "s2", 7), { rank: 1, best: 10, entries: 2 });
      assert.deepEqual((await cluster.committed()).slice(1), [
        ["ann", 1, "s1"],
        ["ann", 2, "s2"],
      ]);
    });

    it("do not go on showing it when its player never comes back", async () => {
      await cluster.join("c");
      const before = await epoch();
      await cluster.clock.advance(DEAD_MS + DOUBTED_MS);
      assert.deepEqual(await onBoard(), ["bob 5"]);
      assert.equal(b.row.shown, "bob");
      await cluster.clock.advance(2 * DOUBTED_MS);
      assert.equal(await epoch(), before + 1, "of all nodes, one has loaded the board");
      assert.deepEqual(await b.submit("ann", "s1", 10), { rank: 1, best: 10, entries: 1 });
    });
  });

  for (const [what, mishap] of [
    ["does not take place", "not done"],
    ["takes place and is not heard of", "not told"],
  ] as [string, Mishap][]) {
    for (const [step, fail] of [
      ["decision", (fate: () => Mishap) => Object.assign(way, { fate })],
      ["commit", (fate: () => Mishap) => Object.assign(journal, { fate })],
    ] as [string, (fate: () => Mishap) => unknown][]) {
      describe(`as a ${step} that ${what},`, () => {
        beforeEach(async () => {
          fail(() => mishap);
          await assert.rejects(a.submit("ann", "s1", 10), { code: "unavailable" });
          fail(() => undefined);
        });

        it("count the score once when it is sent again, at once, later or elsewhere", async () => {
          const answers = [await a.submit("ann", "s1", 10), await b.submit("ann", "s1", 10)];
          await cluster.clock.advance(DOUBTED_MS);
          answers.push(await b.submit("ann", "s1", 10));
          for (const answer of answers) assert.deepEqual(answer, { rank: 1, best: 10, entries: 1 });
          assert.equal((await cluster.committed()).length, 2);
        });

        it("show in the end what is committed, whether it is sent again or not", async () => {
          await cluster.clock.advance(DOUBTED_MS);
          const isCommitted = (await cluster.committed()).length === 2;
          assert.equal(isCommitted, step === "commit" && mishap === "not told");
          assert.deepEqual(await onBoard(), isCommitted ? ["ann 10", "bob 5"] : ["bob 5"]);
        });
      });
    }
  }

  describe("as an entry that is ahead of those before it,", () => {
    it("wait a moment for them, and leave the board as it is", async () => {
      const others = [journal, new FaultyJournal(cluster.database, cluster.clock)];
      const c = await cluster.join("c", { journal: others[1]! });
      const releases = others.map((held) => held.hold());
      const before = await epoch();
      await begin("ann", "s1", 1);
      const second = c.service.submit(c.tournament, playerOf("ann"), { submissionId: "s2", score: 2 }, 0);
      await cluster.clock.advance(5);
      const third = b.service.submit(b.tournament, playerOf("ann"), { submissionId: "s3", score: 3 }, 0);
      await cluster.clock.advance(10);
      for (const release of releases) release();
      assert.deepEqual(
        (await cluster.within(Promise.all([second, third]))).map(({ entries }) => entries),
        [2, 3],
      );
      assert.equal(await epoch(), before);
    });
  });

  describe("as a board that is lost", () => {
    it("between any two submissions, go on where they were", async () => {
      for (let n = 1; n <= 12; n += 1) {
        await cluster.lose();
        const answer = await (n % 2 ? a : b).submit("ann", `s${n}`, n);
        assert.deepEqual(answer, { rank: n >= 5 ? (n === 5 ? 2 : 1) : 2, best: n, entries: n });
      }
      for (let n = 1; n <= 12; n += 1) assert.equal((await b.submit("ann", `s${n}`, n)).entries, n);
      assert.equal((await cluster.committed()).length, 13);
    });

    it("under a rush of players, answer all of them", async () => {
      await cluster.lose();
      const at = (n: number): Service => [a, b][n % 2]!;
      const rush = Array.from({ length: MORE_THAN_A_MAILBOX }, (_, n) =>
        at(n).service.submit(at(n).tournament, playerOf(`p${n}`), { submissionId: "s", score: n % 1000 }, 0),
      );
      const answers = await cluster.within(Promise.all(rush));
      assert.deepEqual(new Set(answers.map(({ entries }) => entries)), new Set([1]));
      assert.equal((await cluster.committed()).length, MORE_THAN_A_MAILBOX + 1);
    });

    it("under two nodes at a time, load it once", async () => {
      const before = await epoch();
      await cluster.lose();
      await Promise.all([a, b].flatMap((service, at) => [1, 2, 3].map((n) => service.submit(`p${at}${n}`, "s", n))));
      assert.equal(await epoch(), before + 1);
      assert.equal((await onBoard()).length, 7);
    });

    it("and loaded anew while a commit is under way, have that one decided again", async () => {
      const release = journal.hold();
      const { answer } = await begin("ann", "s1", 10);
      await cluster.lose();
      await b.submit("cid", "s1", 20);
      release();
      assert.deepEqual(await cluster.within(answer), { rank: 2, best: 10, entries: 1 });
      assert.deepEqual(await onBoard(), ["cid 20", "ann 10", "bob 5"]);
      assert.equal((await cluster.committed()).length, 3);
    });

    it("and loaded anew without an entry that is committed behind its back, have it loaded again", async () => {
      const first = await a.submit("ann", "s1", 10);
      await cluster.clock.advance(5000);
      const key = await cluster.key();
      await cluster.leaderboard.drop(key);
      await cluster.leaderboard.load(key, { epoch: await epoch(), submissions: 0, players: [] });
      assert.deepEqual(await b.submit("ann", "s1", 10), first);
      assert.deepEqual(await onBoard(), ["ann 10", "bob 5"]);
    });

    it("and cannot be loaded, answer unavailable, and go on afterwards", async () => {
      const { query } = cluster.database;
      await cluster.lose();
      cluster.database.query = (sql, ...rest) =>
        sql.includes("COUNT(*) AS submissions")
          ? Promise.reject(Object.assign(new Error("lost"), { code: "ECONNREFUSED" }))
          : (query.call(cluster.database, sql, ...rest) as never);
      await assert.rejects(b.submit("ann", "s1", 10), { code: "unavailable" });
      cluster.database.query = query;
      await cluster.clock.advance(5000);
      assert.equal((await b.submit("ann", "s1", 10)).rank, 1);
    });
  });

  describe("as the end of the tournament,", () => {
    it("acknowledge nothing that the freeze has not seen", async () => {
      const release = journal.hold();
      const { answer } = await begin("ann", "s1", 10);
      await cluster.within(cluster.actor(b).end());
      await cluster.within(cluster.actor(b).end());
      release();
      await assert.rejects(cluster.within(answer), { code: "wrong_phase" });
      assert.deepEqual(await cluster.committed(), [["bob", 1, "s1"]]);
      await cluster.clock.advance(5000);
      assert.equal((await cluster.tournaments.get("t"))!.players, 1);
    });

    it("tell who asks again that a score was taken in time, though the board is gone", async () => {
      journal.fate = () => "not told";
      await assert.rejects(a.submit("ann", "s1", 10), { code: "unavailable" });
      await cluster.within(cluster.actor(b).end());
      await cluster.within(cluster.actor(b).end());
      await cluster.clock.advance(5000);
      assert.deepEqual(await b.submit("ann", "s1", 10), { rank: 1, best: 10, entries: 1 });
      assert.equal((await cluster.tournaments.get("t"))!.players, 2);
    });
  });
});
