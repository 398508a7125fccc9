import assert from "node:assert/strict";
import { Actor, type ActorContext, type ActorType, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import { CrashBlame } from "../../src/actors/runtime/CrashBlame.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { TURNS_BOUND, TurnGate, type TurnOrigin, type TurnPass } from "../../src/actors/runtime/TurnGate.ts";
import { seededRng } from "../../src/clock.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { ManualClock, SimulatedNode, settle, silentLog } from "./simulation.ts";

describe("the gate before turns", function () {
  this.timeout(60_000);
  let database: Database;
  let clock: ManualClock;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    clock = new ManualClock();
  });

  afterEach(() => database.close());

  describe("by itself", () => {
    let gate: TurnGate;
    /** The turns that were let in, by the ids of their actors, in this order. */
    let entered: Array<{ id: string; pass: TurnPass }>;

    beforeEach(() => {
      gate = new TurnGate(new CrashBlame(database, "n", { clock, rng: seededRng(1), log: silentLog }));
      entered = [];
    });

    async function enter(ids: readonly string[], origin: TurnOrigin = "call"): Promise<void> {
      for (const id of ids) void gate.enter({ kind: "k", id }, origin).pass.then((pass) => entered.push({ id, pass }));
      await settle();
    }

    const fill = (): Promise<void> => enter(Array.from({ length: TURNS_BOUND }, (_, at) => `t${at}`));
    const beyond = (): string[] => entered.slice(TURNS_BOUND).map(({ id }) => id);

    it("lets no more turns in than its bound, and the others in the order they came", async () => {
      await fill();
      await enter(["x", "y", "z"]);
      assert.equal(entered.length, TURNS_BOUND);

      for (const next of ["x", "y", "z"]) {
        entered[0]!.pass.release();
        entered.splice(0, 1);
        await settle();
        assert.equal(entered.at(-1)!.id, next);
        assert.equal(entered.length, TURNS_BOUND);
      }
    });

    it("lets a turn that another one waits for in at once, which takes no place", async () => {
      await fill();
      await enter(["waits"]);
      await enter(["nested"], "turn");
      assert.deepEqual(beyond(), ["nested"]);

      entered.at(-1)!.pass.release();
      await settle();
      assert.deepEqual(beyond(), ["nested"], "its end frees no place either");
    });

    it("lets a turn in that another one has come to wait for, which takes no place, and frees none when it ends", async () => {
      await fill();
      await enter(["before"]);
      const entry = gate.enter({ kind: "k", id: "held up" }, "call");
      void entry.pass.then((pass) => entered.push({ id: "held up", pass }));
      await enter(["after"]);
      entry.exempt();
      entry.exempt();
      await settle();
      assert.deepEqual(beyond(), ["held up"]);

      entered.at(-1)!.pass.release();
      await settle();
      assert.deepEqual(beyond(), ["held up"]);
      entered[0]!.pass.release();
      await settle();
      entered[1]!.pass.release();
      await settle();
      assert.deepEqual(beyond(), ["held up", "before", "after"]);
    });

    it("lets calls and timers in by turns, however many of one kind wait", async () => {
      await fill();
      await enter(["t0", "t1", "t2", "t3"], "timer");
      await enter(["c0", "c1"]);
      const order: string[] = [];
      for (let left = 6; left > 0; left -= 1) {
        entered.shift()!.pass.release();
        await settle();
        order.push(entered.at(-1)!.id);
      }
      assert.deepEqual(order, ["t0", "c0", "t1", "c1", "t2", "t3"]);
    });

    it("has as many places again when all have left", async () => {
      await fill();
      await enter(["waits"]);
      for (const { pass } of entered.splice(0)) pass.release();
      await settle();
      for (const { pass } of entered.splice(0)) pass.release();

      await fill();
      await enter(["late"]);
      assert.equal(entered.length, TURNS_BOUND);
    });
  });

  describe("of a node whose places are all taken by turns that hang", () => {
    let node: SimulatedNode;
    let ran: string[];
    /** How the calls of actors that hang ended, by error code. */
    let ended: Record<string, number>;

    class HangingActor extends Actor<{ runs: number }> {
      static readonly kind = "hanging";
      static initial(): { runs: number } {
        return { runs: 0 };
      }
      readonly timers: TimerHandlers = {};

      async hang(): Promise<void> {
        await new Promise(() => {});
      }

      async run(ms: number): Promise<void> {
        ran.push(this.id);
        // What has stored nothing is not kept in memory.
        this.state.runs += 1;
        if (ms > 0) await new Promise<void>((resolve) => void clock.schedule(resolve, ms));
      }
    }

    beforeEach(async () => {
      [ran, ended] = [[], {}];
      const type = HangingActor as unknown as ActorType<Actor<unknown>>;
      const create = (context: ActorContext) => new HangingActor(context) as unknown as Actor<unknown>;
      node = new SimulatedNode({ id: "n", hub: new MemoryHub(), database, clock }, [{ type, create }]);
      await node.actors.start();
      await clock.advance(600);
      // Those whose turns come to the gate after all others.
      for (const id of ["x", "y"]) await clock.within(1000, node.actors.ref(HangingActor, id).run(0));
      ran = [];
      const hanging = Array.from({ length: TURNS_BOUND }, (_, at) =>
        node.actors
          .ref(HangingActor, `h${at}`)
          .hang()
          .catch(({ code }) => {
            ended[code] = (ended[code] ?? 0) + 1;
          }),
      );
      await clock.advance(0);
      assert.equal(node.actors.residents, hanging.length + 2);
    });

    afterEach(() => node.crash());

    it("lets turns in once those have had their time, but none whose caller has given up by then", async () => {
      const run = (id: string, ms: number, deadlineMs: number): Promise<unknown> =>
        node.actors.call({ kind: "hanging", id }, "run", [ms], { deadlineMs });
      const abandoned = run("x", 0, 1000);
      // It waits for longer than it runs, and both together for longer than a turn may run.
      const waiting = run("y", 20_000, 60_000);
      await assert.rejects(clock.within(1500, abandoned, 500), { code: "outcome_unknown" });
      assert.deepEqual(ran, []);

      await clock.within(55_000, waiting, 500);
      assert.deepEqual(ran, ["y"]);
      assert.deepEqual(ended, { outcome_unknown: TURNS_BOUND });
    });
  });
});
