import { EntitySchema } from "typeorm";
import { bigNumber } from "../columns.ts";
import type { Database } from "../sql.ts";

/** Somebody who has signed in. */
export interface PlayerRecord {
  id: string;
  name: string;
  /** Epoch milliseconds. */
  createdAt: number;
}

export const Player = new EntitySchema<PlayerRecord>({
  name: "players",
  columns: {
    id: { type: "varchar", length: 32, primary: true },
    name: { type: "varchar", length: 64 },
    createdAt: { ...bigNumber, name: "created_at" },
  },
});

/** Players as signing in stores them. */
export class Players {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async create(player: PlayerRecord): Promise<void> {
    await this.#database.transaction((tx) => tx.manager.insert(Player, player));
  }
}
