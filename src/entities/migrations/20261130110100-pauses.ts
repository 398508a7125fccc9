import type { MigrationInterface, QueryRunner } from "typeorm";
import { addColumns, dropColumns } from "./ddl.ts";

/** Of the tables of hunts and tournaments. */
export const PAUSE_COLUMNS = ["pauses INT NOT NULL DEFAULT 0", "pausing VARCHAR(256) NULL"];

/**
 * How often hunts and tournaments were paused and resumed (odd while they are paused), and how that stands as JSON. Nodes of an earlier
 * version do not know it, and go on committing. Where one of the two is not listed, its own migration adds them later.
 */
export class Pauses20261130110100 implements MigrationInterface {
  readonly name = "Pauses20261130110100";

  async up(runner: QueryRunner): Promise<void> {
    for (const table of ["hunts", "tournaments"]) await addColumns(runner, table, PAUSE_COLUMNS);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ["hunts", "tournaments"]) await dropColumns(runner, table, ["pausing", "pauses"]);
  }
}
