import fc from "fast-check";
import { openDatabase } from "../../src/entities/database.ts";
import type { Database } from "../../src/entities/sql.ts";
import { CrashWorld } from "./CrashWorld.ts";
import { schedule } from "./schedules.ts";
import { EFFECTS_TABLE } from "./simulation.ts";

/** `SEED=<seed> npx mocha test/actors/crashes.test.ts` replays a run; `RUNS` sets how many schedules it tries. */
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const RUNS = Number(process.env.RUNS ?? 150);

describe("the actor runtime, whatever happens to its nodes", function () {
  this.timeout(120_000);
  let database: Database;

  before(async () => {
    console.log(`      seed ${SEED} (SEED=${SEED} replays)`);
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
  });

  after(() => database.close());

  it("does what it has acknowledged once, what it has refused never, and forgets no timer", async () => {
    await fc.assert(
      fc.asyncProperty(schedule, async (steps) => {
        const world = new CrashWorld(database);
        try {
          await world.play(steps);
        } finally {
          await world.end();
        }
      }),
      { seed: SEED, numRuns: RUNS, interruptAfterTimeLimit: 45_000 },
    );
  });
});
