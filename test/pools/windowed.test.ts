import assert from "node:assert/strict";
import { bestOf } from "../../src/entities/pools/entries.ts";
import type { Transaction } from "../../src/entities/sql.ts";
import { weeklyPoolsJob } from "../../src/schedulers/pools/weeklyPoolsJob.ts";
import { rowsRead } from "../support/rowsRead.ts";
import { runJob } from "../support/runJob.ts";
import { at, DATABASES, type PoolWorld, useWorld } from "./poolWorld.ts";

const WEEK_MS = 7 * 86_400_000;
const WEEK = at("2026-11-16T00:00:00Z");
const TOURNAMENTS = 20;
/** Entries of each week, all of one tournament. */
const ENTRIES = 500;

describe("the best score of a week (MariaDB)", () => {
  let world: PoolWorld;
  useWorld(DATABASES.MariaDB!, (made) => {
    world = made;
  });

  beforeEach(async () => {
    for (let week = 0; week < TOURNAMENTS; week++) {
      await world.tournament(`t${week}`, "settled");
      const storedAt = WEEK - (TOURNAMENTS - 1 - week) * WEEK_MS;
      await world.enter(
        ...Array.from({ length: ENTRIES }, (_, each) => ({
          ...{ tournament: `t${week}`, player: `p${each}`, score: (each * 7919) % 1009, storedAt: storedAt + each },
        })),
      );
    }
    for (const table of ["score_entries", "tournaments"]) await world.database.query(`ANALYZE TABLE ${table}`);
  });

  it("is found in that week, however many there were before", async () => {
    const read = await rowsRead(world.database, (within) =>
      bestOf(within, "snake", { startsAt: WEEK, endsAt: WEEK + WEEK_MS }),
    );
    assert.ok(read < 5 * ENTRIES, `${read} rows`);
  });

  it("is not looked for behind the lock of its pool, which contributions wait for", async () => {
    world.now = WEEK + WEEK_MS + 60_000;
    const behind: string[] = [];
    const watched = (tx: Transaction): Transaction =>
      new Proxy(tx, {
        get(target, key) {
          const value = Reflect.get(target, key);
          if (typeof value !== "function") return value;
          return (...args: unknown[]) => {
            if (key === "query") behind.push(String(args[0]));
            return value.apply(target, args);
          };
        },
      });
    const database = new Proxy(world.database, {
      get(target, key) {
        const value = Reflect.get(target, key);
        if (key === "transaction")
          return (work: (tx: Transaction) => Promise<unknown>) => target.transaction((tx) => work(watched(tx)));
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const best = await bestOf(world.database, "snake", { startsAt: WEEK, endsAt: WEEK + WEEK_MS });
    await runJob(weeklyPoolsJob({ ...world.ports, database }));
    const [pool] = await world.office.finalised({ game: "snake", period: "weekly" }, 1);
    assert.equal(pool!.winner?.playerId, best!.playerId);
    assert.ok(behind.some((sql) => /FROM pools/.test(sql)));
    assert.deepEqual(
      behind.filter((sql) => /score_entries/.test(sql)),
      [],
    );
  });
});
