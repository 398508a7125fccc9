import { temporaryDirectory } from "../processes/guard.ts";
import { Program } from "../processes/Program.ts";
import { ContainerRunner } from "./compose.ts";
import { locateRedis } from "./locate.ts";
import { LocalRunner, onFreePort, PrivateServer, type Runner } from "./PrivateServer.ts";

export interface RedisOptions {
  /** Whether what is written survives `kill` and `restart`; without it, Redis comes back empty. */
  keepData?: boolean;
}

/** A private Redis that never evicts. */
export class RedisServer extends PrivateServer {
  /** `redis://127.0.0.1:<port>` */
  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }
}

/** Starts a private, empty Redis in some milliseconds. Rejects when there is none and none can be provided. */
export async function startRedis({ keepData = false }: RedisOptions = {}): Promise<RedisServer> {
  const located = await locateRedis();
  const appendOnly = ["--appendonly", keepData ? "yes" : "no", "--appendfsync", "always"];
  const settings = ["--save", "", ...appendOnly, "--maxmemory-policy", "noeviction"];
  return await onFreePort((port) => {
    const runner =
      located === "container"
        ? new ContainerRunner({ service: "redis", port, settings, password: "" })
        : localRedis(located, port, settings);
    return { runner, server: new RedisServer(port, runner) };
  });
}

function localRedis(command: string, port: number, settings: readonly string[]): Runner {
  const directory = temporaryDirectory("redis");
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory, ...settings];
  const launch = () => Program.start({ name: "redis-server", command, args });
  return new LocalRunner(directory, launch, /Ready to accept connections/);
}
