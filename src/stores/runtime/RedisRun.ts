import type { Redis } from "ioredis";
import { RingmasterError } from "../../errors.ts";
import type { LuaScript, ScriptArgument } from "./redis.ts";

/**
 * Runs scripts on hot state, which belongs to the run of the Redis server that it was loaded into: after a restart or a failover
 * the data may be older than what was acknowledged, so it must count as missing and be rebuilt. Every script's first argument is
 * the id of the run that it must find.
 *
 * `redis` must be set to fail fast (as `connectRedis` does) and stays its owner's to close. What fails there rejects with
 * `unavailable`.
 */
export class RedisRun {
  readonly #redis: Redis;
  #runId: Promise<string> | undefined;

  constructor(redis: Redis) {
    this.#redis = redis;
    redis.on("close", this.#forget);
  }

  /** The script's reply, its strings as text. */
  call(script: LuaScript, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    return unavailableOnFailure(this.#id().then((runId) => script.run(this.#redis, keys, [runId, ...args])));
  }

  /** The script's reply, its strings as bytes. */
  callForBytes(script: LuaScript, keys: readonly string[], args: readonly ScriptArgument[]): Promise<unknown> {
    return unavailableOnFailure(this.#id().then((runId) => script.runForBytes(this.#redis, keys, [runId, ...args])));
  }

  async unlink(keys: readonly string[]): Promise<void> {
    await unavailableOnFailure(this.#redis.unlink(...keys));
  }

  close(): void {
    this.#redis.off("close", this.#forget);
  }

  /** The run of the server at the other end of this very connection. */
  #id(): Promise<string> {
    if (this.#runId !== undefined) return this.#runId;
    const asked = this.#redis.info("server").then((info) => {
      const runId = /^run_id:(\w+)/m.exec(info)?.[1];
      if (runId === undefined) throw new Error("INFO names no run_id");
      return runId;
    });
    asked.catch(() => {
      if (this.#runId === asked) this.#runId = undefined;
    });
    this.#runId = asked;
    return asked;
  }

  readonly #forget = (): void => {
    this.#runId = undefined;
  };
}

async function unavailableOnFailure<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw new RingmasterError("unavailable", undefined, undefined, { cause: error });
  }
}
