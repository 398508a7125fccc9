import { createHash } from "node:crypto";
import { RingmasterError } from "../../errors.ts";

/** Arrays and objects within each other; deeper ones are taken to be within themselves. */
const DEEPEST = 200;

/** A value that has no form in JSON. */
class Unserializable extends Error {}

/** Of the copy under way, as `Copy.bytes`. A copy is made without a break. */
let bytes = 0;

/** A copy, and about how many bytes it takes as JSON. */
export interface Copy<T> {
  value: T;
  bytes: number;
}

/**
 * A copy of what crosses from one actor to another, or is stored, with nothing in it that JSON has no form for: it is the same whether it
 * stays on this node or not. As in JSON, properties that are undefined are left out, and elements that are become null. Throws
 * `not_serializable` for anything else but strings, finite numbers, booleans, null, arrays and plain objects. `what` names it in the error.
 */
export function copyOf<T>(value: T, what: () => string): T {
  return measuredCopyOf(value, what).value;
}

/** The same with its size. */
export function measuredCopyOf<T>(value: T, what: () => string): Copy<T> {
  bytes = 0;
  try {
    return { value: copied(value, 0, false) as T, bytes };
  } catch (error) {
    throw refusal(error, value, what());
  }
}

/** The same of something that nobody is to change: whoever tries gets a TypeError. */
export function frozenCopyOf<T>(value: T, what: () => string): T {
  try {
    return copied(value, 0, true) as T;
  } catch (error) {
    throw refusal(error, value, what());
  }
}

/** Arguments as a method of another node gets them: those at the end that are undefined are left out, so that defaults hold. */
export function copyOfArgs(args: readonly unknown[], what: () => string): Copy<unknown[]> {
  let length = args.length;
  while (length > 0 && args[length - 1] === undefined) length -= 1;
  return measuredCopyOf(length === args.length ? [...args] : args.slice(0, length), what);
}

/** What a call asks for, in 44 characters: the same for two whose arguments JSON has the same for, in whatever order of properties. */
export function digestOf({
  method,
  args,
  sameAs = args,
}: {
  method: string;
  args: unknown[];
  sameAs?: unknown;
}): string {
  return createHash("sha256")
    .update(JSON.stringify([method, ordered(sameAs)]))
    .digest("base64");
}

function ordered(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(ordered);
  return Object.entries(value)
    .filter(([, property]) => property !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, property]) => [key, ordered(property)]);
}

/** Whether `value` would be stored as `stored` is, which is a copy. */
export function isSame(value: unknown, stored: unknown): boolean {
  if (value === stored) return true;
  if (typeof value !== "object" || typeof stored !== "object" || value === null || stored === null) return false;
  if (Array.isArray(value)) return Array.isArray(stored) && isSameArray(value, stored);
  return !Array.isArray(stored) && isSameObject(value, stored);
}

function isSameArray(value: readonly unknown[], stored: readonly unknown[]): boolean {
  if (value.length !== stored.length) return false;
  for (let at = 0; at < value.length; at++) if (!isSame(value[at] ?? null, stored[at])) return false;
  return true;
}

function isSameObject(value: object, stored: object): boolean {
  let count = 0;
  for (const key of Object.keys(value)) {
    const property = (value as Record<string, unknown>)[key];
    if (property === undefined) continue;
    if (!Object.hasOwn(stored, key) || !isSame(property, (stored as Record<string, unknown>)[key])) return false;
    count += 1;
  }
  return count === Object.keys(stored).length;
}

function copied(value: unknown, depth: number, isFrozen: boolean): unknown {
  switch (typeof value) {
    case "string":
      bytes += value.length + 3;
      return value;
    case "number":
      if (!Number.isFinite(value)) throw new Unserializable();
      bytes += 8;
      // JSON has no -0.
      return value === 0 ? 0 : value;
    case "boolean":
      bytes += 5;
      return value;
    case "undefined":
      return undefined;
    case "object":
      break;
    default:
      throw new Unserializable();
  }
  bytes += 4;
  if (value === null) return null;
  if (depth === DEEPEST) throw new Unserializable();
  const copy = Array.isArray(value)
    ? copiedArray(value, depth + 1, isFrozen)
    : copiedObject(value, depth + 1, isFrozen);
  return isFrozen ? Object.freeze(copy) : copy;
}

function copiedArray(value: readonly unknown[], depth: number, isFrozen: boolean): unknown[] {
  const copy: unknown[] = [];
  for (let at = 0; at < value.length; at++) copy.push(copied(value[at], depth, isFrozen) ?? null);
  return copy;
}

function copiedObject(value: object, depth: number, isFrozen: boolean): Record<string, unknown> {
  if (!isPlain(value)) throw new Unserializable();
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const property = copied((value as Record<string, unknown>)[key], depth, isFrozen);
    if (property === undefined) continue;
    bytes += key.length + 4;
    // Assigned, a property of this name would be the copy's prototype.
    if (key === "__proto__") Object.defineProperty(copy, key, { value: property, enumerable: true });
    else copy[key] = property;
  }
  return copy;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function refusal(error: unknown, value: unknown, what: string): unknown {
  if (!(error instanceof Unserializable)) return error;
  const [path, found] = offender(value, "", 0);
  return new RingmasterError("not_serializable", `${what}${path} is ${found}, which JSON has no form for.`);
}

/** Where the first value is that cannot be copied, and what it is. */
function offender(value: unknown, path: string, depth: number): [path: string, found: string] {
  const found = nameOf(value, depth);
  if (found !== undefined) return [path, found];
  for (const [key, property] of Object.entries(value as object)) {
    const inside = Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`;
    if (isFine(property, depth + 1)) continue;
    return offender(property, inside, depth + 1);
  }
  return [path, "something"];
}

function isFine(value: unknown, depth: number): boolean {
  try {
    copied(value, depth, false);
    return true;
  } catch {
    return false;
  }
}

/** What a value is that cannot be copied whatever is in it; undefined for one that can. */
function nameOf(value: unknown, depth: number): string | undefined {
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (["bigint", "function", "symbol"].includes(typeof value)) return `a ${typeof value}`;
  if (typeof value !== "object" || value === null) return undefined;
  if (depth >= DEEPEST) return `within more than ${DEEPEST} others, or within itself`;
  if (Array.isArray(value) || isPlain(value)) return undefined;
  return `a ${value.constructor?.name ?? "value of no plain class"}`;
}
