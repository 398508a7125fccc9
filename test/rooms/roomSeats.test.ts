import assert from "node:assert/strict";
import type { Room } from "@colyseus/core";
import type { RoomClient } from "../../src/rooms/runtime/BaseRoom.ts";
import { RoomSeats } from "../../src/rooms/runtime/RoomSeats.ts";
import type { RoomServices } from "../../src/rooms/runtime/services.ts";
import { ManualClock } from "../actors/simulation.ts";

const MOST = 60;

describe("The seat of a client that has dropped out", () => {
  const ada = { playerId: "ada", name: "Ada", role: "player" } as const;
  const client = { sessionId: "s1", auth: ada } as unknown as RoomClient;
  let clock: ManualClock;
  let seats: RoomSeats;

  beforeEach(() => {
    clock = new ManualClock();
    const services = { clock, verify: async () => ada } as unknown as RoomServices;
    seats = new RoomSeats({} as Room, services);
    seats.take(client);
  });

  for (const [wasThere, kept] of [
    [0, 15],
    [14, 15],
    [40, 40],
    [3600, MOST],
  ] as const) {
    it(`is kept for ${kept} s when it was there for ${wasThere} s`, async () => {
      await clock.advance(wasThere * 1000);
      assert.equal(seats.keptSeconds(client, MOST), kept);
    });
  }

  it("is kept by how long its player has been there in all, however lately they came back", async () => {
    await clock.advance(300_000);
    await seats.admitBack("s1", "a token");
    assert.equal(seats.keptSeconds(client, MOST), MOST);
  });

  it("is kept no longer than its room wants", () => {
    assert.equal(seats.keptSeconds(client, 0.05), 0.05);
  });

  it("is another one once it was given back", async () => {
    await clock.advance(300_000);
    seats.giveBack(client);
    seats.take(client);
    assert.equal(seats.keptSeconds(client, MOST), 15);
  });
});
