import { systemClock } from "../clock.ts";
import { Player } from "../entities/players/Player.ts";
import { PlayerJournal } from "../entities/players/PlayerJournal.ts";
import { defineDomain } from "./runtime/Domain.ts";

/** Those who have signed in. Their table is as old as that of the first hunts, and in one migration with it. */
export const players = defineDomain({
  name: "players",
  alters: ["hunts"],
  entities: [Player],
  open: ({ database, onStop }) => {
    const journal = new PlayerJournal(database.of("commits"), systemClock);
    onStop(() => journal.flush());
    return journal;
  },
  signIn: (journal) => journal,
});
