import { Latencies, type LatencySummary } from "../../loadtest/runtime/Latencies.ts";
import { systemClock } from "../../src/clock.ts";
import { assignmentIdOf } from "../../src/stores/hunts/assignments.ts";
import { type AssignmentRow, type HuntKey, OUTCOME } from "../../src/stores/hunts/ClueLedger.ts";
import { RedisClueLedger } from "../../src/stores/hunts/RedisClueLedger.ts";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import { cpuSecondsOf } from "../runtime/usage.ts";

export interface LedgerOptions {
  redisUrl: string;
  /** Templates of each hunt that is measured, in turn. */
  templates: readonly number[];
  /** Requests under way at a time. */
  callers: number;
  rounds: number;
  roundMs: number;
}

/** What was measured for `roundMs`: every caller asks again as soon as it is answered. */
export interface LedgerRound {
  perSecond: number;
  latency: LatencySummary;
  /** CPU of Redis a request. */
  redisMicros: number;
}

/**
 * `newcomers` have done nothing yet; `veterans` have solved all templates but ten, which are not those whose instances are returned:
 * both claim a clue and give it back. `done` have solved everything, and claim.
 */
export const SIDES = ["newcomers", "veterans", "done"] as const;
export type LedgerSide = (typeof SIDES)[number];
/** By side, the rounds of each number of templates. */
export type LedgerResult = Record<LedgerSide, LedgerRound[]>[];

/** Players of each side. */
const PLAYERS = 200;
/** Templates that a veteran has not solved, where there are more. */
const UNSOLVED = 10;
const REPEAT = 2000;
const TTL_MS = 3_600_000;

/** Measures what requests cost Redis, in hunts of more and more templates, in turn. */
export async function benchLedger(options: LedgerOptions): Promise<LedgerResult> {
  const client = connectRedis(options.redisUrl, "bench");
  await whenReady(client);
  const ledger = new RedisClueLedger(client);
  try {
    const redisPid = Number(/^process_id:(\d+)/m.exec(await client.info("server"))?.[1]);
    const sides = [];
    for (const templates of options.templates) sides.push(await open(ledger, templates));
    const result = sides.map((): Record<LedgerSide, LedgerRound[]> => ({ newcomers: [], veterans: [], done: [] }));
    for (let round = -1; round < options.rounds; round += 1) {
      for (const [at, hunt] of sides.entries()) {
        for (const side of SIDES) {
          const measured = await measure(hunt[side], options, redisPid);
          // The first round is that of a cold compiler.
          if (round >= 0) result[at]![side].push(measured);
        }
      }
    }
    return result;
  } finally {
    await ledger.close();
    client.disconnect();
  }
}

/** What each side does in a hunt; resolves with how many requests that were. */
async function open(
  ledger: RedisClueLedger,
  templates: number,
): Promise<Record<LedgerSide, (caller: number) => Promise<number>>> {
  const points = Array.from({ length: templates }, () => 1);
  const total = templates * REPEAT;
  const hunt: HuntKey = { id: `bench-${templates}`, rules: { clueTtlMs: TTL_MS, attempts: 3, points, total } };
  await ledger.load(hunt, { epoch: 1, issued: total, rows: historyOf(templates) });
  const claim = (playerId: string) =>
    ledger.claim(hunt, { playerId, playerName: playerId, nodeId: "bench", now: systemClock.now() });
  const claimAndGiveBack = async (playerId: string): Promise<number> => {
    const decision = await claim(playerId);
    if (decision.kind !== "assigned") throw new Error(`a claim was answered with ${decision.kind}`);
    const asked = { playerId, assignmentId: assignmentIdOf(decision.row), now: systemClock.now() };
    const back = await ledger.giveBack(hunt, asked);
    if (back.kind !== "revoked") throw new Error(`a clue that was given back was answered with ${back.kind}`);
    return 2;
  };
  return {
    newcomers: (caller) => claimAndGiveBack(`new-${caller}`),
    veterans: (caller) => claimAndGiveBack(`veteran-${caller}`),
    done: async (caller) => {
      const decision = await claim(`done-${caller}`);
      if (decision.kind !== "exhausted") throw new Error(`a claim was answered with ${decision.kind}`);
      return 1;
    },
  };
}

/** An instance of each template that veterans have solved was returned; the rest is what they and the others have solved. */
function* historyOf(templates: number): Generator<AssignmentRow> {
  const known = templates - Math.min(UNSOLVED, templates);
  let solveSeq = 0;
  const row = (playerId: string, instance: number, outcome: AssignmentRow["outcome"]): AssignmentRow => ({
    ...{ instance, generation: 1, playerId, playerName: playerId, openedAt: 1, expiresAt: 1 + TTL_MS, closedAt: 2 },
    ...{ attemptsBefore: 0, attemptsUsed: 0, requestMarks: "", outcome, points: 0, solveSeq: 0 },
  });
  for (let template = 0; template < known; template += 1) yield row("somebody", template, OUTCOME.expired);
  for (let n = 0; n < 2 * PLAYERS; n += 1) {
    const [playerId, solved] = n < PLAYERS ? [`veteran-${n}`, known] : [`done-${n - PLAYERS}`, templates];
    for (let template = 0; template < solved; template += 1) {
      solveSeq += 1;
      const instance = template + templates * (1 + n);
      yield {
        ...row(playerId, instance, OUTCOME.solved),
        attemptsUsed: 1,
        closedAt: 1 + solveSeq,
        points: 1,
        solveSeq,
      };
    }
  }
}

async function measure(
  ask: (caller: number) => Promise<number>,
  { callers, roundMs }: LedgerOptions,
  redisPid: number,
): Promise<LedgerRound> {
  const latencies = new Latencies();
  const redisBefore = cpuSecondsOf(redisPid);
  const begin = systemClock.monotonic();
  let [last, requests] = [begin, 0];
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      while (last - begin < roundMs) {
        const sent = systemClock.monotonic();
        const asked = await ask(caller % PLAYERS);
        last = systemClock.monotonic();
        requests += asked;
        latencies.record((last - sent) / asked);
      }
    }),
  );
  return {
    perSecond: (requests / (last - begin)) * 1000,
    latency: latencies.summary(),
    redisMicros: ((cpuSecondsOf(redisPid) - redisBefore) * 1e6) / requests,
  };
}
