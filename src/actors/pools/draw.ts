import { createHash, type Hash } from "node:crypto";

/** So many numbers has a SHA-256. */
const NUMBERS = 1n << 256n;

/**
 * Which candidate a draw's seed picks: a number from 0 to `candidates - 1`, each equally likely.
 *
 * The n-th try (n = 0, 1, …) is the SHA-256 of the text `seed:candidatesHash:n`, read as a whole number, its first byte the most significant. A try
 * counts when it is below the largest multiple of `candidates` that is at most 2^256; the index is its remainder by `candidates`.
 */
export function winnerIndex(seed: string, candidatesHash: string, candidates: number): number {
  if (!(Number.isSafeInteger(candidates) && candidates > 0)) throw new RangeError("a draw needs a candidate");
  const count = BigInt(candidates);
  const bound = NUMBERS - (NUMBERS % count);
  for (let attempt = 0; ; attempt++) {
    const drawn = BigInt(`0x${createHash("sha256").update(`${seed}:${candidatesHash}:${attempt}`).digest("hex")}`);
    if (drawn < bound) return Number(drawn % count);
  }
}

/** The SHA-256 in hex of ids in their order, joined by "\n"; that of the empty text when there are none. They may come page by page. */
export class CandidatesHash {
  readonly #hash: Hash = createHash("sha256");
  #isBegun = false;

  add(ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.#hash.update(`${this.#isBegun ? "\n" : ""}${ids.join("\n")}`);
    this.#isBegun = true;
  }

  /** Nothing can be added after it. */
  digest(): string {
    return this.#hash.digest("hex");
  }
}
