import type { MigrationInterface, QueryRunner } from "typeorm";

/** What hunts are listed by, as tournaments are: those of a phase by their begin, those that are over by their end. */
export class HuntLists20261130050500 implements MigrationInterface {
  readonly name = "HuntLists20261130050500";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("CREATE INDEX hunts_on ON hunts (phase, starts_at, id)");
    await runner.query("CREATE INDEX hunts_over ON hunts (phase, ends_at, id)");
  }

  async down(runner: QueryRunner): Promise<void> {
    const on = runner.connection.options.type === "mysql" ? " ON hunts" : "";
    for (const name of ["hunts_over", "hunts_on"]) await runner.query(`DROP INDEX ${name}${on}`);
  }
}
