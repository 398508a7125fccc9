import type { EndedSession } from "../../entities/sessions/SessionHistory.ts";

/**
 * The sessions that go on: one a player, wherever the player is.
 *
 * A session begins with the first activity that is reported and ends when nothing was heard of its player for the timeout, or
 * `LEAVING_MS` after the player left the last **seat** that is known (a seat is a connection to a room; those on nodes that are
 * gone do not count). Until that moment any activity keeps it going, so that who goes from one room to another, reloads the
 * page or is sent away by a node that shuts down stays in the same session.
 *
 * Reports come late and in any order, so everything in them carries its own time. A session that `ended` has given is fixed:
 * activity reported after that, whatever its time, begins a new one. It is kept until `forget`, so whoever writes it into the
 * history may die in between and write it again under the same key.
 *
 * Operations fail as `unavailable` when the store is out of reach; every one of them may be repeated.
 */
export interface SessionStore {
  /** Takes note of what one node has seen. Answers how many sessions could not begin because there are too many. */
  report(attendance: AttendanceReport): Promise<number>;
  /** The session that a player is in at `now`. */
  current(playerId: string, now: number): Promise<LiveSession | undefined>;
  /**
   * At most `limit` sessions that had ended by `now` and were not forgotten yet. The same again until they are forgotten. Looks at
   * nothing but sessions that have ended, however many go on.
   */
  ended(now: number, limit: number): Promise<EndedSession[]>;
  /** Lets go of sessions that are in the history now. Those that are gone already are left out. */
  forget(sessions: readonly EndedSession[]): Promise<void>;
  close(): Promise<void>;
}

/** A session that goes on. Times are epoch milliseconds. */
export interface LiveSession {
  startedAt: number;
  /** The last activity that was reported. */
  seenAt: number;
  /** When it ends unless something more is heard. */
  endsAt: number;
}

/** What one node has seen of its players since its last report. */
export interface AttendanceReport {
  nodeId: string;
  /** The nodes that live: seats on others are gone. */
  liveNodes: readonly string[];
  seen: readonly Seen[];
  /** Considered after all of `seen`. */
  left: readonly Left[];
}

/** A player's activity in one seat, or without one (over HTTP). */
export interface Seen {
  playerId: string;
  /** `""` without a seat. */
  seat: string;
  /** The first activity of this report, in epoch milliseconds. */
  from: number;
  /** The last. */
  at: number;
}

/** A seat that was given up for good. */
export interface Left {
  playerId: string;
  seat: string;
  at: number;
}

export interface SessionLimits {
  /** How long a session goes on without activity, in milliseconds. */
  timeoutMs: number;
  /** Sessions that the store holds, those that are over and not forgotten among them; `MOST_SESSIONS` unless told. */
  mostSessions?: number;
}

/** How long after leaving a player may come back into the same session: enough to change rooms or nodes, or reload a page. */
export const LEAVING_MS = 30_000;
/** Some 270 bytes of Redis each. */
export const MOST_SESSIONS = 2_000_000;
/** Seats of a player that are remembered; beyond it the oldest is forgotten. More than a person's tabs, less than a bot's. */
export const MOST_SEATS = 8;
/** What one report may hold: some milliseconds of Redis. */
export const MOST_REPORTED = 500;
