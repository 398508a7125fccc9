import assert from "node:assert/strict";
import { STATUS, statusTopic, statusViews } from "../../src/actors/events/StatusViews.ts";
import { ManualClock, settle, silentLog } from "../actors/simulation.ts";
import { LossyFeed } from "../support/LossyFeed.ts";

interface Ballot {
  id: string;
  votes: number;
}

describe("Events of which rooms show how they stand", () => {
  let feed: LossyFeed;
  let stored: Map<string, Ballot>;
  let keys = 0;
  const clock = new ManualClock();

  beforeEach(() => {
    feed = new LossyFeed();
    stored = new Map([["b", { id: "b", votes: 1 }]]);
  });

  const open = () =>
    statusViews<Ballot>("ballot", async (id) => stored.get(id) ?? null, { feed, clock, log: silentLog });

  const tell = (type: string, data: unknown) =>
    feed.append([{ key: `k${++keys}`, topic: statusTopic("ballot", "b"), at: 0, type, data }]);

  function room() {
    const shown: number[] = [];
    return { shown, onStatus: ({ votes }: Ballot) => void shown.push(votes) };
  }

  it("are known as they are stored when their first room comes, and as they are told of from then on", async () => {
    const [views, first, second] = [open(), room(), room()];
    const { event, leave } = await views.join("b", first);
    assert.deepEqual(event.status, { id: "b", votes: 1 });
    await tell(STATUS, { id: "b", votes: 2 });
    await tell("somethingElse", { id: "b", votes: 9 });
    assert.equal((await views.join("b", second)).event, event);
    await tell(STATUS, { id: "b", votes: 3 });
    await settle();
    assert.deepEqual([first.shown, second.shown, event.status.votes], [[2, 3], [3], 3]);
    leave();
    await tell(STATUS, { id: "b", votes: 4 });
    await settle();
    assert.deepEqual(
      [first.shown, second.shown],
      [
        [2, 3],
        [3, 4],
      ],
    );
  });

  it("are looked up when something may have been lost", async () => {
    const [views, only] = [open(), room()];
    await views.join("b", only);
    stored.set("b", { id: "b", votes: 7 });
    views.refresh();
    await settle();
    assert.deepEqual(only.shown, [7]);
  });

  it("are not there when nothing is stored", async () => {
    await assert.rejects(open().join("none", room()), { code: "not_found", message: "There is no ballot none." });
    await assert.rejects(open().require("none"), { code: "not_found" });
  });
});
