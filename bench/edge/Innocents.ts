import { setTimeout as pause } from "node:timers/promises";
import { Client, type Room } from "@colyseus/sdk";
import { Latencies, type LatencySummary } from "../../loadtest/runtime/Latencies.ts";

/** What the players who mean no harm met with in a round, in milliseconds from when they were to ask to their answer. */
export interface InnocentRound {
  all: LatencySummary;
  /** Requests in a room. */
  room: LatencySummary;
  /** Requests over HTTP. */
  http: LatencySummary;
  /** What else came instead of an answer, by its code or status. */
  errors: Record<string, number>;
  /** How long each answer took. */
  ms: number[];
}

/** Each player asks its room so often, in milliseconds, and all together over HTTP. */
const ROOM_EVERY_MS = 80;
const HTTP_EVERY_MS = 20;

/** Players who ask for standings, in their room and over HTTP, by the clock: who waits for one answer before asking again does not see how long others would wait. */
export class Innocents {
  readonly #url: string;
  readonly #tournamentId: string;
  readonly #rooms: Room[] = [];

  constructor(url: string, tournamentId: string) {
    this.#url = url;
    this.#tournamentId = tournamentId;
  }

  async join(count: number): Promise<void> {
    for (let n = 0; n < count; n += 1) this.#rooms.push(await this.#enter());
  }

  /** A player with a score; who has it leaves. */
  async score(score: number): Promise<void> {
    const room = await this.#enter();
    await room.request("submit", { submissionId: "s", score });
    await room.leave();
  }

  async round(ms: number): Promise<InnocentRound> {
    const [all, room, http] = [new Latencies(), new Latencies(), new Latencies()];
    const errors: Record<string, number> = {};
    const taken: number[] = [];
    const startsAt = performance.now();
    const ask = async (kind: Latencies, everyMs: number, offsetMs: number, question: () => Promise<unknown>) => {
      const asked: Promise<void>[] = [];
      for (let due = startsAt + offsetMs; due < startsAt + ms; due += everyMs) {
        await pause(Math.max(0, due - performance.now()));
        const answered = (): void => {
          const tookMs = performance.now() - due;
          taken.push(tookMs);
          for (const latencies of [all, kind]) latencies.record(tookMs);
        };
        const failed = (error: { reason?: { code: string }; message: string }): void => {
          const code = error.reason?.code ?? error.message;
          errors[code] = (errors[code] ?? 0) + 1;
        };
        asked.push(question().then(answered, failed));
      }
      await Promise.all(asked);
    };
    const apart = ROOM_EVERY_MS / this.#rooms.length;
    await Promise.all([
      ...this.#rooms.map((each, at) =>
        ask(room, ROOM_EVERY_MS, at * apart, () => each.request("standings", { limit: 10 })),
      ),
      ask(http, HTTP_EVERY_MS, apart / 2, () => this.#get(`/api/tournaments/${this.#tournamentId}`)),
    ]);
    return { all: all.summary(), room: room.summary(), http: http.summary(), errors, ms: taken };
  }

  async #get(path: string): Promise<void> {
    const answer = await fetch(`${this.#url}${path}`, { signal: AbortSignal.timeout(30_000) });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(String(answer.status));
  }

  async #enter(): Promise<Room> {
    const client = new Client(this.#url);
    const { data } = await client.http.post<{ token: string }>("/auth/anonymous", { body: {} });
    client.auth.token = data.token;
    const room = await client.joinOrCreate("tournament", { tournamentId: this.#tournamentId });
    room.onMessage("*", () => {});
    return room;
  }
}
