import assert from "node:assert/strict";
import { openDatabase } from "../../src/entities/database.ts";
import { type ErrorCode, RingmasterError } from "../../src/errors.ts";
import { MemoryLeaderboard } from "../../src/stores/tournaments/MemoryLeaderboard.ts";
import { ManualClock } from "../actors/simulation.ts";
import { FaultyJournal, FaultyLeaderboard } from "./faults.ts";
import { type Desk, TournamentCluster } from "./TournamentCluster.ts";

/** Longer than a doubt is left alone. */
const A_WHILE_MS = 6000;

describe("a doubt about a tournament's board", () => {
  let cluster: TournamentCluster<ManualClock>;
  let leaderboard: FaultyLeaderboard;
  let journal: FaultyJournal;
  let a: Desk;
  let loads: number;

  beforeEach(async () => {
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    cluster = new TournamentCluster(new ManualClock(), database, new MemoryLeaderboard());
    leaderboard = new FaultyLeaderboard(cluster.leaderboard);
    journal = new FaultyJournal(database, cluster.clock);
    a = await cluster.join("a", { leaderboard, journal });
    await a.submit("ann", "s1", 1);
    loads = await epoch();
  });
  afterEach(() => cluster.database.close());

  const epoch = async (): Promise<number> => (await cluster.tournaments.get("t"))!.boardEpoch;
  const loadsSince = async (): Promise<number> => (await epoch()) - loads;
  const refused = async (code: ErrorCode): Promise<void> => {
    const refuse = async (): Promise<never> => {
      throw new RingmasterError(code);
    };
    leaderboard.before = refuse;
    await assert.rejects(a.submit("ann", "s2", 2), { code });
    leaderboard.before = async () => {};
  };

  for (const code of ["overloaded", "draining", "invalid_payload"] as const)
    it(`is none where the board refused with ${code}, which decided nothing`, async () => {
      await refused(code);
      await cluster.clock.advance(A_WHILE_MS);
      assert.equal(await loadsSince(), 0);
    });

  for (const code of ["unavailable", "internal"] as const)
    it(`has the board loaded anew where nobody knows what it decided: ${code}`, async () => {
      await refused(code);
      await cluster.clock.advance(A_WHILE_MS);
      assert.equal(await loadsSince(), 1);
    });

  for (const code of ["overloaded", "unavailable"] as const)
    it(`has it loaded anew where what it decided was not committed: ${code}`, async () => {
      journal.before = async () => {
        throw new RingmasterError(code);
      };
      await assert.rejects(a.submit("ann", "s2", 2), { code });
      journal.before = async () => {};
      await cluster.clock.advance(A_WHILE_MS);
      assert.equal(await loadsSince(), 1);
    });

  it("is not raised any more by a node that leaves", async () => {
    const release = journal.hold();
    const submission = a.submit("ann", "s2", 2);
    const isRefused = assert.rejects(submission, { code: "unavailable" });
    await cluster.clock.advance(100);
    await a.desk.flush();
    journal.fate = () => "not done";
    release();
    await isRefused;
    await cluster.clock.advance(A_WHILE_MS);
    assert.equal(await loadsSince(), 0);
  });
});
