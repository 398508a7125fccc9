import { createHash } from "node:crypto";

/** Everything that happens in a world, in its order: two runs with the same hash have gone the same way. */
export class Trace {
  readonly #hash = createHash("sha256");
  readonly #lines: string[] = [];
  readonly #kept: number;

  /** `kept` lines can be read afterwards, the latest. */
  constructor(kept: number) {
    this.#kept = kept;
  }

  add(line: string): void {
    this.#hash.update(line).update("\n");
    this.#lines.push(line);
    if (this.#lines.length > 2 * this.#kept) this.#lines.splice(0, this.#lines.length - this.#kept);
  }

  get lines(): readonly string[] {
    return this.#lines.slice(-this.#kept);
  }

  /** To be asked for once, at the end. */
  digest(): string {
    return this.#hash.digest("hex").slice(0, 16);
  }
}
