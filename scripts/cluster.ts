/**
 * `npm run cluster`: nodes on this machine with a private Redis and MariaDB, to try what a cluster does. Ctrl-C ends all
 * of it, and nothing is kept. `npm run cluster -- --nodes 5 --port 4000`
 */
import "./buildWeb.ts";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { systemClock } from "../src/clock.ts";
import { readConfig } from "../src/config.ts";
import { operatorToken } from "../src/http/auth/roles.ts";
import { Tokens } from "../src/http/auth/tokens.ts";
import { flags } from "./flags.ts";
import { Program } from "./processes/Program.ts";
import { until } from "./processes/until.ts";
import { untilInterrupted } from "./processes/untilInterrupted.ts";
import { startMariaDb } from "./servers/mariadb.ts";
import { startRedis } from "./servers/redis.ts";

/** The first node to start migrates the database, on whatever machine this is. */
const READY_TIMEOUT_MS = 60_000;
/** What a node may take beyond its own SHUTDOWN_TIMEOUT_MS before it is killed. */
const GRACE_MS = 2000;

const interrupted = untilInterrupted();
const values = flags("npm run cluster -- [--nodes 3] [--port 2567]", {
  nodes: { type: "string", default: "3" },
  port: { type: "string", default: "2567" },
});
const ports = Array.from({ length: wholeNumber("nodes") }, (_, index) => wholeNumber("port") + index);

say(`starting a private Redis and MariaDB, and ${ports.length} nodes`);
const [redis, database] = await Promise.all([startRedis(), startMariaDb()]);
const shared = {
  ...process.env,
  REDIS_URL: redis.url,
  DATABASE_URL: await database.createDatabase(),
  JWT_SECRET: randomBytes(32).toString("base64url"),
  DEMO: process.env.DEMO || "true",
};
const { shutdownTimeoutMs, jwtSecret } = readConfig(shared);
say(`REDIS_URL=${shared.REDIS_URL} DATABASE_URL=${shared.DATABASE_URL}`);
say(`operator's token for this run: ${await operatorToken(new Tokens(jwtSecret, systemClock))}`);

const nodes = await Promise.all(ports.map(startNode));
const noneLeft = Promise.all(nodes.map((node) => node.exited)).then(() => true);
if (await Promise.race([noneLeft, interrupted.then(() => false)])) {
  say("no node is left");
  process.exitCode = 1;
} else {
  say("ending the nodes, then their servers (Ctrl-C again ends all at once)");
}
await Promise.all(nodes.map((node) => node.stop(shutdownTimeoutMs + GRACE_MS)));
await Promise.all([redis.stop(), database.stop()]);

async function startNode(port: number): Promise<Program> {
  const node = await Program.start({
    name: `node ${port}`,
    command: process.execPath,
    args: [fileURLToPath(new URL("../src/index.ts", import.meta.url))],
    env: { ...shared, PORT: String(port), PUBLIC_ADDRESS: `localhost:${port}` },
  });
  node.onLine((line) => process.stdout.write(`${port} | ${line}\n`));
  void node.exited.then(({ code, signal }) => say(`node ${port} ended with ${signal ?? `exit code ${code}`}`));
  void announce(node, `http://localhost:${port}`);
  return node;
}

/** Tells when the node is ready. One that ends before is told of already, and the others go on without it. */
async function announce(node: Program, url: string): Promise<void> {
  try {
    await until(async () => node.exit !== undefined || (await fetch(`${url}/readyz`)).ok, {
      timeoutMs: READY_TIMEOUT_MS,
      what: `${url}/readyz answers 200`,
    });
    if (node.exit === undefined) say(`ready: ${url} (pid ${node.pid})`);
  } catch (error) {
    say((error as Error).message);
  }
}

function wholeNumber(option: keyof typeof values): number {
  const number = Number(values[option]);
  if (Number.isInteger(number) && number > 0) return number;
  process.stderr.write(`--${option}: must be a positive whole number\n`);
  process.exit(2);
}

function say(line: string): void {
  process.stdout.write(`cluster | ${line}\n`);
}
