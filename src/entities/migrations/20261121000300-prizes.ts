import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** The prize ledger: items, awards (append-only, each at most once by its key), and what each player has. */
export class Prizes20261121000300 implements MigrationInterface {
  readonly name = "Prizes20261121000300";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await runner.query(`CREATE TABLE items (
      id VARCHAR(32) NOT NULL PRIMARY KEY,
      name VARCHAR(64) NOT NULL,
      kind VARCHAR(16) NOT NULL
    ) ${table}`);
    await runner.query(
      "INSERT INTO items (id, name, kind) VALUES ('TICO', 'Tico', 'currency'), ('PRIVATE_PASS', 'Private pass', 'pass')",
    );
    await runner.query(`CREATE TABLE awards (
      source VARCHAR(16) NOT NULL,
      source_id VARCHAR(64) NOT NULL,
      player_id VARCHAR(32) NOT NULL,
      item VARCHAR(32) NOT NULL,
      amount BIGINT NOT NULL,
      batch VARCHAR(24) NOT NULL,
      awarded_at BIGINT NOT NULL,
      PRIMARY KEY (source, source_id, player_id, item)
    ) ${table}`);
    await runner.query("CREATE INDEX awards_of_player ON awards (player_id, awarded_at)");
    await runner.query(`CREATE TABLE inventories (
      player_id VARCHAR(32) NOT NULL,
      item VARCHAR(32) NOT NULL,
      amount BIGINT NOT NULL,
      PRIMARY KEY (player_id, item)
    ) ${table}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ["inventories", "awards", "items"]) await runner.query(`DROP TABLE ${name}`);
  }
}
