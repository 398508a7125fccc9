import { pointsText } from "../points.ts";
import type { FeedEvent } from "../protocol.ts";

/** A line of news; `at` in epoch milliseconds. */
export interface News {
  id: string;
  at: number;
  text: string;
}

const PHASES: Record<string, (name: string, reason?: unknown) => string> = {
  scheduled: (name) => `“${name}” is announced.`,
  discovery: (name) => `The doors of “${name}” are open.`,
  solving: (name) => `“${name}” has begun.`,
  reveal: (name) => `The chest of “${name}” opens.`,
  finished: (name) => `“${name}” is over.`,
  cancelled: (name, reason) => `“${name}” is cancelled${typeof reason === "string" ? `: ${reason}` : "."}`,
  open: (name) => `“${name}” is open: play for the prizes.`,
  grace: (name) => `Time is up in “${name}”. Last rounds still count.`,
};

interface Told {
  id?: unknown;
  name?: unknown;
  phase?: unknown;
  winners?: unknown;
  pausedAt?: unknown;
  reviewSince?: unknown;
  cancelReason?: unknown;
}

/** What the lobby's events tell a player, in the order of the events (newest first); the others are left out. */
export function newsOf(events: readonly FeedEvent[]): News[] {
  /** By event and phase: whether it was paused when it was told last. */
  const told = new Map<string, boolean>();
  const news: News[] = [];
  // From the oldest on: a phase that is told again, and was not paused, has been given more time.
  for (const { id, at, type, data } of events.toReversed()) {
    const { id: eventId, name, phase, winners, pausedAt, reviewSince, cancelReason } = (data ?? {}) as Told;
    if (typeof name !== "string") continue;
    if (type === "tournamentSettled") news.unshift({ id, at, text: settledText(name, winners) });
    if (typeof phase !== "string") continue;
    // Events of two domains may have the same id.
    const key = `${/^[a-z]*/.exec(type)![0]} ${eventId} ${phase}`;
    const wasPaused = told.get(key);
    const text =
      wasPaused === undefined
        ? PHASES[phase]?.(name, cancelReason)
        : againText(name, { phase, pausedAt, reviewSince }, wasPaused);
    told.set(key, pausedAt !== undefined);
    if (text !== undefined) news.unshift({ id, at, text });
  }
  return news;
}

/** Why a phase is told again. One that settles is given no time: its result was released. */
function againText(name: string, { phase, pausedAt, reviewSince }: Told, wasPaused: boolean): string {
  if (reviewSince !== undefined) return `The result of “${name}” is under review.`;
  if (phase === "settling") return `The result of “${name}” has been reviewed.`;
  if (pausedAt !== undefined) return `“${name}” is paused.`;
  return wasPaused ? `“${name}” goes on.` : `“${name}” has been given more time.`;
}

function settledText(name: string, winners: unknown): string {
  const first = (winners as { name?: string; score?: number }[] | undefined)?.[0];
  if (first?.name === undefined) return `“${name}” is over.`;
  return `${first.name} wins “${name}” with ${pointsText(first.score ?? 0)}.`;
}
