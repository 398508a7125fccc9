import { freePort } from "../processes/freePort.ts";
import { removeDirectory } from "../processes/guard.ts";
import type { Program } from "../processes/Program.ts";

/** Long enough for a database to write back what it holds in memory. */
const GRACE_MS = 20_000;

const PORT_ATTEMPTS = 5;

/** How a server is run: as a program of this machine, or in a container. */
export interface Runner {
  /** Starts it on the data it has, and resolves when it accepts connections. */
  start(): Promise<void>;
  /** SIGKILL. Resolves when it is gone. */
  kill(): Promise<void>;
  /** It stands still, holding its connections, until `thaw`. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Has it shut down in order. Does nothing when it is not running. */
  terminate(): Promise<void>;
  /** SIGKILL when it is running, and all of its data go. */
  discard(): Promise<void>;
}

/** A server that belongs to this process alone, on a loopback port of its own. It cannot outlive this process. */
export class PrivateServer {
  readonly port: number;
  readonly #runner: Runner;

  constructor(port: number, runner: Runner) {
    this.port = port;
    this.#runner = runner;
  }

  /** SIGKILL, with what that does to its data; resolves when it is gone. */
  kill(): Promise<void> {
    return this.#runner.kill();
  }

  /** SIGSTOP: its connections stay, and nobody answers on them until `thaw`. */
  freeze(): Promise<void> {
    return this.#runner.freeze();
  }

  thaw(): Promise<void> {
    return this.#runner.thaw();
  }

  /** Starts it again on the same port, after an orderly shutdown when it is running; resolves when it accepts connections. */
  async restart(): Promise<void> {
    await this.#runner.terminate();
    await this.#runner.start();
  }

  /** Ends it for good and removes its data. */
  stop(): Promise<void> {
    return this.#runner.discard();
  }
}

/**
 * Starts a server on a free port. Another process can take the port between the look and the start, so a start that
 * fails for that is tried on another one.
 */
export async function onFreePort<S extends PrivateServer>(
  make: (port: number) => { runner: Runner; server: S },
): Promise<S> {
  for (let attempt = 1; ; attempt += 1) {
    const { runner, server } = make(await freePort());
    try {
      await runner.start();
      return server;
    } catch (error) {
      await runner.discard();
      if (attempt === PORT_ATTEMPTS || !/already (in use|allocated)/i.test(String(error))) throw error;
    }
  }
}

/** Runs a server as a program of this machine, with its data in `directory`. */
export class LocalRunner implements Runner {
  readonly #directory: string;
  readonly #launch: () => Promise<Program>;
  readonly #isReady: RegExp;
  #program: Program | undefined;

  /** A line of output that matches `isReady` tells that the launched program accepts connections. */
  constructor(directory: string, launch: () => Promise<Program>, isReady: RegExp) {
    this.#directory = directory;
    this.#launch = launch;
    this.#isReady = isReady;
  }

  async start(): Promise<void> {
    const program = await this.#launch();
    this.#program = program;
    try {
      await program.line("accepting connections", (line) => this.#isReady.test(line) || undefined);
    } catch (error) {
      await program.kill();
      throw error;
    }
  }

  async kill(): Promise<void> {
    await this.#program?.kill();
  }

  async freeze(): Promise<void> {
    this.#program?.signal("SIGSTOP");
  }

  async thaw(): Promise<void> {
    this.#program?.signal("SIGCONT");
  }

  async terminate(): Promise<void> {
    await this.#program?.stop(GRACE_MS);
  }

  async discard(): Promise<void> {
    await this.kill();
    removeDirectory(this.#directory);
  }
}
