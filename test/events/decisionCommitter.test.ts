import assert from "node:assert/strict";
import { type Decided, type Decision, DecisionCommitter } from "../../src/actors/events/DecisionCommitter.ts";
import { EVENT_ERRORS } from "../../src/entities/events/errors.ts";
import type { CommitResult } from "../../src/entities/journaling.ts";
import { RingmasterError } from "../../src/errors.ts";
import { ManualClock } from "../actors/simulation.ts";

const EVENT = { id: "e" };
/** As long as decisions wait for hot state that does not come back. */
const HALF_A_MINUTE = 30_000;

describe("DecisionCommitter", () => {
  let clock: ManualClock;
  /** What has happened, in order. */
  let log: string[];
  let epoch: number;
  /** Whether anything is decided in the event still, once its hot state is loaded. */
  let isOn: boolean;
  /** What the actor says to whoever wants to load. */
  let grant: () => { epoch: number } | { wait: true };
  let committer: DecisionCommitter<typeof EVENT, { epoch: number }>;

  beforeEach(() => {
    clock = new ManualClock();
    log = [];
    epoch = 1;
    isOn = true;
    grant = () => ({ epoch: ++epoch });
    committer = new DecisionCommitter<typeof EVENT, { epoch: number }>({
      hotState: {
        names: { event: "raffle", state: "drum" },
        actor: () => ({ rebuild: async () => grant(), loading: async () => true }),
        load: async (_event, given) => log.push(`load ${given.epoch}`) > 0,
        isOn: async () => isOn,
        drop: async () => void log.push("drop"),
        loaded: () => void log.push("loaded"),
      },
      clock,
    });
  });

  /** Each attempt takes the next of these: what the hot state says, or what becomes of the commit of what it has decided. */
  function decision(...attempts: (CommitResult | "missing" | "final")[]): Decision<string> {
    return {
      require: () => void log.push("require"),
      decide: async (): Promise<Decided<string>> => {
        const next = attempts.shift() ?? assert.fail("asked once more");
        log.push("decide");
        if (next === "missing") return { kind: "missing" };
        if (next === "final") return { kind: "final", result: "known" };
        const commit = async (): Promise<CommitResult> => {
          log.push(`commit ${next}`);
          return next;
        };
        return { kind: "decided", result: `by ${epoch}`, epoch, commit };
      },
      refused: (why) => new RingmasterError(why === "over" ? "wrong_phase" : EVENT_ERRORS.paused),
    };
  }

  const carryOut = (what: Decision<string>): Promise<string> =>
    clock.within(2 * HALF_A_MINUTE, committer.carryOut(EVENT, what), 50);

  it("answers with what is decided once it is committed, and at once where nothing is to be committed", async () => {
    assert.equal(await carryOut(decision("committed")), "by 1");
    assert.equal(await carryOut(decision("final")), "known");
    assert.deepEqual(log, ["require", "decide", "commit committed", "require", "decide"]);
  });

  for (const lost of ["missing", "stale", "contradicted"] as const)
    it(`rebuilds hot state that is ${lost}, and decides anew`, async () => {
      assert.equal(await carryOut(decision(lost, "committed")), "by 2");
      const tried = lost === "missing" ? [] : [`commit ${lost}`];
      assert.deepEqual(log, [
        ...["require", "decide", ...tried, "load 2", "loaded"],
        ...["require", "decide", "commit committed"],
      ]);
    });

  it("asks again first what is safe to ask again, under each epoch once", async () => {
    let askedUnder = 0;
    const again = async (under: number): Promise<boolean> => {
      if (under === askedUnder) return false;
      askedUnder = under;
      return true;
    };
    const what = { ...decision("stale", "stale", "stale", "committed"), isAskedAgain: again };
    assert.equal(await carryOut(what), "by 2");
    assert.deepEqual(
      log.filter((line) => line !== "require" && line !== "decide"),
      ["commit stale", "commit stale", "load 2", "loaded", "commit stale", "commit committed"],
    );
  });

  it("refuses what comes too late or while the event is paused, without rebuilding anything", async () => {
    await assert.rejects(carryOut(decision("over")), { code: "wrong_phase" });
    await assert.rejects(carryOut(decision("paused")), { code: "paused" });
    assert.ok(!log.some((line) => line.startsWith("load")));
  });

  it("asks before each attempt whether anything is to be decided still", async () => {
    let asked = 0;
    const require = (): void => {
      asked += 1;
      if (asked === 2) throw new RingmasterError("wrong_phase");
    };
    await assert.rejects(carryOut({ ...decision("missing"), require }), { code: "wrong_phase" });
  });

  it("loads once for all that find the hot state missing", async () => {
    const all = Array.from({ length: 5 }, () => committer.carryOut(EVENT, decision("missing", "committed")));
    await clock.within(HALF_A_MINUTE, Promise.all(all), 50);
    assert.deepEqual(
      log.filter((line) => line.startsWith("load ")),
      ["load 2"],
    );
  });

  it("drops what it has loaded for an event that has ended meanwhile", async () => {
    isOn = false;
    await carryOut(decision("missing", "final"));
    assert.deepEqual(log.slice(2, 4), ["load 2", "drop"]);
  });

  it("waits while somebody else loads, and gives up after half a minute", async () => {
    const loadedAt = clock.monotonic() + HALF_A_MINUTE / 2;
    grant = () => ({ wait: true });
    const waits: Decision<string> = {
      ...decision(),
      decide: async () => (clock.monotonic() < loadedAt ? { kind: "missing" } : { kind: "final", result: "there" }),
    };
    assert.equal(await carryOut(waits), "there");
    const never: Decision<string> = { ...decision(), decide: async () => ({ kind: "missing" }) };
    await assert.rejects(carryOut(never), (error: RingmasterError) => {
      assert.deepEqual([error.code, /The raffle's drum is being rebuilt/.test(error.message)], ["unavailable", true]);
      return true;
    });
  });
});
