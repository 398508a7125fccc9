import { type IRoomCache, LocalDriver, type SortOptions } from "@colyseus/core";
import { isOpen, keyOf } from "./keys.ts";

/**
 * Colyseus's driver of a single process, with the rule of keyed rooms: two joins at once create two rooms when the first is
 * slow to create (Colyseus lets the second wait for half a second only), and a client may ask to create one outright.
 */
export class KeyedLocalDriver extends LocalDriver {
  /** The room that is to be joined in place of a refused one, until Colyseus asks. */
  readonly #refused = new Map<string, string>();

  /** False when an open room has this room's key. Colyseus then disposes of it and asks for its id, by `findOne`. */
  override async insert(room: IRoomCache): Promise<boolean> {
    const key = keyOf(room);
    const twin = key === undefined ? undefined : this.rooms.find((other) => keyOf(other) === key && isOpen(other));
    if (twin === undefined) return await super.insert(room);
    this.#refused.set(room.roomId, twin.roomId);
    return false;
  }

  override findOne(conditions: Partial<IRoomCache>, sortOptions?: SortOptions): Promise<IRoomCache> {
    const by = conditions.roomId === undefined ? undefined : this.#refused.get(conditions.roomId);
    if (by === undefined) return super.findOne(conditions, sortOptions);
    this.#refused.delete(conditions.roomId!);
    return super.findOne({ roomId: by });
  }
}
