import { randomBytes } from "node:crypto";
import { CandidatesHash, winnerIndex } from "../../actors/pools/draw.ts";
import { periodBefore, periodFrom } from "../../actors/pools/periods.ts";
import type { Clock } from "../../clock.ts";
import {
  candidateName,
  candidatesOf,
  claimDraw,
  type Draw,
  draws,
  finishDraw,
  storeCandidates,
} from "../../entities/pools/Draw.ts";
import { awaitCommits } from "../../entities/pools/entries.ts";
import type { Period } from "../../entities/pools/Pool.ts";
import type { PrizeLedger } from "../../entities/prizes/PrizeLedger.ts";
import type { Database, Transaction } from "../../entities/sql.ts";
import { games } from "../../entities/tournaments/Game.ts";
import { defineJob, type Job } from "../runtime/defineJob.ts";
import { type DatabaseClock, ensureNotAhead } from "../runtime/notAhead.ts";
import { untilSettled } from "./settled.ts";

const TIMEOUT_MS = 30 * 60_000;
/** Candidates read at a time. */
const PAGE = 10_000;
/** Weeks a run; after an outage of years the rest is left to the next run. */
const MOST_A_RUN = 200;

export interface WeeklyDrawJobPorts extends DatabaseClock {
  database: Database;
  ledger: Pick<PrizeLedger, "pay">;
  clock: Pick<Clock, "now" | "schedule">;
  /** IANA name, in which weeks begin. */
  timezone: string;
}

/** Weeks that this run drew, oldest first; empty when all had been drawn. */
export interface DrawsMade {
  drawn: Array<Pick<Draw, "weekStartsAt" | "candidates" | "winner">>;
}

/**
 * Draws one of the players of each week that is over, and gives the winner a pass. Also once when a node starts, for the draws that
 * were missed. However many try, a week has one row and one payment: both are one transaction, which begins with the row.
 */
export function weeklyDrawJob(ports: WeeklyDrawJobPorts): Job {
  return defineJob({
    name: "weekly-draw",
    schedule: { cron: "5 0 * * 1" },
    timezone: ports.timezone,
    atStart: true,
    owes: true,
    timeoutMs: TIMEOUT_MS,
    run: ({ signal, scheduledAt }) => drawMissing(ports, signal, scheduledAt),
  });
}

async function drawMissing(ports: WeeklyDrawJobPorts, signal: AbortSignal, scheduledAt: number): Promise<DrawsMade> {
  const { clock, database, timezone } = ports;
  const until = Math.max(clock.now(), scheduledAt);
  await ensureNotAhead(until, ports);
  const made: DrawsMade = { drawn: [] };
  for (let weeks = 0; weeks < MOST_A_RUN; weeks++) {
    signal.throwIfAborted();
    const [last] = await draws(database, 1);
    if (last && last.weekEndsAt <= last.weekStartsAt)
      throw new Error(
        `the draw of the week that starts at ${last.weekStartsAt} cannot be: its end (${last.weekEndsAt}) is not after its start`,
      );
    const week = last ? periodFrom("weekly", timezone, last.weekEndsAt) : periodBefore("weekly", timezone, until);
    if (week.endsAt > until) break;
    await untilSettled(clock, week.endsAt, signal);
    const draw = await drawWeek(week, ports);
    if (draw) made.drawn.push(draw);
  }
  return made;
}

/** `undefined` when another node has drawn it. */
async function drawWeek(
  week: Period,
  { clock, database, ledger }: WeeklyDrawJobPorts,
): Promise<DrawsMade["drawn"][number] | undefined> {
  const ids = (await games(database)).map(({ id }) => id);
  for (const game of ids) await awaitCommits(database, game);
  return database.transaction(async (tx) => {
    const seed = randomBytes(32).toString("hex");
    if (!(await claimDraw(tx, week, seed))) return undefined;
    await storeCandidates(tx, week, ids);
    const { candidates, candidatesHash } = await hashCandidates(tx, week);
    const winner = candidates === 0 ? null : await pick(tx, week, ids, winnerIndex(seed, candidatesHash, candidates));
    const drawnAt = clock.now();
    await finishDraw(tx, week, { drawnAt, candidates, candidatesHash, winner });
    const prize = { source: "draw", sourceId: String(week.startsAt), item: "PRIVATE_PASS", amount: 1n } as const;
    if (winner) await ledger.pay(tx, [{ ...prize, playerId: winner.playerId }], drawnAt);
    return { weekStartsAt: week.startsAt, candidates, winner };
  });
}

async function hashCandidates(tx: Transaction, week: Period): Promise<Pick<Draw, "candidates" | "candidatesHash">> {
  const hash = new CandidatesHash();
  let candidates = 0;
  for (;;) {
    const ids = await candidatesOf(tx, week.startsAt, candidates, PAGE);
    hash.add(ids);
    candidates += ids.length;
    if (ids.length < PAGE) return { candidates, candidatesHash: hash.digest() };
  }
}

async function pick(
  tx: Transaction,
  week: Period,
  games: readonly string[],
  index: number,
): Promise<NonNullable<Draw["winner"]>> {
  const [playerId] = (await candidatesOf(tx, week.startsAt, index, 1)) as [string];
  return { playerId, name: await candidateName(tx, playerId, week, games) };
}
