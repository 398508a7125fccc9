import { periodAt } from "../../actors/pools/periods.ts";
import type { Clock } from "../../clock.ts";
import { beginRanking } from "../../entities/pools/beginRanking.ts";
import { awaitCommits, firstStoredAt } from "../../entities/pools/entries.ts";
import { PERIOD_TYPES } from "../../entities/pools/Pool.ts";
import { ALL_TIME, countedUntil } from "../../entities/pools/Ranking.ts";
import {
  addEntries,
  changedRankings,
  ensureMark,
  exclude,
  moveMark,
  newlyCancelled,
  rank,
  rankingsOf,
  recountPlayersOf,
  storedAtOf,
} from "../../entities/pools/rankingBook.ts";
import type { Database } from "../../entities/sql.ts";
import { games } from "../../entities/tournaments/Game.ts";
import { defineJob, type Job } from "../runtime/defineJob.ts";
import { type DatabaseClock, ensureNotAhead } from "../runtime/notAhead.ts";
import { SETTLED_MS } from "./settled.ts";

const TIMEOUT_MS = 50 * 60_000;
/** Entries a transaction, and those of the same millisecond as the last one. */
const PAGE = 5000;

export interface RankingsJobPorts extends DatabaseClock {
  database: Database;
  clock: Pick<Clock, "now">;
  /** IANA name, in which days and weeks begin. */
  timezone: string;
  /** `PAGE` unless told. */
  page?: number;
}

/** What a run did. */
export interface RankingsCounted {
  /** Transactions that counted entries. */
  pages: number;
  /** Rankings that were ranked anew. */
  ranked: number;
  /** Tournaments that were cancelled since their entries were counted. */
  excluded: number;
  failed: Array<{ game: string; error: string }>;
}

/**
 * Every hour counts the entries that were stored since the last run into the daily, weekly and all-time rankings of their games,
 * and ranks those that have changed. How far it is and what it has counted are one transaction, so that it may be broken off at
 * any point and run again. Entries are counted in the order of their `stored_at`, once that is `SETTLED_MS` ago: one is missed only when its
 * node's clock is more than that behind this one's (see `awaitCommits`).
 */
export function rankingsJob(ports: RankingsJobPorts): Job {
  return defineJob({
    name: "rankings",
    schedule: { cron: "5 * * * *" },
    timezone: ports.timezone,
    timeoutMs: TIMEOUT_MS,
    run: ({ signal, progress }) => countAll(ports, signal, progress),
  });
}

async function countAll(
  ports: RankingsJobPorts,
  signal: AbortSignal,
  progress: (state: RankingsCounted) => void,
): Promise<RankingsCounted> {
  const done: RankingsCounted = { pages: 0, ranked: 0, excluded: 0, failed: [] };
  // What is stored at a time before the mark from now on is never counted.
  await ensureNotAhead(ports.clock.now(), ports);
  for (const { id: game } of await games(ports.database)) {
    try {
      await ensureMark(ports.database, game);
      await beginRankings(game, ports);
      done.excluded += await takeOutCancelled(game, ports, signal);
      for await (const _ of pagesCounted(game, ports, signal)) {
        done.pages += 1;
        progress(done);
      }
      done.ranked += await rankChanged(game, ports, signal);
    } catch (error) {
      signal.throwIfAborted();
      done.failed.push({ game, error: error instanceof Error ? error.message : String(error) });
    }
    progress(done);
  }
  if (done.failed.length === 0) return done;
  throw new Error(`games could not be ranked: ${done.failed.map(({ game, error }) => `${game}: ${error}`).join("; ")}`);
}

/** The day and the week that are being counted begin anew when the time zone has been changed since the last run. */
async function beginRankings(game: string, { database, timezone }: RankingsJobPorts): Promise<void> {
  await database.transaction(async (tx) => {
    const counted = await countedUntil(tx, game, "lock");
    for (const period of PERIOD_TYPES)
      await beginRanking(tx, { game, period, ...periodAt(period, timezone, counted) }, counted);
  });
}

async function takeOutCancelled(
  game: string,
  { database, clock }: RankingsJobPorts,
  signal: AbortSignal,
): Promise<number> {
  const cancelled = await newlyCancelled(database, game);
  for (const { id, time } of cancelled) {
    for (const ranking of time ? await rankingsOf(database, game, time) : []) {
      signal.throwIfAborted();
      await database.transaction(async (tx) => recountPlayersOf(tx, ranking, id, await countedUntil(tx, game, "lock")));
    }
    await exclude(database, id, clock.now());
  }
  return cancelled.length;
}

async function* pagesCounted(
  game: string,
  ports: RankingsJobPorts,
  signal: AbortSignal,
): AsyncGenerator<void, void, undefined> {
  const until = ports.clock.now() - SETTLED_MS;
  await awaitCommits(ports.database, game);
  for (;;) {
    signal.throwIfAborted();
    if (!(await countPage(game, until, ports))) return;
    yield;
  }
}

/** Answers whether there was anything left to count. */
async function countPage(
  game: string,
  until: number,
  { database, timezone, page = PAGE }: RankingsJobPorts,
): Promise<boolean> {
  return database.transaction(async (tx) => {
    const from = await countedUntil(tx, game, "lock");
    if (from >= until) return false;
    const first = await firstStoredAt(tx, game, from);
    if (first === undefined || first >= until) {
      await moveMark(tx, game, until);
      return false;
    }
    const [day, week] = [periodAt("daily", timezone, first), periodAt("weekly", timezone, first)];
    const last = await storedAtOf(tx, game, { startsAt: first, endsAt: Math.min(until, day.endsAt) }, page);
    const part = { startsAt: first, endsAt: last === undefined ? Math.min(until, day.endsAt) : last + 1 };
    await addEntries(tx, { game, period: "daily", ...day }, part);
    await addEntries(tx, { game, period: "weekly", ...week }, part);
    await addEntries(tx, { game, period: "all", ...ALL_TIME }, part);
    await moveMark(tx, game, part.endsAt);
    return true;
  });
}

async function rankChanged(game: string, { database, clock }: RankingsJobPorts, signal: AbortSignal): Promise<number> {
  const changed = await changedRankings(database, game);
  for (const ranking of changed) await rank(database, ranking, clock.now(), signal);
  return changed.length;
}
