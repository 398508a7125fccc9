import type { Rng } from "../../src/clock.ts";
import { RingmasterError } from "../../src/errors.ts";

/** Worth another try of the same request, as the table of errors says. */
export const PASSING: ReadonlySet<string> = new Set([
  "unavailable",
  "overloaded",
  "not_delivered",
  "outcome_unknown",
  "draining",
  "rate_limited",
]);

/** What bots live through, and what a test waits for while they do. */
export abstract class BotHistory {
  /** What a player heard that must never be heard. */
  readonly faults: string[] = [];
  /** Refusals and failures that players lived through, by their code. */
  readonly troubles = new Map<string, number>();
  readonly #waiting = new Set<() => void>();

  /** How far the players have got: what `progress` counts. */
  abstract get count(): number;

  trouble(code: string): void {
    this.troubles.set(code, (this.troubles.get(code) ?? 0) + 1);
    this.changed();
  }

  fault(what: string): void {
    this.faults.push(what);
    this.changed();
  }

  /** Waits until the players have got on so far. Rejects when that takes too long, or as soon as something is at fault. */
  async until(what: string, holds: () => boolean, timeoutMs = 60_000): Promise<void> {
    const giveUpAt = performance.now() + timeoutMs;
    while (!holds()) {
      const state = `count ${this.count}, troubles ${JSON.stringify([...this.troubles])}`;
      if (this.faults.length > 0) throw new Error(`while waiting for ${what}: ${this.faults.join("; ")}`);
      if (performance.now() > giveUpAt) throw new Error(`not within ${timeoutMs} ms: ${what} (${state})`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, giveUpAt - performance.now());
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Waits until the players have got on by `more` from now. */
  async progress(more: number): Promise<void> {
    const wanted = this.count + more;
    await this.until(`a count of ${wanted}`, () => this.count >= wanted);
  }

  protected changed(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** The code of a refusal; undefined for what the connection did. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof RingmasterError ? error.code : undefined;
}

export function pick<T>(items: readonly T[], rng: Rng): T {
  return items[Math.floor(rng.next() * items.length)]!;
}

export function oneIn(count: number, rng: Rng): boolean {
  return rng.next() * count < 1;
}
