import assert from "node:assert/strict";
import { RingmasterError } from "../../src/errors.ts";
import type { BoardKey, BoardSnapshot, PlayerSnapshot } from "../../src/stores/tournaments/Leaderboard.ts";
import { MemoryLeaderboard } from "../../src/stores/tournaments/MemoryLeaderboard.ts";
import { ManualClock } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { ROUND_MS, type Service, TournamentCluster } from "./TournamentCluster.ts";

/** A leaderboard whose next drops fail, and whose next loads end when a test says so. */
class StickyBoard extends MemoryLeaderboard {
  failingDrops = 0;
  readonly held: Promise<void>[] = [];

  override async drop(board: Pick<BoardKey, "id">): Promise<void> {
    if (this.failingDrops > 0) {
      this.failingDrops -= 1;
      throw new RingmasterError("unavailable");
    }
    await super.drop(board);
  }

  override async load(board: BoardKey, snapshot: BoardSnapshot): Promise<boolean> {
    const players: PlayerSnapshot[] = [];
    for await (const player of snapshot.players) players.push(player);
    await this.held.shift();
    return super.load(board, { ...snapshot, players });
  }
}

describe("a tournament's board ends with it", () => {
  let cluster: TournamentCluster<ManualClock>;
  let board: StickyBoard;
  let a: Service;
  let b: Service;
  let key: BoardKey;

  beforeEach(async () => {
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    board = new StickyBoard();
    cluster = new TournamentCluster(new ManualClock(), database, board);
    a = await cluster.join("a");
    b = await cluster.join("b");
    await a.submit("ann", "s1", 1);
    await cluster.clock.advance(3000);
    key = await cluster.key();
  });
  afterEach(() => cluster.database.close());

  const isThere = async (): Promise<boolean> => (await board.page(key, 0, 1)) !== undefined;
  const actor = () => cluster.actor(b);
  const end = async (): Promise<void> => {
    await cluster.within(actor().end());
    await cluster.within(actor().end());
  };

  it("also where it has no rooms any more", async () => {
    a.leave();
    b.leave();
    await cluster.within(actor().end());
    assert.ok(await isThere(), "in grace it is of use");
    await cluster.within(actor().end());
    await cluster.clock.advance(10);
    assert.equal(await isThere(), false);
  });

  it("when it is called off", async () => {
    a.leave();
    b.leave();
    await cluster.within(actor().cancel());
    await cluster.clock.advance(10);
    assert.equal(await isThere(), false);
  });

  it("when it is settled, where it could not be dropped before", async () => {
    board.failingDrops = 1;
    await end();
    await cluster.clock.advance(ROUND_MS);
    assert.equal((await cluster.tournaments.get("t"))!.phase, "settled");
    assert.equal(await isThere(), false);
  });

  for (const ending of ["settled", "cancelled"] as const)
    it(`where a load comes to its end only once it is ${ending}`, async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      board.held.push(promise);
      await cluster.lose();
      const submission = assert.rejects(b.submit("bob", "s1", 1), { code: "wrong_phase" });
      while (board.held.length > 0) await cluster.clock.advance(5);
      if (ending === "settled") await end();
      else await cluster.within(actor().cancel());
      await cluster.clock.advance(5000);
      assert.equal((await cluster.tournaments.get("t"))!.phase, ending);
      await submission;
      resolve();
      await cluster.clock.advance(100);
      assert.equal(await isThere(), false);
    });

  it("where only somebody without a room had it loaded, to look at it", async () => {
    a.leave();
    b.leave();
    await cluster.lose();
    assert.equal((await cluster.within(a.service.standings("t", { limit: 3 }))).total, 1);
    assert.ok(await isThere());
    await end();
    await cluster.clock.advance(10);
    assert.equal(await isThere(), false);
  });
});
