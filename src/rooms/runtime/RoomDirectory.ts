import { type IRoomCache, type MatchMakerDriver, matchMaker, type SortOptions } from "@colyseus/core";
import { RedisDriver } from "@colyseus/redis-driver";
import type { Redis } from "ioredis";
import { RingmasterError } from "../../errors.ts";
import { LuaScript } from "../../stores/runtime/redis.ts";
import type { Logger } from "../../telemetry/log.ts";
import { isOpen, keyOf } from "./keys.ts";
import { refusal } from "./refusal.ts";

/** The hash in which Colyseus's own driver, which reads for us, expects the listings. */
const LISTINGS_KEY = "roomcaches";
/** In the same slot of a Redis Cluster as the listings. */
const openRoomsKey = (key: string): string => `{${LISTINGS_KEY}}:key:${key}`;

const insertScript = new LuaScript(new URL("./insert.lua", import.meta.url));
const listScript = new LuaScript(new URL("./list.lua", import.meta.url));
const unlistScript = new LuaScript(new URL("./unlist.lua", import.meta.url));

type Conditions = Partial<IRoomCache>;
type Operations = Partial<{ $set: Partial<IRoomCache>; $inc: Partial<IRoomCache> }>;

/**
 * Which rooms run where, for matchmaking: the listings of the cluster in Redis. Beyond Colyseus's RedisDriver, which it reads
 * with, it lets no twin of a room arise (`insert`), enforces keyed rooms, and survives Redis: what it could not write is
 * written once Redis is back (`relist`).
 *
 * Colyseus leaves the promises of `update`, `persist`, `remove` and `cleanup` unattended in timers and listeners, where a
 * rejection would end the process or leave a room half disposed. So these never reject.
 */
export class RoomDirectory implements MatchMakerDriver {
  readonly #client: Redis;
  readonly #logger: Pick<Logger, "warn"> | undefined;
  #reader: RedisDriver;
  /** The listings of this process's rooms: the very objects that the rooms keep up to date. */
  readonly #own = new Map<string, IRoomCache>();
  /** Rooms whose listing may still stand, because Redis could not be told. */
  readonly #removed = new Map<string, IRoomCache | undefined>();
  /** Why an insert was refused, until Colyseus asks who has the room. */
  readonly #refused = new Map<string, { by: string } | { error: RingmasterError }>();
  #areDoorsClosed = false;

  constructor(client: Redis, logger?: Pick<Logger, "warn">) {
    this.#client = client;
    this.#logger = logger;
    this.#reader = new RedisDriver(client);
  }

  /**
   * Lists a new room; false when its id is taken, an open room has its key, or Redis is out of reach. Colyseus then
   * disposes of the room and asks for its id, by `findOne`, to learn in whose favour. (It would leak the room if this threw.)
   */
  async insert(room: IRoomCache): Promise<boolean> {
    const { roomId } = room;
    const obstacle = this.#ownWithKeyOf(room) ?? (await this.#insert(room));
    if (obstacle === undefined) return true;
    this.#refused.set(roomId, obstacle);
    return false;
  }

  /** For the id of a refused room: the room that is to be joined in its place, or the reason thrown. */
  async findOne(conditions: Conditions, sortOptions?: SortOptions): Promise<IRoomCache> {
    const refused = conditions.roomId === undefined ? undefined : this.#refused.get(conditions.roomId);
    if (refused === undefined) return await this.#read((reader) => reader.findOne(conditions, sortOptions));
    this.#refused.delete(conditions.roomId!);
    if ("error" in refused) throw refused.error;
    return await this.#read((reader) => reader.findOne({ roomId: refused.by }));
  }

  has(roomId: string): Promise<boolean> {
    return this.#read((reader) => reader.has(roomId));
  }

  query(conditions: Conditions, sortOptions?: SortOptions): Promise<IRoomCache[]> {
    return this.#read((reader) => reader.query(conditions, sortOptions));
  }

  findByIds(roomIds: string[]): Promise<Map<string, IRoomCache>> {
    return this.#read((reader) => reader.findByIds(roomIds));
  }

  async update(room: IRoomCache, { $set = {}, $inc = {} }: Operations): Promise<boolean> {
    Object.assign(room, $set);
    const counters = room as unknown as Record<string, number>;
    for (const [field, change] of Object.entries($inc)) counters[field] = (counters[field] ?? 0) + (change as number);
    return await this.persist(room);
  }

  /** Writes the listing of a room of this process; with `create`, of one that is not listed (any more). */
  async persist(room: IRoomCache, create = false): Promise<boolean> {
    if (create) this.#own.set(room.roomId, room);
    // an update that comes after the removal must not bring the listing back
    if (!this.#own.has(room.roomId)) return false;
    if (this.#areDoorsClosed) room.locked = true;
    return await this.#attempt(this.#list(room));
  }

  async remove(roomId: string): Promise<boolean> {
    const room = this.#own.get(roomId);
    this.#own.delete(roomId);
    this.#removed.set(roomId, room);
    return await this.#attempt(this.#unlist(roomId, room));
  }

  async cleanup(processId: string): Promise<void> {
    await this.#attempt(this.forget(processId));
  }

  /** Takes away all listings of a process that is gone. Rejects when Redis is out of reach. */
  async forget(processId: string): Promise<void> {
    const rooms = await this.query({ processId });
    await Promise.all(rooms.map((room) => this.#unlist(room.roomId, room)));
  }

  /** Lists the rooms of this process as locked from now on, whatever Colyseus makes of them: no player is sent there. Never rejects. */
  async closeDoors(): Promise<void> {
    this.#areDoorsClosed = true;
    await Promise.all([...this.#own.values()].map((room) => this.persist(room)));
  }

  /** Lists the rooms of this process as Colyseus has them again. Never rejects. */
  async openDoors(): Promise<void> {
    this.#areDoorsClosed = false;
    for (const room of this.#own.values())
      room.locked = matchMaker.getLocalRoomById(room.roomId)?.locked ?? room.locked;
    await Promise.all([...this.#own.values()].map((room) => this.persist(room)));
  }

  /** After Redis was away or lost its data: makes it tell the truth of this process's rooms. Rejects when it is away again. */
  async relist(): Promise<void> {
    const removed = [...this.#removed].map(([roomId, room]) => this.#unlist(roomId, room));
    await Promise.all([...removed, ...[...this.#own.values()].map((room) => this.#list(room))]);
  }

  async clear(): Promise<void> {
    this.#own.clear();
    await this.#client.del(LISTINGS_KEY);
  }

  shutdown(): void {
    this.#client.disconnect();
  }

  /** Colyseus's driver keeps the promise of a read that failed, and gives it to every later one; a new driver has none. */
  async #read<T>(read: (reader: RedisDriver) => Promise<T>): Promise<T> {
    const reader = this.#reader;
    try {
      return await read(reader);
    } catch (error) {
      if (this.#reader === reader) this.#reader = new RedisDriver(this.#client);
      throw outOfReach(error);
    }
  }

  /** Redis may have lost its listing, and not have it back yet. */
  #ownWithKeyOf(room: IRoomCache): { by: string } | undefined {
    const key = keyOf(room);
    if (key === undefined || !isOpen(room)) return undefined;
    const twin = [...this.#own.values()].find((own) => keyOf(own) === key && isOpen(own));
    return twin && { by: twin.roomId };
  }

  async #insert(room: IRoomCache): Promise<{ by: string } | { error: RingmasterError } | undefined> {
    const { roomId } = room;
    try {
      const by = (await insertScript.run(this.#client, keysOf(room), listingOf(room))) as string;
      if (by !== "") return { by };
      this.#own.set(roomId, room);
      return undefined;
    } catch (error) {
      // it may have been listed all the same
      this.#removed.set(roomId, room);
      return { error: outOfReach(error) };
    }
  }

  async #list(room: IRoomCache): Promise<void> {
    await listScript.run(this.#client, keysOf(room), listingOf(room));
  }

  async #unlist(roomId: string, room: IRoomCache | undefined): Promise<void> {
    const keys = room === undefined ? [LISTINGS_KEY] : keysOf(room);
    await unlistScript.run(this.#client, keys, [roomId, room?.processId ?? ""]);
    this.#removed.delete(roomId);
  }

  async #attempt(write: Promise<void>): Promise<boolean> {
    try {
      await write;
      return true;
    } catch (error) {
      this.#logger?.warn({ reason: (error as Error).message }, "A listing is not up to date until Redis is back");
      return false;
    }
  }
}

function keysOf(room: IRoomCache): string[] {
  const key = keyOf(room);
  return key === undefined ? [LISTINGS_KEY] : [LISTINGS_KEY, openRoomsKey(key)];
}

function listingOf(room: IRoomCache): [string, string, number] {
  return [room.roomId, JSON.stringify(room), isOpen(room) ? 1 : 0];
}

function outOfReach(error: unknown): RingmasterError {
  return refusal(new RingmasterError("unavailable", undefined, undefined, { cause: error }));
}
