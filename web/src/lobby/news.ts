import type { FeedEvent } from "../protocol.ts";

/** A line of news; `at` in epoch milliseconds. */
export interface News {
  id: string;
  at: number;
  text: string;
}

const PHASES: Record<string, (name: string) => string> = {
  scheduled: (name) => `“${name}” is announced.`,
  discovery: (name) => `The doors of “${name}” are open.`,
  solving: (name) => `“${name}” has begun.`,
  reveal: (name) => `The chest of “${name}” opens.`,
  finished: (name) => `“${name}” is over.`,
  cancelled: (name) => `“${name}” is cancelled.`,
};

/** What the lobby's events tell a player, in the order of the events (newest first); the others are left out. */
export function newsOf(events: readonly FeedEvent[]): News[] {
  const told = new Set<string>();
  const news: News[] = [];
  // From the oldest on: a phase that is told again has been given more time.
  for (const { id, at, data } of events.toReversed()) {
    const { id: huntId, name, phase } = (data ?? {}) as { id?: unknown; name?: unknown; phase?: unknown };
    if (typeof name !== "string" || typeof phase !== "string") continue;
    const again = told.has(`${huntId} ${phase}`);
    const text = again ? `“${name}” has been given more time.` : PHASES[phase]?.(name);
    told.add(`${huntId} ${phase}`);
    if (text !== undefined) news.unshift({ id, at, text });
  }
  return news;
}
