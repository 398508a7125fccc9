import { RedisPresence } from "@colyseus/redis-presence";
import type { Redis, RedisOptions } from "ioredis";
import { sleep, systemClock } from "../../clock.ts";
import { RingmasterError } from "../../errors.ts";
import { LuaScript, whenReady } from "../../stores/runtime/redis.ts";
import { readRefusal, refusal } from "./refusal.ts";

const countScript = new LuaScript(new URL("./count.lua", import.meta.url));

/** Replies of one process to another's request come on a channel of this name and the request's id. */
const REPLIES = "ipc:";
/** Requests to a room, and to a process. Somebody always hears these, unless it is gone or not there yet. */
const REQUESTS = ["$", "p:"];
/** How often, and for how long, a request that nobody heard is published again, in milliseconds; it times out after 2000. */
const REPEAT_EVERY_MS = 50;
const REPEAT_FOR_MS = 1500;
/** `IpcProtocol.ERROR` of Colyseus, which does not export it. */
const IPC_ERROR = 1;

type Callback = (...args: unknown[]) => void;

/**
 * Colyseus's RedisPresence for when Redis is away. Colyseus calls it where nobody hears a rejection (in event listeners, in
 * timers, in the executor of a promise that then never settles), so these methods do not reject: a request between processes
 * times out as if its peer were gone, a subscription is made up for at the next connection, a number that is written
 * regularly is written the next time. What needs an answer (`get`, `hgetall`, …) still rejects.
 *
 * It must not use private `#fields`: Colyseus gives each room an object that merely inherits from this one.
 */
export class GuardedPresence extends RedisPresence {
  /** `client` must not queue while offline. It and the subscriber made from it belong to this presence. */
  constructor(client: Redis) {
    super(client);
    const subscriber = this.sub as Redis;
    // RedisPresence subscribes anew by itself; ioredis would do the same with nobody to hear of its failure
    subscriber.options.autoResubscribe = false;
    // they would log every attempt to connect; `connectRedis` logs the outage of `client`
    for (const each of [subscriber, client]) each.removeListener("error", each.listeners("error").at(-1) as Callback);
    subscriber.on("error", () => {});
  }

  /** Whether the subscriber's connection lives; a subscriber that is never asked would not notice that its peer vanished. */
  async pingSubscriber(): Promise<void> {
    await (this.sub as Redis).ping();
  }

  override async subscribe(topic: string, callback: Callback): Promise<this> {
    await super.subscribe(topic, topic.startsWith(REPLIES) ? typedReplies(callback) : callback).catch(() => {});
    return this;
  }

  override async unsubscribe(topic: string, callback?: Callback): Promise<this> {
    await super.unsubscribe(topic, callback).catch(() => {});
    return this;
  }

  /**
   * A request that nobody hears is published again for a while: Colyseus lists a room before it listens for it, and after
   * an outage a room can be listed again before its process listens again.
   */
  override async publish(topic: string, message: unknown): Promise<void> {
    const isRequest = REQUESTS.some((prefix) => topic.startsWith(prefix));
    const until = systemClock.monotonic() + (isRequest ? REPEAT_FOR_MS : 0);
    try {
      const text = JSON.stringify(message === undefined ? false : message);
      while ((await this.pub.publish(topic, text)) === 0 && systemClock.monotonic() < until) {
        await sleep(systemClock, REPEAT_EVERY_MS);
      }
    } catch {
      // Redis is away, or this cannot be written as JSON: the request times out, and a reply is missed
    }
  }

  override async hset(key: string, field: string, value: string): Promise<boolean> {
    return await super.hset(key, field, value).catch(() => false);
  }

  override async hdel(key: string, field: string): Promise<boolean> {
    return await super.hdel(key, field).catch(() => false);
  }

  /**
   * Colyseus counts in it which joins are creating a room, to have the next ones wait for that. In Colyseus's own, one end
   * of life is shared by all fields of a hash, so that what a killed process left can stay for as long as there are any joins.
   * The number is never below 0.
   */
  override async hincrbyex(key: string, field: string, value: number, seconds: number): Promise<number> {
    const count = countScript.run(
      this.pub as Redis,
      [key, `${key}:${field}`],
      [field, value, Math.ceil(seconds * 1000)],
    );
    return await count.then(Number, () => value);
  }

  /**
   * Colyseus's own asks on a connection that is not there yet, which ours refuse, and keeps that connection for good. Rejects
   * when Redis is away.
   */
  override async brpop(...args: [...keys: string[], timeoutInSeconds: number]): Promise<[string, string] | null> {
    const patient = { commandTimeout: undefined, socketTimeout: undefined, retryStrategy: () => null };
    const client = (this.pub as Redis).duplicate(patient as unknown as RedisOptions);
    client.on("error", () => {});
    try {
      await whenReady(client);
      return await client.brpop(...(args as [string, number]));
    } finally {
      client.disconnect();
    }
  }

  override shutdown(): void {
    (this.sub as Redis).disconnect();
    (this.pub as Redis).disconnect();
  }
}

/** What Colyseus throws for a room that was being created as its process began to shut down. */
const SHUTTING_DOWN = /^room '.*' not created: shutting down$/;

function readReply(message: string): RingmasterError | undefined {
  return SHUTTING_DOWN.test(message) ? refusal(new RingmasterError("draining")) : readRefusal(message);
}

/** Of an error, a reply holds the message alone. */
function typedReplies(callback: Callback): Callback {
  return (reply) => {
    const [code, message] = reply as [number, unknown];
    const typed = code === IPC_ERROR && typeof message === "string" ? readReply(message) : undefined;
    callback(typed === undefined ? reply : [code, typed]);
  };
}
