import type { Redis } from "ioredis";
import { RingmasterError } from "../../errors.ts";
import { Coalescer } from "../runtime/Coalescer.ts";
import { LuaScript } from "../runtime/redis.ts";
import type {
  ClaimDecision,
  ClaimRequest,
  ClueLedger,
  ExpireDecision,
  HuntKey,
  IssueDecision,
  LedgerMissing,
  LedgerRules,
  LedgerSnapshot,
  LedgerView,
  SolveDecision,
  SolveRequest,
} from "./ClueLedger.ts";
import { assertLedgerRules, assertPlayer, assertTime, LEDGER_STEP } from "./ledgerRules.ts";
import { rebuild } from "./rebuild.ts";
import * as wire from "./wire.ts";

const DECIDE = new LuaScript(new URL("./decide.lua", import.meta.url));
const READ = new LuaScript(new URL("./read.lua", import.meta.url));
const LOAD_BEGIN = new LuaScript(new URL("./loadBegin.lua", import.meta.url));
const LOAD_STAGE = new LuaScript(new URL("./loadStage.lua", import.meta.url));
const LOAD_FINISH = new LuaScript(new URL("./loadFinish.lua", import.meta.url));

/** The order is that of KEYS in `decide.lua`. */
const LIVE_KEYS = ["meta", "players", "returned", "expiry", "waiting", "waiters", "scores"] as const;
/** The order is that of KEYS in `loadStage.lua`. */
const STAGED_KEYS = ["load", "load:players", "load:returned", "load:expiry", "load:scores"] as const;
/** Players or returned instances a call of `loadStage.lua`: some milliseconds of Redis. */
const STAGE_CHUNK = 500;
/** A load that was killed leaves what it staged for this long at most. */
const STAGE_TTL_MS = 120_000;

const MISSING: LedgerMissing = { kind: "missing" };

interface Pending {
  rules: LedgerRules;
  request: wire.DecideRequest;
}

/** The epoch of the batch and the answer within it; `undefined` when the hunt is missing. */
type Reply = { epoch: number; answer: wire.DecideAnswer } | undefined;

/**
 * The ledger in Redis, shared by all nodes. Claims and solves of one hunt that come in one turn of the event loop share a call.
 *
 * Memory in Redis, a hunt: one record a player (name, total, open and last closed assignment; some 150 bytes), one entry a scorer,
 * an open assignment, a waiting claim and a returned instance. Nothing grows with the assignments that were ever given.
 *
 * Hot state belongs to the run of the Redis server that it was loaded into: after a restart or a failover the data may be
 * older than what was acknowledged, so it counts as missing and is rebuilt.
 *
 * `redis` must be set to fail fast (`enableOfflineQueue: false, maxRetriesPerRequest: 1, autoResendUnfulfilledCommands: false`
 * and a `commandTimeout`) and stays its owner's to close. What fails there rejects with `unavailable`.
 */
export class RedisClueLedger implements ClueLedger {
  readonly #redis: Redis;
  readonly #coalescer: Coalescer<Pending, Reply>;
  #runId: Promise<string> | undefined;

  constructor(redis: Redis) {
    this.#redis = redis;
    this.#coalescer = new Coalescer({ batch: (huntId, pending) => this.#decide(huntId, pending) });
    redis.on("close", this.#forgetRun);
  }

  async claim(hunt: HuntKey, request: ClaimRequest): Promise<ClaimDecision> {
    assertPlayer(request.playerId, request.playerName);
    assertTime(request.now);
    const reply = await this.#ask(hunt, wire.claimRequest(request));
    return reply === undefined ? MISSING : wire.claimDecision(reply.epoch, reply.answer as wire.ClaimAnswer);
  }

  async solve(hunt: HuntKey, request: SolveRequest): Promise<SolveDecision> {
    assertPlayer(request.playerId);
    assertTime(request.now);
    const reply = await this.#ask(hunt, wire.solveRequest(hunt.rules, request));
    if (reply === undefined) return MISSING;
    return wire.solveDecision(hunt.rules, reply.epoch, reply.answer as wire.SolveAnswer);
  }

  async issue(hunt: HuntKey, issued: number, now: number): Promise<LedgerMissing | IssueDecision> {
    assertTime(now);
    const upTo = Math.min(issued, hunt.rules.total);
    let sum: IssueDecision | undefined;
    do {
      try {
        const reply = await this.#ask(hunt, ["issue", upTo, now]);
        if (reply === undefined) return sum ?? MISSING;
        const step = wire.issueDecision(reply.epoch, reply.answer as wire.IssueAnswer);
        sum = { ...step, served: [...(sum?.served ?? []), ...step.served] };
      } catch (error) {
        // The rows of those who were served before must reach the database all the same.
        if (sum === undefined) throw error;
        return sum;
      }
    } while (sum.issued < upTo);
    return sum;
  }

  async expire(hunt: HuntKey, now: number): Promise<LedgerMissing | ExpireDecision> {
    assertTime(now);
    const reply = await this.#ask(hunt, ["expire", now]);
    return reply === undefined ? MISSING : wire.expireDecision(reply.epoch, reply.answer as wire.ExpireAnswer);
  }

  async forget(hunt: HuntKey, playerId: string, nodeId: string): Promise<void> {
    assertPlayer(playerId);
    await this.#ask(hunt, ["forget", playerId, nodeId]);
  }

  async read(hunt: HuntKey, top: number): Promise<LedgerView | undefined> {
    const reply = await this.#call(READ, keysOf(hunt.id, LIVE_KEYS), [top]);
    return reply === null ? undefined : wire.ledgerView(JSON.parse(String(reply)));
  }

  async load(hunt: HuntKey, snapshot: LedgerSnapshot): Promise<boolean> {
    assertLedgerRules(hunt.rules);
    const rebuilt = await rebuild(snapshot);
    const { epoch, issued, fresh, solved, solveSeq, returned, players } = rebuilt;
    const token = crypto.randomUUID();
    const live = keysOf(hunt.id, LIVE_KEYS);
    const staged = keysOf(hunt.id, STAGED_KEYS);
    if ((await this.#call(LOAD_BEGIN, [live[0]!, ...staged], [epoch, token, STAGE_TTL_MS])) !== 1) return false;
    for (const chunk of chunks([...players].map(wire.stagedPlayer))) {
      const args = [token, STAGE_TTL_MS, JSON.stringify(chunk), "[]"];
      if ((await this.#call(LOAD_STAGE, staged, args)) !== 1) return false;
    }
    for (const chunk of chunks(returned.map(({ instance, generation }) => [instance, generation]))) {
      const args = [token, STAGE_TTL_MS, "[]", JSON.stringify(chunk)];
      if ((await this.#call(LOAD_STAGE, staged, args)) !== 1) return false;
    }
    const counts = [token, epoch, issued, fresh, solved, solveSeq, players.size, returned.length];
    return (await this.#call(LOAD_FINISH, [...live, ...staged], counts)) === 1;
  }

  async drop(hunt: HuntKey): Promise<void> {
    await unavailableOnFailure(this.#redis.unlink(...keysOf(hunt.id, [...LIVE_KEYS, ...STAGED_KEYS])));
  }

  /** Answers what was asked; then refuses. */
  async close(): Promise<void> {
    await this.#coalescer.close();
    this.#redis.off("close", this.#forgetRun);
  }

  #ask(hunt: HuntKey, request: wire.DecideRequest): Promise<Reply> {
    return this.#coalescer.ask(hunt.id, { rules: hunt.rules, request });
  }

  async #decide(huntId: string, pending: readonly Pending[]): Promise<Reply[]> {
    const { clueTtlMs, attempts, total } = pending[0]!.rules;
    const requests = JSON.stringify(pending.map(({ request }) => request));
    const reply = await this.#call(DECIDE, keysOf(huntId, LIVE_KEYS), [
      clueTtlMs,
      attempts,
      total,
      LEDGER_STEP,
      requests,
    ]);
    if (reply === null) return pending.map(() => undefined);
    const [epoch, answers] = JSON.parse(String(reply)) as [number, wire.DecideAnswer[]];
    return answers.map((answer) => ({ epoch, answer }));
  }

  /** Every script's first argument is the run that it must find. */
  async #call(script: LuaScript, keys: string[], args: (string | number)[]): Promise<unknown> {
    return unavailableOnFailure(this.#run().then((runId) => script.run(this.#redis, keys, [runId, ...args])));
  }

  /** The run of the server at the other end of this very connection. */
  #run(): Promise<string> {
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

  readonly #forgetRun = (): void => {
    this.#runId = undefined;
  };
}

function keysOf(huntId: string, names: readonly string[]): string[] {
  return names.map((name) => `{hunt:${huntId}}:${name}`);
}

function* chunks<T>(items: Iterable<T>): Generator<T[]> {
  let chunk: T[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length < STAGE_CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

async function unavailableOnFailure<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw new RingmasterError("unavailable", undefined, undefined, { cause: error });
  }
}
