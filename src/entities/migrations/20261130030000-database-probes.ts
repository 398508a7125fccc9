import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** What nodes write each second, to see whether the database commits. */
export class DatabaseProbes20261130030000 implements MigrationInterface {
  readonly name = "DatabaseProbes20261130030000";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await runner.query(`CREATE TABLE database_probes (
      slot INT NOT NULL PRIMARY KEY,
      asked_at BIGINT NOT NULL
    ) ${table}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("DROP TABLE database_probes");
  }
}
