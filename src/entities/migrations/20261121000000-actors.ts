import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** The actor runtime: a row an actor (its lock, state and timers), its outbox, and the answers to requests with an id. */
export class Actors20261121000000 implements MigrationInterface {
  readonly name = "Actors20261121000000";

  async up(runner: QueryRunner): Promise<void> {
    const { table, autoId } = dialectOf(runner);
    await runner.query(`CREATE TABLE actors (
      kind VARCHAR(32) NOT NULL,
      id VARCHAR(128) NOT NULL,
      owner VARCHAR(32) NULL,
      epoch BIGINT NOT NULL,
      version BIGINT NOT NULL,
      state MEDIUMTEXT NOT NULL,
      timers MEDIUMTEXT NOT NULL,
      due_at BIGINT NULL,
      crashes INT NOT NULL,
      created_at BIGINT NOT NULL,
      updated_at BIGINT NOT NULL,
      PRIMARY KEY (kind, id)
    ) ${table}`);
    await runner.query("CREATE INDEX actors_due ON actors (owner, due_at)");
    await runner.query(`CREATE TABLE actor_outbox (
      seq ${autoId},
      owner VARCHAR(32) NOT NULL,
      message MEDIUMTEXT NOT NULL
    ) ${table}`);
    await runner.query("CREATE INDEX actor_outbox_owner ON actor_outbox (owner, seq)");
    await runner.query(`CREATE TABLE actor_requests (
      kind VARCHAR(32) NOT NULL,
      id VARCHAR(128) NOT NULL,
      request_id VARCHAR(64) NOT NULL,
      response MEDIUMTEXT NOT NULL,
      created_at BIGINT NOT NULL,
      PRIMARY KEY (kind, id, request_id)
    ) ${table}`);
    await runner.query("CREATE INDEX actor_requests_age ON actor_requests (created_at)");
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ["actor_requests", "actor_outbox", "actors"]) await runner.query(`DROP TABLE ${name}`);
  }
}
