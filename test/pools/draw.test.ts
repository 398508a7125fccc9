import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { CandidatesHash, winnerIndex } from "../../src/actors/pools/draw.ts";
import { candidatesOf, draws } from "../../src/entities/pools/Draw.ts";
import { SETTLED_MS } from "../../src/schedulers/pools/settled.ts";
import { type DrawsMade, type WeeklyDrawJobPorts, weeklyDrawJob } from "../../src/schedulers/pools/weeklyDrawJob.ts";
import { runJob } from "../support/runJob.ts";
import { at, DATABASES, type PoolWorld, useWorld } from "./poolWorld.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hex64 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString("hex"));

describe("the rule of the draw", () => {
  it("picks the same candidate for the same seed and candidates, and one that there is", () => {
    console.log(`      seed ${SEED} (replay: SEED=${SEED})`);
    fc.assert(
      fc.property(hex64, hex64, fc.integer({ min: 1, max: 2 ** 40 }), (seed, hash, candidates) => {
        const index = winnerIndex(seed, hash, candidates);
        assert.ok(Number.isSafeInteger(index) && index >= 0 && index < candidates);
        assert.equal(winnerIndex(seed, hash, candidates), index);
      }),
      { seed: SEED },
    );
  });

  it("is the remainder of the SHA-256 of seed, hash and try", () => {
    const number = BigInt(`0x${sha256("ab:cd:0")}`);
    assert.equal(winnerIndex("ab", "cd", 1000), Number(number % 1000n));
    assert.equal(winnerIndex("ab", "cd", 1), 0);
  });

  for (const candidates of [2, 3, 7, 10]) {
    it(`gives each of ${candidates} candidates the same chance`, () => {
      const tries = 4000 * candidates;
      const wins = Array<number>(candidates).fill(0);
      for (let at = 0; at < tries; at++) wins[winnerIndex(`seed${at}`, "hash", candidates)]! += 1;
      const chiSquared = wins.reduce((sum, count) => sum + (count - 4000) ** 2 / 4000, 0);
      // The seeds are always the same; the bound is beyond what one in 10,000 uniform samples of this many degrees exceeds.
      assert.ok(chiSquared < 3 * candidates + 20, `chi squared ${chiSquared}: ${wins}`);
    });
  }

  it("knows no draw without a candidate", () => {
    for (const candidates of [0, -1, 1.5, Number.NaN])
      assert.throws(() => winnerIndex("a", "b", candidates), RangeError);
  });

  it("hashes candidates page by page as at once", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.string({ minLength: 1 }))), (pages) => {
        const hash = new CandidatesHash();
        for (const page of pages) hash.add(page);
        assert.equal(hash.digest(), sha256(pages.flat().join("\n")));
      }),
      { seed: SEED },
    );
  });
});

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;
const MONDAY = at("2026-11-16T00:00:00Z");
const PASS = [{ item: "PRIVATE_PASS", amount: "1" }];

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`the weekly draw (${name})`, () => {
    let world: PoolWorld;
    useWorld(open, (made) => {
      world = made;
    });
    beforeEach(async () => {
      world.now = MONDAY + 5 * 60_000;
    });

    const draw = async (ports: Partial<WeeklyDrawJobPorts> = {}) =>
      (await runJob<DrawsMade>(weeklyDrawJob({ ...world.ports, ...ports }))).result.drawn;
    const made = () => draws(world.database, 100);

    it("gives a pass to one of the week's players, as seed and candidates say", async () => {
      await world.tournament("off");
      await world.tournament("ponging", "settled", "pong");
      await world.enter(
        { player: "bob", score: 1, storedAt: MONDAY - 1 },
        { player: "ada", score: 1, storedAt: MONDAY - WEEK_MS },
        { player: "ada", score: 2, storedAt: MONDAY - WEEK_MS + 1 },
        { player: "pro", score: 2, storedAt: MONDAY - 5, game: "pong", tournament: "ponging" },
        { player: "early", score: 1, storedAt: MONDAY - WEEK_MS - 1 },
        { player: "late", score: 1, storedAt: MONDAY },
        { player: "eve", score: 1, storedAt: MONDAY - 5, tournament: "off" },
      );
      await world.cancel("off");
      const [drawn] = await draw();
      const [stored] = await made();
      const players = ["ada", "bob", "pro"];
      assert.deepEqual(await candidatesOf(world.database, stored!.weekStartsAt, 0, 100), players);
      const winner = players[winnerIndex(stored!.seed, sha256(players.join("\n")), 3)]!;
      assert.match(stored!.seed, /^[0-9a-f]{64}$/);
      assert.deepEqual(stored, {
        weekStartsAt: MONDAY - WEEK_MS,
        weekEndsAt: MONDAY,
        drawnAt: world.now,
        seed: stored!.seed,
        candidates: 3,
        candidatesHash: sha256("ada\nbob\npro"),
        winner: { playerId: winner, name: winner },
      });
      assert.deepEqual(drawn, { weekStartsAt: MONDAY - WEEK_MS, candidates: 3, winner: stored!.winner });
      assert.deepEqual(await world.inventory(winner), PASS);
    });

    it("is made once, whatever repeats it", async () => {
      await world.enter({ player: "ada", score: 1, storedAt: MONDAY - 1 });
      assert.equal((await draw()).length, 1);
      assert.deepEqual(await draw(), []);
      assert.deepEqual(await world.inventory("ada"), PASS);
    });

    it("is made once when several nodes try at the same time", async () => {
      await world.enter(
        ...Array.from({ length: 100 }, (_, each) => ({ player: `p${each}`, score: 1, storedAt: MONDAY - 1 - each })),
      );
      const runs = await Promise.all([draw(), draw(), draw(), draw()]);
      assert.equal(runs.flat().length, 1);
      assert.deepEqual([await world.count("draws"), await world.count("awards")], [1, 1]);
      assert.equal(await world.count("draw_candidates"), 100);
      assert.deepEqual(await world.inventory((await made())[0]!.winner!.playerId), PASS);
    });

    it("without a player has a row without a winner", async () => {
      await draw();
      const [stored] = await made();
      assert.deepEqual([stored!.winner, stored!.candidates, stored!.candidatesHash], [null, 0, sha256("")]);
      assert.equal(await world.count("awards"), 0);
    });

    it("leaves nothing of an attempt that fails", async () => {
      await world.enter({ player: "ada", score: 1, storedAt: MONDAY - 1 });
      const ledger = { pay: () => Promise.reject(new Error("no such luck")) };
      await assert.rejects(draw({ ledger }), /no such luck/);
      assert.deepEqual([await world.count("draws"), await world.count("draw_candidates")], [0, 0]);
      assert.equal((await draw()).length, 1);
      assert.deepEqual(await world.inventory("ada"), PASS);
    });

    it("makes up for every week that was missed, but none that is not over", async () => {
      await draw();
      await world.enter({ player: "ada", score: 1, storedAt: MONDAY + 1 });
      await world.enter({ player: "bob", score: 1, storedAt: MONDAY + WEEK_MS });
      world.now = MONDAY + 3 * WEEK_MS - 1;
      assert.deepEqual(
        (await draw()).map(({ winner }) => winner?.playerId),
        ["ada", "bob"],
      );
      assert.equal((await made()).length, 3);
    });

    it("waits until the week has been over for a while, when a node starts just then", async () => {
      await draw();
      world.now = MONDAY + WEEK_MS + 3000;
      assert.equal((await draw()).length, 1);
      assert.deepEqual(world.waits, [SETTLED_MS - 3000]);
    });

    it("is of the weeks of its time zone", async () => {
      world.timezone = "America/New_York";
      world.now = at("2026-11-02T05:05:00Z");
      await draw();
      const { weekStartsAt, weekEndsAt } = (await made())[0]!;
      assert.deepEqual([weekStartsAt, weekEndsAt], [at("2026-10-26T04:00:00Z"), at("2026-11-02T05:00:00Z")]);
    });

    const CHANGES = [
      ["UTC", "America/New_York", ["2026-11-16T05:00:00Z", "2026-11-23T05:00:00Z"]],
      ["America/New_York", "UTC", ["2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"]],
    ] as const;
    for (const [before, after, ends] of CHANGES) {
      it(`goes on where the last one's week ended, to the next Monday of a zone that is new (${before} to ${after})`, async () => {
        world.timezone = before;
        world.now = MONDAY + 6 * HOUR_MS;
        await draw();
        const [last] = await made();
        world.timezone = after;
        // Some time after the first end the second week is not over yet.
        world.now = Math.max(world.now, at(ends[0]) + HOUR_MS);
        await draw();
        assert.deepEqual(
          (await made()).slice(0, -1).map(({ weekStartsAt, weekEndsAt }) => [weekStartsAt, weekEndsAt]),
          [[last!.weekEndsAt, at(ends[0])]],
        );
        world.now = at(ends[1]);
        await draw();
        assert.deepEqual((await made())[0]!.weekStartsAt, at(ends[0]));
      });
    }
  });
}
