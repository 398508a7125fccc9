import assert from "node:assert/strict";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { everyMetric } from "../support/metrics.ts";

describe("The metrics", () => {
  it("name all that operators are promised, before anything happened", async () => {
    const text = await everyMetric().metrics();
    const promised = [
      "clue_latency_seconds",
      "timer_lateness_seconds",
      "actor_turn_seconds",
      "actors_active",
      "actor_errors_total",
      "hunt_pool",
      "hunt_waiting",
      "nodejs_eventloop_lag_seconds",
      "rooms",
      "clients",
    ];
    for (const name of promised) assert.match(text, new RegExp(`^# TYPE ${name} `, "m"));
    assert.match(text, /^clue_latency_seconds_count\{request="claim"\} 0$/m);
  });

  it("count what is told to them", async () => {
    const metrics = new Metrics(() => ({ rooms: 2, clients: 7 }));
    metrics.turn("hunt", 0.003);
    metrics.timerLateness("hunt", -0.001);
    metrics.active("hunt", 1);
    metrics.active("hunt", 1);
    metrics.active("hunt", -1);
    metrics.actorFailed("hunt", "overloaded");
    const text = await metrics.registry.metrics();
    assert.match(text, /^actor_turn_seconds_count\{kind="hunt"\} 1$/m);
    assert.match(text, /^timer_lateness_seconds_sum\{kind="hunt"\} 0$/m);
    assert.match(text, /^actors_active\{kind="hunt"\} 1$/m);
    assert.match(text, /^actor_errors_total\{kind="hunt",code="overloaded"\} 1$/m);
    assert.match(text, /^rooms 2$/m);
    assert.match(text, /^clients 7$/m);
  });

  it("of two apps in one process stay apart", async () => {
    const [left, right] = [0, 0].map(() => new Metrics(() => ({ rooms: 0, clients: 0 })));
    left!.turn("hunt", 1);
    assert.doesNotMatch(await right!.registry.metrics(), /kind="hunt"/);
  });
});
