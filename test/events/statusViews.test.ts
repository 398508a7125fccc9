import assert from "node:assert/strict";
import { statusServices } from "../../src/actors/events/StatusViews.ts";
import { roomsTopic } from "../../src/actors/runtime/Actor.ts";
import { ManualClock, settle, silentLog } from "../actors/simulation.ts";
import { LossyFeed } from "../support/LossyFeed.ts";

interface Ballot {
  id: string;
  votes: number;
}

const BALLOT = { kind: "ballot" };

describe("Events of which rooms show how they stand", () => {
  let feed: LossyFeed;
  let stored: Map<string, Ballot>;
  let keys = 0;
  /** What is to be done once news may have been lost. */
  const backs: (() => void)[] = [];
  const clock = new ManualClock();

  beforeEach(() => {
    feed = new LossyFeed();
    stored = new Map([["b", { id: "b", votes: 1 }]]);
  });

  /** As much of a table and of a node as they need. */
  const open = () =>
    statusServices<Ballot>(
      BALLOT,
      { has: async (_sql, id) => stored.has(id), get: async (_sql, id) => stored.get(id) ?? null },
      {
        ...{ feed, clock, log: silentLog, actors: undefined as never, onBack: (listener) => void backs.push(listener) },
        database: { of: () => undefined } as never,
      },
    ).views;

  const tell = (type: string, data: unknown) =>
    feed.append([{ key: `k${++keys}`, topic: roomsTopic(BALLOT, "b"), at: 0, type, data }]);

  function room() {
    const shown: number[] = [];
    return { shown, onStatus: ({ votes }: Ballot) => void shown.push(votes) };
  }

  it("are known as they are stored when their first room comes, and as they are told of from then on", async () => {
    const [views, first, second] = [open(), room(), room()];
    const { event, leave } = await views.join("b", first);
    assert.deepEqual(event.status, { id: "b", votes: 1 });
    await tell("phase", { id: "b", votes: 2 });
    await tell("somethingElse", { id: "b", votes: 9 });
    assert.equal((await views.join("b", second)).event, event);
    await tell("phase", { id: "b", votes: 3 });
    await settle();
    assert.deepEqual([first.shown, second.shown, event.status.votes], [[2, 3], [3], 3]);
    leave();
    await tell("phase", { id: "b", votes: 4 });
    await settle();
    assert.deepEqual(
      [first.shown, second.shown],
      [
        [2, 3],
        [3, 4],
      ],
    );
  });

  it("are looked up when something may have been lost, Redis having been out of reach", async () => {
    const [views, only] = [open(), room()];
    await views.join("b", only);
    stored.set("b", { id: "b", votes: 7 });
    for (const back of backs) back();
    await settle();
    assert.deepEqual(only.shown, [7]);
  });

  it("are not there when nothing is stored", async () => {
    await assert.rejects(open().join("none", room()), { code: "not_found", message: "There is no ballot none." });
    await assert.rejects(open().require("none"), { code: "not_found" });
  });
});
