import assert from "node:assert/strict";
import { TournamentOperations } from "../../src/actors/tournaments/TournamentOperations.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { REMEMBERED, type StandingRow } from "../../src/stores/tournaments/Leaderboard.ts";
import { MemoryLeaderboard } from "../../src/stores/tournaments/MemoryLeaderboard.ts";
import { ManualClock } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { FaultyLeaderboard } from "./faults.ts";
import { type NodeParts, ROUND_MS, type Service, TournamentCluster } from "./TournamentCluster.ts";

/** What the database is asked from now on. */
function heardBy(database: Database): string[] {
  const asked: string[] = [];
  const query = database.query.bind(database);
  database.query = (sql, params) => {
    asked.push(sql);
    return query(sql, params);
  };
  return asked;
}

describe("the services of a tournament", () => {
  let cluster: TournamentCluster<ManualClock>;
  let a: Service;
  let b: Service;

  beforeEach(async () => {
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    cluster = new TournamentCluster(new ManualClock(), database, new MemoryLeaderboard());
  });
  afterEach(() => cluster.database.close());

  const join = async (parts: NodeParts = {}): Promise<void> => {
    a = await cluster.join("a", parts);
    b = await cluster.join("b", parts);
    await cluster.clock.advance(1000);
  };
  const standings = (service: Service, range: Parameters<Service["service"]["standings"]>[1]) =>
    cluster.within(service.service.standings("t", range));
  const namesIn = (rows: readonly { rank: number; playerId: string }[]): string =>
    rows.map(({ rank, playerId }) => `${rank} ${playerId}`).join(", ");

  describe("answer a submission", () => {
    beforeEach(() => join());

    it("with the rank, what counts, and how many entries there were", async () => {
      assert.deepEqual(await a.submit("ann", "s1", 10), { rank: 1, best: 10, entries: 1 });
      assert.deepEqual(await b.submit("bob", "s1", 30), { rank: 1, best: 30, entries: 1 });
      assert.deepEqual(await b.submit("ann", "s2", 5), { rank: 2, best: 10, entries: 2 });
      assert.deepEqual(await a.submit("ann", "s3", 30, { subscore: 1 }), { rank: 1, best: 30, entries: 3 });
    });

    it("once: repeated anywhere and any time later it gets its first answer", async () => {
      const first = await a.submit("ann", "s1", 10);
      await b.submit("bob", "s1", 30);
      await b.submit("ann", "s2", 40);
      assert.deepEqual(await b.submit("ann", "s1", 999), first);
      await cluster.lose();
      assert.deepEqual(await b.submit("ann", "s1", 10), first);
      assert.equal((await cluster.committed()).length, 3);
    });

    it("once also when the board remembers so much else of the player", async () => {
      const first = await a.submit("ann", "s1", 10);
      for (let n = 2; n <= REMEMBERED + 3; n += 1) await a.submit("ann", `s${n}`, n);
      assert.deepEqual(await b.submit("ann", "s1", 10), first);
      assert.equal((await b.submit("ann", "new", 10)).entries, REMEMBERED + 4);
      assert.equal((await cluster.committed()).length, REMEMBERED + 4);
    });

    it("once when it comes from two devices at a time, on one node or on two", async () => {
      const answers = await Promise.all([
        ...[a, b, a, b].map((service) => service.submit("ann", "s1", 10)),
        ...[a, b].map((service) => service.submit("bob", "s1", 20)),
      ]);
      assert.equal(new Set(answers.slice(0, 4).map((answer) => JSON.stringify(answer))).size, 1);
      assert.equal((await cluster.committed()).length, 2);
    });

    it("in the order in which a player sent them, however many at a time", async () => {
      const answers = await Promise.all([1, 2, 3, 4, 5].map((n) => a.submit("ann", `s${n}`, n)));
      assert.deepEqual(
        answers.map(({ entries }) => entries),
        [1, 2, 3, 4, 5],
      );
      const flood = Array.from({ length: 100 }, (_, n) => a.submit("ann", `f${n}`, n).catch(({ code }) => code));
      const codes = (await Promise.all(flood)).filter((answer) => typeof answer === "string");
      assert.ok(codes.length > 50);
      assert.deepEqual([...new Set(codes)], ["overloaded"]);
      assert.equal((await a.submit("ann", "after", 1)).entries, (await cluster.committed()).length);
    });
  });

  describe("refuse a submission", () => {
    const refusal = async (work: Promise<unknown>): Promise<[string, unknown]> => {
      const error = await work.then(
        () => assert.fail("it was taken"),
        (reason: { code: string; details: unknown }) => reason,
      );
      return [error.code, error.details];
    };

    it("that the game or the tournament's rules do not allow", async () => {
      cluster.plan = { maxEntries: 2, maxSubmissions: 4, submissionsPerMinute: 3 };
      await join();
      const bounds = { min: 0, max: 1000 };
      assert.deepEqual(await refusal(a.submit("ann", "s1", 1001)), ["score_refused", bounds]);
      assert.deepEqual(await refusal(a.submit("ann", "s1", -1)), ["score_refused", bounds]);
      await a.submit("ann", "s1", 1);
      await a.submit("ann", "s2", 2);
      assert.deepEqual(await refusal(b.submit("ann", "s3", 3)), ["entries_used_up", { of: "player" }]);
      await a.submit("bob", "s1", 1);
      await a.submit("cid", "s1", 1);
      assert.deepEqual(await refusal(a.submit("dot", "s1", 3)), ["entries_used_up", { of: "tournament" }]);
      assert.deepEqual(await a.submit("ann", "s1", 1), { rank: 1, best: 1, entries: 1 });
    });

    it("that comes too soon after others", async () => {
      cluster.plan = { submissionsPerMinute: 2 };
      await join();
      await a.submit("ann", "s1", 1);
      await a.submit("ann", "s2", 2);
      const [code, details] = await refusal(b.submit("ann", "s3", 3));
      assert.equal(code, "rate_limited");
      const { retryAfterMs } = details as { retryAfterMs: number };
      await cluster.clock.advance(retryAfterMs);
      assert.equal((await b.submit("ann", "s3", 3)).entries, 3);
    });

    it("before the start, and tell when that is", async () => {
      const startsAt = cluster.clock.now() + ROUND_MS;
      cluster.plan = { startsAt };
      await join();
      assert.deepEqual(await refusal(a.submit("ann", "s1", 1)), [
        "wrong_phase",
        { phase: "scheduled", changesAt: startsAt },
      ]);
      await cluster.clock.advance(ROUND_MS);
      assert.equal((await a.submit("ann", "s1", 1)).rank, 1);
    });

    it("after the end, unless its player was in a room of the tournament before it", async () => {
      const startsAt = cluster.clock.now();
      const endsAt = startsAt + ROUND_MS;
      cluster.plan = { startsAt, endsAt, graceMs: ROUND_MS };
      await join();
      for (const [playerId, joinedAt] of [
        ["bob", endsAt - 1],
        ["cid", endsAt],
      ] as const)
        b.service.entered(b.row.tournament, playerId, joinedAt);
      await cluster.clock.advance(endsAt - cluster.clock.now() + 1000);
      assert.equal(a.row.tournament.phase, "grace");
      assert.equal((await a.submit("ann", "s1", 1, { joinedAt: endsAt - 1 })).rank, 1);
      const late = { joinedAt: endsAt };
      const grace = { phase: "grace", changesAt: endsAt + ROUND_MS };
      a.service.entered(a.row.tournament, "dan", cluster.clock.now());
      for (const playerId of ["cid", "dan", "eve"])
        assert.deepEqual(await refusal(a.submit(playerId, "s1", 1, late)), ["wrong_phase", grace], playerId);
      assert.equal((await a.submit("bob", "s1", 1, late)).rank, 2, "who was at another node");
      await cluster.clock.advance(ROUND_MS);
      const [code, details] = await refusal(a.submit("cid", "s1", 1, { joinedAt: startsAt }));
      assert.deepEqual([code, (details as { changesAt: unknown }).changesAt], ["wrong_phase", null]);
    });

    it("in grace of nobody where the definition lets anyone", async () => {
      cluster.plan = { graceFor: "anyone" };
      await join();
      await cluster.within(cluster.actor(a).end());
      assert.equal((await a.submit("ann", "s1", 1, { joinedAt: cluster.clock.now() })).rank, 1);
      await cluster.within(cluster.actor(a).end());
      assert.equal((await refusal(a.submit("bob", "s1", 1)))[0], "wrong_phase");
    });

    it("in grace while it cannot be known whether its player was there before", async () => {
      const joinedAt = () => Promise.reject(Object.assign(new Error("away"), { code: "unavailable" }));
      await join({ entrants: { note: () => {}, joinedAt, close: async () => {} } });
      await cluster.within(cluster.actor(a).end());
      assert.equal((await refusal(a.submit("ann", "s1", 1, { joinedAt: cluster.clock.now() })))[0], "unavailable");
      assert.deepEqual(await cluster.committed(), []);
    });

    it("by the clock where the word of the end has not come", async () => {
      const startsAt = cluster.clock.now();
      cluster.plan = { startsAt, endsAt: startsAt + ROUND_MS, graceMs: ROUND_MS };
      await join();
      const deaf = await cluster.join("deaf", { feed: new MemoryFeed() });
      await cluster.clock.advance(ROUND_MS);
      assert.equal(deaf.row.tournament.phase, "open");
      assert.equal((await refusal(deaf.submit("ann", "s1", 1, { joinedAt: cluster.clock.now() })))[0], "wrong_phase");
      assert.equal((await deaf.submit("ann", "s1", 1, { joinedAt: startsAt })).rank, 1);
      await cluster.clock.advance(ROUND_MS);
      assert.equal((await refusal(deaf.submit("ann", "s2", 1, { joinedAt: startsAt })))[0], "wrong_phase");
    });

    it("by the clock where the tournament's actor is late", async () => {
      const startsAt = cluster.clock.now();
      cluster.plan = { startsAt, endsAt: startsAt + ROUND_MS, graceMs: ROUND_MS };
      await join();
      await cluster.clock.advance(startsAt + 2 * ROUND_MS - 1000 - cluster.clock.now());
      await a.node.crash();
      await cluster.clock.advance(1500);
      assert.equal((await cluster.tournaments.get("t"))!.phase, "grace");
      assert.equal((await refusal(b.submit("ann", "s1", 1, { joinedAt: startsAt })))[0], "wrong_phase");
      assert.equal((await cluster.tournaments.get("t"))!.phase, "grace");
    });

    it("by the journal where the word of an early end has not come", async () => {
      await join();
      const deaf = await cluster.join("deaf", { feed: new MemoryFeed() });
      await cluster.within(cluster.actor(a).end());
      await cluster.within(cluster.actor(a).end());
      assert.equal(deaf.row.tournament.phase, "open");
      assert.equal((await refusal(deaf.submit("ann", "s1", 1)))[0], "wrong_phase");
      assert.deepEqual(await cluster.committed(), []);
    });

    it("but not one that was taken, whose answer was lost, and which is sent again when it is too late", async () => {
      await join();
      const first = await a.submit("ann", "s1", 10);
      const deaf = await cluster.join("deaf", { feed: new MemoryFeed() });
      await cluster.within(cluster.actor(a).end());
      const late = { joinedAt: cluster.clock.now() };
      assert.deepEqual(await b.submit("ann", "s1", 10, late), first);
      await cluster.within(cluster.actor(a).end());
      assert.deepEqual(await b.submit("ann", "s1", 10, late), first);
      assert.deepEqual(await deaf.submit("ann", "s1", 10, late), first);
      assert.equal((await refusal(b.submit("ann", "s2", 10)))[0], "wrong_phase");
    });
  });

  describe("show how the tournament stands", () => {
    it("to the rooms of all nodes, soon, and not more often than anybody wants to see", async () => {
      await join();
      for (let n = 0; n < 50; n += 1) await a.submit(`p${n}`, "s1", n);
      await cluster.clock.advance(500);
      assert.equal(a.row.views.at(-1)?.total, 50);
      assert.deepEqual(b.row.views.at(-1), a.row.views.at(-1));
      assert.equal(a.row.shown, "p49 p48 p47 p46 p45 p44 p43 p42 p41 p40");
      assert.ok(a.row.views.length < 20, `${a.row.views.length} views of 50 submissions`);
    });

    it("from the board, by page or around a player", async () => {
      await join();
      for (let n = 0; n < 20; n += 1) await a.submit(`p${n}`, "s1", n);
      await cluster.clock.advance(500);
      for (const service of [a, b]) {
        const first = await standings(service, { limit: 2 });
        assert.deepEqual([namesIn(first.rows), first.total], ["1 p19, 2 p18", 20]);
        assert.equal(namesIn((await standings(service, { limit: 2, offset: 17 })).rows), "18 p2, 19 p1");
        assert.equal(namesIn((await standings(service, { limit: 3, around: "p10" })).rows), "9 p11, 10 p10, 11 p9");
        assert.deepEqual((await standings(service, { limit: 3, around: "nobody" })).rows, []);
      }
      await assert.rejects(cluster.within(a.service.standings("none", { limit: 3 })), { code: "not_found" });
    });

    it("by the top rows that the rooms were shown, however many ask; only other rows are read", async () => {
      const board = new FaultyLeaderboard(cluster.leaderboard);
      await join({ leaderboard: board });
      for (let n = 0; n < 12; n += 1) await a.submit(`p${n}`, "s1", n);
      await cluster.clock.advance(500);
      board.reads = 0;
      for (const service of [a, b]) {
        for (let n = 0; n < 50; n += 1) {
          const { rows, total } = await standings(service, { limit: 3, offset: n % 8 });
          assert.deepEqual([rows.map(({ rank }) => rank), total], [[1, 2, 3].map((rank) => rank + (n % 8)), 12]);
        }
      }
      assert.equal(board.reads, 0);
      for (const range of [{ limit: 11 }, { limit: 3, offset: 8 }, { limit: 1, around: "p11" }])
        await standings(a, range);
      assert.equal(board.reads, 3);
      await a.submit("p12", "s1", 99);
      await cluster.clock.advance(500);
      assert.equal(namesIn((await standings(b, { limit: 2 })).rows), "1 p12, 2 p11");
    });

    it("also where it has no rooms, and where the board is lost", async () => {
      await join();
      await a.submit("ann", "s1", 1);
      const { service } = b;
      b.leave();
      await cluster.lose();
      const { rows, total } = await cluster.within(service.standings("t", { limit: 20 }));
      assert.deepEqual([namesIn(rows), total], ["1 ann", 1]);
    });

    it("once nothing is taken any more, by what is stored, and nobody has players sorted by asking", async () => {
      await join();
      for (let n = 0; n < 12; n += 1) await a.submit(`p${n}`, "s1", n);
      await cluster.within(cluster.actor(a).end());
      await cluster.within(cluster.actor(a).hold({ operatorId: "op", reason: "to be sure" }));
      await cluster.within(cluster.actor(a).end());
      await cluster.clock.advance(3000);
      const asked = heardBy(cluster.database);
      const around = await standings(a, { limit: 3, around: "p4" });
      assert.deepEqual([namesIn(around.rows), around.total], ["7 p5, 8 p4, 9 p3", 12]);
      assert.equal(namesIn((await standings(a, { limit: 5, offset: 10 })).rows), "11 p1, 12 p0");
      await cluster.within(cluster.actor(a).cancel());
      await cluster.clock.advance(1000);
      assert.equal((await cluster.tournaments.get("t"))!.phase, "cancelled");
      await standings(a, { limit: 3, around: "p4" });
      await standings(a, { limit: 3, offset: 7 });
      assert.deepEqual(
        asked.filter((sql) => /FROM score_entries[\s\S]*ORDER BY/.test(sql)),
        [],
      );
    });

    it("to the rooms by what is stored, once the best are while it settles and then for good, which nobody sorts again", async () => {
      await join();
      const { database, clock } = cluster;
      for (let n = 0; n < 12; n += 1) await a.submit(`p${n}`, "s1", n);
      await clock.advance(500);
      const last = "p11 p10 p9 p8 p7 p6 p5 p4 p3 p2";
      assert.deepEqual([a.row.shown, b.row.shown], [last, last]);
      // The board decides, and nobody is told: its node dies before the commit.
      await cluster.leaderboard.submit(await cluster.key(), {
        ...{ playerId: "zoe", playerName: "Zoe", submissionId: "s1", score: 99, subscore: 0, now: clock.now() },
      });
      await a.submit("p11", "s2", 12);
      await clock.advance(500);
      assert.equal(a.row.shown.split(" ")[0], "zoe");
      const asked = heardBy(database);
      for (const views of [a.row.views, b.row.views]) views.length = 0;
      await cluster.within(cluster.actor(b).end());
      await cluster.within(cluster.actor(b).end());
      await clock.advance(1000);
      for (const { row, service } of [a, b]) {
        assert.deepEqual(row.phases.slice(-2), ["settling", "settled"]);
        // Until all are stored, as many as the board had.
        const totals = row.views.map((view) => view.total);
        assert.deepEqual([totals, namesIn(row.views[0]!.rows.slice(0, 1)), row.shown], [[13, 12], "1 p11", last]);
        const { rows, total } = await cluster.within(service.standings("t", { limit: 2, around: "p0" }));
        assert.deepEqual([namesIn(rows), total], ["11 p1, 12 p0", 12]);
      }
      const sorted = asked.filter((sql) => sql.includes("ORDER BY e.best"));
      assert.equal(sorted.length, 1, "by the settlement");
    });

    it("to the rooms by what is stored, also where the word of that was lost, once they look it up", async () => {
      await join();
      const deaf = await cluster.join("deaf", { feed: new MemoryFeed() });
      for (const [at, playerId] of ["ann", "bob"].entries()) await a.submit(playerId, "s1", 9 - at);
      const stored = ["ann", "bob"].map((playerId, at) => ["t", at + 1, playerId, playerId, 9 - at, 0, 1]);
      await cluster.leaderboard.submit(await cluster.key(), {
        ...{ playerId: "zoe", playerName: "Zoe", submissionId: "s1", score: 99, subscore: 0, now: cluster.clock.now() },
      });
      await a.submit("ann", "s2", 9);
      await cluster.clock.advance(500);
      await cluster.database.write("UPDATE tournaments SET phase = 'settling' WHERE id = 't'");
      deaf.service.refresh();
      await cluster.clock.advance(500);
      assert.equal(deaf.row.shown, "zoe ann bob");
      for (const row of stored)
        await cluster.database.write(
          "INSERT INTO standings (tournament_id, place, player_id, player_name, score, subscore, entries) VALUES (?,?,?,?,?,?,?)",
          row,
        );
      deaf.service.refresh();
      await cluster.clock.advance(500);
      assert.equal(deaf.row.shown, "ann bob");
    });

    for (const [what, delayMs, failures] of [
      ["late", 40, 0],
      ["the second time only", 0, 2],
    ] as const)
      it(`to the rooms by all that is stored, also where reads are answered ${what}`, async () => {
        await join();
        const { database, clock } = cluster;
        for (let n = 0; n < 12; n += 1) await a.submit(`p${n}`, "s1", n);
        await clock.advance(500);
        let failed = 0;
        const query = database.query.bind(database);
        database.query = async (sql, params) => {
          if (!sql.includes("FROM standings")) return query(sql, params);
          if (failed < failures) {
            failed += 1;
            throw new Error("no connection");
          }
          const rows = await query<never>(sql, params);
          if (delayMs > 0) await new Promise<void>((resolve) => void clock.schedule(resolve, delayMs));
          return rows;
        };
        await cluster.within(cluster.actor(b).end());
        await cluster.within(cluster.actor(b).end());
        await clock.advance(5000);
        assert.equal((await cluster.tournaments.get("t"))!.phase, "settled");
        for (const { row } of [a, b]) {
          assert.deepEqual([row.views.at(-1)!.total, row.shown], [12, "p11 p10 p9 p8 p7 p6 p5 p4 p3 p2"]);
          assert.equal(row.views.at(-1)!.version, 1, "what is final");
        }
      });

    it("about a player by the same rows on the board and in the end", async () => {
      cluster.plan = { graceMs: 0 };
      await join();
      for (let n = 1; n <= 9; n += 1) await a.submit(`p${n}`, "s1", 100 - n);
      const { tournaments, database, clock } = cluster;
      const { actors } = a.node;
      const operations = new TournamentOperations({
        actors,
        tournaments,
        service: a.service,
        database,
      });
      const expected = new Map([
        ["p9 4", "6 p6, 7 p7, 8 p8, 9 p9"],
        ["p9 1", "9 p9"],
        ["p8 3", "7 p7, 8 p8, 9 p9"],
        ["p5 4", "3 p3, 4 p4, 5 p5, 6 p6"],
        ["p5 3", "4 p4, 5 p5, 6 p6"],
        ["p1 2", "1 p1, 2 p2"],
        ["p2 100", "1 p1, 2 p2, 3 p3, 4 p4, 5 p5, 6 p6, 7 p7, 8 p8, 9 p9"],
      ]);
      const about = async (ask: (around: string, limit: number) => Promise<{ rows: StandingRow[] }>) => {
        const answers = new Map<string, string>();
        for (const range of expected.keys()) {
          const [around = "", limit] = range.split(" ");
          answers.set(range, namesIn((await cluster.within(ask(around, Number(limit)))).rows));
        }
        return answers;
      };
      const shown = () => about((around, limit) => operations.standings("t", { around, limit }));
      assert.deepEqual(await shown(), expected, "on the board");
      await cluster.within(cluster.actor(a).end());
      await clock.advance(2000);
      assert.equal((await tournaments.get("t"))!.phase, "settled");
      assert.deepEqual(await shown(), expected, "in the end");
    });
  });

  describe("know the phase", () => {
    it("and the result, and what each player of it gets", async () => {
      const prizes = [
        { from: 1, to: 1, items: [{ item: "TICO", amount: "500" }] },
        { from: 1, to: 2, items: [{ item: "TICO", amount: "50" }] },
      ];
      cluster.plan = { graceMs: 0, prizes };
      await join();
      for (const [at, playerId] of ["ann", "bob", "cid"].entries()) await a.submit(playerId, "s1", 9 - at);
      await assert.rejects(cluster.within(a.service.resultsOf("t", ["ann"])), { code: "wrong_phase" });
      await cluster.within(cluster.actor(a).end());
      await cluster.clock.advance(2000);
      for (const { row } of [a, b]) {
        assert.deepEqual(row.phases, ["settling", "settled"]);
        assert.equal(row.results.length, 1);
        assert.match(row.results[0]!, /^[0-9a-f]{64}$/);
        assert.equal(row.shown, "ann bob cid");
      }
      const results = await cluster.within(b.service.resultsOf("t", ["ann", "bob", "cid", "nobody"]));
      assert.deepEqual(
        results,
        new Map([
          ["ann", { rank: 1, prizes: [{ item: "TICO", amount: "550" }] }],
          ["bob", { rank: 2, prizes: [{ item: "TICO", amount: "50" }] }],
          ["cid", { rank: 3, prizes: [] }],
        ]),
      );
      const late = await cluster.another(b);
      await cluster.clock.advance(100);
      assert.equal(late.row.tournament.resultHash, a.row.tournament.resultHash);
    });

    it("also when the word of it was lost, once they look it up", async () => {
      cluster.plan = { graceMs: 0 };
      await join();
      const deaf = await cluster.join("deaf", { feed: new MemoryFeed() });
      await a.submit("ann", "s1", 1);
      await cluster.within(cluster.actor(a).end());
      await cluster.clock.advance(2000);
      assert.deepEqual(deaf.row.phases, []);
      a.service.refresh();
      deaf.service.refresh();
      await cluster.clock.advance(1000);
      assert.deepEqual([a.row.phases, deaf.row.phases], [["settling", "settled"], ["settled"]]);
      assert.deepEqual([a.row.results, deaf.row.results], [a.row.results, a.row.results]);
      assert.equal(deaf.row.shown, "ann");
    });

    it("also when it could not be looked up the first time", async () => {
      cluster.plan = { graceMs: 0 };
      await join();
      const deaf = await cluster.join("deaf", { feed: new MemoryFeed() });
      await cluster.within(cluster.actor(a).end());
      await cluster.clock.advance(2000);
      const { tournaments } = cluster;
      const get = tournaments.get.bind(tournaments);
      tournaments.get = async (id) => {
        tournaments.get = get;
        return get(`${id}'`).then(() => assert.fail("no connection"));
      };
      deaf.service.refresh();
      await cluster.clock.advance(1000);
      assert.deepEqual(deaf.row.phases, []);
      await cluster.clock.advance(2000);
      assert.deepEqual(deaf.row.phases, ["settled"]);
    });

    it("and do not fall back when news from before come late", async () => {
      await join();
      const { endsAt, phaseEndsAt } = a.row.tournament;
      await cluster.within(cluster.actor(a).end());
      const data = { phase: "open", endsAt, phaseEndsAt };
      await cluster.feed.append([{ key: "late", topic: "tournament:t", at: cluster.clock.now(), type: "phase", data }]);
      await cluster.clock.advance(100);
      assert.deepEqual(a.row.phases, ["grace"]);
    });

    it("of a tournament that was opened early, with when it began", async () => {
      const startsAt = cluster.clock.now() + ROUND_MS;
      cluster.plan = { startsAt };
      await join();
      await cluster.within(cluster.actor(b).start());
      const { phase, startsAt: began } = a.row.tournament;
      assert.equal(phase, "open");
      assert.equal(began, (await cluster.tournaments.get("t"))!.startsAt);
    });
  });

  describe("are closed", () => {
    it("with the last room, and leave nothing behind", async () => {
      await join();
      let followed = 0;
      const feed = new MemoryFeed();
      const follow = feed.follow.bind(feed);
      feed.follow = async (...args) => {
        const unfollow = await follow(...args);
        followed += 1;
        return () => {
          followed -= 1;
          unfollow();
        };
      };
      const c = await cluster.join("c", { feed });
      const submission = c.submit("ann", "s1", 1);
      const arrival = cluster.another(c);
      c.leave();
      c.leave();
      const { leave } = await arrival;
      await Promise.allSettled([submission]);
      assert.equal(followed, 1);
      leave();
      assert.equal(followed, 0);
      await assert.rejects(c.submit("ann", "s1", 1), { code: "unavailable" });
    });
  });
});
