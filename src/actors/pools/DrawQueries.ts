import { candidatesOf, type Draw, drawOfWeek, draws } from "../../entities/pools/Draw.ts";
import type { Sql } from "../../entities/sql.ts";
import { reading } from "./reading.ts";

/** A draw, and a part of those who took part in it, by their positions. */
export interface DrawDetails extends Draw {
  players: string[];
}

/** Where everybody reads of the weekly draws, as much as it takes to verify them. */
export class DrawQueries {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Latest first. */
  list(limit: number): Promise<Draw[]> {
    return reading(() => draws(this.#sql, limit));
  }

  /** With the candidates from position `offset` on. Throws `not_found`. */
  get(weekStartsAt: number, { limit, offset }: { limit: number; offset: number }): Promise<DrawDetails> {
    return reading(async () => ({
      ...(await drawOfWeek(this.#sql, weekStartsAt)),
      players: await candidatesOf(this.#sql, weekStartsAt, offset, limit),
    }));
  }
}
