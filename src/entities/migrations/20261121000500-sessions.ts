import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** The sessions of players that are over. */
export class Sessions20261121000500 implements MigrationInterface {
  readonly name = "Sessions20261121000500";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await runner.query(`CREATE TABLE player_sessions (
      player_id VARCHAR(32) NOT NULL,
      started_at BIGINT NOT NULL,
      seen_at BIGINT NOT NULL,
      ended_at BIGINT NOT NULL,
      end_reason VARCHAR(8) NOT NULL,
      PRIMARY KEY (player_id, started_at)
    ) ${table}`);
    await runner.query("CREATE INDEX player_sessions_age ON player_sessions (ended_at)");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("DROP TABLE player_sessions");
  }
}
