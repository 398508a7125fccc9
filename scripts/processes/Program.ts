import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Backlog } from "./Backlog.ts";
import { guard, release } from "./guard.ts";

export interface ProgramOptions {
  /** What messages call it. */
  name: string;
  command: string;
  args: readonly string[];
  /** The whole environment, not additions; this process's own unless given. */
  env?: NodeJS.ProcessEnv;
  /** Opens a channel for `send` and `message`. */
  ipc?: boolean;
}

/** How a program ended: by its own exit code, or by a signal. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** How many of its last lines an error quotes. */
const QUOTED_LINES = 30;

/** Generous, since a machine that runs a whole test suite can be slow to start a server. */
const DEADLINE_MS = 30_000;

/**
 * A child process that cannot outlive this one. It leads a process group of its own, so a signal reaches its children
 * too, and a Ctrl-C at the terminal reaches neither: who started it decides in which order things end.
 */
export class Program {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the program has ended and its output is read. */
  readonly exited: Promise<Exit>;
  /** How it ended; `undefined` while it runs. */
  exit: Exit | undefined;
  readonly #child: ChildProcess;
  readonly #lines = new Backlog<string>();
  readonly #messages = new Backlog<unknown>();

  /** Starts it; rejects when it cannot be executed. */
  static async start({ name, command, args, env = process.env, ipc = false }: ProgramOptions): Promise<Program> {
    const child = spawn(command, args, {
      env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe", ...(ipc ? ["ipc" as const] : [])],
      serialization: "advanced",
    });
    await once(child, "spawn");
    return new Program(name, child);
  }

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.pid = child.pid!;
    this.#child = child;
    guard({ kind: "group", pid: this.pid });
    for (const output of [child.stdout!, child.stderr!]) {
      createInterface({ input: output }).on("line", (line) => this.#lines.push(line));
    }
    child.on("message", (message) => this.#messages.push(message));
    this.exited = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        this.exit = { code, signal };
        release({ kind: "group", pid: this.pid });
        resolve(this.exit);
      });
    });
  }

  /** Calls `listener` with each further line of output and errors; the returned function ends that. */
  onLine(listener: (line: string) => void): () => void {
    return this.#lines.follow(listener);
  }

  /** The same with each further message that it sends. */
  onMessage(listener: (message: unknown) => void): () => void {
    return this.#messages.follow(listener);
  }

  /**
   * Waits for a line of output, the last 500 past ones included, for which `pick` returns something other than
   * `undefined`, and returns that. Rejects, with the last lines quoted, when the program ends or the time passes first.
   * `what` completes the sentence "it ended without …".
   */
  line<T>(what: string, pick: (line: string) => T | undefined, timeoutMs = DEADLINE_MS): Promise<T> {
    return this.#await(this.#lines, what, pick, timeoutMs);
  }

  /** The same for messages that it sends by `process.send`, when started with `ipc`. */
  message<T>(what: string, pick: (message: unknown) => T | undefined, timeoutMs = DEADLINE_MS): Promise<T> {
    return this.#await(this.#messages, what, pick, timeoutMs);
  }

  /** Sends it a message over the channel of `ipc`. */
  send(message: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#child.send(message as object, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Sends a signal to its group, also when only children of it are left; does nothing once all have ended. */
  signal(signal: NodeJS.Signals): void {
    if (this.exit !== undefined) return;
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  /** Closes what its output and errors go to, as a reader does that ends before it. */
  stopReading(): void {
    this.#child.stdout!.destroy();
    this.#child.stderr!.destroy();
  }

  /** SIGKILL, also while it is stopped; resolves when it is gone. */
  kill(): Promise<Exit> {
    this.signal("SIGKILL");
    return this.exited;
  }

  /** SIGTERM, and SIGKILL when it has not ended `graceMs` later. */
  async stop(graceMs: number): Promise<Exit> {
    this.signal("SIGTERM");
    const timer = setTimeout(() => this.signal("SIGKILL"), graceMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Its last 30 lines of output, for a person to read. */
  tail(): string {
    return this.#lines.values.slice(-QUOTED_LINES).join("\n");
  }

  async #await<V, T>(
    backlog: Backlog<V>,
    what: string,
    pick: (value: V) => T | undefined,
    timeoutMs: number,
  ): Promise<T> {
    for (const value of backlog.values) {
      const picked = pick(value);
      if (picked !== undefined) return picked;
    }
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const unfollow = backlog.follow((value) => {
      const picked = pick(value);
      if (picked !== undefined) resolve(picked);
    });
    const give = (how: string): void =>
      reject(new Error(`${this.name} (pid ${this.pid}) ${how} without ${what}; its last lines:\n${this.tail()}`));
    const timer = setTimeout(() => give(`has run ${timeoutMs} ms`), timeoutMs);
    void this.exited.then(({ code, signal }) => give(`ended with ${signal ?? `exit code ${code}`}`));
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      unfollow();
    }
  }
}
