import { systemClock } from "../clock.ts";
import { Players20261121000050 } from "../entities/migrations/20261121000050-players.ts";
import { Player } from "../entities/players/Player.ts";
import { PlayerJournal } from "../entities/players/PlayerJournal.ts";
import { defineDomain } from "./runtime/Domain.ts";

/** Those who have signed in. */
export const players = defineDomain({
  name: "players",
  migrations: [Players20261121000050],
  entities: [Player],
  open: ({ database, onStop }) => {
    const journal = new PlayerJournal(database.of("commits"), systemClock);
    onStop(() => journal.flush());
    return journal;
  },
  signIn: (journal) => journal,
});
