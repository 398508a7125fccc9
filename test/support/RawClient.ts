import { Protocol } from "@colyseus/core";
import { pack, unpack, unpackMultiple } from "msgpackr";
import WebSocket from "ws";

/** A message of a room, or what it said was wrong. */
interface Heard {
  type: string;
  payload: unknown;
}

/** What is asked for a seat with. */
export interface SeatRequest {
  url: string;
  token: string;
  room: string;
  options?: object;
  /** Whether the websocket's address carries the token, as most SDKs have it; the native one does not. */
  carriesToken?: boolean;
}

/**
 * A client that has nothing but a websocket and MessagePack: what docs/clients.md tells of raw websockets is all it does. Of the
 * state it reads nothing.
 */
export class RawClient {
  readonly socket: WebSocket;
  readonly sessionId: string;
  readonly roomUrl: string;
  reconnectionToken = "";
  /** Resolves with the code of its end. */
  readonly closed: Promise<number>;
  readonly #heard: Heard[] = [];
  #listener: (() => void) | undefined;

  static async join({ url, token, room, options = {}, carriesToken = true }: SeatRequest): Promise<RawClient> {
    const answer = await fetch(`${url}/matchmake/joinOrCreate/${room}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(options),
    });
    const seat = (await answer.json()) as Record<string, string>;
    if (!answer.ok) throw new Error(seat.message);
    const address = seat.publicAddress ?? new URL(url).host;
    const roomUrl = `ws://${address}/${seat.processId}/${seat.roomId}`;
    const client = new RawClient(roomUrl, seat.sessionId!, carriesToken ? `&_authToken=${token}` : "");
    await client.joined;
    return client;
  }

  /** Resolves once the room has let it in; rejects when it does not. */
  readonly joined: Promise<void>;

  constructor(roomUrl: string, sessionId: string, more = "") {
    this.sessionId = sessionId;
    this.roomUrl = roomUrl;
    this.socket = new WebSocket(`${roomUrl}?sessionId=${sessionId}${more}`);
    const joined = Promise.withResolvers<void>();
    this.joined = joined.promise;
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      this.socket.on("close", (code) => {
        joined.reject(new Error(`closed with ${code}`));
        resolve(code);
      });
    });
    this.joined.catch(() => {});
    this.socket.on("message", (frame: Buffer) => {
      if (frame[0] === Protocol.JOIN_ROOM) {
        this.reconnectionToken = frame.toString("utf8", 2, 2 + frame[1]!);
        this.socket.send(Buffer.from([Protocol.JOIN_ROOM]));
        joined.resolve();
      } else if (frame[0] === Protocol.ROOM_DATA) {
        const [type, payload] = unpackMultiple(frame.subarray(1)) as [string, unknown];
        this.#hear({ type, payload });
      } else if (frame[0] === Protocol.ERROR) {
        // 0xcd and the status, whose bytes are in the other order than MessagePack's.
        const status = frame.readUInt16LE(2);
        this.#hear({ type: "error", payload: { status, message: unpack(frame.subarray(4)) } });
      }
    });
  }

  /** Comes back on a new socket, as the same; without a token, as the native SDK does it. */
  back(token?: string): RawClient {
    const whose = token === undefined ? "" : `&_authToken=${token}&skipHandshake=1`;
    return new RawClient(this.roomUrl, this.sessionId, `${whose}&reconnectionToken=${this.reconnectionToken}`);
  }

  send(type: string, payload: unknown): void {
    this.socket.send(Buffer.concat([Buffer.from([Protocol.ROOM_DATA]), pack(type), pack(payload)]));
  }

  /** The first message of this type that has not been read; waits for it. */
  async message<T>(type: string): Promise<T> {
    for (;;) {
      const at = this.#heard.findIndex((each) => each.type === type);
      if (at >= 0) return this.#heard.splice(at, 1)[0]!.payload as T;
      await new Promise<void>((resolve) => {
        this.#listener = resolve;
      });
    }
  }

  #hear(heard: Heard): void {
    this.#heard.push(heard);
    this.#listener?.();
  }
}
