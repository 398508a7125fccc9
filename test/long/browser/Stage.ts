import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { freePort } from "../../../scripts/processes/freePort.ts";
import { systemClock } from "../../../src/clock.ts";
import { operatorToken } from "../../../src/http/auth/roles.ts";
import { Tokens } from "../../../src/http/auth/tokens.ts";
import { beginDemoHunt } from "../../support/demo.ts";
import { type Program, startProcess, until } from "../../support/processes.ts";
import { beforeRun } from "../../support/run.ts";
import { findChromium } from "../../support/servers.ts";
import { Wire } from "./Wire.ts";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const SECRET = "a secret that only these tests know";

/** Starting a server with migrations, on a machine that runs the whole suite. */
const START_MS = 60_000;

// Installing a browser can take minutes, which no test's own time limit should have to cover.
beforeRun(async () => {
  await findChromium();
});

/** A server with its demo hunt and tournament on an embedded database of its own, a browser, and a wire between them. */
export class Stage {
  readonly wire: Wire;
  readonly #port: number;
  readonly #folder: string;
  readonly #browser: Browser;
  #server: Program;
  #secret = SECRET;

  static async open(): Promise<Stage> {
    await startProcess("scripts/buildWeb.ts").then(({ exited }) => exited);
    const folder = await mkdtemp(join(tmpdir(), "ringmaster-browser-"));
    const port = await freePort();
    const [server, browser] = await Promise.all([
      startServer(port, folder, SECRET),
      chromium.launch({ executablePath: await findChromium(), args: FLAGS }),
    ]);
    // Until then the page's first choice is the demo tournament.
    await beginDemoHunt(`http://127.0.0.1:${port}`, await operator(SECRET));
    return new Stage(port, folder, server, browser, await Wire.open(port));
  }

  private constructor(port: number, folder: string, server: Program, browser: Browser, wire: Wire) {
    this.#port = port;
    this.#folder = folder;
    this.#server = server;
    this.#browser = browser;
    this.wire = wire;
  }

  /** The page's address, through the wire. */
  get address(): string {
    return `http://127.0.0.1:${this.wire.port}/`;
  }

  /** A browser of its own, such as another person has: no storage shared with the others. */
  async visit(options: BrowserContextOptions = {}): Promise<Visit> {
    const context = await this.#browser.newContext(options);
    const page = await context.newPage();
    const complaints = await listenForComplaints(page);
    await page.goto(this.address);
    return { page, complaints, leave: () => context.close() };
  }

  /** Calls an operators' endpoint and returns its answer. */
  async operate(path: string, body: object = {}): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${this.#port}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${await operator(this.#secret)}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return await response.json();
  }

  /** Drains the server and starts it again on the same database; with another secret, it takes no token of before. */
  async restartServer(secret = this.#secret): Promise<void> {
    await this.#server.stop(START_MS);
    this.#secret = secret;
    this.#server = await startServer(this.#port, this.#folder, secret);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.wire.close();
    await this.#server.stop(START_MS);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export interface Visit {
  page: Page;
  /** What the page has complained of so far: errors on the console, uncaught ones, and breaches of the content policy. */
  complaints: string[];
  leave(): Promise<void>;
}

const operator = (secret: string): Promise<string> => operatorToken(new Tokens(secret, systemClock));

async function startServer(port: number, folder: string, secret: string): Promise<Program> {
  const server = await startProcess("src/index.ts", {
    env: {
      NODE_ENV: "development",
      PORT: String(port),
      DATABASE_URL: `sqlite:${join(folder, "ringmaster.sqlite")}`,
      JWT_SECRET: secret,
      DEMO: "true",
    },
  });
  const isReady = async (): Promise<boolean> => {
    if (server.exit) throw new Error(`the server ended:\n${server.tail()}`);
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  };
  await until(isReady, { timeoutMs: START_MS, what: "the server is ready" });
  return server;
}

async function listenForComplaints(page: Page): Promise<string[]> {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.exposeFunction("complainOfPolicy", (what: string) => complaints.push(what));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      const complain = (globalThis as unknown as { complainOfPolicy(what: string): void }).complainOfPolicy;
      complain(`policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return complaints;
}
