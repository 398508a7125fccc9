import assert from "node:assert/strict";
import type { BoardKey, BoardSnapshot } from "../../src/stores/tournaments/Leaderboard.ts";
import { MemoryLeaderboard } from "../../src/stores/tournaments/MemoryLeaderboard.ts";
import { ManualClock } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { playerOf, type Service, TournamentCluster } from "./TournamentCluster.ts";

/** A board that takes its time to load; what is to be loaded is read before and after that. */
class SlowBoard extends MemoryLeaderboard {
  /** How long the next loads take, one after the other; then they take no time. */
  readonly waits: Promise<void>[] = [];
  /** Players whom loads have read. */
  read = 0;

  override async load(board: BoardKey, snapshot: BoardSnapshot): Promise<boolean> {
    return super.load(board, { ...snapshot, players: this.#slowly(snapshot.players, this.waits.shift()) });
  }

  async *#slowly<T>(players: Iterable<T> | AsyncIterable<T>, wait: Promise<void> | undefined): AsyncGenerator<T> {
    for await (const player of players) {
      this.read += 1;
      yield player;
      await wait;
    }
  }
}

describe("a tournament's board that takes long to load", () => {
  let cluster: TournamentCluster<ManualClock>;
  let board: SlowBoard;
  let a: Service;
  let b: Service;

  beforeEach(async () => {
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    board = new SlowBoard();
    cluster = new TournamentCluster(new ManualClock(), database, board);
    a = await cluster.join("a");
    b = await cluster.join("b");
    for (const id of ["ann", "bob", "cid"]) await a.submit(id, "before", 1);
    // Longer than the first load is waited for.
    await cluster.clock.advance(3000);
    await cluster.lose();
    board.read = 0;
  });
  afterEach(() => cluster.database.close());

  const after = (ms: number) => new Promise<void>((resolve) => void cluster.clock.schedule(resolve, ms));
  const epoch = async (): Promise<number> => (await cluster.tournaments.get("t"))!.boardEpoch;

  it("is loaded once, by whoever began, and takes what was asked of it meanwhile on every node", async () => {
    board.waits.push(after(12_000));
    const before = await epoch();
    const submissions = [a, b].flatMap((service) =>
      ["dan", "eve", "fay"].map((id) => service.submit(`${id}-${service.node.id}`, "s1", 2)),
    );
    for (const { entries } of await Promise.all(submissions)) assert.equal(entries, 1);
    assert.equal(await epoch(), before + 1);
    assert.equal(board.read, 3, "it was read once");
    assert.equal((await cluster.committed()).length, 9);
  });

  it("is loaded by another as soon as the loader is known to have died", async () => {
    const c = await cluster.join("c");
    board.waits.push(new Promise(() => {}));
    const before = await epoch();
    c.submit("cid", "s1", 2).catch(() => {});
    await cluster.clock.advance(10_000);
    assert.equal(await epoch(), before + 1, "while it lives, the load may go on");
    await c.node.crash();
    const diedAt = cluster.clock.now();
    await b.submit("bob", "s1", 2);
    assert.ok(cluster.clock.now() - diedAt < 4500, `${cluster.clock.now() - diedAt} ms after its death`);
    assert.equal(await epoch(), before + 2);
  });

  it("lets nobody wait for ever, where it is loaded or elsewhere", async () => {
    board.waits.push(new Promise(() => {}));
    const begun = cluster.clock.now();
    const codes = [a, b].map((service) =>
      service.service.submit(service.tournament, playerOf(service.node.id), { submissionId: "s1", score: 2 }, 0).then(
        () => assert.fail("it was taken"),
        (error: { code: string }) => [error.code, cluster.clock.now() - begun] as const,
      ),
    );
    await cluster.clock.advance(60_000);
    for (const [code, waited] of await Promise.all(codes)) {
      assert.equal(code, "unavailable");
      assert.ok(waited >= 30_000 && waited < 31_000, `${waited} ms`);
    }
  });

  it("is loaded by another when the load does not come to an end", async () => {
    board.waits.push(new Promise(() => {}));
    const before = await epoch();
    await cluster.within(cluster.actor(a).extend(3_600_000));
    a.submit("ann", "s1", 2).catch(() => {});
    await cluster.clock.advance(610_000);
    await b.submit("bob", "s1", 2);
    assert.equal(await epoch(), before + 2);
  });

  it("is read no further once the tournament is over", async () => {
    board.waits.push(after(5000));
    const submission = a.submit("ann", "s1", 2).then(
      () => assert.fail("it was taken"),
      (error: { code: string }) => error.code,
    );
    for (let ms = 0; ms < 1000 && board.read === 0; ms += 5) await cluster.clock.advance(5);
    await cluster.within(cluster.actor(b).end());
    await cluster.within(cluster.actor(b).end());
    assert.equal(await submission, "wrong_phase");
    await cluster.clock.advance(10_000);
    assert.equal(board.read, 1, "of three players");
  });
});
