import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { RoomProcess } from "../rooms/support/RoomProcess.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { freshRedisUrl } from "../support/servers.ts";

let events = 0;
const newEvent = (): string => `event-${++events}`;

describe("matchmaking of a cluster", () => {
  let url: string;
  let redis: Redis;
  let a: RoomProcess;
  let b: RoomProcess;
  let c: RoomProcess;

  /** The rooms that run for an event, wherever. */
  async function running(...nodes: RoomProcess[]): Promise<string[]> {
    return (await Promise.all(nodes.map((node) => node.running()))).flat();
  }

  before(async () => {
    url = await freshRedisUrl();
    redis = new Redis(url);
    [a, b, c] = await Promise.all([RoomProcess.start(url), RoomProcess.start(url), RoomProcess.start(url)]);
  });

  afterEach(async () => {
    for (const node of [a, b, c]) {
      await node.placeAt(undefined);
      assert.deepEqual(await node.faults(), []);
    }
  });

  after(async () => {
    redis.disconnect();
    await Promise.all([a, b, c].map((node) => node.program.kill()));
  });

  it("brings all who ask for a keyed room at once to the same one, also those who want to create it", async () => {
    const event = newEvent();
    const seats = await Promise.all(
      [a, b, c].flatMap((node) => [
        ...Array.from({ length: 10 }, () => node.join("keyed", event)),
        node.create("keyed", event),
      ]),
    );
    assert.equal(new Set(seats.map(({ roomId }) => roomId)).size, 1);
    const rooms = await a.listings();
    const ofEvent = rooms.filter(({ metadata }) => metadata.event === event);
    assert.equal(ofEvent.length, 1);
    assert.equal(ofEvent[0]?.clients, seats.length);
    assert.deepEqual(await running(a, b, c), [seats[0]!.roomId]);
  });

  it("lets no room arise twice when the process that was asked to create it answers late", async () => {
    const event = newEvent();
    const before = await running(b);
    await a.placeAt(b.processId);
    b.program.signal("SIGSTOP");
    const seat = await a.join("plain", event);
    assert.equal(seat.processId, a.processId, "the asking process creates the room itself");
    b.program.signal("SIGCONT");
    assert.deepEqual(await b.faults(), []);
    const listed = (await b.listings()).filter(({ metadata }) => metadata.event === event);
    assert.deepEqual(
      listed.map(({ roomId }) => roomId),
      [seat.roomId],
    );
    await until(async () => (await running(b)).length === before.length, {
      what: "the twin is discarded",
      // Sooner than its seats expire, with which it would go in any case.
      timeoutMs: 10_000,
    });
  });

  it("lets no second room of a key arise from a process that was stalled while another created it", async () => {
    const event = newEvent();
    const before = await running(b);
    b.program.signal("SIGSTOP");
    const stalled = b.join("keyed", event);
    const seat = await c.join("keyed", event);
    b.program.signal("SIGCONT");
    assert.equal((await stalled).roomId, seat.roomId);
    assert.deepEqual(await running(b), before);
  });

  it("has players wait for a keyed room whose process is stalled for three seconds, instead of making a second one", async () => {
    const event = newEvent();
    const { roomId } = await b.join("keyed", event);
    b.program.signal("SIGSTOP");
    const woken = new Promise<void>((resolve) => setTimeout(resolve, 3000)).then(() => b.program.signal("SIGCONT"));
    const seats = await Promise.all([a.join("keyed", event), a.join("keyed", event), c.join("keyed", event)]);
    await woken;
    assert.deepEqual(
      seats.map((seat) => seat.roomId),
      [roomId, roomId, roomId],
    );
    const listed = (await a.listings()).filter(({ metadata }) => metadata.event === event);
    assert.equal(listed.length, 1);
  });

  it("sends a player whose place for a new room is taken by its key to the room that has it, across processes", async () => {
    const event = newEvent();
    const seat = await a.create("keyed", event);
    await c.placeAt(b.processId);
    const other = await c.create("keyed", event);
    assert.equal(other.roomId, seat.roomId);
    assert.equal(other.processId, a.processId);
  });

  it("lists again what a wipe under living connections took", async () => {
    const event = newEvent();
    const room = await b.sdk.joinOrCreate("keyed", { event });
    await redis.flushall();
    await until(async () => (await redis.hlen("roomcount")) === 3, { what: "all are back", timeoutMs: DEADLINE_MS });
    await until(async () => (await c.listings()).some(({ roomId }) => roomId === room.roomId), {
      what: "the room is listed again",
      timeoutMs: DEADLINE_MS,
    });
    assert.equal((await c.sdk.joinOrCreate("keyed", { event })).roomId, room.roomId);
    assert.equal((await a.create("keyed", event)).roomId, room.roomId, "the key is held again");
    assert.equal(await room.request("hello"), "hello");
  });

  it("takes a killed process and its rooms off the lists when it is told, and nobody waits for it", async () => {
    const event = newEvent();
    const victim = await RoomProcess.start(url);
    const lost = await victim.join("keyed", event);
    await a.join("plain", event);
    await victim.program.kill();
    await Promise.all([a.forget(victim.processId), b.forget(victim.processId), c.forget(victim.processId)]);
    const listed = await a.listings();
    assert.ok(listed.length > 0);
    assert.ok(listed.every(({ processId }) => processId !== victim.processId));
    assert.equal(await redis.hexists("roomcount", victim.processId), 0);
    assert.equal(await redis.hexists("ringmaster:listed", victim.processId), 0);
    const seat = await a.join("keyed", event);
    assert.notEqual(seat.roomId, lost.roomId);
  });

  it("sends nobody to the rooms of a process that closes its doors, also when players leave them or Redis lost its data", async () => {
    const event = newEvent();
    const closing = await RoomProcess.start(url);
    const first = await closing.sdk.joinOrCreate("keyed", { event });
    await closing.closeDoors();
    const other = await a.join("keyed", event);
    assert.notEqual(other.roomId, first.roomId);
    await closing.join("plain", event);
    await first.leave();
    await redis.flushall();
    await until(async () => (await a.listings()).some(({ roomId }) => roomId === first.roomId), {
      what: "its room is listed again",
      timeoutMs: DEADLINE_MS,
    });
    const ofClosing = (await a.listings()).filter(({ processId }) => processId === closing.processId);
    assert.ok(
      ofClosing.every(({ locked }) => locked),
      JSON.stringify(ofClosing),
    );
    await closing.program.kill();
    await a.forget(closing.processId);
  });

  it("lists a process again that was taken for dead and is not", async () => {
    const event = newEvent();
    const { roomId } = await b.join("keyed", event);
    await a.forget(b.processId);
    assert.equal(await redis.hexists("roomcount", b.processId), 0);
    await until(async () => (await a.listings()).some((room) => room.roomId === roomId), {
      what: "the room is listed again",
      timeoutMs: DEADLINE_MS,
    });
    assert.equal(await redis.hexists("roomcount", b.processId), 1);
  });
});
