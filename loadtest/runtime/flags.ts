import { type ParseArgsOptionsConfig, parseArgs } from "node:util";

/** The flags of the colyseus loadtest tool that do something, and those that every load test here has beside. */
export interface LoadFlags {
  endpoint: string;
  roomName: string;
  roomId: string | undefined;
  numClients: number;
  /** Milliseconds between two clients that join. */
  delay: number;
  /** Milliseconds after which all connections are broken, again and again; 0 for never. */
  reestablishAllDelay: number;
  /** A file for what the test prints. */
  output: string | undefined;
  /** Seconds after which the test ends by itself; undefined for never. */
  duration: number | undefined;
  /** A file for the report. */
  report: string | undefined;
}

export const LOAD_HELP = `  --endpoint URL             the server (ws://localhost:2567)
  --room NAME                the room to join, or --roomId ID for one room of it
  --numClients N             players (1)
  --delay MS                 pause between two players who join (0)
  --reestablishAllDelay MS   break all connections this often; players come back by themselves
  --output FILE              write down what the test prints
  --duration SECONDS         end by itself after this time, joining included (never)
  --report FILE              write counts and latencies as JSON when the test ends`;

/** The colyseus loadtest tool takes these too, and does nothing with them. */
const IGNORED = { retryFailed: { type: "string" }, logLevel: { type: "string" }, project: { type: "string" } } as const;

const SHARED = {
  endpoint: { type: "string", default: "ws://localhost:2567" },
  room: { type: "string" },
  roomId: { type: "string" },
  numClients: { type: "string", default: "1" },
  delay: { type: "string", default: "0" },
  reestablishAllDelay: { type: "string", default: "0" },
  output: { type: "string" },
  duration: { type: "string" },
  report: { type: "string" },
  help: { type: "boolean", default: false },
  ...IGNORED,
} as const;

/** A flag is missing or bad; the message is one line that names it. */
export class FlagError extends Error {}

/** Reads the command line: the shared flags, and those of one test by name, each with its default (undefined: none). */
export function readFlags<Own extends string>(
  args: readonly string[],
  defaultRoom: string,
  own: Record<Own, string | undefined>,
): { shared: LoadFlags; own: Record<Own, string | undefined>; isHelpWanted: boolean } {
  const options = Object.fromEntries(
    Object.entries<string | undefined>(own).map(([name, value]) => [
      name,
      { type: "string" as const, ...(value === undefined ? {} : { default: value }) },
    ]),
  );
  const values = parse(args, { ...SHARED, ...options });
  const text = (name: string): string | undefined => values[name] as string | undefined;
  const shared = {
    endpoint: endpointOf(text("endpoint")!),
    roomName: text("room") ?? defaultRoom,
    roomId: text("roomId"),
    numClients: numberOf("numClients", text("numClients")!, { min: 1, isWhole: true }),
    delay: numberOf("delay", text("delay")!),
    reestablishAllDelay: numberOf("reestablishAllDelay", text("reestablishAllDelay")!),
    output: text("output"),
    duration: text("duration") === undefined ? undefined : numberOf("duration", text("duration")!),
    report: text("report"),
  };
  const ownValues = Object.fromEntries(Object.keys(own).map((name) => [name, text(name)]));
  return { shared, own: ownValues as Record<Own, string | undefined>, isHelpWanted: values.help === true };
}

function parse(args: readonly string[], options: ParseArgsOptionsConfig): Record<string, unknown> {
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new FlagError((error as Error).message);
  }
}

/** Throws a FlagError that names the flag, unless `text` is a number within the bounds. */
export function numberOf(
  name: string,
  text: string,
  { min = 0, max = Number.MAX_SAFE_INTEGER, isWhole = false }: { min?: number; max?: number; isWhole?: boolean } = {},
): number {
  const number = Number(text);
  if (text.trim() !== "" && number >= min && number <= max && (!isWhole || Number.isInteger(number))) return number;
  const most = max === Number.MAX_SAFE_INTEGER ? "" : ` and at most ${max}`;
  throw new FlagError(`--${name}: must be a ${isWhole ? "whole " : ""}number of at least ${min}${most}, not ${text}`);
}

function endpointOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && /^(ws|http)s?:$/.test(url.protocol)) return text.replace(/^http/, "ws").replace(/\/$/, "");
  throw new FlagError(`--endpoint: must be ws://… or wss://…, not ${text}`);
}
