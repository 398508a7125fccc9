import type { RoomClient } from "./BaseRoom.ts";

/** The connections and the seats of a room's players. A player may have several: all of them hear what is for the player. */
export class PlayerConnections {
  readonly #connected = new Map<string, Set<RoomClient>>();
  /** The sessions of each player that have a seat, also while dropped. */
  readonly #seats = new Map<string, Set<string>>();

  /** The player is on this connection: of a new seat, or of one that was kept for them. */
  add(client: RoomClient): void {
    const { playerId } = client.auth!;
    addTo(this.#connected, playerId, client);
    addTo(this.#seats, playerId, client.sessionId);
  }

  /** Nobody is heard on this connection any more; the seat may be kept. Whoever comes back has another one of the same session. */
  drop({ auth, sessionId }: RoomClient): void {
    for (const client of this.#connected.get(auth!.playerId) ?? [])
      if (client.sessionId === sessionId) removeFrom(this.#connected, auth!.playerId, client);
  }

  /** Nobody comes back to this seat. */
  remove(client: RoomClient): void {
    this.drop(client);
    removeFrom(this.#seats, client.auth!.playerId, client.sessionId);
  }

  /** Whether the player is connected to this room. */
  has(playerId: string): boolean {
    return this.#connected.has(playerId);
  }

  /** How many connections to this room the player has. */
  count(playerId: string): number {
    return this.#connected.get(playerId)?.size ?? 0;
  }

  /** Whether the player has a seat in this room: they are connected, or have dropped out and it is kept for them. */
  keeps(playerId: string): boolean {
    return this.#seats.has(playerId);
  }

  /** Sends a message to every connection of the player. */
  send(playerId: string, type: string, message: object): void {
    for (const client of this.#connected.get(playerId) ?? []) client.send(type, message);
  }
}

function addTo<T>(sets: Map<string, Set<T>>, key: string, value: T): void {
  const known = sets.get(key);
  if (known) known.add(value);
  else sets.set(key, new Set([value]));
}

function removeFrom<T>(sets: Map<string, Set<T>>, key: string, value: T): void {
  const known = sets.get(key);
  known?.delete(value);
  if (known?.size === 0) sets.delete(key);
}
