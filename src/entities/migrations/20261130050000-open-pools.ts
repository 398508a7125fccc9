import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** Finds the pools that are not finalised without reading those that are. */
export class OpenPools20261130050000 implements MigrationInterface {
  readonly name = "OpenPools20261130050000";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("CREATE INDEX pools_open ON pools (game, period, finalised_at, starts_at)");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(dialectOf(runner).table === "" ? "DROP INDEX pools_open" : "DROP INDEX pools_open ON pools");
  }
}
