import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** Awards that could not be paid, for an operator to see to. */
export class RefusedAwards20261130050100 implements MigrationInterface {
  readonly name = "RefusedAwards20261130050100";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await runner.query(`CREATE TABLE refused_awards (
      source VARCHAR(16) NOT NULL,
      source_id VARCHAR(64) NOT NULL,
      player_id VARCHAR(32) NOT NULL,
      item VARCHAR(32) NOT NULL,
      amount BIGINT NOT NULL,
      refused_at BIGINT NOT NULL,
      PRIMARY KEY (source, source_id, player_id, item)
    ) ${table}`);
    await runner.query("CREATE INDEX refused_awards_recent ON refused_awards (refused_at)");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("DROP TABLE refused_awards");
  }
}
