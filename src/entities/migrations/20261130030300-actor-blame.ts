import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** Who was in hand when a node died: a record a process, and what came of the records of those that died. */
export class ActorBlame20261130030300 implements MigrationInterface {
  readonly name = "ActorBlame20261130030300";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await runner.query(`CREATE TABLE actor_in_hand (
      node_id VARCHAR(32) NOT NULL PRIMARY KEY,
      life VARCHAR(16) NOT NULL,
      actors MEDIUMTEXT NOT NULL,
      written_at BIGINT NOT NULL
    ) ${table}`);
    await runner.query(`CREATE TABLE actor_blame (
      kind VARCHAR(32) NOT NULL,
      id VARCHAR(128) NOT NULL,
      node_id VARCHAR(32) NOT NULL,
      life VARCHAR(16) NOT NULL,
      fresh SMALLINT NOT NULL,
      nth INT NOT NULL,
      blamed_at BIGINT NOT NULL,
      PRIMARY KEY (kind, id, node_id, life)
    ) ${table}`);
    await runner.query("CREATE INDEX actor_in_hand_written ON actor_in_hand (written_at)");
    await runner.query("CREATE INDEX actor_blame_node ON actor_blame (node_id, life)");
    await runner.query("CREATE INDEX actor_blame_nth ON actor_blame (nth)");
    await runner.query("CREATE INDEX actor_blame_at ON actor_blame (blamed_at)");
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ["actor_blame", "actor_in_hand"]) await runner.query(`DROP TABLE ${name}`);
  }
}
