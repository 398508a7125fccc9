import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Guarded, guard, release } from "../processes/guard.ts";
import type { Runner } from "./PrivateServer.ts";

const run = promisify(execFile);
const FILE = fileURLToPath(new URL("compose.yml", import.meta.url));

/** An engine that does not say a word in this time is not there. */
const ANSWER_TIMEOUT_MS = 10_000;

/** A service of `compose.yml`. */
export type Service = "redis" | "mariadb";

/** Whether `docker compose` is there and its engine answers; then the image of `service` is fetched, if it can be. */
export async function composeProvides(service: Service): Promise<boolean> {
  try {
    await run("docker", ["compose", "version"], { timeout: ANSWER_TIMEOUT_MS });
    await run("docker", ["info"], { timeout: ANSWER_TIMEOUT_MS });
  } catch {
    return false;
  }
  process.stderr.write(`[servers] running ${service} in a container; fetching its image\n`);
  // Without a network, an image that is on the machine already does.
  await run("docker", ["compose", "--file", FILE, "pull", service]).catch(() => undefined);
  return true;
}

export interface ContainerOptions {
  service: Service;
  /** The loopback port of this machine on which it is published. */
  port: number;
  /** The server's own arguments. */
  settings: readonly string[];
  password: string;
}

/** Runs a server of `compose.yml` in a container, in a compose project of its own. */
export class ContainerRunner implements Runner {
  readonly #options: ContainerOptions;
  readonly #compose: string[];
  readonly #removal: Guarded;

  constructor(options: ContainerOptions) {
    this.#options = options;
    const project = `ringmaster-${options.service}-${randomBytes(6).toString("hex")}`;
    this.#compose = ["compose", "--project-name", project, "--file", FILE];
    this.#removal = {
      kind: "undo",
      command: "docker",
      args: [...this.#compose, "down", "--volumes", "--timeout", "0"],
    };
  }

  async start(): Promise<void> {
    guard(this.#removal);
    await this.#docker("up", "--detach", "--wait", this.#options.service);
  }

  async kill(): Promise<void> {
    await this.#docker("kill", this.#options.service);
  }

  async freeze(): Promise<void> {
    await this.#docker("pause", this.#options.service);
  }

  async thaw(): Promise<void> {
    await this.#docker("unpause", this.#options.service);
  }

  async terminate(): Promise<void> {
    await this.#docker("stop", this.#options.service);
  }

  async discard(): Promise<void> {
    await this.#docker("down", "--volumes", "--timeout", "0");
    release(this.#removal);
  }

  async #docker(...args: string[]): Promise<void> {
    const { port, settings, password } = this.#options;
    const command = settings.map((setting) => `'${setting}'`).join(" ");
    const env = { SERVER_PORT: String(port), SERVER_ARGUMENTS: command, SERVER_PASSWORD: password };
    await run("docker", [...this.#compose, ...args], { env: { ...process.env, ...env } });
  }
}
