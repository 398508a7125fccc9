import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** What operators did and were refused: a line a command, each written by the transaction of its effect. */
export class Audit20261130150000 implements MigrationInterface {
  readonly name = "Audit20261130150000";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await runner.query(`CREATE TABLE audit (
      id VARCHAR(32) NOT NULL,
      at BIGINT NOT NULL,
      operator_id VARCHAR(32) NOT NULL,
      operator VARCHAR(64) NOT NULL,
      role VARCHAR(16) NOT NULL,
      command VARCHAR(64) NOT NULL,
      subject VARCHAR(80) NULL,
      args TEXT NOT NULL,
      node VARCHAR(32) NOT NULL,
      via VARCHAR(8) NOT NULL,
      request_id VARCHAR(64) NULL,
      outcome VARCHAR(16) NOT NULL,
      error VARCHAR(32) NULL,
      PRIMARY KEY (id)
    ) ${table}`);
    for (const [name, column] of [
      ["audit_age", ""],
      ["audit_operator", "operator_id, "],
      ["audit_command", "command, "],
      ["audit_subject", "subject, "],
      ["audit_outcome", "outcome, "],
    ])
      await runner.query(`CREATE INDEX ${name} ON audit (${column}at, id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("DROP TABLE audit");
  }
}
