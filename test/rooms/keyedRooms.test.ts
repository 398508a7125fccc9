import assert from "node:assert/strict";
import { type IRoomCache, initializeRoomCache, type MatchMakerDriver } from "@colyseus/core";
import { KeyedLocalDriver } from "../../src/rooms/runtime/KeyedLocalDriver.ts";
import { RoomDirectory } from "../../src/rooms/runtime/RoomDirectory.ts";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import { freshRedisUrl } from "../support/servers.ts";

/** Drivers as two processes have them; a process alone has one. */
type Drivers = [here: MatchMakerDriver, there: MatchMakerDriver];

async function clusterDrivers(): Promise<{ drivers: Drivers; close(): void }> {
  const url = await freshRedisUrl();
  const clients = [connectRedis(url, "here"), connectRedis(url, "there")] as const;
  await Promise.all(clients.map((client) => whenReady(client)));
  return {
    drivers: [new RoomDirectory(clients[0]), new RoomDirectory(clients[1])],
    close: () => {
      for (const client of clients) client.disconnect();
    },
  };
}

async function localDrivers(): Promise<{ drivers: Drivers; close(): void }> {
  const driver = new KeyedLocalDriver();
  return { drivers: [driver, driver], close: () => {} };
}

let rooms = 0;

function aRoom(key?: string, values: Partial<IRoomCache> = {}): IRoomCache {
  rooms += 1;
  const metadata = key === undefined ? {} : { metadata: { key } };
  return initializeRoomCache({
    roomId: `room-${rooms}`,
    name: "keyed",
    processId: "p",
    maxClients: 2,
    ...metadata,
    ...values,
  });
}

for (const [name, create] of [
  ["RoomDirectory", clusterDrivers],
  ["KeyedLocalDriver", localDrivers],
] as const) {
  describe(`the listings of ${name}`, () => {
    let here: MatchMakerDriver;
    let there: MatchMakerDriver;
    let close: () => void;

    before(async () => {
      const created = await create();
      [here, there] = created.drivers;
      close = created.close;
    });

    after(() => close());

    const insert = (driver: MatchMakerDriver, room: IRoomCache): Promise<boolean> => driver.insert!(room);

    it("have a room once, whoever inserts it how often at once", async () => {
      const room = aRoom();
      const inserted = await Promise.all(
        Array.from({ length: 20 }, (_, i) => insert(i % 2 ? here : there, { ...room })),
      );
      assert.equal(inserted.filter(Boolean).length, 1);
      assert.equal((await here.query({ roomId: room.roomId })).length, 1);
    });

    it("have one open room of a key, and name it to whoever comes second", async () => {
      const first = aRoom("one");
      assert.equal(await insert(here, first), true);
      for (const driver of [here, there]) {
        const second = aRoom("one");
        assert.equal(await insert(driver, second), false);
        assert.equal((await driver.findOne({ roomId: second.roomId })).roomId, first.roomId);
        assert.equal(await driver.findOne({ roomId: second.roomId }), undefined, "it is asked once");
      }
      assert.equal(await insert(there, aRoom("another")), true);
      assert.equal(await insert(there, aRoom()), true);
    });

    it("let one of many insert a room of a key", async () => {
      const inserted = await Promise.all(
        Array.from({ length: 20 }, (_, i) => insert(i % 2 ? here : there, aRoom("race"))),
      );
      assert.equal(inserted.filter(Boolean).length, 1);
    });

    it("free the key when its room is full, locked, private or gone, and hold it again when it is open", async () => {
      const room = aRoom("freed");
      await insert(here, room);
      const isFree = async (): Promise<boolean> => {
        const probe = aRoom("freed");
        const free = await insert(there, probe);
        if (free) await there.remove(probe.roomId);
        else await there.findOne({ roomId: probe.roomId });
        return free;
      };
      assert.equal(await isFree(), false);
      await here.update(room, { $inc: { clients: 2 }, $set: { locked: true } });
      assert.equal(await isFree(), true);
      await here.update(room, { $inc: { clients: -1 }, $set: { locked: false } });
      assert.equal(await isFree(), false);
      await here.update(room, { $set: { locked: true } });
      assert.equal(await isFree(), true);
      await here.update(room, { $set: { locked: false, private: true } });
      assert.equal(await isFree(), true);
      await here.update(room, { $set: { private: false } });
      assert.equal(await isFree(), false);
      await here.remove(room.roomId);
      assert.equal(await isFree(), true);
    });

    it("find rooms by name and metadata, sorted", async () => {
      for (const clients of [3, 1, 2]) await insert(here, aRoom(undefined, { name: "sorted", maxClients: 9, clients }));
      assert.equal((await there.findOne({ name: "sorted" }, { clients: 1 })).clients, 1);
      assert.equal((await there.findOne({ name: "sorted", clients: 2 })).clients, 2);
      assert.equal(await there.findOne({ name: "none" }), undefined);
    });
  });
}

describe("RoomDirectory", () => {
  it("takes all rooms of a process off the list, and their keys", async () => {
    const { drivers, close } = await clusterDrivers();
    const [here, there] = drivers;
    await here.insert!(aRoom("gone", { processId: "dead" }));
    await here.insert!(aRoom("kept", { processId: "alive" }));
    await there.cleanup!("dead");
    assert.deepEqual(
      (await there.query({})).map(({ processId }) => processId),
      ["alive"],
    );
    assert.equal(await there.insert!(aRoom("gone")), true);
    assert.equal(await there.insert!(aRoom("kept")), false);
    close();
  });

  it("does not bring a listing back by an update that comes after the removal", async () => {
    const { drivers, close } = await clusterDrivers();
    const room = aRoom("late");
    await drivers[0].insert!(room);
    await drivers[0].remove(room.roomId);
    await drivers[0].update(room, { $inc: { clients: 1 } });
    assert.equal(await drivers[1].has(room.roomId), false);
    close();
  });

  it("leaves a room to the process that has its id in the end", async () => {
    const { drivers, close } = await clusterDrivers();
    const [here, there] = drivers;
    const room = aRoom("handed on", { processId: "first" });
    await here.insert!(room);
    await there.persist({ ...room, processId: "second" }, true);
    await here.remove(room.roomId);
    assert.equal((await there.findOne({ roomId: room.roomId })).processId, "second");
    assert.equal(await here.insert!(aRoom("handed on")), false);
    close();
  });
});
