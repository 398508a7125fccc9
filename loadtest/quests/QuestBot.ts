import { setTimeout as pause } from "node:timers/promises";
import { Client, type Room } from "@colyseus/sdk";
import { z } from "zod";
import type { Rng } from "../../src/clock.ts";
import type { Bot, Seat } from "../runtime/Bot.ts";
import type { Tally } from "../runtime/Tally.ts";

export const QUEST_EVENTS = ["started", "completed", "lapsed", "notTold"] as const;
export const QUEST_TIMES = ["start", "told"] as const;
export type QuestTally = Tally<(typeof QUEST_EVENTS)[number], (typeof QUEST_TIMES)[number]>;

/** How all bots of one load test play. */
export interface QuestPlay {
  questId: string;
  /** From when the condition of a round is met to its end, in milliseconds. */
  dueMs: number;
  /** Players begin at random within this time, in milliseconds. */
  spreadMs: number;
  rng: Rng;
  tally: QuestTally;
}

/** What the lobby tells of a quest, and what the endpoints answer (docs/protocol.md). */
const questMessage = z.object({
  id: z.string(),
  state: z.string(),
  round: z.int(),
  dueAt: z.int(),
  rewards: z.array(z.unknown()),
});
const standing = z.object({ id: z.string(), state: z.string(), round: z.int(), dueAt: z.int().nullable() });
const signedIn = z.object({ token: z.string() });
const mine = z.object({ quests: z.array(standing) });
const refusal = z.object({ error: z.object({ code: z.string() }) });

/** A completion that was not told this long after it was due, in milliseconds, is looked up: nodes may die, and that takes seconds. */
const TOLD_WITHIN_MS = 15_000;
/** After a request that could not be served, and before a lost connection is tried again. */
const PAUSE_MS = 1000;

type Standing = z.output<typeof standing>;

/** One player who starts the quest, chooses an exchange, waits in the lobby to be told of the end, and starts it again. */
export class QuestBot implements Bot {
  readonly #play: QuestPlay;
  readonly #seat: Seat;
  readonly #sdk: Client;
  readonly #ending = new AbortController();
  #room: Room | undefined;
  #playing: Promise<void> = Promise.resolve();
  /** Rounds whose end was told. */
  readonly #told = new Set<number>();
  #onTold: () => void = () => {};

  constructor(play: QuestPlay, seat: Seat) {
    this.#play = play;
    this.#seat = seat;
    this.#sdk = new Client(seat.endpoint);
  }

  async join(): Promise<void> {
    const { token } = signedIn.parse(await this.#ask("POST", "/auth/anonymous", {}));
    this.#sdk.auth.token = token;
    await this.#enter();
    this.#play.tally.counts.joined += 1;
    this.#playing = this.#playOn();
  }

  async end(): Promise<void> {
    this.#ending.abort();
    this.#onTold();
    await this.#playing;
    // Whoever is away at the end has one more try: whether there is still a server is for the test to tell.
    if (this.#room !== undefined && !this.#room.connection.isOpen) await this.#comeForTheEnd();
    if (this.#room?.connection.isOpen) await this.#room.leave();
  }

  drop(): void {
    this.#room?.connection.close();
  }

  get #isEnding(): boolean {
    return this.#ending.signal.aborted;
  }

  async #enter(): Promise<void> {
    const { roomId, roomName } = this.#seat;
    const room = await (roomId === undefined ? this.#sdk.joinOrCreate(roomName) : this.#sdk.joinById(roomId));
    this.#room = room;
    room.onMessage("quest", (message: unknown) => this.#onQuest(message));
    room.onMessage("*", () => {});
    const { counts } = this.#play.tally;
    room.onDrop(() => {
      if (!this.#isEnding) counts.disconnects += 1;
    });
    room.onReconnect(() => {
      counts.returns += 1;
    });
    room.onLeave(() => {
      if (!this.#isEnding && this.#room === room) void this.#comeBack();
    });
  }

  async #comeForTheEnd(): Promise<void> {
    const { counts } = this.#play.tally;
    this.#room!.reconnection.enabled = false;
    await this.#enter().catch(() => {
      counts.lost += 1;
    });
  }

  async #comeBack(): Promise<void> {
    while (!this.#isEnding) {
      const isBack = await this.#enter().then(
        () => true,
        () => false,
      );
      if (isBack) {
        this.#play.tally.counts.returns += 1;
        return;
      }
      await this.#sleep(PAUSE_MS);
    }
  }

  #onQuest(message: unknown): void {
    const { questId, tally } = this.#play;
    const parsed = questMessage.safeParse(message);
    if (!parsed.success) {
      tally.protocolError(`the message quest reads ${JSON.stringify(message)}`);
      return;
    }
    const { id, state, round, dueAt } = parsed.data;
    if (id !== questId || state === "scheduled") return;
    if (this.#told.has(round)) tally.protocolError(`round ${round} was told twice`);
    this.#told.add(round);
    tally.time("told", Math.max(0, Date.now() - dueAt));
    tally.events[state === "completed" ? "completed" : "lapsed"] += 1;
    this.#onTold();
  }

  async #playOn(): Promise<void> {
    await this.#sleep(this.#play.rng.next() * this.#play.spreadMs);
    while (!this.#isEnding) {
      const begun = await this.#start();
      if (begun === undefined) {
        await this.#sleep(PAUSE_MS);
        continue;
      }
      await this.#choose();
      await this.#untilTold(begun.round, Date.now() + this.#play.dueMs);
    }
  }

  /** What was chosen before the round began does not count for it. */
  async #choose(): Promise<void> {
    while (!this.#isEnding) {
      const isChosen = await this.#ask("POST", "/api/me/exchange", { exchange: "loadtest" }).then(
        () => true,
        (error: Error) => {
          this.#play.tally.refused(error.message, "choose");
          return false;
        },
      );
      if (isChosen) return;
      await this.#sleep(PAUSE_MS);
    }
  }

  async #start(): Promise<Standing | undefined> {
    const { questId, tally } = this.#play;
    const askedAt = performance.now();
    const answer = await this.#ask("POST", `/api/me/quests/${questId}/start`).catch((error: Error) => {
      tally.refused(error.message, "start");
      return undefined;
    });
    if (answer === undefined) return undefined;
    tally.time("start", performance.now() - askedAt);
    tally.events.started += 1;
    const parsed = standing.safeParse(answer);
    if (!parsed.success) tally.protocolError(`start was answered with ${JSON.stringify(answer)}`);
    return parsed.data;
  }

  /** Resolves when the end of the round is told; when it is not for long, looks whether it has ended. */
  async #untilTold(round: number, dueAt: number): Promise<void> {
    const giveUp = new AbortController();
    const told = new Promise<void>((resolve) => {
      this.#onTold = () => {
        if (this.#told.has(round) || this.#isEnding) resolve();
      };
    });
    this.#onTold();
    const late = pause(dueAt - Date.now() + TOLD_WITHIN_MS, "late", { signal: giveUp.signal }).catch(() => "late");
    const isLate = (await Promise.race([told, late])) === "late";
    giveUp.abort();
    if (!isLate || this.#isEnding) return;
    const quest = await this.#ask("GET", "/api/me/quests").then(
      (answer) => mine.parse(answer).quests.find(({ id }) => id === this.#play.questId),
      () => undefined,
    );
    if (quest?.round === round && quest.state === "completed") this.#play.tally.events.notTold += 1;
  }

  /** Rejects with an Error whose message is the code of the refusal, or `socket`. */
  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const { token } = this.#sdk.auth;
    const response = await fetch(new URL(path, this.#seat.endpoint.replace(/^ws/, "http")), {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch(() => {
      throw new Error("socket");
    });
    const answer: unknown = await response.json();
    if (response.ok) return answer;
    throw new Error(refusal.safeParse(answer).data?.error.code ?? `status ${response.status}`);
  }

  /** Ends early, without an error, when the test does. */
  async #sleep(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: this.#ending.signal }).catch(() => {});
  }
}
