import type { Redis } from "ioredis";
import type { EndedSession, SessionEnd } from "../../entities/sessions/SessionHistory.ts";
import { RingmasterError } from "../../errors.ts";
import { LuaScript } from "../runtime/redis.ts";
import {
  type AttendanceReport,
  LEAVING_MS,
  type LiveSession,
  MOST_SEATS,
  MOST_SESSIONS,
  type SessionLimits,
  type SessionStore,
} from "./SessionStore.ts";

const REPORT = new LuaScript(new URL("./report.lua", import.meta.url));
const SETTLE = new LuaScript(new URL("./settle.lua", import.meta.url));

const LIVE = "{sessions}:live";
const ENDS = "{sessions}:ends";
const ENDED = "{sessions}:ended";
const KEYS = [LIVE, ENDS, ENDED];

/**
 * The sessions of a cluster. A Redis that has lost its data has lost the sessions that went on, and those that had ended since the
 * last sweep: the next activity begins a session anew. `redis` stays its owner's to close.
 */
export class RedisSessionStore implements SessionStore {
  readonly #redis: Redis;
  readonly #limits: Required<SessionLimits>;

  constructor(redis: Redis, limits: SessionLimits) {
    this.#redis = redis;
    this.#limits = { mostSessions: MOST_SESSIONS, ...limits };
  }

  async report({ nodeId, liveNodes, seen, left }: AttendanceReport): Promise<number> {
    const { timeoutMs, mostSessions } = this.#limits;
    const entries = JSON.stringify([
      nodeId,
      liveNodes,
      seen.map(({ playerId, seat, from, at }) => [playerId, seat, from, at]),
      left.map(({ playerId, seat, at }) => [playerId, seat, at]),
    ]);
    const args = [timeoutMs, LEAVING_MS, mostSessions, MOST_SEATS, entries];
    return Number(await unavailableOnFailure(REPORT.run(this.#redis, KEYS, args)));
  }

  async current(playerId: string, now: number): Promise<LiveSession | undefined> {
    const session = await unavailableOnFailure(this.#redis.hget(LIVE, playerId));
    if (session === null) return undefined;
    const [startedAt, seenAt, endsAt] = JSON.parse(session) as [number, number, number];
    return endsAt > now ? { startedAt, seenAt, endsAt } : undefined;
  }

  async ended(now: number, limit: number): Promise<EndedSession[]> {
    const listed = await unavailableOnFailure(SETTLE.run(this.#redis, KEYS, [now, limit]));
    return (listed as string[]).map(sessionOf);
  }

  async forget(sessions: readonly EndedSession[]): Promise<void> {
    if (sessions.length > 0) await unavailableOnFailure(this.#redis.zrem(ENDED, ...sessions.map(memberOf)));
  }

  async close(): Promise<void> {}
}

/** As `memberOf` in the scripts writes it; the player's id comes last because it may hold anything. */
function memberOf({ playerId, startedAt, seenAt, endedAt, end }: EndedSession): string {
  return `${startedAt} ${seenAt} ${endedAt} ${end} ${playerId}`;
}

function sessionOf(member: string): EndedSession {
  const [startedAt, seenAt, endedAt, end, ...playerId] = member.split(" ");
  return {
    playerId: playerId.join(" "),
    startedAt: Number(startedAt),
    seenAt: Number(seenAt),
    endedAt: Number(endedAt),
    end: end as SessionEnd,
  };
}

async function unavailableOnFailure<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw new RingmasterError("unavailable", undefined, undefined, { cause: error });
  }
}
