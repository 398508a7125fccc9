import type { z } from "zod";
import { MOST_ARGS } from "../entities/audit.ts";
import { jsonSchemaOf } from "./schemas.ts";

/** What a line shows instead of a secret. */
const SECRET = "(secret)";
/** Entries of a list that a line shows, and UTF-16 units of a text: a reason is shown whole. */
const MOST_ENTRIES = 20;
const MOST_CHARACTERS = 800;
/** What deeper levels hold is left out. */
const MOST_LEVELS = 6;

/**
 * The arguments of a command as the audit keeps them, as JSON text: without the fields that the schema calls `writeOnly`, also where the
 * arguments are not of the schema; long texts and lists are cut. What is longer than `MOST_ARGS` all the same keeps its plain fields.
 */
export function auditArgs(schema: z.ZodType, args: unknown): string {
  const shown = shownOf(args ?? {}, secretsOf(schema), 0);
  const text = JSON.stringify(shown) ?? "null";
  if (text.length <= MOST_ARGS) return text;
  const plain = Object.entries(shown as object).filter(([, value]) => typeof value !== "object");
  const cut = JSON.stringify({ ...Object.fromEntries(plain.slice(0, MOST_ENTRIES)), cut: text.length });
  return cut.length <= MOST_ARGS ? cut : JSON.stringify({ cut: text.length });
}

function shownOf(value: unknown, secrets: ReadonlySet<string>, level: number): unknown {
  if (typeof value === "string") return value.length > MOST_CHARACTERS ? `${value.slice(0, MOST_CHARACTERS)}…` : value;
  if (typeof value !== "object" || value === null) return value;
  if (level >= MOST_LEVELS) return "…";
  const inside = (each: unknown): unknown => shownOf(each, secrets, level + 1);
  if (Array.isArray(value)) {
    const first = value.slice(0, MOST_ENTRIES).map(inside);
    return value.length > MOST_ENTRIES ? [...first, `… ${value.length - MOST_ENTRIES} more`] : first;
  }
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, 10 * MOST_ENTRIES)
      .map(([name, each]) => [name.slice(0, MOST_CHARACTERS), secrets.has(name) ? SECRET : inside(each)]),
  );
}

const known = new WeakMap<z.ZodType, ReadonlySet<string>>();

/** The names of all fields anywhere in a schema that are secret. */
function secretsOf(schema: z.ZodType): ReadonlySet<string> {
  const names = known.get(schema) ?? new Set(secretsIn(jsonSchemaOf(schema, "input")));
  known.set(schema, names);
  return names;
}

function* secretsIn(schema: unknown): Generator<string> {
  if (typeof schema !== "object" || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (key === "properties")
      for (const [name, field] of Object.entries(value as object))
        if ((field as { writeOnly?: unknown }).writeOnly === true) yield name;
    yield* secretsIn(value);
  }
}
