import type { RedisRun } from "./RedisRun.ts";
import { LuaScript, type ScriptArgument } from "./redis.ts";

const BEGIN = new LuaScript(new URL("./loadBegin.lua", import.meta.url));
const FINISH = new LuaScript(new URL("./loadFinish.lua", import.meta.url));

/** A load that was killed leaves what it staged for this long at most. */
const STAGE_TTL_MS = 120_000;

/**
 * Hot state is forgotten so long after it was loaded, and missing then: an event that lasts longer has it loaded anew. It is
 * dropped with its event; this is for the process that dies in between, so that nothing stays in a Redis that evicts nothing.
 */
const LIFETIME_MS = 30 * 24 * 3_600_000;

/** Where some hot state lives in Redis: all keys share a hash tag. */
export interface StagedKeys {
  /** HASH of the run, the epoch and the counters of what is live, and when that ends (`expiresAt`, epoch milliseconds). */
  meta: string;
  /** HASH of the run, the epoch and the token of the load that may stage. */
  ticket: string;
  live: readonly string[];
  /** The n-th replaces the n-th live one; one that is never staged leaves its live one empty. Whoever fills that must have it end at `expiresAt`. */
  staged: readonly string[];
}

/** The keys of `names` under a hash tag. */
export function stagedKeys(tag: string, names: readonly string[]): StagedKeys {
  return {
    meta: `{${tag}}:meta`,
    ticket: `{${tag}}:load`,
    live: names.map((name) => `{${tag}}:${name}`),
    staged: names.map((name) => `{${tag}}:load:${name}`),
  };
}

/** Every key of some hot state, staged ones included. */
export function allKeys({ meta, ticket, live, staged }: StagedKeys): string[] {
  return [meta, ticket, ...live, ...staged];
}

/**
 * Replaces hot state at once by what was staged beside it, however long that took. Of loads that run at once, the one of the
 * latest epoch wins, and of one epoch the one that began last; the others are told that they were overtaken.
 * Every method answers false when this load is overtaken or not needed, and rejects with `unavailable`.
 */
export class StagedLoad {
  readonly #run: RedisRun;
  readonly #keys: StagedKeys;
  readonly #epoch: number;
  readonly #token = crypto.randomUUID();

  constructor(run: RedisRun, keys: StagedKeys, epoch: number) {
    this.#run = run;
    this.#keys = keys;
    this.#epoch = epoch;
  }

  async begin(): Promise<boolean> {
    const { meta, ticket, staged } = this.#keys;
    return (await this.#run.call(BEGIN, [meta, ticket, ...staged], [this.#epoch, this.#token, STAGE_TTL_MS])) === 1;
  }

  /**
   * Stages `items`, at most `size` a call, by a script of the caller's. Its KEYS are the ticket and the staged collections; its ARGV
   * the run, the token that the ticket must name, the milliseconds after which all its keys expire, and what `argsOf` makes of a
   * chunk. It returns 1, or 0 when overtaken.
   */
  async stage<T>(
    script: LuaScript,
    items: Iterable<T> | AsyncIterable<T>,
    size: number,
    argsOf: (chunk: T[]) => readonly ScriptArgument[],
  ): Promise<boolean> {
    const { ticket, staged } = this.#keys;
    for await (const chunk of chunksOf(items, size)) {
      const args = [this.#token, STAGE_TTL_MS, ...argsOf(chunk)];
      if ((await this.#run.call(script, [ticket, ...staged], args)) !== 1) return false;
    }
    return true;
  }

  /** `sizes` are those of the first collections, as staged; `counters` the fields of meta beside those of every load. */
  async finish(sizes: readonly number[], counters: Readonly<Record<string, ScriptArgument>>): Promise<boolean> {
    const { meta, ticket, live, staged } = this.#keys;
    const args = [this.#token, this.#epoch, LIFETIME_MS, sizes.length, ...sizes, ...Object.entries(counters).flat()];
    return (await this.#run.call(FINISH, [meta, ticket, ...live, ...staged], args)) === 1;
  }
}

async function* chunksOf<T>(items: Iterable<T> | AsyncIterable<T>, size: number): AsyncGenerator<T[], void, undefined> {
  let chunk: T[] = [];
  for await (const item of items) {
    chunk.push(item);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
