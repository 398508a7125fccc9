import type { MigrationInterface, QueryRunner } from "typeorm";
import { addColumns, dropColumns } from "./ddl.ts";

/** Of the tables of hunts and tournaments. */
export const REVIEW_COLUMNS = ["review_since BIGINT NULL"];

/**
 * Since when the result of a hunt or a tournament is held for an operator's review; null while it is not. Nodes of an earlier version do not
 * know it, and pay without waiting. Where one of the two is not listed, its own migration adds it later.
 */
export class Reviews20261130140100 implements MigrationInterface {
  readonly name = "Reviews20261130140100";

  async up(runner: QueryRunner): Promise<void> {
    for (const table of ["hunts", "tournaments"]) await addColumns(runner, table, REVIEW_COLUMNS);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ["hunts", "tournaments"]) await dropColumns(runner, table, ["review_since"]);
  }
}
