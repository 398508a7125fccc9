import type { MigrationInterface, QueryRunner } from "typeorm";

/** Finds what receivers have had of an actor whose row is made again. */
export class MarksBySender20261130020200 implements MigrationInterface {
  readonly name = "MarksBySender20261130020200";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("CREATE INDEX actor_marks_sender ON actor_marks (from_kind, from_id)");
  }

  async down(runner: QueryRunner): Promise<void> {
    const on = runner.connection.options.type === "mysql" ? " ON actor_marks" : "";
    await runner.query(`DROP INDEX actor_marks_sender${on}`);
  }
}
