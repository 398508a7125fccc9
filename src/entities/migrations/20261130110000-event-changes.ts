import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** What operators did to hunts and tournaments with a reason; append-only. */
export class EventChanges20261130110000 implements MigrationInterface {
  readonly name = "EventChanges20261130110000";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await runner.query(`CREATE TABLE event_changes (
      domain VARCHAR(16) NOT NULL,
      event_id VARCHAR(32) NOT NULL,
      changed_at BIGINT NOT NULL,
      id VARCHAR(24) NOT NULL,
      kind VARCHAR(16) NOT NULL,
      operator_id VARCHAR(32) NOT NULL,
      reason VARCHAR(800) NOT NULL,
      PRIMARY KEY (domain, event_id, changed_at, id)
    ) ${table}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("DROP TABLE event_changes");
  }
}
