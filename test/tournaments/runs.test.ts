import assert from "node:assert/strict";
import { type BegunRun, type Run, Runs } from "../../src/actors/tournaments/Runs.ts";
import { checkSnake } from "../../src/actors/tournaments/snakeCheck.ts";
import { seededRng } from "../../src/clock.ts";
import type { TournamentTerms } from "../../src/entities/tournaments/Tournament.ts";
import { MemoryLeaderboard } from "../../src/stores/tournaments/MemoryLeaderboard.ts";
import { ManualClock } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { playSnake } from "../support/snakeRound.ts";
import { ROUND_MS, type Service, TournamentCluster } from "./TournamentCluster.ts";

const OWN_PACE = { subscore: -1 };

describe("a run", () => {
  const runs = new Runs("a secret of at least so many letters", seededRng(1));
  const { run, seed, at } = runs.begin("t", "ann", 1_800_000_000_000);

  it("is known again by whoever has the secret, with its seed and its time", () => {
    const known = new Runs("a secret of at least so many letters", seededRng(2)).read("t", "ann", run)!;
    assert.deepEqual([known.seed, known.begunAt, known.id.length], [seed, at, 16]);
    assert.equal(new Runs("another secret of so many letters", seededRng(1)).read("t", "ann", run), undefined);
  });

  it("is good for its player and its tournament alone, and in no other form", () => {
    assert.equal(runs.read("t", "bob", run), undefined);
    assert.equal(runs.read("u", "ann", run), undefined);
    const [time, id, signature] = run.split(".") as [string, string, string];
    const earlier = (at - 60_000).toString(36);
    const forged = [`${earlier}.${id}.${signature}`, `${time}.${"0".repeat(16)}.${signature}`, `${time}.${id}`, ""];
    for (const other of [...forged, `${run}x`, ` ${run}`, `0${run}`, run.replace(/.$/, "")])
      assert.equal(runs.read("t", "ann", other), undefined, other);
  });

  it("is the same one when it is asked for again by the same id, with its seed, on whichever node, and begins at the later time", () => {
    const [first, again] = [runs, new Runs("a secret of at least so many letters", seededRng(9))].map((each, node) => {
      const begun = each.begin("t", "ann", at + 1000 * node, "r1");
      return { ...begun, ...runs.read("t", "ann", begun.run)! };
    }) as [BegunRun & Run, BegunRun & Run];
    assert.deepEqual([again.id, again.seed, again.at], [first.id, first.seed, first.at + 1000]);
    assert.deepEqual([first.begunAt, again.begunAt], [first.at, again.at]);
    for (const other of [
      runs.begin("t", "ann", at, "r2"),
      runs.begin("t", "bob", at, "r1"),
      runs.begin("u", "ann", at, "r1"),
    ])
      assert.notEqual(other.run.split(".")[1], first.id);
    const [time, id, signature] = again.run.split(".") as [string, string, string];
    for (const forged of [`${at.toString(36)}.${id}.${signature}`, `${time}.${id.slice(1)}.${signature}`])
      assert.equal(runs.read("t", "ann", forged), undefined);
  });

  it("is unlike every other", () => {
    const many = Array.from({ length: 1000 }, () => runs.begin("t", "ann", at));
    assert.equal(new Set(many.map(({ run }) => run)).size, 1000);
    assert.ok(new Set(many.map(({ seed }) => seed)).size > 990);
  });
});

describe("a tournament whose scores come of runs", () => {
  let cluster: TournamentCluster<ManualClock>;
  let a: Service;
  let b: Service;

  beforeEach(async () => {
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    cluster = new TournamentCluster(new ManualClock(), database, new MemoryLeaderboard());
  });
  afterEach(() => cluster.database.close());

  async function open(plan: Partial<TournamentTerms> = {}): Promise<void> {
    cluster.plan = { game: "snake", runs: "required", graceMs: ROUND_MS, ...plan };
    const checks = { snake: checkSnake };
    a = await cluster.join("a", { checks });
    b = await cluster.join("b", { checks });
    await cluster.clock.advance(100);
  }

  /** Goes on to the end of the open phase. */
  async function end(): Promise<void> {
    await cluster.within(cluster.actor(a).end());
    await cluster.clock.advance(100);
  }

  const played = (seed: number) => {
    const { score, proof } = playSnake(seed);
    return { score, more: { proof, ...OWN_PACE } };
  };

  it("takes what was really played, on whichever node", async () => {
    await open();
    const { run, seed, at } = await a.begin("ann");
    assert.ok(Math.abs(at - cluster.clock.now()) < ROUND_MS);
    const { score, more } = played(seed);
    assert.deepEqual(await b.submit("ann", undefined, score, { run, ...more }), { rank: 1, best: score, entries: 1 });
  });

  it("refuses a forged score, and steps of another run's seed", async () => {
    await open();
    const [one, other] = [await a.begin("ann"), await a.begin("ann")];
    const { score, more } = played(one.seed);
    const refused = { code: "score_refused" };
    await assert.rejects(a.submit("ann", undefined, score + 10, { run: one.run, ...more }), refused);
    await assert.rejects(a.submit("ann", undefined, score, { run: other.run, ...more }), refused);
    await assert.rejects(a.submit("ann", undefined, 1_000_000_000, { run: one.run, ...OWN_PACE }), refused);
    assert.deepEqual(await cluster.committed(), []);
  });

  it("refuses a round that is over at once, unless its player set the pace", async () => {
    await open();
    const { run, seed } = await a.begin("ann");
    const { score, more } = played(seed);
    await assert.rejects(a.submit("ann", undefined, score, { run, ...more, subscore: 0 }), { code: "score_refused" });
    assert.equal((await a.submit("ann", undefined, score, { run, ...more })).entries, 1);
  });

  it("refuses what came of no run, of another player's, of another tournament's and of a made-up one", async () => {
    await open();
    const { run, seed } = await a.begin("ann");
    const { score, more } = played(seed);
    const elsewhere = new Runs("a secret that all nodes of this cluster know", seededRng(3)).begin("u", "ann", 0);
    const refused = { code: "run_refused" };
    await assert.rejects(a.submit("ann", "s", score, more), refused);
    await assert.rejects(a.submit("bob", undefined, score, { run, ...more }), refused);
    await assert.rejects(a.submit("ann", undefined, score, { run: elsewhere.run, ...more }), refused);
    await assert.rejects(a.submit("ann", undefined, score, { run: "1.2.3", ...more }), refused);
    assert.deepEqual(await cluster.committed(), []);
  });

  it("counts a run once, however often and with whatever it is sent, on any node, also after the board was lost", async () => {
    await open();
    const { run, seed } = await a.begin("ann");
    const { score, more } = played(seed);
    const first = await a.submit("ann", "mine", score, { run, ...more });
    const early = playSnake(seed, 5);
    const again = { run, proof: early.proof, ...OWN_PACE };
    assert.deepEqual(await a.submit("ann", "another", early.score, again), first);
    await cluster.lose();
    assert.deepEqual(await b.submit("ann", undefined, score, { run, ...more }), first);
    assert.equal((await cluster.committed()).length, 1);
    const next = await b.begin("ann");
    const { score: second, more: of } = played(next.seed);
    assert.equal((await a.submit("ann", "mine", second, { run: next.run, ...of })).entries, 2, "ids are the runs' own");
  });

  it("begins none before the opening, after the end and in grace", async () => {
    await open({ startsAt: cluster.clock.now() + ROUND_MS, endsAt: cluster.clock.now() + 2 * ROUND_MS });
    await assert.rejects(a.begin("ann"), { code: "wrong_phase" });
    await cluster.within(cluster.actor(a).start());
    await cluster.clock.advance(100);
    await a.begin("ann");
    await end();
    assert.equal(a.row.tournament!.phase, "grace");
    await assert.rejects(a.begin("ann"), { code: "wrong_phase" });
  });

  it("takes in grace what was begun before the end, whoever was or was not in the room, and nothing begun after it", async () => {
    for (const graceFor of ["joined", "anyone"] as const) {
      await open({ graceFor });
      const { run, seed } = await a.begin("ann");
      await end();
      const { endsAt } = a.row.tournament!;
      const late = new Runs("a secret that all nodes of this cluster know", seededRng(4)).begin("t", "ann", endsAt);
      const lately = played(late.seed);
      const joinedAt = endsAt + 1;
      const refusal = { code: "wrong_phase", details: { phase: "grace", changesAt: a.row.tournament!.phaseEndsAt } };
      const sent = { run: late.run, ...lately.more };
      await assert.rejects(b.submit("ann", undefined, lately.score, { ...sent, joinedAt: 0 }), refusal);
      const { score, more } = played(seed);
      assert.equal((await b.submit("ann", undefined, score, { run, ...more, joinedAt })).entries, 1);
      await cluster.database.close();
      const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
      cluster = new TournamentCluster(new ManualClock(), database, new MemoryLeaderboard());
    }
  });

  it("answers a repeat of what it took with the first answer also once the window is over", async () => {
    await open();
    const { run, seed } = await a.begin("ann");
    const { score, more } = played(seed);
    const first = await a.submit("ann", undefined, score, { run, ...more });
    await end();
    await cluster.within(cluster.actor(a).end());
    await cluster.clock.advance(100);
    assert.deepEqual(await b.submit("ann", undefined, score, { run, ...more }), first);
  });

  it("knows a run that was begun before the nodes were started anew, and by a clock that was ahead or behind", async () => {
    await open();
    const runs = new Runs("a secret that all nodes of this cluster know", seededRng(5));
    const now = cluster.clock.now();
    const begun = [await a.begin("ann"), runs.begin("t", "ann", now + 5000), runs.begin("t", "ann", now - 5000)];
    await a.node.crash();
    await b.node.crash();
    const c = await cluster.join("c", { checks: { snake: checkSnake } });
    for (const [at, { run, seed }] of begun.entries()) {
      const { score, more } = played(seed);
      assert.equal((await c.submit("ann", undefined, score, { run, ...more })).entries, at + 1);
    }
  });

  it("takes scores without a run, under the player's own ids, where none is required", async () => {
    await open({ runs: undefined });
    assert.deepEqual(await a.submit("ann", "s", 5), { rank: 1, best: 5, entries: 1 });
    const { run, seed } = await a.begin("ann");
    const { score, more } = played(seed);
    await assert.rejects(a.submit("ann", undefined, score + 10, { run, ...more }), { code: "score_refused" });
    assert.equal((await a.submit("ann", undefined, score, { run, ...more })).entries, 2);
  });
});
