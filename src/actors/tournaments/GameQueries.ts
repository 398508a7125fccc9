import type { Clock } from "../../clock.ts";
import { audited } from "../../entities/audit.ts";
import { databaseError } from "../../entities/failures.ts";
import type { Database, Transaction } from "../../entities/sql.ts";
import { type Game, games, insertGame } from "../../entities/tournaments/Game.ts";
import { about, type OperatorCall } from "../admin/operatorCall.ts";
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
  async create(game: GameDefinition, call: OperatorCall): Promise<{ id: string }> {
    const { clock, database } = this.#ports;
    const now = clock.now();
    const work = async (tx: Transaction): Promise<void> => {
      await insertGame(tx, game, now);
      await audited(tx, about(call, `game:${game.id}`), now);
    };
    await database.transaction(work).catch((error: unknown) => {
      throw databaseError(error);
    });
    return { id: game.id };
  }
}
