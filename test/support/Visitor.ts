import type { Client, Room } from "@colyseus/sdk";
import type { ClaimAnswer, SolveAnswer } from "../../src/actors/hunts/HuntService.ts";
import type { ClueCard } from "../../src/actors/hunts/HuntView.ts";
import { RingmasterError, type WireError } from "../../src/errors.ts";
import { DEADLINE_MS } from "./processes.ts";
import "./errorCodes.ts";
import type { RingmasterNode } from "./RingmasterNode.ts";

/** For a suite whose connections fail on purpose: the SDK would write of each to the console. */
export function muteSdk(): void {
  const { info, warn } = console;
  before(() => {
    console.info = () => {};
    console.warn = () => {};
  });
  after(() => {
    console.info = info;
    console.warn = warn;
  });
}

interface Message {
  type: string;
  payload: unknown;
}

/** A client in a room, and what the room has told it. */
export class Visitor {
  readonly room: Room;
  /** Every message so far, read or not, in order. */
  readonly heard: Message[] = [];
  /** Resolves with the code when the connection is over for good. */
  readonly left: Promise<number>;
  readonly #unread: Message[] = [];
  readonly #listeners = new Set<() => void>();
  #isGone = false;

  static async join(client: Client, room: string, options: object = {}): Promise<Visitor> {
    return new Visitor(await client.joinOrCreate(room, options));
  }

  /** A player who signs in at a node for it. */
  static async signIn(
    node: Pick<RingmasterNode, "signIn" | "client">,
    room: string,
    options: object = {},
  ): Promise<Visitor> {
    return Visitor.join(node.client((await node.signIn()).token), room, options);
  }

  /** Takes a room that was joined. It does not come back by itself from a drop, unless `room.reconnection.enabled` is set. */
  constructor(room: Room) {
    this.room = room;
    room.reconnection.enabled = false;
    room.reconnection.minUptime = 0;
    room.onMessage("*", (type, payload) => this.#hear({ type: String(type), payload }));
    this.left = new Promise((resolve) => {
      room.onLeave((code) => {
        this.#isGone = true;
        this.#tell();
        resolve(code);
      });
    });
  }

  /** Asks the room; rejects with its error. */
  async request<T>(type: string, payload?: unknown): Promise<T> {
    try {
      return await this.room.request<unknown, T>(type, payload);
    } catch (error) {
      const { name, reason } = error as { name?: string; reason?: WireError };
      throw name === "rejected" ? RingmasterError.fromWire(reason!) : error;
    }
  }

  /** The first unread message of this type that fits; waits for one, unless the room is left before. */
  async message<T>(type: string, fits: (payload: T) => boolean = () => true, patienceMs = DEADLINE_MS): Promise<T> {
    const giveUpAt = performance.now() + patienceMs;
    for (;;) {
      const at = this.#unread.findIndex((each) => each.type === type && fits(each.payload as T));
      if (at >= 0) return this.#unread.splice(at, 1)[0]!.payload as T;
      if (this.#isGone) throw new Error(`the room was left before any such ${type} came`);
      const leftMs = giveUpAt - performance.now();
      if (leftMs <= 0) throw new Error(`no such ${type} came; unread: ${JSON.stringify(this.#unread)}`);
      await this.#news(leftMs);
    }
  }

  #news(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#listeners.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  /** Messages of a type that came so far and were not read. */
  unread(type: string): unknown[] {
    return this.#unread.filter((each) => each.type === type).map(({ payload }) => payload);
  }

  #hear(message: Message): void {
    this.heard.push(message);
    this.#unread.push(message);
    this.#tell();
  }
}

/** A player in the room of a hunt. */
export class Hunter extends Visitor {
  static override async join(client: Client, huntId: string): Promise<Hunter> {
    return new Hunter(await client.joinOrCreate("hunt", { huntId }));
  }

  claim(): Promise<ClaimAnswer> {
    return this.request("claim", {});
  }

  /** Claims, and fails when there is no clue. */
  async clue(): Promise<ClueCard> {
    const answer = await this.claim();
    if ("waiting" in answer) throw new Error(`no clue, but position ${answer.position} in the queue`);
    return answer;
  }

  /** With a request id, what is not answered may be sent again. */
  solve(assignmentId: string, answer: string, requestId?: string): Promise<SolveAnswer> {
    return this.request("solve", { assignmentId, answer, ...(requestId !== undefined && { requestId }) });
  }
}
