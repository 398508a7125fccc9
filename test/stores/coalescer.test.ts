import assert from "node:assert/strict";
import { RingmasterError } from "../../src/errors.ts";
import { Coalescer, type CoalescerOptions } from "../../src/stores/runtime/Coalescer.ts";

interface Call {
  lane: string;
  requests: readonly number[];
  answer: (answers: readonly string[]) => void;
  fail: (error: unknown) => void;
}

/** A coalescer whose turns and batches end when the test says so. */
function controlled(options: Partial<CoalescerOptions<number, string>> = {}) {
  const calls: Call[] = [];
  let scheduled: (() => void)[] = [];
  const coalescer = new Coalescer<number, string>({
    batch: (lane, requests) =>
      new Promise((resolve, reject) => calls.push({ lane, requests, answer: resolve, fail: reject })),
    schedule: (callback) => scheduled.push(callback),
    ...options,
  });
  const endTurn = (): void => {
    const due = scheduled;
    scheduled = [];
    for (const callback of due) callback();
  };
  /** Answers a call and lets its consequences happen. */
  const answer = async (call: Call): Promise<void> => {
    call.answer(call.requests.map((request) => `${call.lane}${request}`));
    await new Promise(setImmediate);
  };
  return { coalescer, calls, endTurn, answer, scheduledCount: () => scheduled.length };
}

describe("Coalescer", () => {
  it("sends the requests of one turn as one batch, and gives each its own answer", async () => {
    const { coalescer, calls, endTurn, answer } = controlled();
    const asked = [3, 1, 2].map((request) => coalescer.ask("a", request));
    assert.equal(calls.length, 0);
    endTurn();
    assert.deepEqual(
      calls.map(({ requests }) => requests),
      [[3, 1, 2]],
    );
    await answer(calls[0]!);
    assert.deepEqual(await Promise.all(asked), ["a3", "a1", "a2"]);
  });

  it("shares a long queue among the batches that may be in flight, so that one is decided while another is answered", async () => {
    const { coalescer, calls, endTurn, answer } = controlled();
    const asked = Array.from({ length: 101 }, (_, request) => coalescer.ask("a", request));
    endTurn();
    assert.deepEqual(
      calls.map(({ requests }) => [requests[0], requests.length]),
      [
        [0, 51],
        [51, 50],
      ],
    );
    for (const call of calls) await answer(call);
    assert.deepEqual(
      await Promise.all(asked),
      asked.map((_, request) => `a${request}`),
    );
  });

  it("gives each lane its own batches", async () => {
    const { coalescer, calls, endTurn, answer } = controlled();
    const asked = [coalescer.ask("a", 1), coalescer.ask("b", 2), coalescer.ask("a", 3)];
    endTurn();
    assert.deepEqual(
      calls.map(({ lane, requests }) => [lane, requests]),
      [
        ["a", [1, 3]],
        ["b", [2]],
      ],
    );
    for (const call of calls) await answer(call);
    assert.deepEqual(await Promise.all(asked), ["a1", "b2", "a3"]);
  });

  it("has at most two batches of a lane in flight; what comes meanwhile goes together with the next", async () => {
    const { coalescer, calls, endTurn, answer } = controlled();
    const asked: Promise<string>[] = [];
    for (let request = 0; request < 5; request += 1) {
      asked.push(coalescer.ask("a", request));
      endTurn();
    }
    assert.deepEqual(
      calls.map(({ requests }) => requests),
      [[0], [1]],
    );
    await answer(calls[1]!);
    asked.push(coalescer.ask("a", 5));
    endTurn();
    assert.deepEqual(
      calls.map(({ requests }) => requests),
      [[0], [1], [2, 3, 4, 5]],
    );
    for (const index of [0, 2]) await answer(calls[index]!);
    assert.deepEqual(await Promise.all(asked), ["a0", "a1", "a2", "a3", "a4", "a5"]);
  });

  it("cuts what is more than a batch takes", async () => {
    const { coalescer, calls, endTurn, answer } = controlled();
    const asked = Array.from({ length: 1100 }, (_, request) => coalescer.ask("a", request));
    endTurn();
    assert.deepEqual(
      calls.map(({ requests }) => requests.length),
      [512, 512],
    );
    await answer(calls[0]!);
    endTurn();
    assert.deepEqual(
      calls.map(({ requests }) => requests.length),
      [512, 512, 76],
    );
    for (const call of calls.slice(1)) await answer(call);
    assert.equal((await Promise.all(asked)).at(-1), "a1099");
  });

  it("refuses as overloaded at once what is beyond the bound, until some of the queue is sent", async () => {
    const { coalescer, calls, endTurn, answer } = controlled({ maxQueued: 3, maxInFlight: 1 });
    const first = coalescer.ask("a", 0);
    endTurn();
    const waiting = [coalescer.ask("a", 1), coalescer.ask("b", 2), coalescer.ask("a", 3)];
    await assert.rejects(coalescer.ask("c", 4), { code: "overloaded" });
    await answer(calls[0]!);
    endTurn();
    const late = coalescer.ask("a", 5);
    await answer(calls[1]!);
    await answer(calls[2]!);
    endTurn();
    await answer(calls[3]!);
    assert.deepEqual(await Promise.all([first, ...waiting, late]), ["a0", "a1", "b2", "a3", "a5"]);
  });

  it("rejects all of a failed batch as unavailable with its cause, and goes on", async () => {
    const { coalescer, calls, endTurn, answer } = controlled();
    const asked = [coalescer.ask("a", 1), coalescer.ask("a", 2)];
    endTurn();
    const cause = new Error("Connection is closed.");
    calls[0]!.fail(cause);
    for (const each of asked) {
      await assert.rejects(each, (error: RingmasterError) => error.code === "unavailable" && error.cause === cause);
    }
    const next = coalescer.ask("a", 3);
    endTurn();
    await answer(calls[1]!);
    assert.equal(await next, "a3");
  });

  it("hands on an error of ours as it is, and takes a wrong number of answers for a bug", async () => {
    const { coalescer, calls, endTurn } = controlled();
    const own = coalescer.ask("a", 1);
    endTurn();
    calls[0]!.fail(new RingmasterError("draining"));
    await assert.rejects(own, { code: "draining" });
    const miscounted = coalescer.ask("a", 1);
    endTurn();
    calls[1]!.answer([]);
    await assert.rejects(miscounted, { code: "internal" });
  });

  it("survives a batch that throws before it returns a promise", async () => {
    const { coalescer, endTurn } = controlled({
      batch: () => {
        throw new Error("at once");
      },
    });
    const asked = coalescer.ask("a", 1);
    endTurn();
    await assert.rejects(asked, { code: "unavailable" });
  });

  it("answers what it has accepted before it is closed, and refuses the rest", async () => {
    const { coalescer, calls, endTurn, answer } = controlled({ maxInFlight: 1 });
    const asked = [coalescer.ask("a", 1), coalescer.ask("b", 2)];
    endTurn();
    asked.push(coalescer.ask("a", 3));
    let isClosed = false;
    const closing = coalescer.close().then(() => {
      isClosed = true;
    });
    await assert.rejects(coalescer.ask("a", 4), { code: "draining" });
    for (const index of [0, 1]) await answer(calls[index]!);
    assert.equal(isClosed, false);
    endTurn();
    await answer(calls[2]!);
    await closing;
    assert.deepEqual(await Promise.all(asked), ["a1", "b2", "a3"]);
    await coalescer.close();
  });

  it("collects by turns of the event loop unless told otherwise", async () => {
    const sizes: number[] = [];
    const coalescer = new Coalescer<number, number>({
      async batch(_, requests) {
        sizes.push(requests.length);
        return requests;
      },
    });
    const asked = [coalescer.ask("a", 1), Promise.resolve().then(() => coalescer.ask("a", 2))];
    assert.deepEqual(await Promise.all(asked), [1, 2]);
    assert.equal(await coalescer.ask("a", 3), 3);
    assert.deepEqual(sizes, [2, 1]);
  });
});
