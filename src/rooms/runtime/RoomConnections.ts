import { type Client, ClientState, CloseCode } from "@colyseus/core";
import type { TokenBucket } from "../../edge/TokenBucket.ts";
import type { Attendance } from "../../stores/sessions/Attendance.ts";
import type { RoomClient } from "./BaseRoom.ts";
import { PlayerLimits } from "./PlayerLimits.ts";
import type { RoomServices } from "./services.ts";

/** How long a client that joined may take to say so; messages for it are queued meanwhile, and that must end. In milliseconds. */
export const JOIN_ACKNOWLEDGED_MS = 10_000;
/** With which a connection closes whose token has run out: the SDK does not come back by itself, as it would with the same token. */
export const TOKEN_EXPIRED = 4005;
/** A fault without a reply channel is sent at most this often, in milliseconds. */
const FAULT_INTERVAL_MS = 1000;

/** What one player may send to rooms of a name, on all connections to the node together. */
export interface MessageLimits {
  roomName: string;
  messagesPerSecond: number;
  messageBurst: number;
}

interface Connection {
  /** What its player may send in rooms of this name, on all connections together. */
  bucket: TokenBucket;
  /** Monotonic time until which this client is sent no further fault that has no reply channel. */
  quietUntil: number;
  /** Ends the wait for the client to say that it joined, and for its token to run out. There once the player has been let in. */
  stopWaiting?: () => void;
}

/**
 * The limits of a room's connections: how much each may still send, until when it must have said that it joined, when its token runs
 * out. What was noted of a connection goes with its `Client`.
 */
export class RoomConnections {
  readonly #services: RoomServices;
  /** Asked for each new connection: Colyseus names a room after it has made it. */
  readonly #limits: () => MessageLimits;
  readonly #connections = new WeakMap<Client, Connection>();
  /** Who was active in the room; it reports by itself, and of all in one call. */
  readonly #attendance: Attendance | undefined;

  constructor(services: RoomServices, limits: () => MessageLimits) {
    this.#services = services;
    this.#limits = limits;
    this.#attendance = services.attend?.();
  }

  /** The player is on this connection from now on: it has joined, or come back. */
  begin(client: RoomClient): void {
    this.noteActivity(client);
    const { messagesPerSecond, messageBurst } = this.#limits();
    PlayerLimits.of(this.#services).claim(client, messagesPerSecond, messageBurst);
    const { clock } = this.#services;
    const waits = [
      clock.schedule(() => {
        if (client.state === ClientState.JOINING) client.leave(CloseCode.WITH_ERROR);
      }, JOIN_ACKNOWLEDGED_MS),
    ];
    const { expiresAt } = client.auth!;
    if (expiresAt !== undefined) {
      waits.push(clock.schedule(() => client.leave(TOKEN_EXPIRED), Math.max(0, expiresAt - clock.now())));
    }
    this.#of(client).stopWaiting = () => {
      for (const cancel of waits) cancel();
    };
  }

  /** The connection is over. Answers whether it had begun. */
  end(client: RoomClient): boolean {
    const { stopWaiting } = this.#of(client);
    stopWaiting?.();
    return stopWaiting !== undefined;
  }

  /** Nobody comes back to this seat: its session ends unless the player is heard of elsewhere. */
  noteLeft(client: RoomClient): void {
    if (client.auth !== undefined) this.#attendance?.left(client.auth, client.sessionId);
  }

  noteActivity(client: RoomClient): void {
    if (client.auth !== undefined) this.#attendance?.seen(client.auth, client.sessionId);
  }

  /** Counts a message; false for one too many. */
  take(client: Client): boolean {
    return this.#of(client).bucket.take();
  }

  /** Whether a fault without a reply channel may be sent to the client now; counts it as sent. */
  takeFault(client: Client): boolean {
    const connection = this.#of(client);
    const now = this.#services.clock.monotonic();
    if (now < connection.quietUntil) return false;
    connection.quietUntil = now + FAULT_INTERVAL_MS;
    return true;
  }

  /** Whether the client's token has run out. Also when the clock has jumped, which no timer notices. */
  hasExpired({ auth }: RoomClient): boolean {
    return auth?.expiresAt !== undefined && auth.expiresAt <= this.#services.clock.now();
  }

  #of(client: Client): Connection {
    let connection = this.#connections.get(client);
    if (connection === undefined) {
      const { auth, sessionId } = client as RoomClient;
      // Operators and viewers work side by side under one id.
      const sender = auth?.role === "player" ? auth.playerId : sessionId;
      const { roomName, messagesPerSecond, messageBurst } = this.#limits();
      const bucket = PlayerLimits.of(this.#services).bucket(`${roomName}:${sender}`, messagesPerSecond, messageBurst);
      connection = { bucket, quietUntil: Number.NEGATIVE_INFINITY };
      this.#connections.set(client, connection);
    }
    return connection;
  }
}
