import type { FeedEvent } from "../protocol.ts";

const PHASES: Record<string, (name: string) => string> = {
  scheduled: (name) => `${name} is announced.`,
  discovery: (name) => `The doors of ${name} are open.`,
  solving: (name) => `${name} has begun.`,
  reveal: (name) => `The chest of ${name} opens.`,
  finished: (name) => `${name} is over.`,
  cancelled: (name) => `${name} is cancelled.`,
};

/** A feed event as a line of news; `undefined` for one that tells a player nothing. */
export function newsOf(event: FeedEvent): string | undefined {
  const { name, phase } = (event.data ?? {}) as { name?: unknown; phase?: unknown };
  if (typeof name !== "string" || typeof phase !== "string") return undefined;
  return PHASES[phase]?.(name);
}
