import assert from "node:assert/strict";
import { type ErrorCode, RingmasterError } from "../../src/errors.ts";
import { MemoryLeaderboard } from "../../src/stores/tournaments/MemoryLeaderboard.ts";
import { ManualClock } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { FaultyJournal, FaultyLeaderboard } from "./faults.ts";
import { playerOf, type Service, TournamentCluster } from "./TournamentCluster.ts";

/** Longer than it takes to find a board wrong, and have it loaded: it is looked at, and counted twice. */
const A_WHILE_MS = 10_500;
/** A board that is raised again and again is checked by then. */
const LONGEST_MS = 72_000;

describe("a tournament's board that may count what is not committed", () => {
  let cluster: TournamentCluster<ManualClock>;
  let leaderboard: FaultyLeaderboard;
  let journal: FaultyJournal;
  let a: Service;
  let loads: number;

  beforeEach(async () => {
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    cluster = new TournamentCluster(new ManualClock(), database, new MemoryLeaderboard());
    leaderboard = new FaultyLeaderboard(cluster.leaderboard);
    journal = new FaultyJournal(database, cluster.clock);
    a = await cluster.join("a", { leaderboard, journal });
    await a.submit("ann", "s1", 1);
    await cluster.clock.advance(A_WHILE_MS);
    loads = await epoch();
    journal.counts = 0;
  });
  afterEach(() => cluster.database.close());

  const score = { submissionId: "s1", score: 5 };
  const epoch = async (): Promise<number> => (await cluster.tournaments.get("t"))!.boardEpoch;
  const loadsSince = async (): Promise<number> => (await epoch()) - loads;
  const onBoard = async (): Promise<string[]> =>
    (await cluster.leaderboard.page(await cluster.key(), 0, 100))!.rows.map(({ playerId }) => playerId);
  const refuse = (code: ErrorCode) => async (): Promise<never> => {
    throw new RingmasterError(code);
  };
  /** The board decides what nobody is going to commit, as for a node that dies. */
  const orphan = async (playerId: string, submissionId: string): Promise<void> => {
    const submission = { ...playerOf(playerId), playerName: playerId, submissionId, score: 9, subscore: 0 };
    const decision = await cluster.leaderboard.submit(await cluster.key(), { ...submission, now: cluster.clock.now() });
    assert.equal(decision.kind, "accepted");
  };
  const refused = async (code: ErrorCode): Promise<void> => {
    leaderboard.before = refuse(code);
    await assert.rejects(a.submit("ann", "s2", 2), { code });
    leaderboard.before = async () => {};
  };

  for (const code of ["overloaded", "draining", "invalid_payload"] as const)
    it(`is none where the board refused with ${code}, which decided nothing`, async () => {
      await refused(code);
      await cluster.clock.advance(A_WHILE_MS);
      assert.equal(journal.counts, 0);
    });

  for (const code of ["unavailable", "internal"] as const)
    it(`has the board loaded anew where nobody knew what it had decided: ${code}`, async () => {
      await orphan("bob", "s1");
      await refused(code);
      await cluster.clock.advance(A_WHILE_MS);
      assert.equal(await loadsSince(), 1);
      assert.deepEqual(await onBoard(), ["ann"]);
    });

  for (const code of ["overloaded", "unavailable"] as const)
    it(`has it loaded anew where what it decided was not committed: ${code}`, async () => {
      journal.before = refuse(code);
      await assert.rejects(a.submit("ann", "s2", 2), { code });
      journal.before = async () => {};
      await cluster.clock.advance(A_WHILE_MS);
      assert.equal(await loadsSince(), 1);
    });

  it("has it loaded anew where the database refused an entry, and there was no second try", async () => {
    for (const submissionId of ["s1", "s2"]) await orphan("bob", submissionId);
    leaderboard.before = async () => {
      leaderboard.before = refuse("overloaded");
    };
    await assert.rejects(a.submit("bob", "s3", 3), { code: "overloaded" });
    leaderboard.before = async () => {};
    await cluster.clock.advance(A_WHILE_MS);
    assert.equal(await loadsSince(), 1);
    assert.deepEqual(await onBoard(), ["ann"]);
  });

  it("has it loaded anew where it was loaded by another node just before", async () => {
    const b = await cluster.join("b");
    await cluster.lose();
    await b.submit("bob", "s1", 5);
    leaderboard.fate = () => "not told";
    await assert.rejects(a.submit("cy", "s1", 3), { code: "unavailable" });
    leaderboard.fate = () => undefined;
    await cluster.clock.advance(A_WHILE_MS);
    assert.deepEqual(await onBoard(), ["bob", "ann"]);
  });

  it("is over, and nothing is loaded, once everybody has submitted again", async () => {
    leaderboard.fate = () => "not told";
    await assert.rejects(a.submit("bob", "s1", 2), { code: "unavailable" });
    leaderboard.fate = () => undefined;
    await cluster.clock.advance(3000);
    await a.submit("bob", "s1", 2);
    await cluster.clock.advance(2 * A_WHILE_MS);
    assert.equal(await loadsSince(), 0);
    assert.equal(journal.counts, 1);
  });

  it("begins with the first room of a node, for whoever had rooms before may have died with a decision", async () => {
    a.leave();
    await orphan("bob", "s1");
    await cluster.join("b");
    await cluster.clock.advance(A_WHILE_MS);
    assert.equal(await loadsSince(), 1);
    assert.deepEqual(await onBoard(), ["ann"]);
  });

  for (const [when, countMs] of [
    ["before it was judged", 0],
    ["while it was judged", 20_000],
  ] as const)
    it(`is over once somebody else has loaded the board ${when}`, async () => {
      const b = await cluster.join("b");
      await cluster.clock.advance(A_WHILE_MS);
      await orphan("cy", "s1");
      journal.beforeCount = async () => {
        if (countMs > 0) await new Promise<void>((resolve) => void cluster.clock.schedule(resolve, countMs));
      };
      await refused("unavailable");
      await cluster.clock.advance(countMs === 0 ? 1000 : A_WHILE_MS);
      await cluster.lose();
      await b.submit("ann", "s1", 1);
      await cluster.clock.advance(4 * A_WHILE_MS);
      assert.equal(await loadsSince(), 1);
    });

  it("is none about what is still being committed", async () => {
    const release = journal.hold();
    const submissions = ["bob", "cy"].map((playerId) => a.service.submit(a.tournament, playerOf(playerId), score, 0));
    await cluster.clock.advance(10);
    await refused("unavailable");
    await cluster.clock.advance(8000);
    assert.equal(journal.counts, 1);
    release();
    await cluster.within(Promise.all(submissions));
    await cluster.clock.advance(2 * A_WHILE_MS);
    assert.equal(await loadsSince(), 0);
  });

  it("has a board loaded that is missing when the first room comes, which would show nobody else", async () => {
    a.leave();
    await cluster.lose();
    const b = await cluster.join("b");
    await cluster.clock.advance(2000);
    assert.equal(b.row.shown, "ann");
    assert.equal(await loadsSince(), 1);
  });

  it("has a board loaded that an outage has left missing, also for rooms that come after it", async () => {
    await cluster.lose();
    a.service.refresh();
    await cluster.clock.advance(2000);
    assert.deepEqual(await onBoard(), ["ann"]);
    await cluster.clock.advance(A_WHILE_MS);
    a.leave();
    await cluster.lose();
    a.service.refresh();
    await cluster.another(a);
    await cluster.clock.advance(2000);
    assert.deepEqual(await onBoard(), ["ann"]);
  });

  it("has a board loaded that is missing, where rooms still show what it had decided", async () => {
    await orphan("bob", "s1");
    await a.submit("ann", "s2", 2);
    await cluster.clock.advance(300);
    assert.equal(a.row.shown, "bob ann");
    await refused("unavailable");
    await cluster.lose();
    await cluster.clock.advance(A_WHILE_MS);
    assert.equal(await loadsSince(), 1);
    assert.equal(a.row.shown, "ann");
  });

  for (const [when, beforeMs] of [
    ["before it said so", 0],
    ["when it answered what it had been asked", 3000],
  ] as const)
    it(`is taken over from a node that leaves, about what it decided ${when}`, async () => {
      const b = await cluster.join("b");
      await cluster.clock.advance(A_WHILE_MS);
      journal.before = refuse("unavailable");
      const submit = (): Promise<void> => assert.rejects(a.submit("bob", "s1", 9), { code: "unavailable" });
      if (beforeMs === 0) await submit();
      await cluster.within(a.node.actors.drain());
      await cluster.clock.advance(beforeMs);
      if (beforeMs > 0) await submit();
      await cluster.within(a.service.flush());
      await cluster.within(a.node.actors.stop());
      assert.deepEqual(await onBoard(), ["bob", "ann"]);
      await cluster.clock.advance(3 * A_WHILE_MS);
      assert.deepEqual(await onBoard(), ["ann"]);
      assert.equal(b.row.shown, "ann");
    });

  it("does not begin with every first room, but once, and once more when a peer is gone", async () => {
    const b = await cluster.join("b");
    await cluster.clock.advance(A_WHILE_MS);
    journal.counts = 0;
    const comeAndGo = async (): Promise<void> => {
      a.leave();
      a = await cluster.another(a);
      await cluster.clock.advance(A_WHILE_MS);
    };
    await comeAndGo();
    await comeAndGo();
    assert.equal(journal.counts, 0);
    a.leave();
    await b.node.crash();
    await cluster.clock.advance(A_WHILE_MS);
    a = await cluster.another(a);
    await cluster.clock.advance(A_WHILE_MS);
    assert.equal(journal.counts, 1);
  });

  it("waits until nothing adds to it any more", async () => {
    await orphan("bob", "s1");
    for (let passed = 0; passed < 3 * A_WHILE_MS; passed += 2000) {
      await refused("unavailable");
      await cluster.clock.advance(2000);
    }
    assert.equal(await loadsSince(), 0);
    await cluster.clock.advance(2 * A_WHILE_MS);
    assert.equal(await loadsSince(), 1);
  });

  it("is not over before what was added to it while it was judged", async () => {
    journal.beforeCount = async () => {
      journal.beforeCount = async () => {};
      await orphan("bob", "s1");
      await refused("unavailable");
    };
    await refused("unavailable");
    await cluster.clock.advance(3 * A_WHILE_MS);
    assert.equal(await loadsSince(), 1);
  });

  it("is judged in the end though it is added to again and again", async () => {
    await orphan("bob", "s1");
    for (let passed = 0; passed < LONGEST_MS; passed += 250) {
      await refused("unavailable");
      await cluster.clock.advance(250);
    }
    assert.equal(await loadsSince(), 1);
    await orphan("cy", "s1");
    await refused("unavailable");
    await cluster.clock.advance(A_WHILE_MS);
    assert.equal(await loadsSince(), 2);
  });

  it("stays while the database cannot be asked", async () => {
    await orphan("bob", "s1");
    journal.beforeCount = refuse("unavailable");
    await refused("unavailable");
    await cluster.clock.advance(2 * A_WHILE_MS);
    assert.equal(await loadsSince(), 0);
    journal.beforeCount = async () => {};
    await cluster.clock.advance(2 * A_WHILE_MS);
    assert.equal(await loadsSince(), 1);
  });

  it("is not raised any more by a node that leaves", async () => {
    const release = journal.hold();
    const submission = a.submit("ann", "s2", 2);
    const isRefused = assert.rejects(submission, { code: "unavailable" });
    await cluster.clock.advance(100);
    await a.service.flush();
    journal.fate = () => "not done";
    release();
    await isRefused;
    await cluster.clock.advance(A_WHILE_MS);
    assert.equal(journal.counts, 0);
  });

  it("is left alone by a node that leaves", async () => {
    await orphan("bob", "s1");
    await refused("unavailable");
    await a.service.flush();
    await cluster.clock.advance(A_WHILE_MS);
    assert.equal(journal.counts, 0);
  });
});
