import type { Redis } from "ioredis";
import { Coalescer } from "../runtime/Coalescer.ts";
import { assertPlayer, assertTime } from "../runtime/inputs.ts";
import { RedisRun } from "../runtime/RedisRun.ts";
import { LuaScript } from "../runtime/redis.ts";
import { allKeys, type StagedKeys, StagedLoad, stagedKeys } from "../runtime/StagedLoad.ts";
import type {
  ClaimDecision,
  ClaimRequest,
  ClueLedger,
  DepartDecision,
  ExpireDecision,
  GiveBackDecision,
  GiveBackRequest,
  GiveUpRequest,
  HuntKey,
  IssueDecision,
  LedgerMissing,
  LedgerPaused,
  LedgerRules,
  LedgerSnapshot,
  LedgerView,
  SolveDecision,
  SolveRequest,
  StandingAnswer,
  Undecided,
} from "./ClueLedger.ts";
import { assertLedgerRules, LEDGER_STEP } from "./ledgerRules.ts";
import { rebuild } from "./rebuild.ts";
import * as wire from "./wire.ts";

const DECIDE = new LuaScript(
  new URL("./decide.lua", import.meta.url),
  ...["templates", "pool", "assignments", "queue", "requests", "batch"].map(
    (part) => new URL(`./decide/${part}.lua`, import.meta.url),
  ),
);
const POSITIONS = new LuaScript(new URL("./positions.lua", import.meta.url));
const PAUSE = new LuaScript(new URL("./pause.lua", import.meta.url));
const READ = new LuaScript(new URL("./read.lua", import.meta.url));
const STANDING = new LuaScript(new URL("./standing.lua", import.meta.url));
const LOAD_STAGE = new LuaScript(new URL("./loadStage.lua", import.meta.url));

/** The order is that of KEYS in `decide.lua`, behind meta. */
const COLLECTIONS = ["players", "returned", "templates", "expiry", "waiting", "waiters", "scores"] as const;
/** Players, returned instances and the like a call of `loadStage.lua`: some milliseconds of Redis. */
const STAGE_CHUNK = 500;

const MISSING: LedgerMissing = { kind: "missing" };
const PAUSED: LedgerPaused = { kind: "paused" };

interface Pending {
  rules: LedgerRules;
  pauses: number;
  request: wire.DecideRequest;
}

/** The epoch of the batch and the answer within it, or why there is none. */
type Reply = { epoch: number; answer: wire.DecideAnswer } | Undecided;

/**
 * The ledger in Redis, shared by all nodes. Claims and solves of one hunt that come in one turn of the event loop share a call.
 *
 * Memory in Redis, a hunt: one record a player (name, total, open and last closed assignment, a bit a template; some 170 bytes, and
 * for each template that they have tried in vain, a number and at most `attempts - 1` instances), one entry a scorer, an open
 * assignment, a waiting claim and a returned instance, and, of a template, four numbers and four bits. Nothing grows with the assignments that
 * were ever given.
 *
 * It belongs to one run of the server (`RedisRun`, which also says what `redis` must be).
 */
export class RedisClueLedger implements ClueLedger {
  readonly #run: RedisRun;
  readonly #coalescer: Coalescer<Pending, Reply>;
  readonly #standings: Coalescer<string, LedgerMissing | StandingAnswer>;

  constructor(redis: Redis) {
    this.#run = new RedisRun(redis);
    this.#coalescer = new Coalescer({ batch: (huntId, pending) => this.#decide(huntId, pending) });
    this.#standings = new Coalescer({ batch: (huntId, players) => this.#standingsOf(huntId, players) });
  }

  async claim(hunt: HuntKey, request: ClaimRequest): Promise<ClaimDecision> {
    assertPlayer(request.playerId, request.playerName);
    assertTime(request.now);
    const reply = await this.#ask(hunt, wire.claimRequest(request));
    return "kind" in reply ? reply : wire.claimDecision(reply.epoch, reply.answer as wire.ClaimAnswer);
  }

  async solve(hunt: HuntKey, request: SolveRequest): Promise<SolveDecision> {
    assertPlayer(request.playerId);
    assertTime(request.now);
    const reply = await this.#ask(hunt, wire.solveRequest(hunt.rules, request));
    if ("kind" in reply) return reply;
    return wire.solveDecision(hunt.rules, reply.epoch, reply.answer as wire.SolveAnswer);
  }

  async giveBack(hunt: HuntKey, request: GiveBackRequest): Promise<GiveBackDecision> {
    return await this.#revoke(hunt, request, wire.giveBackRequest(request));
  }

  async giveUp(hunt: HuntKey, request: GiveUpRequest): Promise<GiveBackDecision> {
    return await this.#revoke(hunt, request, ["giveUp", request.playerId, request.token, request.now]);
  }

  async #revoke(
    hunt: HuntKey,
    request: GiveBackRequest | GiveUpRequest,
    asked: wire.DecideRequest,
  ): Promise<GiveBackDecision> {
    assertPlayer(request.playerId);
    assertTime(request.now);
    const reply = await this.#ask(hunt, asked);
    if ("kind" in reply) return reply;
    return wire.solveDecision(hunt.rules, reply.epoch, reply.answer as wire.SolveAnswer) as GiveBackDecision;
  }

  async issue(hunt: HuntKey, issued: number, now: number): Promise<Undecided | IssueDecision> {
    assertTime(now);
    const upTo = Math.min(issued, hunt.rules.total);
    let sum: IssueDecision | undefined;
    do {
      try {
        const reply = await this.#ask(hunt, ["issue", upTo, now]);
        if ("kind" in reply) return sum ?? reply;
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

  async expire(hunt: HuntKey, now: number): Promise<Undecided | ExpireDecision> {
    assertTime(now);
    const reply = await this.#ask(hunt, ["expire", now]);
    return "kind" in reply ? reply : wire.expireDecision(reply.epoch, reply.answer as wire.ExpireAnswer);
  }

  async depart(hunt: HuntKey, playerId: string, token: string): Promise<Undecided | DepartDecision> {
    assertPlayer(playerId);
    const reply = await this.#ask(hunt, ["depart", playerId, token]);
    return "kind" in reply ? reply : { kind: "departed", isMarked: (reply.answer as wire.DepartAnswer)[1] };
  }

  async attend(hunt: HuntKey, playerId: string, nodeId: string): Promise<boolean> {
    assertPlayer(playerId);
    const reply = await this.#ask(hunt, ["attend", playerId, nodeId]);
    return !("kind" in reply) && (reply.answer as wire.AttendAnswer)[1];
  }

  async forget(hunt: HuntKey, playerId: string, nodeId: string, live: readonly string[]): Promise<void> {
    assertPlayer(playerId);
    await this.#ask(hunt, ["forget", playerId, nodeId, live]);
  }

  async sweep(
    hunt: HuntKey,
    live: readonly string[],
    { after, drop }: { after: number; drop: boolean },
  ): Promise<number | undefined> {
    const reply = await this.#ask(hunt, ["sweep", live, after, drop]);
    return ("kind" in reply ? undefined : (reply.answer as wire.SweepAnswer)[1]) || undefined;
  }

  async positions(hunt: HuntKey, playerIds: readonly string[]): Promise<number[] | undefined> {
    if (playerIds.length === 0) return [];
    const { meta, live } = keysOf(hunt.id);
    const keys = [meta, live[COLLECTIONS.indexOf("waiting")]!];
    const reply = await this.#run.call(POSITIONS, keys, [JSON.stringify(playerIds)]);
    return reply === null ? undefined : (reply as unknown[]).map(Number);
  }

  async read(hunt: HuntKey, top: number): Promise<LedgerView | undefined> {
    const reply = await this.#run.call(READ, liveKeys(hunt.id), [top]);
    return reply === null ? undefined : wire.ledgerView(JSON.parse(String(reply)));
  }

  async standing(hunt: HuntKey, playerId: string): Promise<LedgerMissing | StandingAnswer> {
    assertPlayer(playerId);
    return this.#standings.ask(hunt.id, playerId);
  }

  async #standingsOf(huntId: string, players: readonly string[]): Promise<(LedgerMissing | StandingAnswer)[]> {
    const [meta, ...live] = liveKeys(huntId);
    const reply = await this.#run.call(STANDING, [meta!, live[COLLECTIONS.indexOf("scores")]!], players);
    if (reply === null) return players.map(() => MISSING);
    return (reply as [number, number][]).map(([rank, points]) => ({ kind: "standing", rank: rank || null, points }));
  }

  async load(hunt: HuntKey, snapshot: LedgerSnapshot): Promise<boolean> {
    assertLedgerRules(hunt.rules);
    const rebuilt = await rebuild(hunt.rules, snapshot);
    const { epoch, issued, given: fresh, solved, solveSeq, players } = rebuilt;
    const { returned, fields, sets } = wire.stagedPool(hunt.rules, rebuilt);
    const load = new StagedLoad(this.#run, keysOf(hunt.id), epoch);
    if (!(await load.begin())) return false;
    const staged = [[...players].map(wire.stagedPlayer), returned, fields];
    for (const [at, items] of staged.entries()) {
      const argsOf = (chunk: unknown[]): string[] => staged.map((_, n) => JSON.stringify(n === at ? chunk : []));
      if (!(await load.stage<unknown>(LOAD_STAGE, items, STAGE_CHUNK, argsOf))) return false;
    }
    const counters = { issued, fresh, solved, solveSeq, waitSeq: 0, version: 1, pauses: hunt.pauses ?? 0 };
    return load.finish(
      staged.map(({ length }) => length),
      { ...counters, ...sets },
    );
  }

  async pause(hunt: Pick<HuntKey, "id">, count: number): Promise<void> {
    await this.#run.call(PAUSE, [keysOf(hunt.id).meta], [count]);
  }

  async drop(hunt: Pick<HuntKey, "id">): Promise<void> {
    await this.#run.unlink(allKeys(keysOf(hunt.id)));
  }

  /** Answers what was asked; then refuses. */
  async close(): Promise<void> {
    await Promise.all([this.#coalescer.close(), this.#standings.close()]);
    this.#run.close();
  }

  #ask(hunt: HuntKey, request: wire.DecideRequest): Promise<Reply> {
    return this.#coalescer.ask(hunt.id, { rules: hunt.rules, pauses: hunt.pauses ?? 0, request });
  }

  async #decide(huntId: string, pending: readonly Pending[]): Promise<Reply[]> {
    const { clueTtlMs, attempts, total, points, perPlayer = 0, cooldownMs = 0 } = pending[0]!.rules;
    const requests = JSON.stringify(pending.map(({ request }) => request));
    const rules = [clueTtlMs, attempts, total, LEDGER_STEP, points.length, perPlayer, cooldownMs];
    // Who asked first knows least.
    const args = [...rules, pending[0]!.pauses, requests];
    const reply = await this.#run.call(DECIDE, liveKeys(huntId), args);
    if (reply === null) return pending.map(() => MISSING);
    const [epoch, answers] = JSON.parse(String(reply)) as [number, wire.DecideAnswer[]?];
    return answers === undefined ? pending.map(() => PAUSED) : answers.map((answer) => ({ epoch, answer }));
  }
}

/** Keys of their own for each layout: a node of another version finds a hunt missing, never laid out otherwise. */
function keysOf(huntId: string): StagedKeys {
  return stagedKeys(`hunt3:${huntId}`, COLLECTIONS);
}

/** As the scripts `decide` and `read` take them. */
function liveKeys(huntId: string): string[] {
  const { meta, live } = keysOf(huntId);
  return [meta, ...live];
}
