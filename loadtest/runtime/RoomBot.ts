import { setTimeout as pause } from "node:timers/promises";
import { Client, type Room } from "@colyseus/sdk";
import { z } from "zod";
import type { Rng } from "../../src/clock.ts";
import type { Bot, Seat } from "./Bot.ts";
import type { Tally } from "./Tally.ts";

/** A rejected request's reason (docs/protocol.md). */
const refusal = z.object({ code: z.string(), message: z.string(), details: z.unknown().optional() });
const signedIn = z.object({ token: z.string() });

/** Pauses after a request that could not be served, in milliseconds: each twice as long as the one before. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

/** What of a tally every bot fills in. */
type RoomTally<Timed extends string> = Pick<Tally<never, Timed>, "counts" | "time" | "refused" | "protocolError">;

/** A player in a room, who asks one thing after the other and comes back when the connection is lost. */
export abstract class RoomBot<Timed extends string> implements Bot {
  readonly #seat: Seat;
  readonly #joinOptions: object;
  readonly #rng: Rng;
  readonly #tally: RoomTally<Timed>;
  readonly #sdk: Client;
  readonly #ending = new AbortController();
  #room: Room | undefined;
  #playing: Promise<void> = Promise.resolve();
  #hasJoined = false;
  #isAway = false;
  #failures = 0;
  #onChange: () => void = () => {};

  /** It joins its room with `joinOptions`. */
  constructor(seat: Seat, { rng, tally }: { rng: Rng; tally: RoomTally<Timed> }, joinOptions: object) {
    this.#seat = seat;
    this.#joinOptions = joinOptions;
    this.#rng = rng;
    this.#tally = tally;
    this.#sdk = new Client(seat.endpoint);
  }

  /** A room was entered; its messages are to be heard from now on. */
  protected onRoom(_room: Room): void {}
  /** The bot is back on its seat after a drop. */
  protected onBack(): void {}
  /** The next thing to do while connected: asks, or waits for a `change`. */
  protected abstract step(): Promise<void>;
  /** Takes a refusal that it knows what to make of; false has the bot pause before its next step. */
  protected onRefused(_code: string, _details: unknown): boolean {
    return false;
  }

  /** Signs in, joins and begins to play. Rejects when the room refuses. */
  async join(): Promise<void> {
    this.#sdk.auth.token = await this.#signIn();
    await this.#enter();
    this.#tally.counts.joined += 1;
    this.#hasJoined = true;
    this.#playing = this.#playOn();
  }

  /** Asks nothing more, waits for the answers under way, and leaves. */
  async end(): Promise<void> {
    this.#ending.abort();
    this.#onChange();
    await this.#playing;
    if (this.#hasJoined && (this.#isAway || this.#room === undefined)) await this.#comeForTheEnd();
    if (this.#room?.connection.isOpen) await this.#room.leave();
  }

  /** Breaks the connection, as a network would. */
  drop(): void {
    this.#room?.connection.close();
  }

  protected get isEnding(): boolean {
    return this.#ending.signal.aborted;
  }

  /** Has `handle` called with each message of this type; one of another shape is a protocol error. */
  protected hear<S extends z.ZodType>(
    room: Room,
    type: string,
    schema: S,
    handle: (message: z.output<S>) => void,
  ): void {
    room.onMessage(type, (message: unknown) => {
      const parsed = schema.safeParse(message);
      if (parsed.success) handle(parsed.data);
      else this.#tally.protocolError(`the message ${type} reads ${JSON.stringify(message)}`);
      this.#onChange();
    });
  }

  /** Resolves at the next message that is heard, and when the connection changes or the test ends. */
  protected change(): Promise<void> {
    return new Promise((resolve) => {
      this.#onChange = resolve;
    });
  }

  /** Asks the room, and times the answer; undefined when it is refused, or the answer is not of the protocol. */
  protected async ask<S extends z.ZodType>(
    type: Timed & string,
    payload: object,
    schema: S,
  ): Promise<z.output<S> | undefined> {
    const askedAt = performance.now();
    let answer: unknown;
    try {
      answer = await this.#room!.request(type, payload);
    } catch (error) {
      await this.#refused(type, error as Error & { reason?: unknown });
      return undefined;
    }
    this.#tally.time(type, performance.now() - askedAt);
    this.#failures = 0;
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    this.#tally.protocolError(`${type} was answered with ${JSON.stringify(answer)}`);
    await this.#pauseLonger();
    return undefined;
  }

  /** Ends early, without an error, when the test does. */
  protected async sleep(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#ending.signal }).catch(() => {});
  }

  async #signIn(): Promise<string> {
    const address = new URL("/auth/anonymous", this.#seat.endpoint.replace(/^ws/, "http"));
    const response = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    const body: unknown = await response.json();
    if (!response.ok) throw new Error(`signing in was refused with ${response.status}: ${JSON.stringify(body)}`);
    return signedIn.parse(body).token;
  }

  async #enter(): Promise<void> {
    const { roomId, roomName } = this.#seat;
    const room = await (roomId === undefined
      ? this.#sdk.joinOrCreate(roomName, this.#joinOptions)
      : this.#sdk.joinById(roomId, this.#joinOptions));
    this.#room = room;
    this.#isAway = false;
    this.onRoom(room);
    this.#watch(room);
  }

  #watch(room: Room): void {
    room.onMessage("*", () => {});
    room.onError((code, message) => {
      if (Number.isInteger(code) && code < 1000) this.#tally.protocolError(`the room complained: ${code} ${message}`);
      else this.#tally.refused("socket", "connection");
    });
    room.onDrop(() => this.#away());
    room.onReconnect(() => {
      this.#tally.counts.returns += 1;
      this.#isAway = false;
      this.onBack();
      this.#onChange();
    });
    room.onLeave(() => {
      if (this.isEnding || this.#room !== room) return;
      this.#away();
      this.#room = undefined;
      this.#onChange();
    });
  }

  /** Whoever is away at the end has one more try: whether there is still a server is for the test to tell. */
  async #comeForTheEnd(): Promise<void> {
    if (this.#room !== undefined) this.#room.reconnection.enabled = false;
    await this.#enter().catch(() => {
      this.#tally.counts.lost += 1;
    });
  }

  #away(): void {
    if (!this.#isAway && !this.isEnding) this.#tally.counts.disconnects += 1;
    this.#isAway = true;
  }

  async #playOn(): Promise<void> {
    while (!this.isEnding) {
      if (this.#room === undefined) await this.#comeBack();
      else if (this.#isAway) await this.change();
      else await this.step();
    }
  }

  async #comeBack(): Promise<void> {
    try {
      await this.#enter();
      this.#tally.counts.returns += 1;
      this.#failures = 0;
    } catch (error) {
      const code = /^([a-z_]+): /.exec((error as Error).message)?.[1] ?? "socket";
      this.#tally.refused(code, "join");
      await this.#pauseLonger();
    }
  }

  async #refused(type: string, error: Error & { reason?: unknown }): Promise<void> {
    const reason = refusal.safeParse(error.reason);
    const code = reason.success ? reason.data.code : / timed out /.test(error.message) ? "timeout" : "disconnected";
    this.#tally.refused(code, type);
    if (!this.onRefused(code, reason.data?.details)) await this.#pauseLonger();
  }

  async #pauseLonger(): Promise<void> {
    const ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    await this.sleep(ms * (0.5 + this.#rng.next()));
  }
}
