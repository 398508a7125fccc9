import assert from "node:assert/strict";
import { seededRng } from "../../src/clock.ts";
import { openDatabase } from "../support/database.ts";
import { FailoverWorld } from "./FailoverWorld.ts";

const CULPRIT = "w0";
/** As many as it may take: while another one is in hand at each, nothing tells the two apart. */
const DEATHS = 20;

describe("actors that are in turns most of the time, beside one that crashes its node late in its turn, at another time each time", function () {
  this.timeout(120_000);

  for (const { others, turnMs, periodMs } of [
    { others: 1, turnMs: 200, periodMs: 250 },
    { others: 3, turnMs: 400, periodMs: 500 },
  ])
    for (const seed of [1, 2, 3])
      it(`are not put into quarantine for it, and that one is: ${others}, in turns for ${turnMs} of ${periodMs} ms (seed ${seed})`, async () => {
        const rng = seededRng(seed);
        const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
        const world = new FailoverWorld(database, { turnMs, periodMs });
        const crash = (): number => Math.floor(1200 + rng.next() * 6000);
        const found = await world.firstQuarantined(1 + others, { [CULPRIT]: crash }, DEATHS);
        await world.end();
        await database.close();
        assert.deepEqual(found, [CULPRIT]);
      });
});
