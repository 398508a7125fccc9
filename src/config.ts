import { z } from "zod";
import { isTimezone } from "./clock.ts";
import { wholeNumber } from "./validate.ts";

/** Thrown when the environment holds bad values; its message has a line for each variable, which begins with its name. */
export class ConfigError extends Error {}

/** What is being developed is nobody else's business: it has a playground, and wallets that anybody can sign for. */
const LOOPBACK = "127.0.0.1";

const flag = z.enum(["true", "false", "1", "0"]).transform((value) => value === "true" || value === "1");

/** `name=value` pairs with commas between them, as OpenTelemetry has them; values may be encoded as in URLs. */
const otlpHeaders = z.string().transform((text, context) => {
  try {
    return Object.fromEntries(
      text.split(",").map((pair) => {
        const [, name, value] = /^\s*([\w-]+)=(.*?)\s*$/.exec(pair)!;
        return [name!, decodeURIComponent(value!)];
      }),
    );
  } catch {
    // The value is a secret, and not part of the message.
    context.addIssue("must be name=value, and further ones after commas");
    return z.NEVER;
  }
});

/** Variables, each with the schema of its text, which is `undefined` where it is unset or empty. */
export type Variables = Readonly<Record<string, z.ZodType>>;
/** What they were read as, by their names. */
export type Settings<V extends Variables> = { readonly [Name in keyof V]: z.output<V[Name]> };

/** What has variables of its own: a domain. */
export interface HavingVariables {
  readonly name: string;
  readonly definition: { readonly variables?: Variables };
}

/**
 * The variables of every node, whatever its domains are; a domain's own stand on its page. `.env.example` documents each; a test fails when
 * the two differ.
 */
const ENVIRONMENT = {
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
  TZ_SCHEDULES: z.string().refine(isTimezone, "must be the name of a time zone, such as Europe/Berlin").default("UTC"),
  TRUST_PROXY: flag.default(false),
  RATE_LIMIT_PER_ADDRESS: wholeNumber(1, 1_000_000).default(1000),
  METRICS_PORT: wholeNumber(0, 65_535).optional(),
  METRICS_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]{16,256}$/, "must have 16 to 256 printable ASCII characters, no spaces")
    .optional(),
  OTEL_SERVICE_NAME: z.string().min(1).default("ringmaster"),
  OTEL_TRACES_EXPORTER: z.enum(["none", "otlp", "console"]).default("none"),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(0.01),
  OTEL_METRICS_EXPORTER: z.enum(["prometheus", "otlp", "stdout", "none"]).default("prometheus"),
  OTEL_METRIC_EXPORT_INTERVAL: wholeNumber(1000, 3_600_000).default(60_000),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).default("http://localhost:4318"),
  OTEL_EXPORTER_OTLP_HEADERS: otlpHeaders.optional(),
};

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
  /** The time zone of schedules that name none. */
  timezone: string;
  /** What the variables of domains that have some were read as, by the name of the domain. */
  settings: ReadonlyMap<string, object>;
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
  telemetry: TelemetryConfig;
}

/** What leaves the process on its own. */
export interface TelemetryConfig {
  /** The name of the service that spans and metrics are of. */
  service: string;
  traces: "none" | "otlp" | "console";
  /** Which part of all traces is recorded, from 0 to 1. */
  samplerArg: number;
  /** `prometheus`: they are read at `/metrics`; the others are sent, or neither. */
  metrics: "prometheus" | "otlp" | "stdout" | "none";
  /** How often metrics are sent, in milliseconds. */
  metricsEveryMs: number;
  /** Where OTLP goes: a URL without a slash at its end, and headers, which may be secrets. */
  otlp: { endpoint: string; headers: Record<string, string> };
}

/**
 * Environment → Config, with the variables of `domains`. Empty values count as unset. Throws ConfigError, which names every variable that is
 * wrong.
 */
export function readConfig(env: Record<string, string | undefined>, domains: readonly HavingVariables[] = []): Config {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ""));
  const complaints = new Map<string, string>();
  const values = read(ENVIRONMENT, set, complaints);
  const settings = new Map<string, object>();
  for (const { name, definition } of domains)
    if (definition.variables) settings.set(name, read(definition.variables, set, complaints));
  const switches = jobSwitches(set, complaints);
  // What one of the variables cannot be beside the others says nothing where that is wrong by itself.
  for (const [name, complaint] of contradictionsOf(values)) if (!complaints.has(name)) complaints.set(name, complaint);
  if (complaints.size > 0)
    throw new ConfigError([...complaints].map(([name, complaint]) => `${name}: ${complaint}`).join("\n"));
  return configOf(values, settings, switches);
}

/** Reads variables, and notes what is wrong of those whose value is then missing. */
function read<V extends Variables>(
  variables: V,
  set: Readonly<Record<string, string | undefined>>,
  complaints: Map<string, string>,
): Settings<V> {
  const values: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(variables)) {
    const parsed = schema.safeParse(set[name]);
    if (parsed.success) values[name] = parsed.data;
    else complaints.set(name, parsed.error.issues[0]!.message);
  }
  return values as Settings<V>;
}

type Environment = Settings<typeof ENVIRONMENT>;

/** What variables that are good by themselves cannot be together. */
function* contradictionsOf(values: Partial<Environment>): Generator<[name: string, complaint: string]> {
  const { DATABASE_URL, DEMO, JWT_SECRET, NODE_ENV, REDIS_URL, ROLE = "all" } = values;
  const production = NODE_ENV === "production";
  if (REDIS_URL !== undefined && DATABASE_URL?.startsWith("sqlite:"))
    yield ["REDIS_URL", "a cluster needs a database that its nodes can share; set DATABASE_URL to mysql://…"];
  if (ROLE !== "all" && REDIS_URL === undefined)
    yield ["ROLE", `${ROLE} needs a cluster; set REDIS_URL, or leave ROLE at all`];
  if (JWT_SECRET === undefined && (production || REDIS_URL !== undefined))
    yield [
      "JWT_SECRET",
      production
        ? "production needs one (at least 32 characters, the same on every node)"
        : "a cluster needs one, the same on every node (at least 32 characters)",
    ];
  if (production && DEMO === true)
    yield ["DEMO", "production has no demo, whose answers and scores anybody can know; leave it unset"];
}

function configOf(
  values: Environment,
  settings: ReadonlyMap<string, object>,
  switches: ReadonlyMap<string, boolean>,
): Config {
  const production = values.NODE_ENV === "production";
  return {
    production,
    port: values.PORT,
    host: values.HOST ?? (production ? undefined : LOOPBACK),
    redisUrl: values.REDIS_URL,
    database: databaseOf(values.DATABASE_URL, values.DATABASE_POOL),
    role: values.ROLE,
    jwtSecret: values.JWT_SECRET ?? Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url"),
    jwtSecretIsMade: values.JWT_SECRET === undefined,
    publicAddress: values.PUBLIC_ADDRESS,
    logLevel: values.LOG_LEVEL,
    shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT_MS,
    startTimeoutMs: values.START_TIMEOUT_MS,
    demo: values.DEMO,
    nodeTtlMs: values.NODE_TTL_MS,
    timezone: values.TZ_SCHEDULES,
    settings,
    jobSwitches: switches,
    trustProxy: values.TRUST_PROXY,
    rateLimitPerAddress: values.RATE_LIMIT_PER_ADDRESS,
    metricsPort: values.METRICS_PORT,
    metricsToken: values.METRICS_TOKEN,
    telemetry: {
      service: values.OTEL_SERVICE_NAME,
      traces: values.OTEL_TRACES_EXPORTER,
      samplerArg: values.OTEL_TRACES_SAMPLER_ARG,
      metrics: values.OTEL_METRICS_EXPORTER,
      metricsEveryMs: values.OTEL_METRIC_EXPORT_INTERVAL,
      otlp: {
        endpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/+$/, ""),
        headers: values.OTEL_EXPORTER_OTLP_HEADERS ?? {},
      },
    },
  };
}

function databaseOf(url: string, pool: number): DatabaseConfig {
  return url.startsWith("sqlite:")
    ? { kind: "sqlite", path: url.slice("sqlite:".length) }
    : { kind: "mysql", url, pool };
}

const JOB_SWITCH = /^ENABLE_[A-Z0-9_]+_JOB$/;

/** There is a variable for each job, and the jobs are not known here: so any name of that form counts. */
function jobSwitches(
  set: Readonly<Record<string, string | undefined>>,
  complaints: Map<string, string>,
): ReadonlyMap<string, boolean> {
  const switches = new Map<string, boolean>();
  for (const [name, value] of Object.entries(set)) {
    if (!JOB_SWITCH.test(name)) continue;
    const parsed = flag.safeParse(value);
    if (parsed.success) switches.set(name, parsed.data);
    else complaints.set(name, "must be true or false");
  }
  return switches;
}

/** The names of all variables of a node with these domains, but those of jobs. */
export function variablesOf(domains: readonly HavingVariables[]): string[] {
  return [ENVIRONMENT, ...domains.map(({ definition }) => definition.variables ?? {})].flatMap((each) =>
    Object.keys(each),
  );
}

/** Why a domain cannot have a variable of this name; `undefined` where it can. */
export function whyNoVariable(name: string): string | undefined {
  if (Object.hasOwn(ENVIRONMENT, name)) return "every node has one of that name";
  if (!/^[A-Z][A-Z0-9_]*$/.test(name)) return "a name is [A-Z][A-Z0-9_]*";
  return JOB_SWITCH.test(name) ? "names of that form are those of jobs" : undefined;
}
