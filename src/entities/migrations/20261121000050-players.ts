import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** Players. Databases that are older than this migration have had their table from the one of the first hunts. */
export class Players20261121000050 implements MigrationInterface {
  readonly name = "Players20261121000050";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await runner.query(`CREATE TABLE IF NOT EXISTS players (
      id VARCHAR(32) NOT NULL PRIMARY KEY,
      name VARCHAR(64) NOT NULL,
      created_at BIGINT NOT NULL
    ) ${table}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("DROP TABLE players");
  }
}
