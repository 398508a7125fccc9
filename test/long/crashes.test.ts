import fc from "fast-check";
import { openDatabase } from "../../src/entities/database.ts";
import type { Database } from "../../src/entities/sql.ts";
import { CrashWorld } from "../actors/CrashWorld.ts";
import { schedule } from "../actors/schedules.ts";
import { EFFECTS_TABLE } from "../actors/simulation.ts";

/** `SEED=<seed> npx mocha test/long/crashes.test.ts` replays a run. */
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const RUNS = 1500;

describe("the actor runtime, whatever happens to its nodes, at length", function () {
  this.timeout(900_000);
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
      { seed: SEED, numRuns: RUNS },
    );
  });
});
