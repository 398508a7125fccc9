import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/**
 * Messages that are known by the turn that made them, what receivers have had of them, and those that could not be delivered.
 * The table `actor_outbox` stays: nodes of the version before may still write into it, and its rows are delivered from there.
 */
export class Messages20261130020000 implements MigrationInterface {
  readonly name = "Messages20261130020000";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    const id = `kind VARCHAR(32) NOT NULL,
      id VARCHAR(128) NOT NULL,
      version BIGINT NOT NULL,
      idx INT NOT NULL`;
    const target = `target_kind VARCHAR(32) NOT NULL,
      target_id VARCHAR(128) NOT NULL`;
    await runner.query(`CREATE TABLE actor_events (
      ${id},
      owner VARCHAR(32) NOT NULL,
      message MEDIUMTEXT NOT NULL,
      PRIMARY KEY (kind, id, version, idx)
    ) ${table}`);
    await runner.query("CREATE INDEX actor_events_owner ON actor_events (owner, kind, id, version, idx)");
    await runner.query(`CREATE TABLE actor_tells (
      ${id},
      owner VARCHAR(32) NOT NULL,
      ${target},
      message MEDIUMTEXT NOT NULL,
      created_at BIGINT NOT NULL,
      attempts INT NOT NULL,
      error TEXT NULL,
      PRIMARY KEY (kind, id, version, idx)
    ) ${table}`);
    await runner.query(
      "CREATE INDEX actor_tells_owner ON actor_tells (owner, target_kind, target_id, kind, id, version, idx)",
    );
    await runner.query(
      "CREATE INDEX actor_tells_target ON actor_tells (target_kind, target_id, kind, id, version, idx)",
    );
    await runner.query(`CREATE TABLE actor_marks (
      kind VARCHAR(32) NOT NULL,
      id VARCHAR(128) NOT NULL,
      from_kind VARCHAR(32) NOT NULL,
      from_id VARCHAR(128) NOT NULL,
      version BIGINT NOT NULL,
      idx INT NOT NULL,
      gaps TEXT NOT NULL,
      updated_at BIGINT NOT NULL,
      PRIMARY KEY (kind, id, from_kind, from_id)
    ) ${table}`);
    await runner.query("CREATE INDEX actor_marks_age ON actor_marks (updated_at)");
    await runner.query(`CREATE TABLE actor_dead_letters (
      ${id},
      ${target},
      message MEDIUMTEXT NOT NULL,
      created_at BIGINT NOT NULL,
      attempts INT NOT NULL,
      error TEXT NOT NULL,
      died_at BIGINT NOT NULL,
      PRIMARY KEY (kind, id, version, idx)
    ) ${table}`);
    await runner.query("CREATE INDEX actor_dead_letters_age ON actor_dead_letters (died_at)");
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ["actor_dead_letters", "actor_marks", "actor_tells", "actor_events"])
      await runner.query(`DROP TABLE ${name}`);
  }
}
