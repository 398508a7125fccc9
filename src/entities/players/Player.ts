import { EntitySchema } from "typeorm";
import { insertAll } from "../bulk.ts";
import { bigNumber } from "../columns.ts";
import type { Sql } from "../sql.ts";

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

const PLAYERS = { table: "players", columns: ["id", "name", "created_at"] };
/** Values a statement; SQLite takes 32,766. */
const MOST_VALUES = 30_000;

/** Stores players who are new; none of up to 10,000 when it throws. */
export function insertPlayers(sql: Pick<Sql, "write">, players: readonly PlayerRecord[]): Promise<void> {
  const rows = players.map(({ id, name, createdAt }) => [id, name, createdAt]);
  return insertAll(sql, PLAYERS, rows, MOST_VALUES);
}
