import { matchMaker, Room } from "@colyseus/core";

/** What Colyseus keeps of seats that were given and not taken yet, or are kept for a dropped client. */
export interface Seats {
  /** By session id: join options, who joins, whether it has been taken, whether it is kept for a return. */
  _reservedSeats: Record<string, [unknown, unknown, boolean?, boolean?]>;
  _reservedSeatTimeouts: Record<string, NodeJS.Timeout>;
}

/** Whether the websocket of this URL is for a seat that was given to somebody, or that somebody has; Colyseus looks once it is open. */
export function hasSeat(url: string): boolean {
  const { pathname, searchParams } = new URL(`ws://server${url}`);
  const room: unknown = matchMaker.getLocalRoomById(pathname.split("/").at(-1)!);
  const sessionId = searchParams.get("sessionId");
  // What every object has is a room of none.
  if (!(room instanceof Room) || sessionId === null) return false;
  const isGiven = Object.hasOwn((room as unknown as Seats)._reservedSeats, sessionId);
  return isGiven || room.clients.getById(sessionId) !== undefined;
}
