import assert from "node:assert/strict";
import { shares } from "../../src/entities/MysqlDatabase.ts";
import { Places } from "./Places.ts";
import { ProcessLife } from "./ProcessLife.ts";
import { ManualClock, settle } from "./simulation.ts";

describe("the connections of a simulated node", () => {
  let clock: ManualClock;
  let places: Places;
  let turnedAway: string[];

  beforeEach(() => {
    clock = new ManualClock();
    const life = new ProcessLife();
    life.pass = (ms) => new Promise((resolve) => void clock.schedule(resolve, ms));
    places = new Places(life);
    turnedAway = [];
    places.onTurnedAway = (work) => turnedAway.push(work);
  });

  const takeAll = (work: "control" | "turns") =>
    Promise.all(Array.from({ length: shares(16)[work] }, () => places.take(work)));

  it("are as many for each class as on MySQL, whatever the others do", async () => {
    await takeAll("turns");
    await takeAll("control");
    const rejected = assert.rejects(places.take("control"), { code: "POOL_TIMEOUT" });
    await clock.advance(3999);
    assert.deepEqual(turnedAway, []);
    await clock.advance(1);
    await rejected;
    assert.deepEqual(turnedAway, ["control"]);
    (await places.take("commits"))();
  });

  it("are handed on in the order asked for, each once", async () => {
    const [leave] = await takeAll("control");
    const got: number[] = [];
    for (const each of [1, 2]) void places.take("control").then(() => got.push(each));
    leave!();
    leave!();
    await settle();
    assert.deepEqual(got, [1]);
  });
});
