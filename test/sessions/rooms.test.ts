import assert from "node:assert/strict";
import type { Server } from "@colyseus/core";
import { z } from "zod";
import { systemClock } from "../../src/clock.ts";
import { SessionHistory } from "../../src/entities/sessions/SessionHistory.ts";
import type { Database } from "../../src/entities/sql.ts";
import { admit } from "../../src/rooms/runtime/admission.ts";
import { BaseRoom } from "../../src/rooms/runtime/BaseRoom.ts";
import { provideRoomServices } from "../../src/rooms/runtime/services.ts";
import { MemorySessionStore } from "../../src/stores/sessions/MemorySessionStore.ts";
import { SessionService } from "../../src/stores/sessions/SessionService.ts";
import { LEAVING_MS, type LiveSession } from "../../src/stores/sessions/SessionStore.ts";
import { bearer, Edge, openRooms } from "../http/edge.ts";
import { openDatabase } from "../support/database.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { clientOf } from "../support/RingmasterNode.ts";
import { Visitor } from "../support/Visitor.ts";

const TIMEOUT_MS = 1_800_000;

class Salon extends BaseRoom {
  static override onAuth = admit({ role: "player" });

  override onCreate(): void {
    this.request("hello", z.unknown(), () => "hello");
  }
}

describe("players in rooms and over HTTP", () => {
  let edge: Edge;
  let server: Server;
  let database: Database;
  let store: MemorySessionStore;
  let service: SessionService;

  before(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    store = new MemorySessionStore({ timeoutMs: TIMEOUT_MS });
    service = new SessionService({
      ...{ store, history: new SessionHistory(database), clock: systemClock },
      ...{ nodeId: "n1", liveNodes: () => ["n1"], log: { warn: () => {} } },
    });
    edge = new Edge({ sessions: service });
    provideRoomServices({
      verify: (token) => edge.services.tokens.verify(token),
      logger: edge.services.log,
      clock: systemClock,
      draining: () => false,
      attend: () => service.attend(),
    });
    server = await openRooms(edge, { salon: Salon });
  });
  after(async () => {
    await server.gracefullyShutdown(false);
    await edge.close();
    await database.close();
  });

  async function sessionOf(playerId: string): Promise<LiveSession | undefined> {
    await service.flush();
    return store.current(playerId, Date.now());
  }

  it("have a session that begins with joining, goes on with each request, and ends soon after the last room is left", async () => {
    const client = clientOf(edge.url, await edge.token("player", "ada"));
    const [salon, other] = [await Visitor.join(client, "salon"), await Visitor.join(client, "salon")];
    const joined = await sessionOf("ada");
    assert.equal(joined?.endsAt, joined!.seenAt + TIMEOUT_MS);

    await until(() => Date.now() > joined!.seenAt, { timeoutMs: DEADLINE_MS, what: "the clock has moved" });
    await salon.request("hello");
    const asked = await sessionOf("ada");
    assert.equal(asked?.startedAt, joined!.startedAt);
    assert.ok(asked!.seenAt > joined!.seenAt);

    await salon.room.leave();
    assert.equal((await sessionOf("ada"))?.endsAt, asked!.seenAt + TIMEOUT_MS);
    await other.room.leave();
    const left = await until(
      async () => {
        const session = await sessionOf("ada");
        return session!.endsAt <= Date.now() + LEAVING_MS ? session : undefined;
      },
      { timeoutMs: DEADLINE_MS, what: "the room has noticed" },
    );
    assert.equal(left.startedAt, joined!.startedAt);
  });

  it("have a session that begins with an authenticated request, and see it beside those that are over", async () => {
    await new SessionHistory(database).keep([
      { playerId: "bob", startedAt: 10, seenAt: 20, endedAt: 30, end: "timeout" },
    ]);
    const token = await edge.token("player", "bob");
    const before = Date.now();
    await edge.get("/api/hunts", bearer(token));
    const { status, body } = await edge.get("/api/me/sessions", bearer(token));
    assert.equal(status, 200);
    assert.deepEqual(body.sessions, [{ startedAt: 10, seenAt: 20, endedAt: 30, end: "timeout" }]);
    const { startedAt, endsAt } = body.current as LiveSession;
    assert.ok(startedAt >= before && endsAt >= startedAt + TIMEOUT_MS);
  });

  it("have none without a token, nor as operators", async () => {
    assert.equal((await edge.get("/api/me/sessions")).error?.code, "unauthenticated");
    await edge.get("/api/hunts");
    const { body } = await edge.get("/api/me/sessions", bearer(await edge.token("operator")));
    assert.deepEqual(body, { current: null, sessions: [] });
  });
});
