import type { IRoomCache } from "@colyseus/core";
import type { RoomMetadata } from "./BaseRoom.ts";

/** The key of a keyed room: at most one open room of the cluster has it. */
export function keyOf(room: IRoomCache): string | undefined {
  return (room.metadata as RoomMetadata | undefined)?.key;
}

/** Whether matchmaking would send players into this room. (Of a room without a bound, JSON leaves `maxClients` null.) */
export function isOpen(room: IRoomCache): boolean {
  return !room.locked && !room.private && room.clients < (room.maxClients ?? Number.POSITIVE_INFINITY);
}
