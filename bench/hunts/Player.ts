import { decode, encode } from "@colyseus/schema";
import { Protocol } from "@colyseus/sdk";
import { Packr, RESERVE_START_SPACE, unpack } from "msgpackr";
import WebSocket from "ws";
import type { Target } from "./protocol.ts";

/** The upper bits of a frame's first byte are modifiers of the code in the lower ones. */
const CODE_MASK = 0x1f;

/** What a player holds: enough to answer it. */
export interface Card {
  assignmentId: string;
  clueId: string;
}

/** What a player's process is told of it. */
export interface PlayerEvents {
  /** The request under way was answered; `payload` is the rejection when it is not `ok`. */
  answered(player: Player, ok: boolean, payload: unknown): void;
  /** A waiting claim was served. */
  served(player: Player, card: Card): void;
  phase(player: Player, phase: string): void;
  closed(player: Player, code: number): void;
}

interface Seat {
  sessionId: string;
  roomId: string;
  processId: string;
}

const packr = new Packr();
const headroom = new Uint8Array(64);

/**
 * A client that speaks Colyseus's protocol as the SDK does, but leaves the state undecoded: thousands of them share two cores
 * with the server that they measure.
 */
export class Player {
  readonly #socket: WebSocket;
  readonly #events: PlayerEvents;
  #lastRequest = 0;
  card: Card | undefined;
  /** When the request under way was sent, and which; undefined when there is none. */
  asking: { type: "claim" | "solve"; at: number } | undefined;
  /** When the latest request was sent. */
  askedAt = 0;
  /** When a claim was sent that got a place in the queue. */
  waitingSince: number | undefined;

  /** Takes a seat over HTTP, connects, and resolves once the room says that the player is in. */
  static async join(
    { name, address, joinOptions }: Omit<Target, "pid">,
    token: string,
    events: PlayerEvents,
  ): Promise<Player> {
    const response = await fetch(`http://${address}/matchmake/joinOrCreate/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(joinOptions),
    });
    if (!response.ok) throw new Error(`a player could not join: ${response.status} ${await response.text()}`);
    const { sessionId, roomId, processId } = (await response.json()) as Seat;
    const url = `ws://${address}/${processId}/${roomId}?sessionId=${sessionId}&_authToken=${token}`;
    return await new Promise((resolve, reject) => {
      const socket = new WebSocket(url, { perMessageDeflate: false });
      socket.once("error", reject);
      const player: Player = new Player(socket, events, () => resolve(player));
    });
  }

  private constructor(socket: WebSocket, events: PlayerEvents, joined: () => void) {
    this.#socket = socket;
    this.#events = events;
    socket.on("message", (bytes: Buffer) => this.#onFrame(bytes, joined));
    socket.on("close", (code) => events.closed(this, code));
  }

  /** Sends a request; there must be none under way. */
  ask(type: "claim" | "solve", payload: object): void {
    const it = { offset: 1 };
    headroom[0] = Protocol.ROOM_REQUEST;
    encode.number(headroom, this.#lastRequest++, it);
    encode.string(headroom, type, it);
    const frame = packr.pack(payload, RESERVE_START_SPACE | it.offset);
    frame.set(headroom.subarray(0, it.offset), 0);
    this.askedAt = performance.now();
    this.asking = { type, at: this.askedAt };
    this.#socket.send(frame);
  }

  leave(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.once("close", () => resolve());
      this.#socket.close(1000);
    });
  }

  #onFrame(bytes: Buffer, joined: () => void): void {
    const code = bytes[0]! & CODE_MASK;
    if (code === Protocol.ROOM_RESPONSE) this.#onResponse(bytes);
    else if (code === Protocol.ROOM_DATA) this.#onMessage(bytes);
    else if (code === Protocol.JOIN_ROOM) {
      this.#socket.send(new Uint8Array([Protocol.JOIN_ROOM]));
      joined();
    }
  }

  #onResponse(bytes: Buffer): void {
    const it = { offset: 1 };
    decode.number(bytes, it);
    const ok = bytes[it.offset++] === 0;
    this.#events.answered(this, ok, unpack(bytes.subarray(it.offset)));
  }

  #onMessage(bytes: Buffer): void {
    const it = { offset: 1 };
    const type = decode.string(bytes, it);
    const payload: unknown = unpack(bytes.subarray(it.offset));
    if (type === "clue") this.#events.served(this, payload as Card);
    else if (type === "phase") this.#events.phase(this, (payload as { phase: string }).phase);
  }
}
