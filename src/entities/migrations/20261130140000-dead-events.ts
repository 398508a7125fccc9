import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** Events that their feed has refused until they were given up. Nodes of the version before do not know the table. */
export class DeadEvents20261130140000 implements MigrationInterface {
  readonly name = "DeadEvents20261130140000";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await runner.query(`CREATE TABLE actor_dead_events (
      kind VARCHAR(32) NOT NULL,
      id VARCHAR(128) NOT NULL,
      version BIGINT NOT NULL,
      idx INT NOT NULL,
      message MEDIUMTEXT NOT NULL,
      attempts INT NOT NULL,
      error TEXT NOT NULL,
      died_at BIGINT NOT NULL,
      PRIMARY KEY (kind, id, version, idx)
    ) ${table}`);
    await runner.query("CREATE INDEX actor_dead_events_age ON actor_dead_events (died_at)");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("DROP TABLE actor_dead_events");
  }
}
