import assert from "node:assert/strict";
import { join } from "node:path";
import { defineRoom, Room } from "@colyseus/core";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { RINGMASTER } from "../../src/app.config.ts";
import { createApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { aHunt } from "../http/edge.ts";
import { RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";

describe("a game's own rooms and endpoints, in one app with ours", function () {
  this.timeout(120_000);
  let directory: string;
  let node: RingmasterNode;
  let token: string;

  before(async () => {
    directory = temporaryDirectory("own-rooms");
    node = await RingmasterNode.start(
      { DATABASE_URL: `sqlite:${join(directory, "ringmaster.sqlite")}`, GUILD_FEE: "7" },
      "test/app/gameNode.ts",
    );
    await node.post("/api/hunts", { token: await tokenOf("operator"), body: aHunt() });
    ({ token } = await node.signIn());
  });
  after(async () => {
    await node.kill();
    removeDirectory(directory);
  });

  it("have our events: a room of Colyseus's is given the services of a domain", async () => {
    const room = await node.client(token).joinOrCreate("arena");
    const listed = new Promise((resolve) => room.onMessage("hunts", resolve));
    room.send("hunts");
    assert.deepEqual(await listed, [aHunt().name]);
    await room.leave();
  });

  it("have them in a domain of the game's own, whose rooms have what ours have", async () => {
    const room = await node.client(token).joinOrCreate("guild");
    assert.deepEqual(await room.request("motto", {}), { motto: "0 hunts at the start", fee: 7 });
    await room.leave();
    await assert.rejects(node.client("forged").joinOrCreate("guild"), { code: 401 });
  });

  it("have error codes of their own, which are told to clients as ours are, also where a join or a room is refused", async () => {
    const room = await node.client(token).joinOrCreate("guild");
    await assert.rejects(room.request("enter", {}), {
      reason: { code: "guild_closed", message: "The guild takes nobody in.", details: { fee: 7 } },
    });
    await room.leave();
    const refused = { code: 423, message: "guild_closed: The guild takes nobody in." };
    await assert.rejects(node.client(token).joinOrCreate("guild", { late: true }), refused);
    await assert.rejects(node.client(token).create("guild", { closed: true }), refused);
  });

  it("have them in an endpoint", async () => {
    const { body } = await node.get<{ hunts: number }>("/arena");
    assert.deepEqual(body, { hunts: 1 });
  });

  it("leave ours as they are", async () => {
    const [{ id } = { id: "" }] = (await node.get<{ hunts: { id: string }[] }>("/api/hunts")).body.hunts;
    for (const [name, options] of [
      ["hunt", { huntId: id }],
      ["lobby", {}],
    ] as const) {
      const room = await node.client(token).joinOrCreate(name, options);
      room.onMessage("*", () => {});
      await room.leave();
    }
  });

  it("keep the app from starting, with words, where a domain has a room of that name", async () => {
    const config = readConfig(
      { DATABASE_URL: `sqlite:${join(directory, "other.sqlite")}`, PORT: "0" },
      RINGMASTER.domains,
    );
    const rooms = () => ({ lobby: defineRoom(class extends Room {}) });
    await assert.rejects(createApp(config, { ...RINGMASTER, rooms }, createLogger("silent")), {
      message: "the room lobby is named twice: by a domain and by the app",
    });
  });
});
