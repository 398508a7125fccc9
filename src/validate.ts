import { z } from "zod";
import { RingmasterError } from "./errors.ts";

/** One complaint about a payload: where (`clues.0.points`; empty for the whole) and what. */
export interface FieldComplaint {
  path: string;
  message: string;
}

/** A body of a thousand bad fields is answered by its first ones. */
const MOST_COMPLAINTS = 20;

/** Messages may quote a key that the client sent; none of them is worth more than this many characters. */
const LONGEST_MESSAGE = 200;

/** Nothing that is documented is nested half as deep; what goes through a value by recursion (JSON, zod) has room for much more. */
const MOST_LEVELS = 32;

/**
 * What `schema` makes of `input`. Throws `invalid_payload`, whose message names the first bad field and whose details are
 * `FieldComplaint[]`.
 */
export function validate<T extends z.ZodType>(schema: T, input: unknown): z.output<T> {
  if (isDeeperThan(input, MOST_LEVELS)) {
    throw invalidPayload([{ path: "", message: `must not be nested more than ${MOST_LEVELS} levels deep` }]);
  }
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw invalidPayload(parsed.error.issues.flatMap(complaintsOf));
}

/** Whether objects and arrays are nested in `value` more than `levels` deep. Looks no deeper than that. */
function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  const members =
    value instanceof Map ? [...value.entries()].flat() : value instanceof Set ? [...value] : Object.values(value);
  return members.some((member) => isDeeperThan(member, levels - 1));
}

/** A whole number in a query or a path, where it comes as text. The message says what it is (`epoch milliseconds`), and its bounds. */
export function wholeNumber(min: number, max: number, what?: string) {
  const error = `must be ${what === undefined ? "" : `${what}: `}a whole number from ${min} to ${max}`;
  return z.coerce
    .number({ error })
    .refine((number) => Number.isInteger(number) && number >= min && number <= max, { error })
    .meta({ type: "integer", minimum: min, maximum: max });
}

/** Of an object with unknown fields there is one issue, which names them all. */
function complaintsOf(issue: z.core.$ZodIssue): FieldComplaint[] {
  const pathOf = (...field: PropertyKey[]): string => [...issue.path, ...field].map(String).join(".");
  if (issue.code !== "unrecognized_keys") return [{ path: pathOf(), message: issue.message }];
  return issue.keys.map((key) => ({ path: pathOf(key), message: "is no field that is known here" }));
}

/** The `invalid_payload` for these complaints (at least one). */
export function invalidPayload(complaints: readonly FieldComplaint[]): RingmasterError {
  const details = complaints.slice(0, MOST_COMPLAINTS).map(({ path, message }) => ({
    path: cut(path),
    message: cut(message),
  }));
  const first = details[0]!;
  return new RingmasterError(
    "invalid_payload",
    first.path === "" ? first.message : `${first.path}: ${first.message}`,
    details,
  );
}

function cut(text: string): string {
  return text.length <= LONGEST_MESSAGE ? text : `${text.slice(0, LONGEST_MESSAGE)}…`;
}
