import assert from "node:assert/strict";
import type { PopupWindow } from "../../src/entities/popups/Popup.ts";
import type { FeedEvent } from "../../src/stores/feeds/Feed.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { clientOf, type Player } from "../support/RingmasterNode.ts";
import { muteSdk, Visitor } from "../support/Visitor.ts";
import { NodeCluster, type Place } from "./supportNodes.ts";

/** What the turn that opens the first window has to wait for. */
const WINDOW_OF_ANOTHER = `INSERT INTO popup_windows (id, content_id, title, body, opened_at, closes_at, closed_at, views)
  VALUES ('w1', '', '', '', 0, 0, NULL, 0)`;

describe("popups on a cluster whose nodes are killed", function () {
  this.timeout(120_000);
  muteSdk();
  let cluster: NodeCluster;
  let players: Player[];
  let visitors: Visitor[];

  before(async () => {
    // Three that play their part, and one that only makes room for them: who owns the popup at first.
    cluster = await NodeCluster.open(4);
  });
  after(() => cluster.close());

  const owner = (): Promise<Place> => cluster.ownerOf("popup", "global");

  /** The timer of the next window, three hours away, is due as soon as somebody adopts it: nobody may own it meanwhile. */
  async function makeDue(): Promise<void> {
    const due = Date.now();
    const { affected } = await cluster.database.write(
      "UPDATE actors SET timers = JSON_REPLACE(timers, '$[0].due', ?), due_at = ? WHERE kind = 'popup' AND JSON_LENGTH(timers) = 1",
      [due, due],
    );
    assert.equal(affected, 1);
  }

  /** What a visitor was told of windows, in order. */
  const toldTo = (visitor: Visitor): [string, string][] =>
    visitor.heard
      .filter(({ type }) => type === "event")
      .map(({ payload }) => payload as FeedEvent)
      .filter(({ type }) => type.startsWith("popup"))
      .map(({ type, data }) => [type, (data as { id: string }).id]);

  it("open once, and are told of once, when the node that opens the window is killed in the middle of it", async () => {
    const all = await cluster.signIn(cluster.places.length);
    const seated = await cluster.seatIn("lobby", {}, all, (room) => new Visitor(room));
    const first = await owner();
    await first.node.kill();
    const places = cluster.up;
    const isElsewhere = (_: unknown, at: number): boolean => cluster.places[at] !== first;
    [players, visitors] = [all.filter(isElsewhere), seated.filter(isElsewhere)];

    const victim = await cluster.whileOpen(WINDOW_OF_ANOTHER, [], async () => {
      await makeDue();
      await cluster.untilWaiting("INSERT INTO popup_windows");
      const opener = await owner();
      await opener.node.kill();
      return opener;
    });

    const lost = places.indexOf(victim);
    const survivors = visitors.filter((_, at) => at !== lost);
    for (const visitor of survivors) await visitor.message<FeedEvent>("event", ({ type }) => type === "popupOpened");
    await visitors[lost]!.left;
    visitors[lost] = await Visitor.join(clientOf(cluster.node.url, players[lost]!.token), "lobby");
    await visitors[lost]!.message<PopupWindow>("popup", ({ id }) => id === "w1");
    await Promise.all(visitors.map((visitor) => visitor.request("viewPopup", { windowId: "w1" })));
    await victim.start();
  });

  it("close once, and are told of once, when the node that owns the open window is killed", async () => {
    const holder = await owner();
    const lost = visitors.filter(({ room }) => isAt(room.connection, holder));
    await holder.node.kill();
    await Promise.all(lost.map(({ left }) => left));
    const closed = await until(() => cluster.command<{ id: string; views: number }>("/api/popups/global/close"), {
      timeoutMs: DEADLINE_MS,
      what: "the window is closed",
    });
    assert.deepEqual(closed, { id: "w1", views: 3 });

    const latecomer = await Visitor.join(clientOf(cluster.node.url, players[0]!.token), "lobby");
    const heard = [latecomer, ...visitors.filter((visitor) => !lost.includes(visitor))];
    for (const visitor of heard) await visitor.message<FeedEvent>("event", ({ type }) => type === "popupClosed");
    for (const visitor of heard) {
      assert.deepEqual(toldTo(visitor), [
        ["popupOpened", "w1"],
        ["popupClosed", "w1"],
      ]);
    }
    const windows = await cluster.database.query<{ id: string; views: unknown; isClosed: unknown }>(
      "SELECT id, views, closed_at IS NOT NULL AS isClosed FROM popup_windows",
    );
    assert.deepEqual(
      windows.map(({ id, views, isClosed }) => [id, Number(views), Number(isClosed)]),
      [["w1", 3, 1]],
    );
  });
});

/** Whether this connection leads to that place. */
function isAt(connection: { transport: unknown }, { port }: Place): boolean {
  return String((connection.transport as { ws?: { url?: string } }).ws?.url).includes(`:${port}/`);
}
