import type { Clock } from "../../clock.ts";
import type { EndedSession, SessionHistory } from "../../entities/sessions/SessionHistory.ts";
import { REPORT_EVERY_MS } from "../../stores/sessions/Attendance.ts";
import type { SessionStore } from "../../stores/sessions/SessionStore.ts";
import { defineJob, type Job } from "../runtime/defineJob.ts";

const EVERY_MS = 60_000;
/** Activity is reported late, and what is in the history is not prolonged: so a session is left alone for two reports after its end. */
export const SETTLED_MS = 2 * REPORT_EVERY_MS;
/** Sessions a statement. */
const BATCH = 500;
/** Sessions a run: at 60 s a run, more than a million players who all leave within ten minutes. */
const MOST_A_RUN = 120_000;

export interface SessionsJobPorts {
  store: SessionStore;
  history: SessionHistory;
  clock: Pick<Clock, "now">;
}

/** What a run did. */
export interface SessionsSwept {
  /** Sessions that are in the history now. */
  kept: number;
  left: number;
  timedOut: number;
  /** Whether the run ended before the work did; the next one goes on. */
  more: boolean;
}

/**
 * Brings ended sessions into the history, whichever node their players were on, also when it died. Each batch is written under its
 * sessions' keys before the store lets go of it, so that a run that dies in between is repeated without doubling anything.
 */
export function sessionsJob(ports: SessionsJobPorts): Job {
  return defineJob({
    name: "sessions",
    schedule: { everyMs: EVERY_MS },
    run: ({ signal, progress }) => sweepSessions(ports, signal, progress),
  });
}

async function sweepSessions(
  { store, history, clock }: SessionsJobPorts,
  signal: AbortSignal,
  progress: (state: SessionsSwept) => void,
): Promise<SessionsSwept> {
  const swept: SessionsSwept = { kept: 0, left: 0, timedOut: 0, more: true };
  const until = clock.now() - SETTLED_MS;
  while (swept.kept < MOST_A_RUN) {
    signal.throwIfAborted();
    const ended = await store.ended(until, BATCH);
    if (ended.length === 0) return { ...swept, more: false };
    await history.keep(ended);
    await store.forget(ended);
    count(swept, ended);
    progress(swept);
  }
  return swept;
}

function count(swept: SessionsSwept, ended: readonly EndedSession[]): void {
  const left = ended.filter(({ end }) => end === "left").length;
  swept.kept += ended.length;
  swept.left += left;
  swept.timedOut += ended.length - left;
}
