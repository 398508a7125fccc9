import type { EndedSession } from "../../entities/sessions/SessionHistory.ts";
import {
  type AttendanceReport,
  LEAVING_MS,
  type Left,
  type LiveSession,
  MOST_SEATS,
  MOST_SESSIONS,
  type Seen,
  type SessionLimits,
  type SessionStore,
} from "./SessionStore.ts";

interface Session extends LiveSession {
  /** When the player left the last seat; 0 while the session has not been left. */
  leftAt: number;
  /** `node id/seat`, oldest first. */
  seats: string[];
}

/** Sessions that end within the same so many milliseconds are found together. */
const SLOT_MS = 10_000;

/** The sessions of a single process: gone with it, like those that a Redis has lost. */
export class MemorySessionStore implements SessionStore {
  readonly #limits: Required<SessionLimits>;
  readonly #live = new Map<string, Session>();
  /** Who is in a session that ends in a slot, by the slot's number. */
  readonly #ends = new Map<number, Set<string>>();
  readonly #ended = new Map<string, EndedSession>();

  constructor(limits: SessionLimits) {
    this.#limits = { mostSessions: MOST_SESSIONS, ...limits };
  }

  async report({ nodeId, liveNodes, seen, left }: AttendanceReport): Promise<number> {
    let refused = 0;
    for (const entry of seen) if (!this.#see(nodeId, entry)) refused += 1;
    const lives = new Set([nodeId, ...liveNodes]);
    for (const entry of left) this.#leave(nodeId, entry, lives);
    return refused;
  }

  async current(playerId: string, now: number): Promise<LiveSession | undefined> {
    const session = this.#live.get(playerId);
    if (session === undefined || session.endsAt <= now) return undefined;
    const { startedAt, seenAt, endsAt } = session;
    return { startedAt, seenAt, endsAt };
  }

  async ended(now: number, limit: number): Promise<EndedSession[]> {
    for (const playerId of this.#due(now, limit)) this.#finish(playerId, this.#live.get(playerId)!);
    return [...this.#ended.values()].sort((a, b) => a.endedAt - b.endedAt).slice(0, limit);
  }

  async forget(sessions: readonly EndedSession[]): Promise<void> {
    for (const session of sessions) this.#ended.delete(keyOf(session));
  }

  async close(): Promise<void> {
    this.#live.clear();
    this.#ends.clear();
    this.#ended.clear();
  }

  #see(nodeId: string, { playerId, seat, from, at }: Seen): boolean {
    let session = this.#live.get(playerId);
    if (session !== undefined && from >= session.endsAt) {
      this.#finish(playerId, session);
      session = undefined;
    }
    if (session === undefined) {
      if (this.#live.size + this.#ended.size >= this.#limits.mostSessions) return false;
      session = { startedAt: from, seenAt: from, endsAt: 0, leftAt: 0, seats: [] };
      this.#live.set(playerId, session);
    }
    const isNewSeat = seat !== "" && takeSeat(session, `${nodeId}/${seat}`);
    if (isNewSeat || at > session.leftAt) session.leftAt = 0;
    session.seenAt = Math.max(session.seenAt, at);
    if (session.leftAt === 0) this.#endAt(playerId, session, session.seenAt + this.#limits.timeoutMs);
    return true;
  }

  #leave(nodeId: string, { playerId, seat, at }: Left, lives: ReadonlySet<string>): void {
    const session = this.#live.get(playerId);
    if (session === undefined) return;
    session.seats = session.seats.filter((known) => known !== `${nodeId}/${seat}` && lives.has(nodeOf(known)));
    const isOn = at >= session.seenAt && at < session.endsAt && session.leftAt === 0;
    if (session.seats.length > 0 || !isOn) return;
    session.leftAt = at;
    this.#endAt(playerId, session, Math.min(session.endsAt, at + LEAVING_MS));
  }

  #endAt(playerId: string, session: Session, endsAt: number): void {
    this.#unslot(playerId, session);
    session.endsAt = endsAt;
    const slot = slotOf(endsAt);
    const others = this.#ends.get(slot);
    if (others === undefined) this.#ends.set(slot, new Set([playerId]));
    else others.add(playerId);
  }

  #unslot(playerId: string, { endsAt }: Session): void {
    const slot = this.#ends.get(slotOf(endsAt));
    slot?.delete(playerId);
    if (slot?.size === 0) this.#ends.delete(slotOf(endsAt));
  }

  /** Slots are few, however many sessions there are: as many as the timeout has. */
  #due(now: number, limit: number): string[] {
    const due = [...this.#ends]
      .filter(([slot]) => slot <= slotOf(now))
      .sort(([a], [b]) => a - b)
      .flatMap(([, playerIds]) => [...playerIds]);
    return due.filter((playerId) => this.#live.get(playerId)!.endsAt <= now).slice(0, limit);
  }

  #finish(playerId: string, session: Session): void {
    const { startedAt, seenAt, endsAt, leftAt } = session;
    const over = { playerId, startedAt, seenAt };
    const ended: EndedSession =
      leftAt > 0 ? { ...over, endedAt: leftAt, end: "left" } : { ...over, endedAt: endsAt, end: "timeout" };
    this.#ended.set(keyOf(ended), ended);
    this.#unslot(playerId, session);
    this.#live.delete(playerId);
  }
}

/** Whether the seat is new. */
function takeSeat(session: Session, seat: string): boolean {
  if (session.seats.includes(seat)) return false;
  session.seats.push(seat);
  if (session.seats.length > MOST_SEATS) session.seats.shift();
  return true;
}

function nodeOf(seat: string): string {
  return seat.slice(0, seat.lastIndexOf("/"));
}

function slotOf(endsAt: number): number {
  return Math.floor(endsAt / SLOT_MS);
}

function keyOf({ playerId, startedAt }: EndedSession): string {
  return `${startedAt} ${playerId}`;
}
