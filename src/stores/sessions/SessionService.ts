import type { Clock } from "../../clock.ts";
import { databaseError } from "../../entities/failures.ts";
import type { PastSession, SessionHistory } from "../../entities/sessions/SessionHistory.ts";
import { Attendance, type Attendee } from "./Attendance.ts";
import type { AttendanceReport, LiveSession, SessionStore } from "./SessionStore.ts";

export interface SessionServicePorts {
  store: SessionStore;
  history: SessionHistory;
  clock: Clock;
  nodeId: string;
  /** The ids of all nodes that live. */
  liveNodes(): readonly string[];
  log: { warn(entry: object, message: string): void };
}

/** A player's sessions: the one that goes on, and those that are over, newest first. */
export interface PlayerSessions {
  current: LiveSession | null;
  sessions: PastSession[];
}

/** Sessions as one node sees them: its rooms and its HTTP tell the store in batches who was active. */
export class SessionService {
  readonly #ports: SessionServicePorts;
  readonly #waiting = new Set<Attendance>();
  readonly #callers: Attendance;

  constructor(ports: SessionServicePorts) {
    this.#ports = ports;
    this.#callers = this.attend();
  }

  /** For a room of its own. It tells what it has noted also after the room is gone. */
  attend(): Attendance {
    const { clock } = this.#ports;
    return new Attendance({ clock, waiting: this.#waiting, report: (entries) => this.#report(entries) });
  }

  /** An authenticated HTTP request. */
  noteCaller(caller: Attendee): void {
    this.#callers.seen(caller);
  }

  /** Rejects with `unavailable`. */
  async sessionsOf(playerId: string): Promise<PlayerSessions> {
    const { store, history, clock } = this.#ports;
    await this.#callers.report();
    const current = await store.current(playerId, clock.now());
    try {
      return { current: current ?? null, sessions: await history.of(playerId) };
    } catch (error) {
      throw databaseError(error);
    }
  }

  /** Tells the store what is still to be told, once: for the end of the node. */
  async flush(): Promise<void> {
    await Promise.all([...this.#waiting].map((attendance) => attendance.report()));
  }

  async #report(entries: Pick<AttendanceReport, "seen" | "left">): Promise<void> {
    const { store, nodeId, liveNodes, log } = this.#ports;
    const refused = await store.report({ nodeId, liveNodes: liveNodes(), ...entries });
    if (refused > 0) log.warn({ refused }, "there are too many sessions; some have not begun");
  }
}
