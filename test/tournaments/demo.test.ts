import assert from "node:assert/strict";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { DEMO_ROUND_MS, DEMO_TOURNAMENT } from "../../src/actors/tournaments/demo.ts";
import { tournamentKind } from "../../src/actors/tournaments/TournamentActor.ts";
import { TournamentDemoActor } from "../../src/actors/tournaments/TournamentDemoActor.ts";
import { TournamentSeriesActor } from "../../src/actors/tournaments/TournamentSeriesActor.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryLeaderboard } from "../../src/stores/tournaments/MemoryLeaderboard.ts";
import { kindOf, ManualClock, SimulatedNode, silentLog } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";

describe("the demo tournament", () => {
  let database: Database;
  let clock: ManualClock;
  let node: SimulatedNode;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    clock = new ManualClock();
    node = await startNode("n1");
  });

  afterEach(async () => {
    await node.crash();
    await database.close();
  });

  async function startNode(id: string): Promise<SimulatedNode> {
    const started = new SimulatedNode({ id, hub: new MemoryHub(), database, clock }, [
      kindOf(TournamentDemoActor),
      kindOf(TournamentSeriesActor),
      tournamentKind({
        database,
        leaderboard: new MemoryLeaderboard(),
        clock,
        log: silentLog,
        reviewOverdue: () => {},
      }),
    ]);
    await started.actors.start();
    return started;
  }

  const demo = () => node.actors.ref(TournamentDemoActor, "demo");

  const rounds = async (): Promise<{ id: string; phase: string; starts_at: number; ends_at: number }[]> =>
    database.query("SELECT id, phase, starts_at, ends_at FROM tournaments ORDER BY starts_at");

  const phases = async (): Promise<string[]> => (await rounds()).map(({ phase }) => phase);

  async function pass(ms: number): Promise<void> {
    await clock.advance(ms);
  }

  async function begin(): Promise<void> {
    const started = demo().start();
    await pass(500);
    await started;
  }

  it("has one round open and the next announced, at any time", async () => {
    await begin();
    assert.deepEqual(await phases(), ["open", "scheduled"]);
    for (let round = 2; round <= 5; round++) {
      await pass(DEMO_ROUND_MS);
      assert.deepEqual((await phases()).slice(-2), ["open", "scheduled"], `round ${round}`);
    }
    const all = await rounds();
    assert.deepEqual(
      all.map(({ id }) => id),
      all.map((_, at) => `demo-${at + 1}`),
    );
    for (const [at, { starts_at, ends_at }] of all.entries()) {
      assert.equal(ends_at - starts_at, DEMO_ROUND_MS);
      if (at > 0) assert.equal(starts_at, all[at - 1]!.ends_at, "one begins when the one before ends");
    }
    await pass(DEMO_TOURNAMENT.graceMs + 5000);
    assert.equal((await phases())[3], "settled");
  });

  it("goes on after an outage with one that is open, and makes up for none", async () => {
    await begin();
    await node.crash();
    clock.wallOffset += 10 * DEMO_ROUND_MS + 60_000;
    node = await startNode("n2");
    await pass(15_000);
    assert.deepEqual((await phases()).slice(-2), ["open", "scheduled"]);
    assert.equal((await rounds()).length, 4);
  });

  it("does not grow while nobody plays, and keeps what was played for some days", async () => {
    await begin();
    await database.write(
      `INSERT INTO score_entries (tournament_id, player_id, entry_no, submission_id, player_name, game, score, subscore, best,
        best_subscore, seq, reached_seq, told_rank, stored_at) VALUES ('demo-1', 'ada', 1, 's', 'Ada', 'snake', 1, 0, 1, 0, 1, 1, 1, 1)`,
    );
    const sizes: number[] = [];
    for (let round = 0; round < 30; round++) {
      await pass(DEMO_ROUND_MS);
      sizes.push((await rounds()).length);
    }
    assert.equal(Math.max(...sizes), 21, "twenty, and the one that was played");
    assert.equal((await rounds())[0]!.id, "demo-1");
    const actors = await database.query("SELECT 1 FROM actors WHERE kind = 'tournament'");
    assert.ok(actors.length <= 21, `${actors.length} actors`);
  }).timeout(120_000);

  it("ends when it is told to: the rounds that there are take place, and no further ones", async () => {
    await begin();
    await demo().stop();
    await pass(3 * DEMO_ROUND_MS);
    assert.deepEqual(await phases(), ["settled", "settled"]);
  });
});
