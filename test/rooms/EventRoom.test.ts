import assert from "node:assert/strict";
import { matchMaker, type Server } from "@colyseus/core";
import { schema, t } from "@colyseus/schema";
import { Client, type Room } from "@colyseus/sdk";
import { z } from "zod";
import { systemClock } from "../../src/clock.ts";
import { RingmasterError } from "../../src/errors.ts";
import type { RoomClient } from "../../src/rooms/runtime/BaseRoom.ts";
import { admitToEvent, EventRoom, type EventRoomServices, type Joined } from "../../src/rooms/runtime/EventRoom.ts";
import { provideRoomServices } from "../../src/rooms/runtime/services.ts";
import { Edge, openRooms } from "../http/edge.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";

interface Raffle {
  readonly id: string;
  title: string;
  readonly rooms: Set<RaffleRoom>;
}

interface RaffleServices extends EventRoomServices {
  raffles: Map<string, Raffle>;
}

const RaffleState = schema({ title: t.string().default(""), serverNow: t.float64().default(0) }, "RaffleState");

class RaffleRoom extends EventRoom<InstanceType<typeof RaffleState>, RaffleServices, Raffle> {
  static override onAuth = admitToEvent<RaffleServices>("raffle", async ({ raffles }, id) => {
    if (!raffles.has(id)) throw new RingmasterError("not_found", `There is no raffle ${id}.`);
  });

  protected override readonly eventName = "raffle";
  protected override readonly reconnectionSeconds = 0.05;
  override state = new RaffleState();

  protected override async join(id: string): Promise<Joined<Raffle>> {
    const event = this.services.raffles.get(id)!;
    event.rooms.add(this);
    return { event, leave: () => event.rooms.delete(this) };
  }

  protected override onEvent(raffle: Raffle): void {
    if (raffle.title === "broken") throw new RingmasterError("unavailable", "It cannot be shown.");
    this.show(raffle.title);
    this.request("ticket", z.unknown(), (client: RoomClient) => {
      this.sendTo(client.auth!.playerId, "tickets", { of: this.event.id });
      return "yours";
    });
  }

  show(title: string): void {
    this.state.title = title;
    this.stateChanged();
  }
}

describe("EventRoom", () => {
  let edge: Edge;
  let server: Server;
  const raffles = new Map<string, Raffle>();
  /** What rooms take for now, in milliseconds later than it is. */
  let aheadMs = 0;

  before(async () => {
    edge = new Edge();
    const services: RaffleServices = {
      verify: (token) => edge.services.tokens.verify(token),
      logger: edge.services.log,
      clock: { ...systemClock, now: () => systemClock.now() + aheadMs },
      draining: () => false,
      nodeId: "n1",
      raffles,
    };
    provideRoomServices(services);
    server = await openRooms(edge, { raffle: RaffleRoom });
  });

  beforeEach(() => {
    aheadMs = 0;
    raffles.clear();
    for (const id of ["r1", "r2"]) raffles.set(id, { id, title: `raffle ${id}`, rooms: new Set() });
  });

  after(async () => {
    await server.gracefullyShutdown(false);
    await edge.close();
  });

  async function player(id: string): Promise<Client> {
    const client = new Client(edge.url);
    client.auth.token = await edge.token("player", id);
    return client;
  }

  async function join(id: string, raffleId = "r1"): Promise<Room> {
    const room: Room = await (await player(id)).joinOrCreate("raffle", { raffleId });
    room.reconnection.enabled = false;
    return room;
  }

  async function refused(joining: Promise<unknown>): Promise<[number, string]> {
    const { code, message } = await joining.then(
      () => assert.fail("joined"),
      (error: { code: number; message: string }) => error,
    );
    return [code, message.split(":")[0]!];
  }

  const roomsOf = (raffleId: string): Set<RaffleRoom> => raffles.get(raffleId)!.rooms;

  const untilGone = (raffleId: string): Promise<unknown> =>
    until(() => roomsOf(raffleId).size === 0, { what: "the room has left its event", timeoutMs: DEADLINE_MS });

  it("lets players in by the option that names an event, and nobody to an event that there is not", async () => {
    const room = await join("ann");
    const ann = await player("ann");
    assert.deepEqual(await refused(ann.joinOrCreate("raffle", { raffleId: "r9" })), [404, "not_found"]);
    for (const raffleId of [undefined, 5, "", "x".repeat(33), "no spaces"])
      assert.deepEqual(await refused(ann.joinOrCreate("raffle", { raffleId })), [400, "invalid_payload"]);
    await room.leave();
  });

  it("is listed with its event and a key, by which it is the only open one of the event on its node", async () => {
    const room = await join("ann", "r2");
    const [listed] = await matchMaker.query({ roomId: room.roomId });
    assert.deepEqual(listed?.metadata, { raffleId: "r2", key: "raffle:r2@n1" });
    await room.leave();
  });

  it("hears of its event from when it is made until it goes", async () => {
    const room = await join("ann");
    const [raffleRoom] = roomsOf("r1");
    assert.equal(raffleRoom?.roomId, room.roomId);
    await room.leave();
    await untilGone("r1");
  });

  it("leaves its event when it cannot be made", async () => {
    raffles.get("r1")!.title = "broken";
    assert.deepEqual(await refused(join("ann")), [503, "unavailable"]);
    await untilGone("r1");
  });

  it("sends what is for a player to each of the player's connections, and to nobody else", async () => {
    const heard: string[] = [];
    const rooms = await Promise.all([join("ann"), join("ann"), join("bob")]);
    const settled = rooms.map(
      (room, at) => new Promise<void>((resolve) => room.onMessage("tickets", () => resolve(void heard.push(`${at}`)))),
    );
    assert.equal(await rooms[0].request("ticket"), "yours");
    await Promise.all(settled.slice(0, 2));
    assert.equal(await rooms[2].request("ticket"), "yours");
    await settled[2];
    assert.deepEqual(heard.sort(), ["0", "1", "2"]);
    await Promise.all(rooms.map((room) => room.leave()));
  });

  it("knows who is connected, and who has a seat that is kept for them", async () => {
    const [tab, other] = [await join("ann"), await join("ann")];
    const [room] = roomsOf("r1");
    const stands = (): [boolean, boolean] => [room!.has("ann"), room!.keeps("ann")];
    await tab.leave();
    assert.deepEqual(stands(), [true, true]);
    Object.defineProperty(room, "reconnectionSeconds", { value: 60 });
    other.connection.close(4010);
    await until(() => !room!.has("ann"), { what: "the drop is noticed", timeoutMs: DEADLINE_MS });
    assert.deepEqual(stands(), [false, true]);
    const back: Room = await (await player("ann")).reconnect(other.reconnectionToken);
    assert.deepEqual(stands(), [true, true]);
    await back.leave();
    await untilGone("r1");
    assert.deepEqual(stands(), [false, false]);
  });

  it("sends its state with the time at which it goes out, also to who joins before it does", async () => {
    const first = await join("ann");
    const [room] = roomsOf("r1");
    const state = (of: Room): { title: string; serverNow: number } => of.state as never;
    await until(() => state(first).serverNow > 0, { what: "the first state is there", timeoutMs: DEADLINE_MS });
    room!.show("changed");
    aheadMs = 3_600_000;
    await until(() => state(first).title === "changed", { what: "the change is there", timeoutMs: DEADLINE_MS });
    assert.ok(state(first).serverNow - systemClock.now() > 3_000_000, "stamped as it went out");
    room!.patchRate = 3_600_000;
    aheadMs = 7_200_000;
    room!.show("not sent yet");
    const second = await join("bob");
    await until(() => state(second).title === "not sent yet", { what: "the state is there", timeoutMs: DEADLINE_MS });
    assert.ok(state(second).serverNow - systemClock.now() > 6_600_000, "stamped as it changed");
    await Promise.all([first.leave(), second.leave()]);
  });
});
