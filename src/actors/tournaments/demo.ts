import type { TournamentDefinition } from "./definition.ts";

/** How long a round of the demo is open, and how often one begins, in milliseconds. */
export const DEMO_ROUND_MS = 180_000;

/** The tournament that a newcomer plays on the page: short enough to see its prizes. */
export const DEMO_TOURNAMENT: Omit<TournamentDefinition, "startsAt" | "endsAt"> = {
  name: "Snake under the big top",
  game: "snake",
  graceMs: 10_000,
  graceFor: "joined",
  runs: "required",
  operator: "best",
  order: "desc",
  maxEntries: 1000,
  maxSubmissions: 100_000,
  prizes: [
    { from: 1, to: 1, items: [{ item: "PRIVATE_PASS", amount: "1" }] },
    { from: 1, to: 3, items: [{ item: "TICO", amount: "100" }] },
  ],
};
