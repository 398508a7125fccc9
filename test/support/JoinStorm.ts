import { Protocol } from "@colyseus/core";
import WebSocket from "ws";
import type { Rng } from "../../src/clock.ts";
import type { WireError } from "../../src/errors.ts";
import type { Player } from "./RingmasterNode.ts";

interface SeatAnswer {
  processId: string;
  roomId: string;
  sessionId: string;
  publicAddress?: string;
  error?: WireError;
}

/** What became of one ask for a seat. */
export interface SeatAsked {
  url: string;
  /** Of the HTTP answer; `undefined` when none came. */
  status: number | undefined;
  code: string | undefined;
}

/** What became of one socket. */
export interface SocketOpened {
  /** Whether the room let it in. */
  joined: boolean;
  /** What the server said was wrong, by its status. */
  told: number | undefined;
  /** 1006 when nobody said goodbye. */
  closed: number;
}

/** What a storm consists of; the pauses between its steps are drawn. */
export interface StormOptions {
  players: readonly Player[];
  /** Where joiners may ask at the moment. */
  urls(): readonly string[];
  rng: Rng;
}

/** One ask in so many is for a seat that nobody comes for. */
const ABSENT = 0.25;
/** Of those who are in, so many leave at once. */
const LEAVING = 0.5;
const LONGEST_PAUSE_MS = 6;
/** The server's room is a lobby; ours must not be everybody's. */
const HELD_MS = 200;

/** Players who join the lobby again and again: some never come for their seat, some leave at once, some stay for a while. */
export class JoinStorm {
  readonly asked: SeatAsked[] = [];
  readonly sockets: SocketOpened[] = [];
  readonly #options: StormOptions;
  readonly #loops: Promise<void>[];
  #isOver = false;

  constructor(options: StormOptions) {
    this.#options = options;
    this.#loops = options.players.map((player) => this.#play(player));
  }

  /** Ends it; resolves once every ask is answered and every socket closed. */
  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
  }

  async #play({ token }: Player): Promise<void> {
    const { rng, urls } = this.#options;
    while (!this.#isOver) {
      const all = urls();
      const url = all[Math.floor(rng.next() * all.length)];
      const seat = url === undefined ? undefined : await this.#ask(url, token);
      await this.#pause(LONGEST_PAUSE_MS);
      if (seat !== undefined && rng.next() >= ABSENT) await this.#sit(url!, seat);
    }
  }

  async #ask(url: string, token: string): Promise<SeatAnswer | undefined> {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    try {
      const answer = await fetch(`${url}/matchmake/joinOrCreate/lobby`, { method: "POST", headers, body: "{}" });
      const body = (await answer.json()) as SeatAnswer;
      this.asked.push({ url, status: answer.status, code: body.error?.code });
      return answer.status === 200 ? body : undefined;
    } catch {
      this.asked.push({ url, status: undefined, code: undefined });
      return undefined;
    }
  }

  #sit(url: string, { processId, roomId, sessionId, publicAddress }: SeatAnswer): Promise<void> {
    const address = publicAddress ?? new URL(url).host;
    const socket = new WebSocket(`ws://${address}/${processId}/${roomId}?sessionId=${sessionId}`);
    const leaves = this.#options.rng.next() < LEAVING;
    let joined = false;
    let told: number | undefined;
    let timer: NodeJS.Timeout | undefined;
    socket.on("error", () => {});
    socket.on("message", (frame: Buffer) => {
      // The status is written as MessagePack's uint16.
      if (frame[0] === Protocol.ERROR) told = frame.readUInt16LE(2);
      if (frame[0] !== Protocol.JOIN_ROOM) return;
      joined = true;
      socket.send(Buffer.from([Protocol.JOIN_ROOM]));
      timer = setTimeout(() => socket.send(Buffer.from([Protocol.LEAVE_ROOM])), leaves ? 0 : HELD_MS);
    });
    return new Promise((resolve) => {
      socket.on("close", (closed) => {
        clearTimeout(timer);
        this.sockets.push({ joined, told, closed });
        resolve();
      });
    });
  }

  #pause(mostMs: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, this.#options.rng.next() * mostMs));
  }
}
