import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** Who was in a room of a tournament before its end, and may submit in its grace. */
export class TournamentEntrants20261130100000 implements MigrationInterface {
  readonly name = "TournamentEntrants20261130100000";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await runner.query(`CREATE TABLE tournament_entrants (
      tournament_id VARCHAR(32) NOT NULL,
      player_id VARCHAR(32) NOT NULL,
      joined_at BIGINT NOT NULL,
      PRIMARY KEY (tournament_id, player_id)
    ) ${table}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("DROP TABLE tournament_entrants");
  }
}
