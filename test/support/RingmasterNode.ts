import { join } from "node:path";
import { Client } from "@colyseus/sdk";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { systemClock } from "../../src/clock.ts";
import type { WireError } from "../../src/errors.ts";
import type { Role } from "../../src/http/auth/identity.ts";
import { OPERATOR_TOKEN_MS, Tokens } from "../../src/http/auth/tokens.ts";
import { type Exit, type Program, startProcess } from "./processes.ts";

/** What all nodes of the tests sign with, so that tokens outlive the node that issued them. */
export const JWT_SECRET = "a secret of the tests, 32 characters long";

/** Issues tokens that the nodes take for their own. */
export const tokens = new Tokens(JWT_SECRET, systemClock);

/** Generous: the first node of a run migrates the database, on a machine that does other things too. */
const READY_MS = 60_000;

export interface Player {
  token: string;
  id: string;
  name: string;
}

export interface Answer<Body = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: Body & { error?: WireError };
}

export interface SendOptions {
  token?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

/** What a node runs, unless told: Ringmaster itself. */
const SCRIPT = "src/index.ts";

/** A whole Ringmaster in a process of its own. */
export class RingmasterNode {
  readonly program: Program;
  readonly port: number;
  /** Every line that it has written. */
  readonly output: readonly string[];
  #directory: string | undefined;

  /** Starts it on a port of its own unless `env` names one, and waits until it is ready. */
  static async start(env: NodeJS.ProcessEnv, script = SCRIPT): Promise<RingmasterNode> {
    const { program, output } = await RingmasterNode.launch(env, script);
    const port = await program.line(
      "being ready",
      (line) => /^Ringmaster is ready: http:\/\/localhost:(\d+)$/.exec(line)?.[1],
      READY_MS,
    );
    return new RingmasterNode(program, Number(port), output);
  }

  /** Starts the process, which may fail. */
  static async launch(env: NodeJS.ProcessEnv, script = SCRIPT): Promise<{ program: Program; output: string[] }> {
    const program = await startProcess(script, {
      name: "Ringmaster",
      env: { NODE_ENV: "production", JWT_SECRET, PORT: "0", DEMO: "false", ...env },
    });
    const output: string[] = [];
    program.onLine((line) => output.push(line));
    return { program, output };
  }

  /** Starts it with a database of its own, which is gone once it is closed. */
  static async alone(env: NodeJS.ProcessEnv = {}, script = SCRIPT): Promise<RingmasterNode> {
    const directory = temporaryDirectory("node");
    const DATABASE_URL = `sqlite:${join(directory, "ringmaster.sqlite")}`;
    const node = await RingmasterNode.start({ DATABASE_URL, ...env }, script).catch((error: unknown) => {
      removeDirectory(directory);
      throw error;
    });
    node.#directory = directory;
    return node;
  }

  private constructor(program: Program, port: number, output: string[]) {
    this.program = program;
    this.port = port;
    this.output = output;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Signs a new player in. */
  async signIn(name?: string): Promise<Player> {
    const { body } = await this.post<{ token: string; player: { id: string; name: string } }>("/auth/anonymous", {
      body: name === undefined ? {} : { name },
    });
    return { token: body.token, ...body.player };
  }

  /** The SDK's client of somebody who has this token. */
  client(token: string): Client {
    return clientOf(this.url, token);
  }

  get<Body>(path: string, options?: SendOptions): Promise<Answer<Body>> {
    return send(this.url, "GET", path, options);
  }

  post<Body>(path: string, options?: SendOptions): Promise<Answer<Body>> {
    return send(this.url, "POST", path, options);
  }

  /** Asks as an operator. */
  async command<Body>(path: string, body: object = {}): Promise<Answer<Body>> {
    return this.post(path, { token: await tokenOf("operator"), body });
  }

  kill(): Promise<Exit> {
    return this.program.kill();
  }

  /** Ends one that is `alone`, and removes its database. */
  async close(): Promise<void> {
    await this.kill();
    if (this.#directory !== undefined) removeDirectory(this.#directory);
  }
}

export function clientOf(url: string, token: string): Client {
  const client = new Client(url);
  client.auth.token = token;
  return client;
}

/** A token for somebody of this role, whose id and name are the role's. */
export function tokenOf(role: Role): Promise<string> {
  return tokens.issue({ playerId: role, name: role, role }, OPERATOR_TOKEN_MS);
}

async function send<Body>(
  url: string,
  method: string,
  path: string,
  { token, body, headers = {} }: SendOptions = {},
): Promise<Answer<Body>> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer<Body>["body"] };
}
