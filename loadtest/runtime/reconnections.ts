import type { Counts } from "./Tally.ts";

/** What the SDK writes to the console as it loses a connection and takes it up again: for many clients, thousands of lines. */
const CHATTER = /^(\[Colyseus reconnection\]|Room connection was closed unexpectedly)/;

/** Has the SDK's lines about reconnecting counted instead of written. */
export function countReconnections(counts: Pick<Counts, "reconnections">): void {
  for (const level of ["info", "warn"] as const) {
    const write = console[level];
    console[level] = (...said: unknown[]) => {
      const [line] = said;
      if (typeof line !== "string" || !CHATTER.test(line)) write(...said);
      else if (/Re-establishing/.test(line)) counts.reconnections += 1;
    };
  }
}
