import { Client, CloseCode, type Room } from "@colyseus/sdk";
import { Observable } from "./observable.ts";
import { isTransient, type Problem, problemOf } from "./problems.ts";
import type { Player } from "./protocol.ts";
import { renew, type Session, session } from "./session.ts";

/** How a room is reached at the moment. */
export type LinkStatus =
  | { at: "joining" }
  | { at: "joined" }
  | { at: "reconnecting" }
  /** Trying again would not help. */
  | { at: "refused"; problem: Problem }
  | { at: "closed" };

export interface LinkHandlers<State> {
  /** Called with every room that is joined anew, before its first state: register message handlers here. */
  joined(room: Room<unknown, State>): void;
  /** Called when requests work again: after a join, and after the same session came back from a drop. */
  ready?(): void;
  /** Called when the page has come to play as `player`, before the room is joined as that one. */
  renewed?(player: Player): void;
  /** Called with the state after each change. */
  state(state: State): void;
}

/** Waits between attempts to join again, in milliseconds; the last one repeats. */
const BACKOFF_MS = [400, 1000, 2000, 4000, 6000];

/**
 * The SDK's own attempts go to the node that the room was on. After 5 of them (6 s) that node is taken for gone, and the
 * matchmaker is asked for another; the server holds the session's seat for longer, so a short outage still resumes it.
 */
const SDK_ATTEMPTS = 5;

/**
 * Keeps one room joined: through drops (the SDK's reconnection), through a node that drains or dies (by joining again,
 * which may lead elsewhere), and through a token that the server no longer takes (by renewing it once). Every link plays as
 * the same player: once one of them has renewed its token, the others join anew too.
 */
export class RoomLink<State> {
  readonly status = new Observable<LinkStatus>({ at: "joining" });
  readonly #name: string;
  readonly #options: () => object;
  readonly #handlers: LinkHandlers<State>;
  #session: Session;
  #room: Room<unknown, State> | undefined;
  #closed = false;
  readonly #unsubscribe: () => void;

  constructor(owner: Session, name: string, options: () => object, handlers: LinkHandlers<State>) {
    this.#session = owner;
    this.#name = name;
    this.#options = options;
    this.#handlers = handlers;
    addEventListener("offline", this.#networkGone);
    this.#unsubscribe = session.subscribe((current) => this.#playAs(current));
    void this.#join();
  }

  /** Asks the room. Rejects with a `Problem`. */
  async request<Answer>(type: string, payload: object): Promise<Answer> {
    try {
      if (!this.#room) throw new Error("not joined");
      return await this.#room.request<object, Answer>(type, payload);
    } catch (error) {
      throw problemOf(error);
    }
  }

  /** Leaves for good. */
  close(): void {
    this.#closed = true;
    this.#unsubscribe();
    removeEventListener("offline", this.#networkGone);
    this.status.set({ at: "closed" });
    this.#leave();
  }

  #leave(): void {
    const room = this.#room;
    this.#room = undefined;
    if (!room) return;
    room.reconnection.enabled = false;
    if (room.connection.isOpen) void room.leave();
  }

  #playAs(current: Session | undefined): void {
    if (!current || current.player.id === this.#session.player.id) return;
    this.#session = current;
    this.#handlers.renewed?.(current.player);
    // Without a room, it is being joined already.
    if (!this.#room) return;
    this.#leave();
    this.status.set({ at: "reconnecting" });
    void this.#join();
  }

  /** The SDK closes its sockets when the network goes, but passes over every second one of a page with several rooms. */
  readonly #networkGone = (): void => {
    const connection = this.#room?.connection;
    if (connection?.isOpen) connection.close(CloseCode.MAY_TRY_RECONNECT);
  };

  async #join(): Promise<void> {
    let renewed = false;
    for (let attempt = 0; !this.#closed; attempt++) {
      const tried = this.#session;
      try {
        const client = new Client();
        client.auth.token = tried.token;
        return this.#adopt(await client.joinOrCreate<State>(this.#name, this.#options()));
      } catch (error) {
        const problem = problemOf(error);
        if (problem.code === "unauthenticated" && !renewed) {
          renewed = true;
          await renew(tried).catch(() => undefined);
        } else if (isTransient(problem)) {
          this.status.set({ at: "reconnecting" });
          await pause(attempt);
        } else {
          return this.status.set({ at: "refused", problem });
        }
      }
    }
  }

  #adopt(room: Room<unknown, State>): void {
    if (this.#closed) return void room.leave();
    this.#room = room;
    room.reconnection.maxRetries = SDK_ATTEMPTS;
    room.onMessage("*", () => undefined);
    room.onStateChange((state) => this.#handlers.state(state));
    room.onDrop(() => {
      if (this.#room === room) this.status.set({ at: "reconnecting" });
    });
    room.onReconnect(() => (this.#room === room ? this.#ready() : void room.leave()));
    room.onLeave(() => {
      if (this.#room !== room) return;
      this.#room = undefined;
      this.status.set({ at: "reconnecting" });
      void this.#join();
    });
    this.#handlers.joined(room);
    this.#ready();
  }

  #ready(): void {
    this.status.set({ at: "joined" });
    this.#handlers.ready?.();
  }
}

/** Waits for the attempt's turn, spread a little so that everybody dropped together does not come back together. */
function pause(attempt: number): Promise<void> {
  const wait = BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length - 1)]! * (0.75 + Math.random() / 2);
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      removeEventListener("online", end);
      resolve();
    };
    const timer = setTimeout(end, wait);
    addEventListener("online", end);
  });
}
