import type { Clock } from "../../clock.ts";
import { GroupCommit } from "../GroupCommit.ts";
import { failureOfStore } from "../journaling.ts";
import type { Sql } from "../sql.ts";
import { insertPlayers, type PlayerRecord } from "./Player.ts";

/** How long a sign-in waits for others, in milliseconds: of the embedded database, the whole process stands still for every commit. */
const LINGER_MS = { sqlite: 50, mysql: 2 };
/** Players a statement. */
const MOST_PLAYERS = 500;
/** Players that wait for the database: some seconds' worth. */
const MOST_WAITING = 10_000;

/** Stores those who sign in, those of some milliseconds by one statement. */
export class PlayerJournal {
  readonly #group: GroupCommit<PlayerRecord, void>;

  constructor(database: Pick<Sql, "write" | "dialect">, clock: Clock) {
    this.#group = new GroupCommit({
      clock,
      lingerMs: LINGER_MS[database.dialect],
      maxItems: MOST_PLAYERS,
      maxQueued: MOST_WAITING,
      flush: (_lane, players) =>
        insertPlayers(database, players).catch((error: unknown) => {
          throw failureOfStore(error);
        }),
    });
  }

  /** Durable when it resolves. Rejects with `overloaded`, or with `unavailable` when it may be stored. */
  create(player: PlayerRecord): Promise<void> {
    return this.#group.commit("players", [player]);
  }

  /** Stores what waits. */
  flush(): Promise<void> {
    return this.#group.flush();
  }
}
