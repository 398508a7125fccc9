import assert from "node:assert/strict";
import { ConfigError } from "../../src/config.ts";
import { Readiness } from "../../src/http/readiness.ts";
import { Lifecycle } from "../../src/lifecycle.ts";
import { ManualClock, silentLog } from "../actors/simulation.ts";

const TIMEOUT_MS = 30_000;
const START_TIMEOUT_MS = 60_000;

const hanging = (): Promise<never> => new Promise(() => {});

describe("A node's steps of start and stop", () => {
  let clock: ManualClock;
  let readiness: Readiness;
  let lifecycle: Lifecycle;
  /** What was taken, and when, in milliseconds since the beginning. */
  let taken: [string, number][];
  let logged: { level: string; what: unknown }[];
  let beganAt: number;

  beforeEach(() => {
    clock = new ManualClock();
    beganAt = clock.monotonic();
    readiness = new Readiness(["database", "rooms"]);
    taken = [];
    logged = [];
    const note =
      (level: string) =>
      (fields: object): void =>
        void logged.push({ level, what: (fields as { what?: unknown }).what });
    const log = { ...silentLog, warn: note("warn"), error: note("error") };
    lifecycle = new Lifecycle({ clock, log, readiness, startTimeoutMs: START_TIMEOUT_MS });
  });

  const passed = (): number => clock.monotonic() - beganAt;
  const step = (what: string, run: () => Promise<void> | void = () => {}) =>
    [
      what,
      (): Promise<void> | void => {
        taken.push([what, passed()]);
        return run();
      },
    ] as const;
  const partOf = (what: string): string | undefined => readiness.report().parts[what];

  /** As in a node: the actors are handed over first, the database is closed last. */
  const STEPS = ["listings", "actors", "rooms", "hunts", "jobs", "peers", "stores", "database"];
  function aNode(runs: Record<string, () => Promise<void> | void>): void {
    for (const what of STEPS.slice(2).toReversed())
      lifecycle.onStop(...step(what, runs[what]), what === "rooms" ? { part: 0.12 } : {});
    lifecycle.onDrain(...step("actors", runs.actors), { part: 0.7 });
    lifecycle.onDrain(...step("listings", runs.listings));
  }

  for (const stuck of STEPS) {
    it(`takes all others, in order and in time, when ${stuck} never stops, and names it`, async () => {
      aNode({ [stuck]: hanging });
      const stopped = lifecycle.stop(TIMEOUT_MS);
      await clock.advance(TIMEOUT_MS + 1);
      assert.equal(await stopped, false);
      assert.deepEqual(
        taken.map(([what]) => what),
        STEPS,
      );
      assert.ok(taken.at(-1)![1] <= TIMEOUT_MS);
      assert.equal(partOf(stuck), "stuck");
      assert.deepEqual(
        logged.filter(({ level }) => level === "error"),
        [{ level: "error", what: stuck }],
      );
    });
  }

  it("gives each its time when all of them hang, and ends in the time for the whole", async () => {
    aNode(Object.fromEntries(STEPS.map((what) => [what, hanging])));
    const stopped = lifecycle.stop(TIMEOUT_MS);
    await clock.advance(TIMEOUT_MS + 1);
    assert.equal(await stopped, false);
    // 70 % and 12 % of the time for two, and of the rest a sixth for each of the others.
    assert.deepEqual(
      taken.map(([what, at]) => [what, Math.round(at)]),
      [
        ["listings", 0],
        ["actors", 900],
        ["rooms", 21_900],
        ["hunts", 25_500],
        ["jobs", 26_400],
        ["peers", 27_300],
        ["stores", 28_200],
        ["database", 29_100],
      ],
    );
    assert.deepEqual(
      STEPS.map(partOf),
      STEPS.map(() => "stuck"),
    );
  });

  it("leaves the time that is not used to the steps behind", async () => {
    aNode({ rooms: () => new Promise((resolve) => void clock.schedule(resolve, 20_000)) });
    const stopped = lifecycle.stop(TIMEOUT_MS);
    await clock.advance(TIMEOUT_MS);
    assert.equal(await stopped, true);
  });

  it("names what takes longer than a second while it does", async () => {
    aNode({ rooms: () => new Promise((resolve) => void clock.schedule(resolve, 3000)) });
    const stopped = lifecycle.stop(TIMEOUT_MS);
    await clock.advance(999);
    assert.equal(partOf("rooms"), "starting", "it was never said to be up");
    await clock.advance(2);
    assert.equal(partOf("rooms"), "stopping");
    assert.deepEqual(logged, [{ level: "warn", what: "rooms" }]);
    await clock.advance(2000);
    assert.equal(partOf("rooms"), "stopped");
    assert.equal(await stopped, true);
  });

  it("fails the start when a step of it hangs, names it, and lets what had started be stopped", async () => {
    await lifecycle.start("database", async () => lifecycle.onStop(...step("database")));
    assert.equal(partOf("database"), "ready");
    const started = lifecycle.start("rooms", hanging);
    started.catch(() => {});
    await clock.advance(1001);
    assert.deepEqual([partOf("rooms"), logged], ["starting", [{ level: "warn", what: "rooms" }]]);
    await clock.advance(START_TIMEOUT_MS);
    await assert.rejects(started, new ConfigError("rooms: not started within 60 s (START_TIMEOUT_MS)"));
    assert.deepEqual([partOf("rooms"), logged.at(-1)], ["stuck", { level: "error", what: "rooms" }]);
    assert.equal(await lifecycle.stop(TIMEOUT_MS), true);
    assert.deepEqual(
      taken.map(([what]) => what),
      ["database"],
    );
  });

  it("passes on what a step of the start gives, or fails with", async () => {
    assert.equal(await lifecycle.start("database", async () => 7), 7);
    await assert.rejects(
      lifecycle.start("rooms", async () => {
        throw new Error("as asked");
      }),
      /as asked/,
    );
    assert.equal(partOf("rooms"), "starting");
  });
});
