import { seededRng } from "../../src/clock.ts";
import type { ErrorCode } from "../../src/errors.ts";

/** Names that every plain object has without having been given them. */
export const NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "__defineGetter__",
];

/** Codes that what a client sends may never bring about. */
export const OUR_FAULT: ReadonlySet<ErrorCode> = new Set(["internal", "unavailable", "overloaded", "outcome_unknown"]);

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = level % 2 ? [value] : { a: value };
  return value;
}

/** Values that hardly any field wants. */
export const VALUES: readonly unknown[] = [
  ...[undefined, null, true, false, 0, -1, 1.5, NaN, Infinity, 2 ** 53, -(2 ** 40)],
  ...["", " ", "x".repeat(300), "0.1", "1", "[object Object]", "\u0000", "\u202e", "💣".repeat(90), ...NAMES],
  ...["'; DROP TABLE hunts; --", "../../../etc/passwd", `{"$ne": null}`, "\ud800"],
  ...[[], [[]], [null], {}, { a: { b: { c: {} } } }, new Date(0), new Uint8Array(20), new Map([[1, 2]]), deep(40)],
  ...NAMES.map((name) => Object.fromEntries([[name, { polluted: true }]])),
];

/** Makes good payloads bad, the same ones again for the same seed. */
export class Mangler {
  readonly #rng;

  constructor(seed: number) {
    this.#rng = seededRng(seed);
  }

  below(bound: number): number {
    return Math.floor(this.#rng.next() * bound);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  /** Something like `template`: with a field that is wrong, missing or too many, or something else altogether. */
  mangled(template: Record<string, unknown>): unknown {
    const fields = Object.keys(template);
    const field = fields.length === 0 ? "x" : this.pick(fields);
    switch (this.below(5)) {
      case 0:
        return this.pick(VALUES);
      case 1:
        return Object.fromEntries(Object.entries(template).filter(([name]) => name !== field));
      case 2:
        return Object.fromEntries([
          ...Object.entries(template),
          [this.pick([...NAMES, "extra"]), this.pick(VALUES)] as const,
        ]);
      case 3: {
        const value = template[field];
        const inner = typeof value === "object" && value !== null && !Array.isArray(value);
        return { ...template, [field]: inner ? this.mangled(value as Record<string, unknown>) : this.pick(VALUES) };
      }
      default:
        return { ...template, [field]: this.pick(VALUES) };
    }
  }
}
