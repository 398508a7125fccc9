import type { TournamentDefinition } from "../../src/actors/tournaments/definition.ts";

/** A tournament that opens as soon as it is created, and stays open for ten minutes; `change` makes it another one. */
export function someTournament(change: Partial<TournamentDefinition> = {}): Record<string, unknown> {
  const startsAt = Date.now();
  return {
    name: "Regatta",
    game: "tetris",
    startsAt,
    endsAt: startsAt + 600_000,
    graceMs: 60_000,
    prizes: [
      { from: 1, to: 1, items: [{ item: "PRIVATE_PASS", amount: "1" }] },
      { from: 1, to: 2, items: [{ item: "TICO", amount: "50" }] },
    ],
    ...change,
  };
}
