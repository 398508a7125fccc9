import { z } from "zod";
import { isTimezone } from "./clock.ts";
import { wholeNumber } from "./validate.ts";

/** Thrown when the environment holds a bad value; its message is one line that names the variable. */
export class ConfigError extends Error {}

/** What is being developed is nobody else's business: it has a playground, and wallets that anybody can sign for. */
const LOOPBACK = "127.0.0.1";

const flag = z.enum(["true", "false", "1", "0"]).transform((value) => value === "true" || value === "1");

/** Every variable that Ringmaster reads. `.env.example` documents each; a test fails when the two differ. */
const environment = z.object({
  NODE_ENV: z.enum(["development", "test", "production"]).default("development"),
  PORT: wholeNumber(0, 65_535).default(2567),
  HOST: z.string().min(1).optional(),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, "must begin with redis:// or rediss://")
    .optional(),
  DATABASE_URL: z
    .string()
    .regex(/^(mysql:\/\/|sqlite:)/, "must be mysql://… or sqlite:PATH")
    .default("sqlite:.data/ringmaster.sqlite"),
  ROLE: z.enum(["all", "web", "worker"]).default("all"),
  JWT_SECRET: z.string().min(32, "must have at least 32 characters").optional(),
  PUBLIC_ADDRESS: z.string().min(1).optional(),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
  SHUTDOWN_TIMEOUT_MS: wholeNumber(0, 600_000).default(30_000),
  START_TIMEOUT_MS: wholeNumber(1000, 86_400_000).default(600_000),
  DEMO: flag.optional(),
  NODE_TTL_MS: wholeNumber(600, 60_000).default(3000),
  DATABASE_POOL: wholeNumber(5, 200).default(16),
  SESSION_TIMEOUT_MINUTES: z.coerce.number().min(0.05).max(1440).default(30),
  TZ_SCHEDULES: z.string().refine(isTimezone, "must be the name of a time zone, such as Europe/Berlin").default("UTC"),
  TRUST_PROXY: flag.default(false),
  RATE_LIMIT_PER_ADDRESS: wholeNumber(1, 1_000_000).default(1000),
  METRICS_PORT: wholeNumber(0, 65_535).optional(),
  METRICS_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{16,256}$/, "must have 16 to 256 printable ASCII characters, no spaces")
    .optional(),
});

/** What `DATABASE_URL` names. */
export type DatabaseConfig = { kind: "mysql"; url: string; pool: number } | { kind: "sqlite"; path: string };

export interface Config {
  production: boolean;
  port: number;
  /** The address that it listens on; `undefined`: all of the machine's. */
  host: string | undefined;
  redisUrl: string | undefined;
  database: DatabaseConfig;
  role: "all" | "web" | "worker";
  /** At least 32 characters; made for this run when development sets none. */
  jwtSecret: string;
  /** Whether `jwtSecret` was made for this run (then an operator's token is printed at start). */
  jwtSecretIsMade: boolean;
  publicAddress: string | undefined;
  logLevel: string;
  shutdownTimeoutMs: number;
  /** How long each step of the start may take. */
  startTimeoutMs: number;
  /** `undefined`: on in development when the embedded database is empty. */
  demo: boolean | undefined;
  /** How long a node's beat may be missing before it counts as dead, in milliseconds. */
  nodeTtlMs: number;
  /** How long a player's session goes on without activity, in milliseconds. */
  sessionTimeoutMs: number;
  /** The time zone of schedules that name none. */
  timezone: string;
  /** What `ENABLE_<JOB>_JOB` says of jobs, by the name of the variable. */
  jobSwitches: ReadonlyMap<string, boolean>;
  /** Whether `X-Forwarded-For` is believed (only behind a proxy that sets it). */
  trustProxy: boolean;
  /** How many sign-ins, joins and API requests an address may send in 10 seconds. */
  rateLimitPerAddress: number;
  /** The port of the metrics' own; `undefined`: they are on `port`. */
  metricsPort: number | undefined;
  /** What whoever reads the metrics must send as a bearer token. */
  metricsToken: string | undefined;
}

/** Environment → Config. Empty values count as unset. Throws ConfigError with one line naming the variable. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ""));
  const parsed = environment.safeParse(set);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new ConfigError(`${issue.path.join(".")}: ${issue.message}`);
  }
  const values = parsed.data;
  const database = databaseOf(values.DATABASE_URL, values.DATABASE_POOL);
  if (values.REDIS_URL !== undefined && database.kind === "sqlite") {
    throw new ConfigError(
      "REDIS_URL: a cluster needs a database that its nodes can share; set DATABASE_URL to mysql://…",
    );
  }
  if (values.ROLE !== "all" && values.REDIS_URL === undefined) {
    throw new ConfigError(`ROLE: ${values.ROLE} needs a cluster; set REDIS_URL, or leave ROLE at all`);
  }
  const production = values.NODE_ENV === "production";
  if (production && values.JWT_SECRET === undefined) {
    throw new ConfigError("JWT_SECRET: production needs one (at least 32 characters, the same on every node)");
  }
  if (production && values.DEMO === true) {
    throw new ConfigError("DEMO: production has no demo, whose answers and scores anybody can know; leave it unset");
  }
  if (values.JWT_SECRET === undefined && values.REDIS_URL !== undefined) {
    throw new ConfigError("JWT_SECRET: a cluster needs one, the same on every node (at least 32 characters)");
  }
  return {
    production,
    port: values.PORT,
    host: values.HOST ?? (production ? undefined : LOOPBACK),
    redisUrl: values.REDIS_URL,
    database,
    role: values.ROLE,
    jwtSecret: values.JWT_SECRET ?? Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url"),
    jwtSecretIsMade: values.JWT_SECRET === undefined,
    publicAddress: values.PUBLIC_ADDRESS,
    logLevel: values.LOG_LEVEL,
    shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT_MS,
    startTimeoutMs: values.START_TIMEOUT_MS,
    demo: values.DEMO,
    nodeTtlMs: values.NODE_TTL_MS,
    sessionTimeoutMs: Math.round(values.SESSION_TIMEOUT_MINUTES * 60_000),
    timezone: values.TZ_SCHEDULES,
    jobSwitches: jobSwitches(set),
    trustProxy: values.TRUST_PROXY,
    rateLimitPerAddress: values.RATE_LIMIT_PER_ADDRESS,
    metricsPort: values.METRICS_PORT,
    metricsToken: values.METRICS_TOKEN,
  };
}

function databaseOf(url: string, pool: number): DatabaseConfig {
  return url.startsWith("sqlite:")
    ? { kind: "sqlite", path: url.slice("sqlite:".length) }
    : { kind: "mysql", url, pool };
}

/** There is a variable for each job, and the jobs are not known here: so any name of that form counts. */
function jobSwitches(set: Record<string, string | undefined>): ReadonlyMap<string, boolean> {
  const switches = new Map<string, boolean>();
  for (const [name, value] of Object.entries(set)) {
    if (!/^ENABLE_[A-Z0-9_]+_JOB$/.test(name)) continue;
    const parsed = flag.safeParse(value);
    if (!parsed.success) throw new ConfigError(`${name}: must be true or false`);
    switches.set(name, parsed.data);
  }
  return switches;
}

/** The names of all variables, for the test that compares them with `.env.example`. */
export const VARIABLES: readonly string[] = Object.keys(environment.shape);
