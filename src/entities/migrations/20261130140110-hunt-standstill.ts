import type { MigrationInterface, QueryRunner } from "typeorm";
import { PAUSE_COLUMNS } from "./20261130110100-pauses.ts";
import { REVIEW_COLUMNS } from "./20261130140100-reviews.ts";
import { addColumns } from "./ddl.ts";

/** What the domain of events added to hunts that were there: also where these are listed for the first time later. */
export class HuntStandstill20261130140110 implements MigrationInterface {
  readonly name = "HuntStandstill20261130140110";

  async up(runner: QueryRunner): Promise<void> {
    await addColumns(runner, "hunts", [...PAUSE_COLUMNS, ...REVIEW_COLUMNS]);
  }

  /** The migrations of events take them away. */
  async down(): Promise<void> {}
}
