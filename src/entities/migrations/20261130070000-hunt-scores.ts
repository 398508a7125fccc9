import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** What each player came to in a hunt that is over, counted once from its assignments; and what everybody reads of it. */
export class HuntScores20261130070000 implements MigrationInterface {
  readonly name = "HuntScores20261130070000";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await runner.query(`CREATE TABLE hunt_scores (
      hunt_id VARCHAR(32) NOT NULL,
      player_id VARCHAR(32) NOT NULL,
      name VARCHAR(64) NOT NULL,
      points BIGINT NOT NULL,
      solved INT NOT NULL,
      reached BIGINT NOT NULL,
      PRIMARY KEY (hunt_id, player_id)
    ) ${table}`);
    await runner.query("CREATE INDEX hunt_scores_ranks ON hunt_scores (hunt_id, points DESC, reached)");
    await runner.query("ALTER TABLE hunts ADD COLUMN figures TEXT NULL");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE hunts DROP COLUMN figures");
    await runner.query("DROP TABLE hunt_scores");
  }
}
