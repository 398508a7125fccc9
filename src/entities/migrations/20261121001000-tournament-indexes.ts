import type { MigrationInterface, QueryRunner } from "typeorm";

/** What tournaments are found by, but for their ids: lists by their phase, and the jobs of pools and rankings by their game. */
export class TournamentIndexes20261121001000 implements MigrationInterface {
  readonly name = "TournamentIndexes20261121001000";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("CREATE INDEX tournaments_on ON tournaments (phase, starts_at, id)");
    await runner.query("CREATE INDEX tournaments_of_game ON tournaments (game, phase)");
  }

  async down(runner: QueryRunner): Promise<void> {
    const on = runner.connection.options.type === "mysql" ? " ON tournaments" : "";
    for (const name of ["tournaments_of_game", "tournaments_on"]) await runner.query(`DROP INDEX ${name}${on}`);
  }
}
