import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import type { Server } from "@colyseus/core";
import type { Room } from "@colyseus/sdk";
import { z } from "zod";
import { systemClock } from "../../src/clock.ts";
import type { Role } from "../../src/http/auth/identity.ts";
import { admit } from "../../src/rooms/runtime/admission.ts";
import { BaseRoom } from "../../src/rooms/runtime/BaseRoom.ts";
import { TOKEN_EXPIRED } from "../../src/rooms/runtime/RoomConnections.ts";
import { provideRoomServices } from "../../src/rooms/runtime/services.ts";
import { Edge, openRooms } from "../http/edge.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { clientOf } from "../support/RingmasterNode.ts";

const here = new Map<string, string>();

class TalkRoom extends BaseRoom {
  static override onAuth = admit({ role: "player" });

  override onCreate(): void {
    this.autoDispose = false;
    this.request("whoami", z.object({}), (client) => client.auth!.playerId);
  }

  protected override onPlayerJoin({ sessionId, auth }: { sessionId: string; auth?: { playerId: string } }): void {
    here.set(sessionId, auth!.playerId);
  }

  protected override onPlayerGone({ sessionId }: { sessionId: string }): void {
    here.delete(sessionId);
  }
}

describe("A right", function () {
  this.timeout(2 * DEADLINE_MS);
  let edge: Edge;
  let server: Server;
  let url: string;

  before(async () => {
    edge = new Edge();
    const { log: logger, tokens } = edge.services;
    provideRoomServices({ verify: (token) => tokens.verify(token), logger, clock: systemClock, draining: () => false });
    server = await openRooms(edge, { talk: TalkRoom });
    url = `http://127.0.0.1:${(edge.door.address() as AddressInfo).port}`;
  });
  after(async () => {
    await server.gracefullyShutdown(false);
    edge.door.closeAllConnections();
  });

  const tokenOf = (playerId: string, role: Role = "player", ttlMs = 3_600_000): Promise<string> =>
    edge.services.tokens.issue({ playerId, name: playerId, role }, ttlMs);

  /** Drops the connection as a network does; nobody comes back by themselves. */
  async function drop(room: Room): Promise<void> {
    room.reconnection.enabled = false;
    const left = new Promise((resolve) => room.onLeave(resolve));
    room.connection.close(4010);
    await left;
  }

  it("ends with the token: what it opened is closed, and not opened again", async () => {
    for (const role of ["player", "operator"] as const) {
      const token = await tokenOf(`short-${role}`, role, 3000);
      const room = await clientOf(url, token).joinOrCreate("talk");
      assert.equal(await room.request("whoami", {}), `short-${role}`);
      assert.equal(await new Promise((resolve) => room.onLeave(resolve)), TOKEN_EXPIRED);
      await assert.rejects(clientOf(url, token).reconnect(room.reconnectionToken));
      await assert.rejects(clientOf(url, token).joinOrCreate("talk"), { code: 401 });
    }
  });

  it("to come back to a seat is its player's alone, and trying does not take the seat away", async () => {
    const room = await clientOf(url, await tokenOf("ada")).joinOrCreate("talk");
    await drop(room);
    for (const token of [await tokenOf("mallory"), await tokenOf("ada", "operator"), "", "forged"]) {
      await assert.rejects(clientOf(url, token).reconnect(room.reconnectionToken), token);
    }
    assert.equal(here.get(room.sessionId), "ada");
    const back = await clientOf(url, await tokenOf("ada")).reconnect(room.reconnectionToken);
    assert.equal(back.sessionId, room.sessionId);
    assert.equal(await back.request("whoami", {}), "ada");
    await back.leave();
    await until(() => !here.has(room.sessionId), { timeoutMs: DEADLINE_MS, what: "the seat is free" });
  });

  it("is as long as the token that its player comes back with", async () => {
    const room = await clientOf(url, await tokenOf("bob")).joinOrCreate("talk");
    await drop(room);
    const back = await clientOf(url, await tokenOf("bob", "player", 3000)).reconnect(room.reconnectionToken);
    assert.equal(await new Promise((resolve) => back.onLeave(resolve)), TOKEN_EXPIRED);
  });

  it("cannot be had of a living connection by its reconnection token", async () => {
    const room = await clientOf(url, await tokenOf("cyd")).joinOrCreate("talk");
    await assert.rejects(clientOf(url, await tokenOf("mallory")).reconnect(room.reconnectionToken));
    assert.equal(await room.request("whoami", {}), "cyd");
    await room.leave();
  });
});
