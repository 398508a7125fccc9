import assert from "node:assert/strict";
import type { Server } from "@colyseus/core";
import { PopupViews } from "../../src/actors/popups/PopupViews.ts";
import { QuestService } from "../../src/actors/quests/QuestService.ts";
import { LOBBY_TOPIC } from "../../src/actors/runtime/Actor.ts";
import { RINGMASTER } from "../../src/app.config.ts";
import { systemClock } from "../../src/clock.ts";
import { declaredBy } from "../../src/domains/runtime/declared.ts";
import type { Database } from "../../src/entities/sql.ts";
import { LobbyBoard } from "../../src/rooms/lobby/LobbyBoard.ts";
import { LobbyRoom } from "../../src/rooms/lobby/LobbyRoom.ts";
import { provideRoomServices } from "../../src/rooms/runtime/services.ts";
import type { FeedEvent } from "../../src/stores/feeds/Feed.ts";
import { Edge, openRooms } from "../http/edge.ts";
import { openDatabase } from "../support/database.ts";
import { LossyFeed } from "../support/LossyFeed.ts";
import { clientOf } from "../support/RingmasterNode.ts";
import { Visitor } from "../support/Visitor.ts";

/** As many as a lobby sends after a reset. */
const NEWEST = 20;

describe("the lobby when its feed may have lost something", () => {
  let edge: Edge;
  let server: Server;
  let database: Database;
  let feed: LossyFeed;
  let keys = 0;

  before(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    feed = new LossyFeed();
    edge = new Edge();
    const common = { database, feed, clock: systemClock, log: edge.services.log };
    const board = new LobbyBoard({ ...common, lists: declaredBy(RINGMASTER.domains).lobby });
    await board.start();
    const quests = new QuestService({ ...common, actors: undefined as never, notified: () => {} });
    await quests.open();
    provideRoomServices({
      verify: (token: string) => edge.services.tokens.verify(token),
      logger: edge.services.log,
      clock: systemClock,
      draining: () => false,
      ...{ feed, board, quests, popupViews: new PopupViews(database, systemClock), nodeId: "n1" },
    } as Parameters<typeof provideRoomServices>[0]);
    server = await openRooms(edge, { lobby: LobbyRoom });
  });
  after(async () => {
    await server.gracefullyShutdown(false);
    await edge.close();
    await database.close();
  });

  const visit = async (playerId: string): Promise<Visitor> =>
    Visitor.join(clientOf(edge.url, await edge.token("player", playerId)), "lobby");

  async function tell(...types: string[]): Promise<void> {
    await feed.append(types.map((type) => ({ key: `k${++keys}`, topic: LOBBY_TOPIC, at: 0, type, data: null })));
  }

  const told = (visitor: Visitor): string[] =>
    visitor.heard
      .filter(({ type }) => type === "event" || type === "reset")
      .map(({ type, payload }) => (type === "reset" ? "(reset)" : (payload as FeedEvent).type));

  it("tells everybody so, then the newest events, then what is new, each once", async () => {
    const before = Array.from({ length: 2 * NEWEST }, (_, at) => `e${at}`);
    await tell(...before);
    const visitors = await Promise.all(["ann", "bob"].map(visit));
    feed.lose();
    await tell("new");
    for (const visitor of visitors) {
      await visitor.message<FeedEvent>("event", ({ type }) => type === "new");
      const all = told(visitor);
      const since = all.slice(all.indexOf("(reset)"));
      assert.deepEqual(since, ["(reset)", ...before.slice(-NEWEST), "new"]);
    }
  });

  it("tells players that news of their quests may be missing", async () => {
    const visitor = await visit("cid");
    feed.lose();
    assert.deepEqual(await visitor.message("questsMissed"), {});
  });
});
