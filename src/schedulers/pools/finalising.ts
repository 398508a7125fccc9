import { periodAt, periodBefore, periodFrom } from "../../actors/pools/periods.ts";
import type { Clock } from "../../clock.ts";
import { awaitCommits, bestOf, firstStoredAt } from "../../entities/pools/entries.ts";
import {
  ensurePool,
  finalisePool,
  firstPoolFrom,
  latestFinalised,
  leftBehind,
  lockPool,
  type Period,
  type PeriodType,
  type PoolKey,
  type PoolKind,
} from "../../entities/pools/Pool.ts";
import type { PrizeLedger } from "../../entities/prizes/PrizeLedger.ts";
import type { Database } from "../../entities/sql.ts";
import { games } from "../../entities/tournaments/Game.ts";
import type { JobContext } from "../runtime/defineJob.ts";
import { type DatabaseClock, ensureNotAhead } from "../runtime/notAhead.ts";
import { SETTLED_MS, untilSettled } from "./settled.ts";

/** Pools a run. After an outage of years the rest is left to the next run. */
const MOST_A_RUN = 2000;
/** Errors that a run names. */
const NAMED = 10;

export interface PoolsJobPorts extends DatabaseClock {
  database: Database;
  ledger: Pick<PrizeLedger, "pay">;
  clock: Pick<Clock, "now" | "schedule">;
  /** IANA name, in which days and weeks begin. */
  timezone: string;
}

/** What a run did. */
export interface PoolsFinalised {
  finalised: number;
  /**
   * Pools that could not be finalised; those of the same game and period type that follow them wait, unless one of them is finalised.
   * `startsAt` is null where the run came to no pool of theirs.
   */
  failed: Array<PoolKind & { startsAt: number | null; error: string }>;
  /** Whether the run ended before the work did; the next one goes on. */
  more: boolean;
}

/**
 * Finalises every pool of these period types that is over, of each game in order, up to the one that has just ended; also those of
 * missed runs, and those that nobody has put anything in. Each is one transaction, so that it may be broken off at any point and run
 * again. Throws before the first one when this node's clock is ahead, and after the last one when some could not be finalised.
 */
export async function finalisePools(
  periods: readonly PeriodType[],
  ports: PoolsJobPorts,
  run: JobContext,
): Promise<PoolsFinalised> {
  const { clock, database } = ports;
  const report: PoolsFinalised = { finalised: 0, failed: [], more: false };
  // The moment by which pools are over; a clock may lag behind the one by which the run was due.
  const until = Math.max(clock.now(), run.scheduledAt);
  await ensureNotAhead(until, ports);
  for (const { id: game } of await games(database))
    for (const period of periods) await finaliseKind({ game, period }, until, ports, run, report);
  if (report.failed.length > 0) throw new Error(`pools could not be finalised: ${describe(report)}`);
  return report;
}

async function finaliseKind(
  kind: PoolKind,
  until: number,
  ports: PoolsJobPorts,
  { signal, progress }: JobContext,
  report: PoolsFinalised,
): Promise<void> {
  let startsAt: number | null = null;
  try {
    await nameLeftBehind(kind, ports, report);
    let storedUntil = await allStoredUntil(kind, ports);
    for (;;) {
      signal.throwIfAborted();
      const last = await latestFinalised(ports.database, kind);
      startsAt = last?.startsAt ?? null;
      ensureLasts(last);
      const pool = await firstOpen(kind, last, until, ports);
      startsAt = pool.startsAt;
      ensureLasts(pool);
      if (pool.endsAt > until) return;
      if (report.finalised >= MOST_A_RUN) {
        report.more = true;
        return;
      }
      if (pool.endsAt > storedUntil) {
        await untilSettled(ports.clock, pool.endsAt, signal);
        storedUntil = await allStoredUntil(kind, ports);
      }
      if (await finalise({ ...kind, ...pool }, ports)) report.finalised += 1;
      progress(report);
    }
  } catch (error) {
    signal.throwIfAborted();
    report.failed.push({ ...kind, startsAt, error: error instanceof Error ? error.message : String(error) });
    progress(report);
  }
}

/** What is in them cannot be handed on any more: somebody has to look at them. */
async function nameLeftBehind(kind: PoolKind, { database }: PoolsJobPorts, report: PoolsFinalised): Promise<void> {
  const last = await latestFinalised(database, kind);
  if (!last) return;
  for (const startsAt of await leftBehind(database, kind, last.startsAt, NAMED))
    report.failed.push({ ...kind, startsAt, error: "a later one was finalised before it" });
}

/** Waits for what is being stored. Answers up to when all of the game's entries can be seen then. */
async function allStoredUntil({ game }: PoolKind, { clock, database }: PoolsJobPorts): Promise<number> {
  const now = clock.now();
  await awaitCommits(database, game);
  return now - SETTLED_MS;
}

/** Behind one that takes no time there would be no next one: a row that somebody has written by hand, or that is damaged. */
function ensureLasts(pool: Period | undefined): void {
  if (pool && pool.endsAt <= pool.startsAt) throw new Error(`its end (${pool.endsAt}) is not after its start`);
}

/**
 * The pool behind the latest that is finalised, the earliest one when none is: pools follow each other without a gap, whether there is
 * anything of them yet or not.
 */
async function firstOpen(
  kind: PoolKind,
  last: Period | undefined,
  until: number,
  { database, timezone }: PoolsJobPorts,
): Promise<Period> {
  if (last) return periodUpTo(kind, last.endsAt, { database, timezone });
  const first = await firstPoolFrom(database, kind, 0);
  const entry = await firstStoredAt(database, kind.game, 0);
  const entryPeriod = entry === undefined ? undefined : periodAt(kind.period, timezone, entry);
  if (first && (!entryPeriod || first.startsAt <= entryPeriod.startsAt)) return first;
  const begin = entryPeriod ?? periodBefore(kind.period, timezone, until);
  return periodUpTo(kind, begin.startsAt, { database, timezone });
}

/** The pool that begins then. It ends where its period does, or where the next begins of which there is something: the zone may have been changed meanwhile. */
async function periodUpTo(
  kind: PoolKind,
  startsAt: number,
  { database, timezone }: Pick<PoolsJobPorts, "database" | "timezone">,
): Promise<Period> {
  const known = await firstPoolFrom(database, kind, startsAt);
  if (known?.startsAt === startsAt) return known;
  const { endsAt } = periodFrom(kind.period, timezone, startsAt);
  return { startsAt, endsAt: Math.min(endsAt, known?.startsAt ?? endsAt) };
}

/** Answers whether this call did it; false when another node has. */
async function finalise(pool: PoolKey, { clock, database, ledger, timezone }: PoolsJobPorts): Promise<boolean> {
  const { game, period, endsAt } = pool;
  const next = { game, period, ...(await periodUpTo(pool, endsAt, { database, timezone })) };
  await ensurePool(database, pool);
  await ensurePool(database, next);
  // Before the lock, behind which contributions wait: what was stored in the pool's time is all there by now.
  const best = await bestOf(database, game, pool);
  return database.transaction(async (tx) => {
    const { isFinalised } = await lockPool(tx, pool);
    if (!isFinalised) await finalisePool(tx, ledger, { pool, next, best, now: clock.now() });
    return !isFinalised;
  });
}

function describe({ finalised, failed }: PoolsFinalised): string {
  const named = failed
    .slice(0, NAMED)
    .map(({ game, period, startsAt, error }) => `${[game, period, startsAt].join(" ").trimEnd()}: ${error}`);
  return `${named.join("; ")} (${failed.length} failed, ${finalised} finalised)`;
}
