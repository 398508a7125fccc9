import type { Clock } from "../../clock.ts";
import { ALL_TIME, type RankingPage, type RankingPart, type RankingPeriod } from "../../entities/pools/Ranking.ts";
import { rankingPage } from "../../entities/pools/rankingPage.ts";
import type { Sql } from "../../entities/sql.ts";
import { gameById, signOf } from "../../entities/tournaments/Game.ts";
import { inDecimals } from "../../entities/tournaments/precision.ts";
import { periodAt } from "./periods.ts";
import { reading } from "./reading.ts";

export interface RankingQueriesPorts {
  database: Sql;
  clock: Pick<Clock, "now">;
  /** IANA name, in which days and weeks begin. */
  timezone: string;
}

/** Where everybody reads who is how good at a game. */
export class RankingQueries {
  readonly #ports: RankingQueriesPorts;

  constructor(ports: RankingQueriesPorts) {
    this.#ports = ports;
  }

  /** A part of the ranking of the day or week that `at` falls in (now unless told), or of the one of all time. Throws `not_found` for an unknown game. */
  page(game: string, period: RankingPeriod, part: RankingPart, at?: number): Promise<RankingPage> {
    const { clock, database, timezone } = this.#ports;
    const time = period === "all" ? ALL_TIME : periodAt(period, timezone, at ?? clock.now());
    return reading(async () => {
      const { precision, order } = await gameById(database, game);
      const page = await rankingPage(database, { game, period, ...time }, part, signOf(order));
      return { ...page, rows: inDecimals(page.rows, precision) };
    });
  }
}
