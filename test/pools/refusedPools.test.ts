import assert from "node:assert/strict";
import { dailyPoolsJob } from "../../src/schedulers/pools/dailyPoolsJob.ts";
import type { PoolsFinalised } from "../../src/schedulers/pools/finalising.ts";
import { SETTLED_MS } from "../../src/schedulers/pools/settled.ts";
import { weeklyDrawJob } from "../../src/schedulers/pools/weeklyDrawJob.ts";
import { weeklyPoolsJob } from "../../src/schedulers/pools/weeklyPoolsJob.ts";
import { runJob } from "../support/runJob.ts";
import { at, DATABASES, type PoolWorld, useWorld } from "./poolWorld.ts";

const DAY_MS = 86_400_000;
const DAY = at("2026-11-21T00:00:00Z");
const MIDNIGHT = DAY + DAY_MS;

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`what no run of theirs can have made of pools and draws (${name})`, () => {
    let world: PoolWorld;
    useWorld(open, (made) => {
      world = made;
    });

    /** The jobs' ports, by which each query outside of a transaction comes by `look` first. */
    const watched = (look: (sql: string, params?: readonly unknown[]) => void): PoolWorld["ports"] => {
      const database = new Proxy(world.database, {
        get(target, key) {
          const value = Reflect.get(target, key);
          if (typeof value !== "function") return value;
          return (...args: [string, unknown[]]) => {
            if (key === "query") look(...args);
            return value.apply(target, args);
          };
        },
      });
      return { ...world.ports, database };
    };

    let queries: number;
    /** Gives up where a run would go on for ever. */
    const bounded = (): PoolWorld["ports"] =>
      watched(() => {
        queries += 1;
        if (queries > 1000) throw new Error("more than 1,000 queries");
      });

    beforeEach(async () => {
      queries = 0;
      world.now = DAY + 1000;
      await runJob(weeklyPoolsJob(world.ports));
      for (const game of ["snake", "pong"]) {
        await world.tournament(`of-${game}`, "open", game);
        await world.enter({ game, player: `${game}er`, score: 1, storedAt: DAY + 1, tournament: `of-${game}` });
        await world.contribute("5", { game });
      }
      world.now = MIDNIGHT + SETTLED_MS;
    });

    const change = (what: string, values: readonly unknown[] = []) =>
      world.database.write(`UPDATE pools SET ${what} WHERE game = 'pong' AND period = 'daily' AND starts_at = ?`, [
        ...values,
        DAY,
      ]);

    const finalise = async () => {
      let failed: PoolsFinalised["failed"] = [];
      const onProgress = (state: unknown): void => {
        failed = structuredClone((state as PoolsFinalised).failed);
      };
      const error = await runJob(dailyPoolsJob(bounded()), { onProgress }).then(
        () => undefined,
        (failure: Error) => failure.message,
      );
      return { error, failed };
    };

    const assertOnlyPongIsRefused = async (reason: RegExp) => {
      const { error, failed } = await finalise();
      assert.match(error ?? "", reason);
      assert.deepEqual(
        failed.map(({ game, period, startsAt }) => [game, period, startsAt]),
        [["pong", "daily", DAY]],
      );
      assert.deepEqual(await world.inventory("ponger"), []);
      assert.deepEqual(await world.inventory("snakeer"), [{ item: "TICO", amount: "5" }]);
    };

    for (const [what, endsAt] of [
      ["is its start", DAY],
      ["is before its start", DAY - 1],
    ] as const)
      it(`a pool whose end ${what} is refused by name, and the other games' go on`, async () => {
        await change("ends_at = ?", [endsAt]);
        await assertOnlyPongIsRefused(
          new RegExp(`pong daily ${DAY}: its end \\(${endsAt}\\) is not after its start \\(1 failed, 4 finalised\\)`),
        );
      });

    it("a finalised pool whose end is before its start is refused by name too, and nothing goes round in circles", async () => {
      await change("finalised_at = 1");
      await world.database.write(
        "INSERT INTO pools (game, period, starts_at, ends_at, finalised_at) VALUES ('pong', 'daily', ?, ?, 1)",
        [MIDNIGHT, DAY],
      );
      const { error } = await finalise();
      assert.match(error ?? "", new RegExp(`pong daily ${MIDNIGHT}: its end \\(${DAY}\\) is not after its start`));
      assert.deepEqual(await world.inventory("snakeer"), [{ item: "TICO", amount: "5" }]);
    });

    it("a pool that holds less than nothing is refused by name, and is paid once that is mended", async () => {
      const set = (amount: number) =>
        world.database.write("UPDATE pool_contributions SET amount = ? WHERE game = 'pong'", [amount]);
      await set(-5);
      await assertOnlyPongIsRefused(new RegExp(`pong daily ${DAY}: it holds -5 TICO`));
      await set(5);
      assert.deepEqual(await finalise(), { error: undefined, failed: [] });
      assert.deepEqual(await world.inventory("ponger"), [{ item: "TICO", amount: "5" }]);
    });

    it("a pool whose next is finalised is refused by name at each run, and those after it go on", async () => {
      await world.database.write(
        "INSERT INTO pools (game, period, starts_at, ends_at, finalised_at) VALUES ('pong', 'daily', ?, ?, 1)",
        [MIDNIGHT, MIDNIGHT + DAY_MS],
      );
      const reason = new RegExp(`pong daily ${DAY}: a later one was finalised before it`);
      await assertOnlyPongIsRefused(reason);
      world.now = MIDNIGHT + 2 * DAY_MS + SETTLED_MS;
      await assertOnlyPongIsRefused(reason);
      const [last] = await world.operations.finalised({ game: "pong", period: "daily" }, 1);
      assert.equal(last!.startsAt, MIDNIGHT + DAY_MS);
    });

    it("a run that fails before it has come to a pool names the game and the period alone", async () => {
      const failing = watched((sql, params) => {
        if (/FROM pools/.test(sql) && params?.[0] === "snake") throw new Error("no answer");
      });
      await assert.rejects(runJob(dailyPoolsJob(failing)), (error: Error) => {
        assert.match(error.message, /snake daily: no answer/);
        assert.doesNotMatch(error.message, /NaN|null/);
        return true;
      });
    });

    it("a draw whose week ends before it starts is refused by name, and none is drawn from it", async () => {
      await world.database.write(
        `INSERT INTO draws (week_starts_at, week_ends_at, drawn_at, seed, candidates, candidates_hash)
         VALUES (?, ?, 1, '', 0, '')`,
        [DAY, DAY - 7 * DAY_MS],
      );
      await assert.rejects(
        runJob(weeklyDrawJob(bounded())),
        new RegExp(
          `the draw of the week that starts at ${DAY} cannot be: its end \\(${DAY - 7 * DAY_MS}\\) is not after`,
        ),
      );
      assert.equal(await world.count("draws"), 1);
    });
  });
}
