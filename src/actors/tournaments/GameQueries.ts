import type { Clock } from "../../clock.ts";
import { databaseError } from "../../entities/failures.ts";
import type { Database } from "../../entities/sql.ts";
import { type Game, games, insertGame } from "../../entities/tournaments/Game.ts";
import type { GameDefinition } from "./game.ts";

/** Where operators add games, and everybody reads which there are. */
export class GameQueries {
  readonly #ports: { database: Database; clock: Pick<Clock, "now"> };

  constructor(ports: { database: Database; clock: Pick<Clock, "now"> }) {
    this.#ports = ports;
  }

  /** By id. */
  list(): Promise<Game[]> {
    return games(this.#ports.database).catch((error: unknown) => {
      throw databaseError(error);
    });
  }

  /** Throws `conflict` for an id that is taken: what a game allows is written into its tournaments, and never changes. */
  async create(game: GameDefinition): Promise<{ id: string }> {
    await insertGame(this.#ports.database, game, this.#ports.clock.now()).catch((error: unknown) => {
      throw databaseError(error);
    });
    return { id: game.id };
  }
}
