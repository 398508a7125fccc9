import type { Program } from "../../scripts/processes/Program.ts";

/** What a process of the bench of bulkheads is asked for; each is answered by a `LoadAnswer` with its `id`. */
export type LoadRequest =
  /** Gets as many turns ready; answered with when all of them fall due, in epoch milliseconds. */
  | { id: number; prepare: number }
  /** Answered with how many of them are stored so far, and the longest time that the process' event loop stood still since, in ms. */
  | { id: number; look: true }
  /** Answered once all are stored. */
  | { id: number; finish: true };

export interface LoadAnswer {
  id: number;
  dueAt?: number;
  stored?: number;
  longestStopMs?: number;
}

/** A process that has many durable turns to do at once. */
export class Load {
  readonly #program: Program;
  #requests = 0;

  constructor(program: Program) {
    this.#program = program;
  }

  async prepare(turns: number, timeoutMs: number): Promise<number> {
    return (await this.#ask({ prepare: turns }, timeoutMs)).dueAt!;
  }

  async look(): Promise<{ stored: number; longestStopMs: number }> {
    const { stored, longestStopMs } = await this.#ask({ look: true }, 60_000);
    return { stored: stored!, longestStopMs: longestStopMs! };
  }

  async finish(timeoutMs: number): Promise<void> {
    await this.#ask({ finish: true }, timeoutMs);
  }

  async #ask(request: { prepare: number } | { look: true } | { finish: true }, timeoutMs: number): Promise<LoadAnswer> {
    this.#requests += 1;
    const id = this.#requests;
    await this.#program.send({ id, ...request });
    const pick = (message: unknown): LoadAnswer | undefined =>
      (message as LoadAnswer).id === id ? (message as LoadAnswer) : undefined;
    return await this.#program.message(`an answer to ${Object.keys(request)[0]}`, pick, timeoutMs);
  }
}
