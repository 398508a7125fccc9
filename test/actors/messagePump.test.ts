import assert from "node:assert/strict";
import type { DeadLetters } from "../../src/actors/runtime/DeadLetters.ts";
import { type DeliveryOutcome, MessagePump, MOST_ATTEMPTS } from "../../src/actors/runtime/MessagePump.ts";
import type { MessageTable } from "../../src/actors/runtime/MessageTable.ts";
import type { MessageRow } from "../../src/actors/runtime/messages.ts";
import { seededRng } from "../../src/clock.ts";
import { ManualClock, settle, silentLog } from "./simulation.ts";

/** So often is more than anything here is worth; whoever goes on without a pause gets there at once. */
const ENDLESS = 100;

const row = (attempts = 0): MessageRow => ({
  ...{ kind: "sender", id: "s", version: 1, index: 0, to: { kind: "receiver", id: "r" } },
  ...{ message: "{}", createdAt: 0, attempts, unreached: 0, isRepeat: false },
});

describe("the pump of messages", () => {
  let clock: ManualClock;
  let reads: number;
  let calls: number;
  /** What the next read, or call, waits for. */
  let gate: Promise<void>;
  let rows: MessageRow[];
  let pump: MessagePump;

  beforeEach(() => {
    clock = new ManualClock();
    reads = 0;
    calls = 0;
    gate = Promise.resolve();
    rows = [];
  });
  afterEach(() => pump.stop());

  function open(outcome: DeliveryOutcome, end: Awaited<ReturnType<DeadLetters["bury"]>> = "buried"): MessagePump {
    const messages = {
      targets: async () => [],
      sendersTo: async () => {
        reads += 1;
        if (reads >= ENDLESS) pump.stop();
        await gate;
        return rows.map(({ kind, id }) => ({ kind, id }));
      },
      of: async () => rows.map((each) => ({ ...each })),
      failed: async () => {},
      delete: async () => {},
    } as unknown as MessageTable;
    const letters = { bury: async () => end } as unknown as DeadLetters;
    const deliver = async (): Promise<DeliveryOutcome> => {
      calls += 1;
      if (calls >= ENDLESS) pump.stop();
      await gate;
      return outcome;
    };
    return new MessagePump({ messages, letters, clock, rng: seededRng(1), log: silentLog, deliver });
  }

  async function settleAll(): Promise<void> {
    for (let round = 0; round < 20; round += 1) await settle();
  }

  it("makes a call once that was under way when all was forgotten", async () => {
    pump = open({ kind: "done" });
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    pump.deliver([row()], false);
    await settle();
    pump.forget();
    await settle();
    resolve();
    await settleAll();
    assert.equal(calls, 1);
  });

  it("reads no more for whom it was reading when all was forgotten", async () => {
    pump = open({ kind: "done" });
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    pump.deliver([row()], true);
    await settle();
    pump.forget();
    await settle();
    resolve();
    await settleAll();
    assert.equal(reads, 1);
  });

  it("pauses before it looks again at what another node has and has failed with for the last time", async () => {
    pump = open({ kind: "failed", isOwn: true, error: "never" }, "moved");
    rows = [row(MOST_ATTEMPTS - 1)];
    pump.deliver([row()], true);
    await settleAll();
    assert.equal(calls, 1);
    await clock.advance(60_000);
    assert.ok(calls > 1 && calls < ENDLESS, `${calls} calls in a minute`);
  });
});
