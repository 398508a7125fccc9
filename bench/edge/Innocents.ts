import { Client, type Room } from "@colyseus/sdk";
import { Latencies, type LatencySummary } from "../../loadtest/runtime/Latencies.ts";

/** What the players who mean no harm met with in a round, in milliseconds from when they were to ask to their answer. */
export interface InnocentRound {
  /** Requests in a room. */
  room: LatencySummary;
  /** Requests over HTTP. */
  http: LatencySummary;
  /** What else came instead of an answer, by its code or status. */
  errors: Record<string, number>;
}

/** Each asks its room so often, in milliseconds; all together ask as often over HTTP as one does in its room. */
const EVERY_MS = 100;

/** Players who ask for standings, in their room and over HTTP. */
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
    const [room, http] = [new Latencies(), new Latencies()];
    const errors: Record<string, number> = {};
    const endsAt = performance.now() + ms;
    const ask = async (latencies: Latencies, question: () => Promise<unknown>): Promise<void> => {
      const asked: Promise<void>[] = [];
      // By the clock, whatever the answers take: who waits for one before asking again does not see how long others would wait.
      for (let due = performance.now(); due < endsAt; due += EVERY_MS) {
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
        asked.push(
          question().then(
            () => latencies.record(performance.now() - due),
            (error: { reason?: { code: string }; message: string }) => {
              const code = error.reason?.code ?? error.message;
              errors[code] = (errors[code] ?? 0) + 1;
            },
          ),
        );
      }
      await Promise.all(asked);
    };
    await Promise.all([
      ...this.#rooms.map((each) => ask(room, () => each.request("standings", { limit: 10 }))),
      ask(http, () => this.#get(`/api/tournaments/${this.#tournamentId}`)),
    ]);
    return { room: room.summary(), http: http.summary(), errors };
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
