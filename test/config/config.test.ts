import assert from "node:assert/strict";
import { z } from "zod";
import { RINGMASTER } from "../../src/app.config.ts";
import { ConfigError, readConfig, variablesOf } from "../../src/config.ts";
import { defineDomain } from "../../src/domains/runtime/Domain.ts";

const DOMAINS = RINGMASTER.domains;
const SECRET = "s".repeat(32);
const REDIS = "redis://localhost:6379";
const MYSQL = "mysql://user:password@localhost/game";

function complaint(env: Record<string, string>): string {
  try {
    readConfig(env, DOMAINS);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
  throw new assert.AssertionError({ message: `taken as it is: ${JSON.stringify(env)}` });
}

describe("The configuration", () => {
  it("is one embedded process in development when nothing is set", () => {
    const { jwtSecret, ...config } = readConfig({}, DOMAINS);
    assert.deepEqual(config, {
      production: false,
      port: 2567,
      host: "127.0.0.1",
      redisUrl: undefined,
      database: { kind: "sqlite", path: ".data/ringmaster.sqlite" },
      role: "all",
      jwtSecretIsMade: true,
      publicAddress: undefined,
      logLevel: "info",
      shutdownTimeoutMs: 30_000,
      startTimeoutMs: 600_000,
      demo: undefined,
      nodeTtlMs: 3000,
      trustProxy: false,
      rateLimitPerAddress: 1000,
      metricsPort: undefined,
      metricsToken: undefined,
      telemetry: {
        service: "ringmaster",
        traces: "none",
        samplerArg: 0.01,
        metrics: "prometheus",
        metricsEveryMs: 60_000,
        otlp: { endpoint: "http://localhost:4318", headers: {} },
      },
      settings: new Map([["sessions", { SESSION_TIMEOUT_MINUTES: 1_800_000 }]]),
      timezone: "UTC",
      jobSwitches: new Map(),
    });
    assert.ok(jwtSecret.length >= 32);
  });

  it("makes another secret for each run", () => {
    assert.notEqual(readConfig({}).jwtSecret, readConfig({}).jwtSecret);
  });

  it("takes a cluster's node as it is set", () => {
    const config = readConfig({
      NODE_ENV: "production",
      PORT: "0",
      REDIS_URL: REDIS,
      DATABASE_URL: MYSQL,
      DATABASE_POOL: "8",
      ROLE: "worker",
      JWT_SECRET: SECRET,
      PUBLIC_ADDRESS: "play.example.org/node-1",
      DEMO: "0",
      HOST: "10.0.0.7",
      TRUST_PROXY: "true",
    });
    assert.equal(config.production, true);
    assert.equal(config.port, 0);
    assert.equal(config.redisUrl, REDIS);
    assert.deepEqual(config.database, { kind: "mysql", url: MYSQL, pool: 8 });
    assert.equal(config.role, "worker");
    assert.equal(config.jwtSecret, SECRET);
    assert.equal(config.jwtSecretIsMade, false);
    assert.equal(config.publicAddress, "play.example.org/node-1");
    assert.equal(config.demo, false);
    assert.equal(config.host, "10.0.0.7");
    assert.equal(config.trustProxy, true);
  });

  it("takes what is said of jobs, by variable", () => {
    const { jobSwitches, timezone } = readConfig({
      ENABLE_RETENTION_JOB: "false",
      ENABLE_A_B_JOB: "1",
      ENABLE_SESSIONS_JOB: "",
      TZ_SCHEDULES: "Europe/Berlin",
    });
    assert.deepEqual(
      [...jobSwitches],
      [
        ["ENABLE_RETENTION_JOB", false],
        ["ENABLE_A_B_JOB", true],
      ],
    );
    assert.equal(timezone, "Europe/Berlin");
  });

  it("has no demo in production, and listens to this machine alone in development, unless told otherwise", () => {
    const production = { NODE_ENV: "production", JWT_SECRET: SECRET };
    assert.throws(() => readConfig({ ...production, DEMO: "true" }), /^Error: DEMO: production has no demo/);
    assert.equal(readConfig(production).host, undefined);
    assert.equal(readConfig({}).host, "127.0.0.1");
    assert.equal(readConfig({ HOST: "0.0.0.0" }).host, "0.0.0.0");
  });

  it("takes a path to an embedded database", () => {
    assert.deepEqual(readConfig({ DATABASE_URL: "sqlite:/var/lib/game.sqlite" }).database, {
      kind: "sqlite",
      path: "/var/lib/game.sqlite",
    });
  });

  it("counts an empty value as not set, and passes over variables of others", () => {
    const { jwtSecret: _, ...empty } = readConfig({ PORT: "", REDIS_URL: "", ROLE: "", DEMO: "", HOME: "/root" });
    const { jwtSecret: __, ...unset } = readConfig({});
    assert.deepEqual(empty, unset);
  });

  const bad: Record<string, string[]> = {
    NODE_ENV: ["prod"],
    PORT: ["65536", "-1", "80.5", "http"],
    REDIS_URL: ["localhost:6379", "http://localhost"],
    DATABASE_URL: ["postgres://localhost/game", "game.sqlite"],
    ROLE: ["actor"],
    JWT_SECRET: ["s".repeat(31)],
    LOG_LEVEL: ["loud"],
    SHUTDOWN_TIMEOUT_MS: ["-1", "600001", "30s"],
    DEMO: ["yes"],
    NODE_TTL_MS: ["599", "60001"],
    DATABASE_POOL: ["4", "201"],
    TRUST_PROXY: ["on"],
    RATE_LIMIT_PER_ADDRESS: ["0", "1000001", "many"],
    METRICS_PORT: ["-1", "65536", "http"],
    METRICS_TOKEN: ["short", "with a space in it"],
    TZ_SCHEDULES: ["Europe/Bielefeld", "summer"],
    ENABLE_SESSIONS_JOB: ["off", "no"],
    SESSION_TIMEOUT_MINUTES: ["0", "1441", "soon"],
  };
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) {
      it(`refuses ${name}=${value} in one line that names it`, () => {
        assert.match(complaint({ [name]: value }), new RegExp(`^${name}: [^\\n]+$`));
      });
    }
  }

  it("refuses a cluster whose nodes could not share their database", () => {
    assert.match(complaint({ REDIS_URL: REDIS, JWT_SECRET: SECRET }), /^REDIS_URL: .*mysql/);
    assert.match(complaint({ REDIS_URL: REDIS, JWT_SECRET: SECRET, DATABASE_URL: "sqlite:a" }), /^REDIS_URL: /);
  });

  it("refuses a part of a cluster where there is none", () => {
    for (const ROLE of ["web", "worker"]) assert.match(complaint({ ROLE, DATABASE_URL: MYSQL }), /^ROLE: /);
  });

  it("refuses production and a cluster without a secret to share", () => {
    assert.match(complaint({ NODE_ENV: "production" }), /^JWT_SECRET: production/);
    assert.match(complaint({ REDIS_URL: REDIS, DATABASE_URL: MYSQL }), /^JWT_SECRET: a cluster/);
  });

  it("says all that is wrong at once, a line for each variable, also what contradicts another one", () => {
    const lines = complaint({ PORT: "http", ROLE: "web", ENABLE_A_JOB: "no", SESSION_TIMEOUT_MINUTES: "soon" });
    const names = lines.split("\n").map((line) => line.split(":", 1)[0]);
    assert.deepEqual(names.sort(), ["ENABLE_A_JOB", "PORT", "ROLE", "SESSION_TIMEOUT_MINUTES"]);
  });

  it("says of a variable what is wrong with it, and not that it is missing as well", () => {
    assert.match(complaint({ NODE_ENV: "production", JWT_SECRET: "short" }), /^JWT_SECRET: must have [^\n]+$/);
  });

  describe("of a domain of a game's own", () => {
    const raffles = defineDomain({
      name: "raffles",
      variables: {
        RAFFLE_TICKETS: z.coerce.number().int().min(1).default(100),
        RAFFLE_MOTTO: z.string().min(3).optional(),
      },
      open: ({ settings: { RAFFLE_TICKETS, RAFFLE_MOTTO } }) => {
        const [tickets, motto]: [number, string | undefined] = [RAFFLE_TICKETS, RAFFLE_MOTTO];
        return { tickets, motto };
      },
    });

    it("is read with that of the node, by its domain", () => {
      const { settings } = readConfig({ RAFFLE_TICKETS: "7", RAFFLE_MOTTO: "" }, [...DOMAINS, raffles]);
      assert.deepEqual(settings.get("raffles"), { RAFFLE_TICKETS: 7, RAFFLE_MOTTO: undefined });
      assert.deepEqual([...settings.keys()], ["sessions", "raffles"]);
    });

    it("is refused in one message with that of the node", () => {
      assert.throws(() => readConfig({ PORT: "http", RAFFLE_TICKETS: "0" }, [raffles]), {
        name: "Error",
        message: /^PORT: .+\nRAFFLE_TICKETS: .+$/,
      });
    });

    it("is among the names of all variables", () => {
      assert.deepEqual(
        variablesOf([raffles]).filter((name) => !variablesOf([]).includes(name)),
        ["RAFFLE_TICKETS", "RAFFLE_MOTTO"],
      );
    });
  });
});
