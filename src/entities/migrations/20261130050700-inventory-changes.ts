import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** What operators gave to players and took from them, by whom and why; append-only. */
export class InventoryChanges20261130050700 implements MigrationInterface {
  readonly name = "InventoryChanges20261130050700";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await runner.query(`CREATE TABLE inventory_changes (
      id VARCHAR(32) NOT NULL PRIMARY KEY,
      kind VARCHAR(8) NOT NULL,
      player_id VARCHAR(32) NOT NULL,
      item VARCHAR(32) NOT NULL,
      amount BIGINT NOT NULL,
      reason VARCHAR(800) NOT NULL,
      operator_id VARCHAR(32) NOT NULL,
      changed_at BIGINT NOT NULL
    ) ${table}`);
    await runner.query("CREATE INDEX inventory_changes_of_player ON inventory_changes (player_id, changed_at, id)");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("DROP TABLE inventory_changes");
  }
}
