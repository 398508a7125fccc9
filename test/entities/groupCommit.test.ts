import assert from "node:assert/strict";
import { type Clock, systemClock } from "../../src/clock.ts";
import { GroupCommit, type GroupCommitOptions } from "../../src/entities/GroupCommit.ts";
import { RingmasterError } from "../../src/errors.ts";

interface Flush {
  lane: string;
  items: readonly number[];
  finish: (result: string) => void;
  fail: (error: unknown) => void;
}

/** A group commit whose lingering and flushes end when the test says so. */
function controlled(options: Partial<GroupCommitOptions<number, string>> = {}) {
  const flushes: Flush[] = [];
  const lingering = new Set<{ callback: () => void; ms: number }>();
  const clock: Clock = {
    ...systemClock,
    schedule(callback, ms) {
      const timer = { callback, ms };
      lingering.add(timer);
      return () => lingering.delete(timer);
    },
  };
  const group = new GroupCommit<number, string>({
    clock,
    flush: (lane, items) => new Promise((finish, fail) => flushes.push({ lane, items, finish, fail })),
    ...options,
  });
  const linger = (): void => {
    for (const timer of [...lingering]) timer.callback();
  };
  const finish = async (flush: Flush, result = "done"): Promise<void> => {
    flush.finish(result);
    await new Promise(setImmediate);
  };
  return { group, flushes, linger, finish, lingering };
}

describe("GroupCommit", () => {
  it("commits together what comes while the first item lingers, and wakes each waiter with the result", async () => {
    const { group, flushes, linger, finish, lingering } = controlled();
    const waiters = [group.commit("a", [1, 2]), group.commit("a", [3])];
    assert.equal(flushes.length, 0);
    assert.deepEqual(
      [...lingering].map(({ ms }) => ms),
      [2],
    );
    linger();
    assert.deepEqual(flushes[0]!.items, [1, 2, 3]);
    await finish(flushes[0]!, "committed");
    assert.deepEqual(await Promise.all(waiters), ["committed", "committed"]);
  });

  it("has one flush of a lane in flight; what comes meanwhile goes with the next, without lingering", async () => {
    const { group, flushes, linger, finish, lingering } = controlled();
    const waiters = [group.commit("a", [1])];
    linger();
    waiters.push(group.commit("a", [2]), group.commit("a", [3]));
    assert.equal(lingering.size, 0);
    assert.equal(flushes.length, 1);
    await finish(flushes[0]!, "first");
    assert.deepEqual(flushes[1]!.items, [2, 3]);
    await finish(flushes[1]!, "second");
    assert.deepEqual(await Promise.all(waiters), ["first", "second", "second"]);
  });

  it("flushes lanes apart, at most four at once, in the order in which they became ready", async () => {
    const { group, flushes, linger, finish } = controlled();
    const waiters = ["a", "b", "c", "d", "e", "f"].map((lane, index) => group.commit(lane, [index]));
    linger();
    assert.deepEqual(
      flushes.map(({ lane }) => lane),
      ["a", "b", "c", "d"],
    );
    waiters.push(group.commit("a", [9]));
    await finish(flushes[0]!);
    assert.deepEqual(
      flushes.map(({ lane }) => lane),
      ["a", "b", "c", "d", "e"],
    );
    for (const index of [1, 2, 3, 4, 5, 6]) await finish(flushes[index]!);
    assert.deepEqual(
      flushes.map(({ lane }) => lane),
      ["a", "b", "c", "d", "e", "f", "a"],
    );
    await Promise.all(waiters);
  });

  it("does not linger with a full flush, and never splits the items of one commit", async () => {
    const { group, flushes, finish, lingering } = controlled({ maxItems: 4 });
    const waiters = [group.commit("a", [1, 2, 3]), group.commit("a", [4, 5])];
    assert.equal(lingering.size, 0);
    assert.deepEqual(flushes[0]!.items, [1, 2, 3]);
    waiters.push(group.commit("a", [6, 7]), group.commit("a", [8]));
    await finish(flushes[0]!);
    assert.deepEqual(flushes[1]!.items, [4, 5, 6, 7]);
    await finish(flushes[1]!);
    assert.deepEqual(flushes[2]!.items, [8]);
    await finish(flushes[2]!);
    await Promise.all(waiters);
    await assert.rejects(group.commit("a", [1, 2, 3, 4, 5]), RangeError);
    await assert.rejects(group.commit("a", []), RangeError);
  });

  it("refuses as overloaded at once what is beyond the bound, until some is taken to a flush", async () => {
    const { group, flushes, linger, finish } = controlled({ maxQueued: 3 });
    const waiters = [group.commit("a", [1, 2]), group.commit("b", [3])];
    await assert.rejects(group.commit("c", [4]), { code: "overloaded" });
    linger();
    waiters.push(group.commit("c", [5]));
    linger();
    for (const flush of flushes) await finish(flush);
    assert.deepEqual(
      flushes.map(({ items }) => items),
      [[1, 2], [3], [5]],
    );
    await Promise.all(waiters);
  });

  it("rejects the waiters of a failed flush, and commits the next", async () => {
    const { group, flushes, linger, finish } = controlled();
    const failed = [group.commit("a", [1]), group.commit("a", [2])];
    linger();
    const next = group.commit("a", [3]);
    const cause = new Error("Connection lost");
    flushes[0]!.fail(cause);
    for (const each of failed) {
      await assert.rejects(each, (error: RingmasterError) => error.code === "unavailable" && error.cause === cause);
    }
    await finish(flushes[1]!, "committed");
    assert.equal(await next, "committed");
    const own = group.commit("a", [4]);
    linger();
    flushes[2]!.fail(new RingmasterError("internal"));
    await assert.rejects(own, { code: "internal" });
  });

  it("flushes at once what lingers, and what comes meanwhile, when it is drained", async () => {
    const { group, flushes, finish, lingering } = controlled();
    await group.flush();
    const waiters = [group.commit("a", [1])];
    let isFlushed = false;
    const flushed = group.flush().then(() => {
      isFlushed = true;
    });
    assert.equal(lingering.size, 0);
    waiters.push(group.commit("a", [2]), group.commit("b", [3]));
    assert.deepEqual(
      flushes.map(({ items }) => items),
      [[1], [3]],
    );
    await finish(flushes[0]!);
    await finish(flushes[1]!);
    assert.equal(isFlushed, false);
    await finish(flushes[2]!);
    await flushed;
    await Promise.all(waiters);
  });
});

describe("GroupCommit by lanes that are objects", () => {
  interface DecidedBy {
    readonly id: string;
    readonly epoch: number;
  }

  it("commits together what has the same fields, and apart what has the same id alone", async () => {
    const flushes: [DecidedBy, readonly number[]][] = [];
    const end = Promise.withResolvers<string>();
    const group = new GroupCommit<number, string, DecidedBy>({
      clock: systemClock,
      flush: (by, items) => {
        flushes.push([by, items]);
        return end.promise;
      },
    });
    const waiters = [
      group.commit({ id: "hunt", epoch: 1 }, [1]),
      group.commit({ id: "hunt", epoch: 2 }, [2]),
      group.commit({ id: "hunt", epoch: 1 }, [3]),
      group.commit({ id: "other", epoch: 1 }, [4]),
    ];
    const idle = group.flush();
    assert.deepEqual(flushes, [
      [{ id: "hunt", epoch: 1 }, [1, 3]],
      [{ id: "hunt", epoch: 2 }, [2]],
      [{ id: "other", epoch: 1 }, [4]],
    ]);
    end.resolve("done");
    await idle;
    assert.deepEqual(await Promise.all(waiters), ["done", "done", "done", "done"]);
  });

  it("commits a lane that was idle anew, beside another of its id that goes on", async () => {
    const ends = new Map<number, () => void>();
    const group = new GroupCommit<number, number, DecidedBy>({
      clock: systemClock,
      lingerMs: 0,
      flush: ({ epoch }) => new Promise((resolve) => ends.set(epoch, () => resolve(epoch))),
    });
    const [first, second] = [group.commit({ id: "hunt", epoch: 1 }, [1]), group.commit({ id: "hunt", epoch: 2 }, [2])];
    void group.flush();
    ends.get(1)!();
    assert.equal(await first, 1);
    const again = group.commit({ id: "hunt", epoch: 1 }, [3]);
    ends.get(1)!();
    ends.get(2)!();
    assert.deepEqual(await Promise.all([second, again]), [2, 1]);
  });
});
