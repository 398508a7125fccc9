import { setTimeout as pause } from "node:timers/promises";
import { Client, type Room } from "@colyseus/sdk";
import { z } from "zod";
import type { Rng } from "../../src/clock.ts";
import type { Bot, Seat } from "../runtime/Bot.ts";
import type { Tally } from "../runtime/Tally.ts";
import { type ClueCard, claimAnswer, clueCard, phaseMessage, refusal, revokedMessage, solveAnswer } from "./answers.ts";
import type { Solutions } from "./solutions.ts";

export const HUNT_EVENTS = ["claims", "waits", "served", "solvesRight", "solvesWrong", "points", "revoked"] as const;
export const HUNT_TIMES = ["claim", "solve", "wait"] as const;
export type HuntTally = Tally<(typeof HUNT_EVENTS)[number], (typeof HUNT_TIMES)[number]>;

/** How all bots of one load test play. */
export interface HuntPlay {
  huntId: string;
  solutions: Solutions;
  /** A bot thinks from half of this to one and a half times this, in milliseconds. */
  thinkMs: number;
  /** The share of answers that are wrong on purpose, from 0 to 1. */
  wrong: number;
  rng: Rng;
  tally: HuntTally;
}

/** Pauses after a request that could not be served, in milliseconds: each twice as long as the one before. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

/** No answer of any hunt, whatever its language. */
const WRONG_ANSWER = "‽ wrong on purpose";

/** One player of a hunt: claims, thinks, answers, and comes back when the connection is lost. */
export class HuntBot implements Bot {
  readonly #play: HuntPlay;
  readonly #seat: Seat;
  readonly #sdk: Client;
  readonly #ending = new AbortController();
  #room: Room | undefined;
  #playing: Promise<void> = Promise.resolve();
  #phase = "";
  #card: ClueCard | undefined;
  /** When a claim was told to wait; undefined when none is. */
  #waitingSince: number | undefined;
  #isAway = false;
  #failures = 0;
  #onChange: () => void = () => {};

  constructor(play: HuntPlay, seat: Seat) {
    this.#play = play;
    this.#seat = seat;
    this.#sdk = new Client(seat.endpoint);
  }

  /** Signs in, joins and begins to play. Rejects when the room refuses. */
  async join(): Promise<void> {
    this.#sdk.auth.token = await this.#signIn();
    await this.#enter();
    this.#play.tally.counts.joined += 1;
    this.#playing = this.#playOn();
  }

  /** Asks nothing more, waits for the answers under way, and leaves. */
  async end(): Promise<void> {
    this.#ending.abort();
    this.#onChange();
    await this.#playing;
    if (this.#room?.connection.isOpen) await this.#room.leave();
  }

  /** Breaks the connection, as a network would. */
  drop(): void {
    this.#room?.connection.close();
  }

  get #isEnding(): boolean {
    return this.#ending.signal.aborted;
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
    return z.object({ token: z.string() }).parse(body).token;
  }

  async #enter(): Promise<void> {
    const options = { huntId: this.#play.huntId };
    const { roomId, roomName } = this.#seat;
    const room = await (roomId === undefined
      ? this.#sdk.joinOrCreate(roomName, options)
      : this.#sdk.joinById(roomId, options));
    this.#room = room;
    this.#waitingSince = undefined;
    this.#isAway = false;
    this.#listen(room);
  }

  #listen(room: Room): void {
    const { tally } = this.#play;
    this.#hear(room, "phase", phaseMessage, ({ phase }) => {
      this.#phase = phase;
      if (phase === "solving") return;
      this.#card = undefined;
      this.#waitingSince = undefined;
    });
    this.#hear(room, "clue", clueCard, (card) => {
      tally.events.served += 1;
      if (this.#waitingSince !== undefined) tally.time("wait", performance.now() - this.#waitingSince);
      this.#waitingSince = undefined;
      this.#card = card;
    });
    this.#hear(room, "revoked", revokedMessage, ({ assignmentId }) => {
      tally.events.revoked += 1;
      if (this.#card?.assignmentId === assignmentId) this.#card = undefined;
    });
    room.onMessage("*", () => {});
    room.onError((code, message) => {
      if (Number.isInteger(code) && code < 1000) tally.protocolError(`the room complained: ${code} ${message}`);
      else tally.refused("socket", "connection");
    });
    room.onDrop(() => this.#away());
    room.onReconnect(() => {
      tally.counts.returns += 1;
      this.#isAway = false;
      // The clue may have been pushed while nobody listened: claiming again gives it.
      this.#waitingSince = undefined;
      this.#onChange();
    });
    room.onLeave(() => {
      if (this.#isEnding || this.#room !== room) return;
      this.#away();
      this.#room = undefined;
      this.#onChange();
    });
  }

  #hear<S extends z.ZodType>(room: Room, type: string, schema: S, handle: (message: z.output<S>) => void): void {
    room.onMessage(type, (message: unknown) => {
      const parsed = schema.safeParse(message);
      if (parsed.success) handle(parsed.data);
      else this.#play.tally.protocolError(`the message ${type} reads ${JSON.stringify(message)}`);
      this.#onChange();
    });
  }

  #away(): void {
    if (!this.#isAway && !this.#isEnding) this.#play.tally.counts.disconnects += 1;
    this.#isAway = true;
  }

  async #playOn(): Promise<void> {
    while (!this.#isEnding) {
      if (this.#room === undefined) await this.#comeBack();
      else if (this.#isAway || this.#phase !== "solving" || this.#waitingSince !== undefined) await this.#change();
      else if (this.#card === undefined) await this.#claim();
      else await this.#thinkAndSolve(this.#card);
    }
  }

  /** Resolves at the next message, and when the connection changes or the test ends. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#onChange = resolve;
    });
  }

  async #comeBack(): Promise<void> {
    try {
      await this.#enter();
      this.#play.tally.counts.returns += 1;
      this.#failures = 0;
    } catch (error) {
      const code = /^([a-z_]+): /.exec((error as Error).message)?.[1] ?? "socket";
      this.#play.tally.refused(code, "join");
      await this.#pauseLonger();
    }
  }

  async #claim(): Promise<void> {
    const { tally } = this.#play;
    const answer = await this.#ask("claim", {}, claimAnswer);
    if (answer === undefined) return;
    if ("waiting" in answer) {
      tally.events.waits += 1;
      this.#waitingSince = performance.now();
    } else {
      tally.events.claims += 1;
      this.#card = answer;
    }
  }

  async #thinkAndSolve(card: ClueCard): Promise<void> {
    const { rng, solutions, tally, thinkMs, wrong } = this.#play;
    await this.#sleep(thinkMs * (0.5 + rng.next()));
    if (this.#isEnding || this.#card !== card) return;
    const solution = rng.next() < wrong ? undefined : solutions.get(card.prompt);
    const { assignmentId } = card;
    const verdict = await this.#ask("solve", { assignmentId, answer: solution ?? WRONG_ANSWER }, solveAnswer);
    if (verdict === undefined) return;
    tally.events[verdict.correct ? "solvesRight" : "solvesWrong"] += 1;
    tally.events.points += verdict.points;
    if (solution !== undefined && !verdict.correct)
      tally.protocolError(`"${solution}" was refused for "${card.prompt}"`);
    if ((verdict.correct || verdict.attemptsLeft === 0) && this.#card === card) this.#card = undefined;
  }

  /** Asks the room, and times the answer; undefined when it is refused, or the answer is not of the protocol. */
  async #ask<S extends z.ZodType>(
    type: "claim" | "solve",
    payload: object,
    schema: S,
  ): Promise<z.output<S> | undefined> {
    const { tally } = this.#play;
    const askedAt = performance.now();
    let answer: unknown;
    try {
      answer = await this.#room!.request(type, payload);
    } catch (error) {
      await this.#refused(type, error as Error & { reason?: unknown });
      return undefined;
    }
    tally.time(type, performance.now() - askedAt);
    this.#failures = 0;
    const parsed = schema.safeParse(answer);
    if (parsed.success) return parsed.data;
    tally.protocolError(`${type} was answered with ${JSON.stringify(answer)}`);
    await this.#pauseLonger();
    return undefined;
  }

  async #refused(type: string, error: Error & { reason?: unknown }): Promise<void> {
    const reason = refusal.safeParse(error.reason);
    const code = reason.success ? reason.data.code : / timed out /.test(error.message) ? "timeout" : "disconnected";
    this.#play.tally.refused(code, type);
    if (code === "unknown_assignment") this.#card = undefined;
    else if (code === "wrong_phase") await this.#wrongPhase(reason.data?.details);
    else await this.#pauseLonger();
  }

  /** The word of the new phase is on its way, if it is not here already. */
  async #wrongPhase(details: unknown): Promise<void> {
    if (this.#phase !== "solving") return;
    const { phase } = z.object({ phase: z.string() }).parse(details);
    this.#phase = phase;
  }

  async #pauseLonger(): Promise<void> {
    const ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures += 1;
    await this.#sleep(ms * (0.5 + this.#play.rng.next()));
  }

  /** Ends early, without an error, when the test does. */
  async #sleep(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#ending.signal }).catch(() => {});
  }
}
