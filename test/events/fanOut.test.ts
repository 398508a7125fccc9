import assert from "node:assert/strict";
import { EventViews, type OpenEvent } from "../../src/actors/events/EventViews.ts";
import { Actor } from "../../src/actors/runtime/Actor.ts";
import type { FeedEvent } from "../../src/stores/feeds/Feed.ts";
import { SimulatedCluster } from "../actors/SimulatedCluster.ts";
import { silentLog } from "../actors/simulation.ts";

/** The rows of raffles, which this test writes itself. */
type Row = { id: string; tickets: number };

class RaffleActor extends Actor<{ tickets: number }> {
  static readonly kind = "raffle";
  static initial(): { tickets: number } {
    return { tickets: 0 };
  }
  readonly timers = {};

  async enter(playerId: string): Promise<number> {
    this.state.tickets += 1;
    this.notifyRooms("entered", { playerId });
    if (playerId === "nobody") throw new Error("the turn fails after it has told its rooms something");
    this.notifyRooms("tickets", { tickets: this.state.tickets });
    return this.state.tickets;
  }
}

/** A room, and what it has heard. */
class Room {
  readonly heard: unknown[] = [];
}

/** What a node hands on to the rooms of a raffle. */
class OpenRaffle implements OpenEvent<Room, Row> {
  readonly id: string;
  readonly audience = new Set<Room>();

  constructor({ id }: Row) {
    this.id = id;
  }

  opened(): void {}

  closed(): void {}

  onEvent({ type, data }: FeedEvent): void {
    for (const { heard } of this.audience) heard.push([type, data]);
  }

  catchUp({ tickets }: Row): void {
    for (const { heard } of this.audience) heard.push(["looked up", tickets]);
  }
}

describe("what a turn tells the rooms of its event", () => {
  let cluster: SimulatedCluster;
  let rows: Map<string, Row>;
  let rooms: Room[];

  const enter = (playerId: string, id = "r"): Promise<number> =>
    cluster.within(cluster.ref(RaffleActor, id).enter(playerId));

  beforeEach(async () => {
    cluster = await SimulatedCluster.open([RaffleActor], 2);
    rows = new Map([["r", { id: "r", tickets: 0 }]]);
    rooms = cluster.nodes.map(() => new Room());
    for (const room of rooms) await joinedBy(room);
  });

  afterEach(() => cluster.close());

  /** The raffles of a node. */
  function raffles(): EventViews<Room, OpenRaffle, Row> {
    const has = async (id: string): Promise<boolean> => rows.has(id);
    const get = async (id: string): Promise<Row | null> => rows.get(id) ?? null;
    const kind = { actor: RaffleActor, has, get, open: (row: Row) => new OpenRaffle(row) };
    return new EventViews(kind, { feed: cluster.feed, clock: cluster.clock, log: silentLog });
  }

  /** Has a room join the raffle, on a node of its own. */
  async function joinedBy(room: Room): Promise<() => void> {
    const { leave } = await raffles().join("r", room);
    return leave;
  }

  it("comes to all of them, on every node, each thing once and in order", async () => {
    await enter("ann");
    await enter("bob");
    await cluster.advance(1000);
    const heard = [
      ["entered", { playerId: "ann" }],
      ["tickets", { tickets: 1 }],
      ["entered", { playerId: "bob" }],
      ["tickets", { tickets: 2 }],
    ];
    for (const room of rooms) assert.deepEqual(room.heard, heard);
  });

  it("comes to nobody when the turn fails, nor to rooms of another event, nor to who has left", async () => {
    const gone = new Room();
    (await joinedBy(gone))();
    await assert.rejects(enter("nobody"));
    await enter("ann", "another");
    await cluster.advance(1000);
    for (const room of [...rooms, gone]) assert.deepEqual(room.heard, []);
    await enter("ann");
    await cluster.advance(1000);
    assert.deepEqual([rooms[0]!.heard.length, gone.heard.length], [2, 0]);
  });

  it("is looked up by those that may have missed some of it", async () => {
    rows.set("r", { id: "r", tickets: 7 });
    const room = new Room();
    const views = raffles();
    await views.join("r", room);
    rows.set("r", { id: "r", tickets: 8 });
    views.refresh();
    await cluster.advance(100);
    assert.deepEqual(room.heard, [["looked up", 8]]);
  });
});
