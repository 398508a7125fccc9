import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { basename } from "node:path";
import { Redis, type RedisOptions } from "ioredis";
import type { Logger } from "pino";
import { systemClock, systemRng } from "../../clock.ts";
import { ConfigError } from "../../config.ts";
import { inSpan, type SpanStart } from "../../tracing.ts";

/** What this file needs of a logger. */
export type RedisLogger = Pick<Logger, "info" | "warn">;

/** A command that has no reply after this long fails; whether it took effect is then unknown. Above any pause of a healthy server. */
const COMMAND_TIMEOUT_MS = 2000;
/** A socket that owes a reply for this long is taken for dead and opened anew: a peer that vanished sends no FIN. */
const SOCKET_TIMEOUT_MS = 5000;
/** The longest pause between two attempts to connect: every client is back well within a second of its server. */
const RETRY_CAP_MS = 500;
const FIRST_RETRY_MS = 50;
/** An outage makes every attempt fail; one line in this time tells as much. */
const LOG_INTERVAL_MS = 10_000;

/** Quick and capped, with jitter so that a cluster's clients do not come back in step. In milliseconds. */
export function retryDelay(attempt: number): number {
  const ceiling = Math.min(RETRY_CAP_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 10));
  return ceiling / 2 + systemRng.next() * (ceiling / 2);
}

/**
 * A client for everything that matters. It never queues while the server is away and never sends a command twice: a call
 * fails at once, or within two seconds, and its caller decides. It connects by itself and comes back by itself; use
 * `whenReady` before the first command, and `disconnect()` to end it.
 */
export function connectRedis(url: string, purpose: string, logger?: RedisLogger): Redis {
  return open(url, purpose, logger, { commandTimeout: COMMAND_TIMEOUT_MS, socketTimeout: SOCKET_TIMEOUT_MS });
}

/**
 * The same for a connection that subscribes. Its ready check is off: the INFO that it sends is refused on a subscribed connection.
 * What it subscribed to is its owner's to subscribe to again, and so is a look now and then (`ping`) whether it is dead: a connection
 * that only listens is owed no reply.
 */
export function connectSubscriber(url: string, purpose: string, logger?: RedisLogger): Redis {
  return open(url, purpose, logger, {
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    enableReadyCheck: false,
    autoResubscribe: false,
  });
}

function open(url: string, purpose: string, logger: RedisLogger | undefined, options: RedisOptions): Redis {
  const client = new Redis(url, {
    ...options,
    connectionName: `ringmaster:${purpose}`,
    enableOfflineQueue: false,
    // 0 fails what is in flight as soon as the socket closes; with 1 and a server that is back at the first attempt, ioredis
    // drops it without ever settling its promise
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: retryDelay,
  });
  repairOnReconnect(client);
  logOutages(client, purpose, logger);
  return client;
}

/**
 * Works around two faults of ioredis 5.11, in the client and its duplicates. It keeps the timer of a socket that closed while it owed
 * a reply, and then destroys the healthy successor. And without a ready check (as subscribers have it), a client whose socket
 * closes during the greeting is declared ready all the same, and then refuses to connect ever again.
 */
function repairOnReconnect(client: Redis): void {
  const internals = client as unknown as { socketTimeoutTimer: NodeJS.Timeout | undefined; stream: Socket };
  client.on("close", () => {
    clearTimeout(internals.socketTimeoutTimer);
    internals.socketTimeoutTimer = undefined;
  });
  client.on("ready", () => {
    // the attempt to reconnect is scheduled already, and looks at this
    if (internals.stream.destroyed) client.status = "reconnecting";
  });
  client.duplicate = (override) => {
    const duplicate = Redis.prototype.duplicate.call(client, override);
    repairOnReconnect(duplicate);
    return duplicate;
  };
}

/**
 * Logs that a client lost its server, and its return. An `error` event without a listener would end the process.
 * Only the message is logged: the error of a refused AUTH carries the password among its arguments.
 */
function logOutages(client: Redis, purpose: string, logger: RedisLogger | undefined): void {
  let quietUntil = 0;
  let away = false;
  const tell = (reason: string): void => {
    away = true;
    if (systemClock.monotonic() < quietUntil) return;
    quietUntil = systemClock.monotonic() + LOG_INTERVAL_MS;
    logger?.warn({ purpose, reason }, "Redis is out of reach");
  };
  client.on("error", (error: Error) => tell(error.message));
  client.on("close", () => {
    if (client.status !== "end") tell("the connection was closed");
  });
  client.on("ready", () => {
    if (away) logger?.info({ purpose }, "Redis is back");
    away = false;
  });
}

/** Resolves once the client takes commands. Rejects with a ConfigError that names no password when that takes longer than `ms`. */
export function whenReady(client: Redis, ms = 10_000): Promise<void> {
  if (client.status === "ready") return Promise.resolve();
  return new Promise((resolve, reject) => {
    let reason = "no answer";
    const onError = (error: Error): void => {
      reason = error.message;
    };
    const settle = (then: () => void) => (): void => {
      clearTimeout(timer);
      client.off("error", onError).off("ready", onReady).off("end", onEnd);
      then();
    };
    const fail = settle(() => reject(new ConfigError(`REDIS_URL: Redis is out of reach (${reason})`)));
    const timer = setTimeout(fail, ms);
    const onReady = settle(resolve);
    const onEnd = fail;
    client.on("error", onError).once("ready", onReady).once("end", onEnd);
  });
}

/**
 * Hot state must not be evicted: Redis has to refuse writes when it is full. Throws ConfigError in production, warns in
 * development. A server that tells nobody its policy is warned about.
 */
export async function checkEvictionPolicy(client: Redis, production: boolean, logger?: RedisLogger): Promise<void> {
  const policy = await readEvictionPolicy(client);
  if (policy === "noeviction") return;
  if (policy === undefined) {
    logger?.warn("This Redis does not tell its maxmemory-policy; make sure that it is noeviction");
    return;
  }
  const problem = `REDIS_URL: maxmemory-policy is ${policy}, which may drop the state of running events; set it to noeviction`;
  if (production) throw new ConfigError(problem);
  logger?.warn(problem);
}

/** Hosted servers often forbid CONFIG and still tell the policy in INFO. `undefined`: they tell it nowhere. */
async function readEvictionPolicy(client: Redis): Promise<string | undefined> {
  try {
    const reply = (await client.config("GET", "maxmemory-policy")) as string[];
    if (reply[1] !== undefined) return reply[1];
  } catch (error) {
    if (!isReplyError(error)) throw error;
  }
  try {
    return /^maxmemory_policy:(\S+)/m.exec(await client.info("memory"))?.[1];
  } catch (error) {
    if (!isReplyError(error)) throw error;
    return undefined;
  }
}

/** Whether the server answered with an error, so that the command certainly had no effect. */
export function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

export type ScriptArgument = string | number | Buffer;

/**
 * A Lua script: a file, or several behind each other, which share their locals; the first one names it. Runs by its digest, and by its
 * text when the server does not know it (yet, or any more).
 */
export class LuaScript {
  readonly #text: string;
  readonly #digest: string;
  readonly #span: () => SpanStart;

  /** Each of `files` as in `new URL("./name.lua", import.meta.url)`. */
  constructor(...files: readonly [URL, ...URL[]]) {
    this.#text = files.map((file) => readFileSync(file, "utf8")).join("");
    this.#digest = createHash("sha1").update(this.#text).digest("hex");
    const name = basename(files[0].pathname, ".lua");
    this.#span = () => ({ name: `script ${name}`, kind: "CLIENT", attributes: { "db.system.name": "redis" } });
  }

  /** The reply, its strings as text. */
  run(client: Redis, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    return inSpan(this.#span, () =>
      orElseByText(
        () => client.evalsha(this.#digest, keys.length, ...keys, ...args),
        () => client.eval(this.#text, keys.length, ...keys, ...args),
      ),
    );
  }

  /** The reply, its strings as bytes. */
  runForBytes(client: Redis, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    return inSpan(this.#span, () =>
      orElseByText(
        () => client.callBuffer("EVALSHA", this.#digest, keys.length, ...keys, ...args),
        () => client.callBuffer("EVAL", this.#text, keys.length, ...keys, ...args),
      ),
    );
  }
}

async function orElseByText(byDigest: () => Promise<unknown>, byText: () => Promise<unknown>): Promise<unknown> {
  try {
    return await byDigest();
  } catch (error) {
    if (!isReplyError(error) || !error.message.startsWith("NOSCRIPT")) throw error;
    return await byText();
  }
}
