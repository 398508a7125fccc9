import assert from "node:assert/strict";
import { MemoryLeaderboard } from "../../src/stores/tournaments/MemoryLeaderboard.ts";
import { ManualClock } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { type NodeParts, playerOf, type Service, TournamentCluster } from "./TournamentCluster.ts";

describe("the services of a tournament ask the game's check", () => {
  let cluster: TournamentCluster<ManualClock>;
  let a: Service;
  let b: Service;

  beforeEach(async () => {
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    cluster = new TournamentCluster(new ManualClock(), database, new MemoryLeaderboard());
  });
  afterEach(() => cluster.database.close());

  const join = async (parts: NodeParts): Promise<void> => {
    a = await cluster.join("a", parts);
    b = await cluster.join("b", parts);
    await cluster.clock.advance(1000);
  };

  it("and take nothing that it refuses, whatever it sees", async () => {
    const seen: unknown[] = [];
    await join({
      checks: {
        snake: async (checked) => {
          const { takenAt, ...rest } = checked;
          assert.equal(takenAt, cluster.clock.now());
          seen.push(rest);
          return checked.proof === "true";
        },
        tetris: () => assert.fail("of another game"),
      },
    });
    const refused = { code: "score_refused", details: { min: 0, max: 1000 } };
    await assert.rejects(a.submit("ann", "s1", 1), refused);
    await assert.rejects(a.submit("ann", "s1", 1, { proof: "false" }), refused);
    assert.equal((await a.submit("ann", "s1", 1, { proof: "true", subscore: 7 })).rank, 1);
    assert.deepEqual(seen.at(-1), {
      ...{
        tournamentId: "t",
        game: "snake",
        playerId: "ann",
        submissionId: "s1",
        score: 1,
        subscore: 7,
        proof: "true",
        run: undefined,
      },
    });
    assert.deepEqual(await cluster.committed(), [["ann", 1, "s1"]]);
  });

  it("whose refusal of what was taken already changes nothing: a proof may be used up", async () => {
    const used = new Set<string>();
    const once = async ({ proof = "" }: { proof?: string | undefined }) => !used.has(proof) && !!used.add(proof);
    await join({ checks: { snake: once } });
    const first = await a.submit("ann", "s1", 1, { proof: "p" });
    assert.deepEqual(await b.submit("ann", "s1", 1, { proof: "p" }), first);
  });

  it("and answer unavailable when it throws, at once or later", async () => {
    await join({
      checks: {
        snake: ({ proof }) => {
          if (proof === "at once") throw new Error("broken");
          return Promise.reject(new Error("broken"));
        },
      },
    });
    for (const proof of ["at once", "later"])
      await assert.rejects(a.submit("ann", "s1", 1, { proof }), { code: "unavailable" });
  });

  it("only about what the game's bounds allow", async () => {
    const asked: number[] = [];
    const checks = {
      snake: async ({ score }: { score: number }) => {
        asked.push(score);
        return true;
      },
    };
    await join({ checks });
    for (const score of [1001, -1, 1e300])
      await assert.rejects(a.submit("ann", "s1", score), { code: "score_refused" });
    assert.deepEqual(asked, []);
    const first = await a.submit("ann", "s1", 1000);
    assert.deepEqual(await a.submit("ann", "s1", 1001), first, "what was taken before is not judged anew");
    assert.deepEqual(asked, [1000]);
  });

  it("about a step that is no score by itself", async () => {
    cluster.plan = { operator: "increment" };
    const asked: number[] = [];
    await join({
      checks: {
        snake: async ({ score }) => {
          asked.push(score);
          return true;
        },
      },
    });
    await a.submit("ann", "s1", 10);
    assert.equal((await a.submit("ann", "s2", -4)).best, 6);
    await assert.rejects(a.submit("ann", "s3", -7), { code: "score_refused" });
    assert.deepEqual(asked, [10, -4, -7]);
  });

  it("about a step that may be made, and about none that may not", async () => {
    cluster.plan = { operator: "increment", minStep: -3, maxStep: 10 };
    const asked: number[] = [];
    await join({
      checks: {
        snake: async ({ score }) => {
          asked.push(score);
          return true;
        },
      },
    });
    for (const [id, step] of Object.entries({ s1: 10, s2: -3 })) await a.submit("ann", id, step);
    for (const [id, step] of Object.entries({ s3: 11, s4: -4, s5: 1e9 }))
      await assert.rejects(a.submit("ann", id, step), { code: "score_refused" });
    assert.deepEqual(asked, [10, -3]);
    assert.equal((await a.submit("ann", "s6", 1)).best, 8);
  });

  const submitOf = (n: number) =>
    a.service.submit(a.tournament, playerOf(`p${n}`), { submissionId: "s", score: 1 }, 0).catch(({ code }) => code);

  it("and answer unavailable when it hangs, to others at once when it hangs too often", async () => {
    const untilAborted = (_: unknown, signal: AbortSignal) =>
      new Promise<boolean>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      });
    await join({ checks: { snake: untilAborted } });
    const answers = Promise.all(Array.from({ length: 2100 }, (_, n) => submitOf(n)));
    await cluster.clock.advance(4900);
    assert.equal(await submitOf(5000), "overloaded");
    await cluster.clock.advance(200);
    const codes = await answers;
    assert.equal(codes.filter((code) => code === "unavailable").length, 2000);
    assert.equal(codes.filter((code) => code === "overloaded").length, 100);
    const next = submitOf(1);
    await cluster.clock.advance(5100);
    assert.equal(await next, "unavailable", "there is room again");
  });

  it("and have no more than so many under way, also of those that nobody waits for any more", async () => {
    const hanging: (() => void)[] = [];
    await join({ checks: { snake: () => new Promise((resolve) => hanging.push(() => resolve(true))) } });
    const answers = Promise.all(Array.from({ length: 2000 }, (_, n) => submitOf(n)));
    await cluster.clock.advance(5100);
    assert.deepEqual([...new Set(await answers)], ["unavailable"]);
    assert.equal(await submitOf(5000), "overloaded");
    hanging.shift()!();
    await cluster.clock.advance(1);
    const next = submitOf(5000);
    await cluster.clock.advance(1);
    assert.equal(await submitOf(5001), "overloaded", "one has ended, one has begun");
    hanging.pop()!();
    assert.equal((await cluster.within(next)).rank, 1);
  });
});
