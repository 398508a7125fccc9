import type { MigrationInterface, QueryRunner } from "typeorm";

/** What old rows are found by, in tables that have grown without it. */
export class Retention20261121000900 implements MigrationInterface {
  readonly name = "Retention20261121000900";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("CREATE INDEX wallet_challenges_expired ON wallet_challenges (expires_at)");
  }

  async down(runner: QueryRunner): Promise<void> {
    const isMysql = runner.connection.options.type === "mysql";
    await runner.query(`DROP INDEX wallet_challenges_expired${isMysql ? " ON wallet_challenges" : ""}`);
  }
}
