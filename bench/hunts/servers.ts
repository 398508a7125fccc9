import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Program } from "../../scripts/processes/Program.ts";
import { systemClock } from "../../src/clock.ts";
import { operatorToken } from "../../src/http/auth/roles.ts";
import { PLAYER_TOKEN_MS, Tokens } from "../../src/http/auth/tokens.ts";
import type { Target } from "./protocol.ts";
import { theHunt } from "./theHunt.ts";

/** Lines of the node's log that are passed on: it logs warnings and errors only, and an overloaded one may have thousands. */
const MOST_COMPLAINTS = 5;

/** A bare Colyseus server that answers at once. */
export async function startEcho(): Promise<{ target: Target; stop(): Promise<unknown> }> {
  const program = await Program.start({
    name: "the echo server",
    command: process.execPath,
    args: [fileURLToPath(new URL("echoNode.ts", import.meta.url))],
    env: { ...process.env, NODE_ENV: "production" },
    ipc: true,
  });
  const port = await program.message("its port", (message) => (message as { port?: number }).port);
  const target = { name: "echo" as const, address: `127.0.0.1:${port}`, joinOptions: {}, pid: program.pid };
  return { target, stop: () => program.kill() };
}

/** One node of Ringmaster, as in production but for the limit on what one address may send. */
export class HuntNode {
  readonly program: Program;
  readonly #address: string;
  readonly #tokens: Tokens;

  /** `script`: what it runs, beside this file, with a channel for messages; `env` is added to its environment. */
  static async start(
    redisUrl: string,
    databaseUrl: string,
    script = "../../src/index.ts",
    env: NodeJS.ProcessEnv = {},
  ): Promise<HuntNode> {
    const secret = randomBytes(32).toString("base64url");
    const program = await Program.start({
      name: "the node",
      command: process.execPath,
      args: [fileURLToPath(new URL(script, import.meta.url))],
      env: {
        ...process.env,
        ...{ NODE_ENV: "production", PORT: "0", REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, JWT_SECRET: secret },
        ...{ RATE_LIMIT_PER_ADDRESS: "1000000", LOG_LEVEL: "warn", ROLE: "all", DEMO: "false" },
        ...env,
      },
      ipc: true,
    });
    let told = 0;
    program.onLine((line) => {
      if (line.startsWith("{") && told++ < MOST_COMPLAINTS) process.stderr.write(`the node says: ${line}\n`);
    });
    const port = await program.line("being ready", (line) => /is ready: http:\S+:(\d+)/.exec(line)?.[1]);
    return new HuntNode(program, `127.0.0.1:${port}`, new Tokens(secret, systemClock));
  }

  private constructor(program: Program, address: string, tokens: Tokens) {
    this.program = program;
    this.#address = address;
    this.#tokens = tokens;
  }

  /** Tokens of as many players. Signing in is not measured, so it is left out. */
  playerTokens(count: number): Promise<string[]> {
    const issue = (at: number): Promise<string> =>
      this.#tokens.issue({ playerId: `bench${at}`, name: `Player ${at}`, role: "player" }, PLAYER_TOKEN_MS);
    return Promise.all(Array.from({ length: count }, (_, at) => issue(at)));
  }

  /** Creates a hunt that has not begun. */
  async createHunt(): Promise<Target> {
    const { id } = (await this.#post("/api/hunts", theHunt())) as { id: string };
    return { name: "hunt", address: this.#address, joinOptions: { huntId: id }, pid: this.program.pid };
  }

  /** Clues are given out from now on. */
  async startHunt({ joinOptions }: Target): Promise<void> {
    await this.#post(`/api/hunts/${(joinOptions as { huntId: string }).huntId}/start`, {});
  }

  async stop(): Promise<void> {
    await this.program.stop(30_000);
  }

  async #post(path: string, body: object): Promise<unknown> {
    const response = await fetch(`http://${this.#address}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${await operatorToken(this.#tokens)}` },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path} was answered with ${response.status}: ${await response.text()}`);
    return await response.json();
  }
}
