import { Redis } from "ioredis";
import { Latencies, type LatencySummary } from "../../loadtest/runtime/Latencies.ts";
import { type Rng, seededRng, systemClock } from "../../src/clock.ts";
import type { ScoreOperator } from "../../src/entities/tournaments/Tournament.ts";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import {
  type BoardKey,
  type PlayerSnapshot,
  REMEMBERED,
  type ScoreEntry,
} from "../../src/stores/tournaments/Leaderboard.ts";
import { RedisLeaderboard } from "../../src/stores/tournaments/RedisLeaderboard.ts";
import { cpuSecondsOf } from "../runtime/usage.ts";

export interface SubmitsOptions {
  redisUrl: string;
  /** Who have a standing when it begins. */
  players: number;
  /** Submissions under way at a time. */
  callers: number;
  rounds: number;
  roundMs: number;
  seed: number;
}

/** What was measured for `roundMs`: every caller submits a random score of a random player again as soon as it has the rank. */
export interface SubmitRound {
  perSecond: number;
  /** From the submission to the rank. */
  latency: LatencySummary;
  /** CPU of Redis, and of this process, a submission. */
  redisMicros: number;
  nodeMicros: number;
}

/**
 * `last`: every submission moves its player, as every ZADD does. `best`: most change nothing. `bare`: ZADD and ZREVRANK, those of all
 * callers in one pipeline a turn of the event loop.
 */
export type SubmitSide = "last" | "best" | "bare";
export type SubmitsResult = Record<SubmitSide, SubmitRound[]>;

const SCORES = 1_000_000;
const BARE_KEY = "bare";
/** Players a call when the bare set is filled. */
const FILL = 1000;

/** Measures the leaderboard beside a bare sorted set of the same players, in turn, on the same Redis. */
export async function benchSubmits(options: SubmitsOptions): Promise<SubmitsResult> {
  const rng = seededRng(options.seed);
  const client = connectRedis(options.redisUrl, "bench");
  await whenReady(client);
  const bare = new Redis(options.redisUrl, { enableAutoPipelining: true });
  const leaderboard = new RedisLeaderboard(client);
  try {
    await fill(leaderboard, bare, options.players, rng);
    const redisPid = Number(/^process_id:(\d+)/m.exec(await client.info("server"))?.[1]);
    const sides: Record<SubmitSide, () => Promise<unknown>> = {
      last: submitTo(leaderboard, "last", options.players, rng),
      best: submitTo(leaderboard, "best", options.players, rng),
      bare: () => {
        const player = playerOf(Math.floor(rng.next() * options.players));
        return Promise.all([bare.zadd(BARE_KEY, scoreFrom(rng), player), bare.zrevrank(BARE_KEY, player)]);
      },
    };
    // the first calls of each are those of a cold compiler
    for (const submit of Object.values(sides))
      await measure(submit, { ...options, roundMs: options.roundMs / 4 }, redisPid);
    const result: SubmitsResult = { last: [], best: [], bare: [] };
    for (let round = 0; round < options.rounds; round += 1) {
      for (const side of ["last", "bare", "best"] as const) {
        result[side].push(await measure(sides[side], options, redisPid));
      }
    }
    return result;
  } finally {
    await leaderboard.close();
    client.disconnect();
    bare.disconnect();
  }
}

async function measure(
  submit: () => Promise<unknown>,
  { callers, roundMs }: SubmitsOptions,
  redisPid: number,
): Promise<SubmitRound> {
  const latencies = new Latencies();
  const [redisBefore, nodeBefore] = [cpuSecondsOf(redisPid), process.cpuUsage()];
  const begin = systemClock.monotonic();
  let last = begin;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (last - begin < roundMs) {
        const sent = systemClock.monotonic();
        await submit();
        last = systemClock.monotonic();
        latencies.record(last - sent);
      }
    }),
  );
  const latency = latencies.summary();
  const node = process.cpuUsage(nodeBefore);
  return {
    perSecond: (latency.count / (last - begin)) * 1000,
    latency,
    redisMicros: ((cpuSecondsOf(redisPid) - redisBefore) * 1e6) / latency.count,
    nodeMicros: (node.user + node.system) / latency.count,
  };
}

function submitTo(
  leaderboard: RedisLeaderboard,
  operator: ScoreOperator,
  players: number,
  rng: Rng,
): () => Promise<void> {
  const board = boardOf(operator);
  let submissions = 0;
  return async () => {
    submissions += 1;
    const player = Math.floor(rng.next() * players);
    const decision = await leaderboard.submit(board, {
      ...{ playerId: playerOf(player), playerName: `Player ${player}`, submissionId: `submission-${submissions}` },
      ...{ score: scoreFrom(rng), subscore: 0, now: systemClock.now(), isNew: true },
    });
    if (decision.kind !== "accepted") throw new Error(`a submission was answered with ${decision.kind}`);
  };
}

async function fill(leaderboard: RedisLeaderboard, bare: Redis, players: number, rng: Rng): Promise<void> {
  for (const operator of ["last", "best"] as const) {
    const snapshot = { epoch: 1, submissions: players * REMEMBERED, players: snapshots(players, rng) };
    await leaderboard.load(boardOf(operator), snapshot);
  }
  for (let from = 0; from < players; from += FILL) {
    const chunk = Array.from({ length: Math.min(FILL, players - from) }, (_, n) => playerOf(from + n));
    await bare.zadd(BARE_KEY, ...chunk.flatMap((player) => [scoreFrom(rng), player]));
  }
}

/** Each has made as many entries as are remembered, so that one more costs what it always will. */
function* snapshots(players: number, rng: Rng): Generator<PlayerSnapshot> {
  for (let player = 0; player < players; player += 1) {
    const best = scoreFrom(rng);
    const remembered = Array.from({ length: REMEMBERED }, (_, n): ScoreEntry => {
      const seq = n * players + player + 1;
      return {
        ...{ playerId: playerOf(player), playerName: `Player ${player}`, submissionId: `loaded-${n}`, entryNo: n + 1 },
        ...{ score: best, subscore: 0, best, bestSubscore: 0, seq, reachedSeq: player + 1, toldRank: 1 },
      };
    });
    yield { latest: remembered.at(-1)!, remembered };
  }
}

function boardOf(operator: ScoreOperator): BoardKey {
  const limits = { maxEntries: 100_000, maxSubmissions: Number.MAX_SAFE_INTEGER, submissionsPerMinute: 1_000_000 };
  return { id: `bench-${operator}`, rules: { operator, order: "desc", minScore: 0, maxScore: SCORES, ...limits } };
}

function playerOf(number: number): string {
  return `player-${number}`;
}

function scoreFrom(rng: Rng): number {
  return Math.floor(rng.next() * SCORES);
}
