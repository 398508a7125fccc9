import type { MigrationInterface, QueryRunner } from "typeorm";
import { PAUSE_COLUMNS } from "./20261130110100-pauses.ts";
import { REVIEW_COLUMNS } from "./20261130140100-reviews.ts";
import { addColumns } from "./ddl.ts";

/** What the domain of events added to tournaments that were there: also where these are listed for the first time later. */
export class TournamentStandstill20261130140120 implements MigrationInterface {
  readonly name = "TournamentStandstill20261130140120";

  async up(runner: QueryRunner): Promise<void> {
    await addColumns(runner, "tournaments", [...PAUSE_COLUMNS, ...REVIEW_COLUMNS]);
  }

  /** The migrations of events take them away. */
  async down(): Promise<void> {}
}
