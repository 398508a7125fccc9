import type { Clock } from "../../clock.ts";
import { type AttendanceReport, type Left, MOST_REPORTED, type Seen } from "./SessionStore.ts";

/** Whose activity it is. */
export interface Attendee {
  playerId: string;
  role: string;
}

export interface AttendancePorts {
  clock: Clock;
  /** Rejects when the store is out of reach; what it was told is then told again. */
  report(entries: Pick<AttendanceReport, "seen" | "left">): Promise<void>;
  /** Where an attendance is found while it has something to tell. */
  waiting: Set<Attendance>;
}

/** Activity is reported this long after it was noted, at the latest, with all that was noted meanwhile. In milliseconds. */
export const REPORT_EVERY_MS = 5000;
/** Notes that may wait while the store is out of reach; players beyond it are noted when they are heard of again. */
const MOST_NOTES = 10_000;
/** Columns hold as much. */
const LONGEST_ID = 32;

/** What one room, or all of HTTP, has seen of its players since it last told the store. */
export class Attendance {
  readonly #ports: AttendancePorts;
  #seen = new Map<string, Seen>();
  #left = new Map<string, Left>();
  #cancel: (() => void) | undefined;
  #telling: Promise<void> = Promise.resolve();

  constructor(ports: AttendancePorts) {
    this.#ports = ports;
  }

  /** A player did something, in a seat (an id without spaces) or without one (`""`). Others than players have no sessions. */
  seen(attendee: Attendee, seat = ""): void {
    const now = this.#ports.clock.now();
    const note = this.#seen.get(noteKey(attendee, seat));
    if (note !== undefined) note.at = Math.max(note.at, now);
    else if (this.#mayNote(attendee))
      this.#seen.set(noteKey(attendee, seat), { playerId: attendee.playerId, seat, from: now, at: now });
    this.#arm();
  }

  /** A player gave up a seat for good. */
  left(attendee: Attendee, seat: string): void {
    if (!this.#mayNote(attendee)) return;
    this.#left.set(noteKey(attendee, seat), { playerId: attendee.playerId, seat, at: this.#ports.clock.now() });
    this.#arm();
  }

  /** Tells the store now. Never rejects: what could not be told is told later. */
  report(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#telling = this.#telling.then(() => this.#tellAll());
    return this.#telling;
  }

  #arm(): void {
    if (this.#seen.size + this.#left.size === 0) return;
    this.#ports.waiting.add(this);
    this.#cancel ??= this.#ports.clock.schedule(() => void this.report(), REPORT_EVERY_MS);
  }

  #mayNote({ playerId, role }: Attendee): boolean {
    if (role !== "player" || playerId.length > LONGEST_ID || !playerId.isWellFormed()) return false;
    return this.#seen.size + this.#left.size < MOST_NOTES;
  }

  async #tellAll(): Promise<void> {
    const [seen, left] = [[...this.#seen.values()], [...this.#left.values()]];
    this.#seen = new Map();
    this.#left = new Map();
    while (seen.length + left.length > 0) {
      const someSeen = seen.splice(0, MOST_REPORTED);
      // Leaving counts after all that was seen, so it must not be told before.
      const someLeft = left.splice(0, MOST_REPORTED - someSeen.length);
      try {
        await this.#ports.report({ seen: someSeen, left: someLeft });
      } catch {
        this.#noteAgain([...someSeen, ...seen], [...someLeft, ...left]);
        return;
      }
    }
    if (this.#seen.size + this.#left.size === 0) this.#ports.waiting.delete(this);
  }

  #noteAgain(seen: readonly Seen[], left: readonly Left[]): void {
    for (const entry of seen) {
      const key = noteKey(entry, entry.seat);
      const later = this.#seen.get(key);
      if (later !== undefined) later.from = entry.from;
      else this.#seen.set(key, entry);
    }
    for (const entry of left) this.#left.set(noteKey(entry, entry.seat), entry);
    this.#arm();
  }
}

function noteKey({ playerId }: Pick<Attendee, "playerId">, seat: string): string {
  return `${seat} ${playerId}`;
}
