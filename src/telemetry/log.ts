import pino, { type DestinationStream, type Logger } from "pino";
import { logFields } from "../tracing.ts";
import { LogOutput } from "./LogOutput.ts";

export type { Logger };

/** Where loggers write that are given no destination. */
export const standardOutput = new LogOutput(process.stdout);

/** Fields that are never written, wherever they stand in what is logged. Compared in lower case. */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  "answer",
  "answers",
  "authorization",
  "cookie",
  "idtoken",
  "jwtsecret",
  "password",
  "salt",
  "secret",
  "set-cookie",
  "token",
  "_authtoken",
]);

const REDACTED = "[redacted]";

/** Deeper structures are not logged whole. */
const DEEPEST = 6;

/**
 * JSON Web Tokens, passwords inside URLs, and the tokens that the SDK puts into the URL of a websocket, as they may stand in any text
 * (a driver's error message, a request's path).
 */
const SECRET_TEXT =
  /\beyJ[\w-]+\.[\w-]+\.[\w-]*|(?<=[?&](?:_authToken|reconnectionToken)=)[^&\s"'\\]+|(?<=:\/\/[^\s/:@"]*:)[^\s/@"]+(?=@)/g;

/** The fields of a child logger are written out before any formatter sees them. */
const SECRET_BINDING = new RegExp(`("(?:${[...SECRET_FIELDS].join("|")})":)"(?:[^"\\\\]|\\\\.)*"`, "gi");

/**
 * A logger of one line of JSON an entry: level by name, ISO time. Tokens, authorization headers, passwords and answers are
 * taken out by the name of their field at any depth, and tokens and passwords in URLs also out of any text. With traces, each line of a
 * request says which one it is of.
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => withoutSecrets(fields, 0) as Record<string, unknown>,
      },
      mixin: () => logFields() as Record<string, unknown>,
      // The standard one would fold causes into the message, after the fields have been seen to.
      serializers: { err: (error) => error },
      hooks: { streamWrite: (line) => line.replace(SECRET_TEXT, REDACTED).replace(SECRET_BINDING, `$1"${REDACTED}"`) },
    },
    destination ?? standardOutput,
  );
}

function withoutSecrets(value: unknown, depth: number): unknown {
  if (value instanceof Error) return errorFields(value, depth);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (depth === DEEPEST) return "[deep]";
  if (Array.isArray(value)) return value.map((item) => withoutSecrets(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [
      key,
      SECRET_FIELDS.has(key.toLowerCase()) ? REDACTED : withoutSecrets(field, depth + 1),
    ]),
  );
}

/** Only these: drivers hang statements, their parameters and whole connections on their errors. */
function errorFields(error: Error, depth: number): object {
  const { name, message, stack, cause } = error;
  const code: unknown = "code" in error ? error.code : undefined;
  return {
    name,
    message,
    stack,
    ...(code === undefined ? {} : { code }),
    ...(cause === undefined || depth === DEEPEST ? {} : { cause: withoutSecrets(cause, depth + 1) }),
  };
}
