import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** Quests, who is on one, what became of each round (append-only), and what their conditions are checked against. */
export class Quests20261121000400 implements MigrationInterface {
  readonly name = "Quests20261121000400";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await runner.query(`CREATE TABLE quests (
      id VARCHAR(32) NOT NULL PRIMARY KEY,
      title VARCHAR(128) NOT NULL,
      terms TEXT NOT NULL,
      created_by VARCHAR(32) NOT NULL,
      created_at BIGINT NOT NULL,
      retired_at BIGINT NULL
    ) ${table}`);
    await runner.query(`CREATE TABLE quest_progress (
      player_id VARCHAR(32) NOT NULL,
      quest_id VARCHAR(32) NOT NULL,
      round INT NOT NULL,
      part VARCHAR(8) NOT NULL,
      started_at BIGINT NOT NULL,
      due_at BIGINT NULL,
      PRIMARY KEY (player_id, quest_id)
    ) ${table}`);
    await runner.query("CREATE INDEX quest_progress_due ON quest_progress (part, due_at, player_id, quest_id)");
    await runner.query(`CREATE TABLE quest_changes (
      player_id VARCHAR(32) NOT NULL,
      quest_id VARCHAR(32) NOT NULL,
      round INT NOT NULL,
      state VARCHAR(16) NOT NULL,
      at BIGINT NOT NULL,
      due_at BIGINT NULL,
      node VARCHAR(32) NOT NULL,
      PRIMARY KEY (player_id, quest_id, round, state)
    ) ${table}`);
    await runner.query(`CREATE TABLE hunt_results (
      player_id VARCHAR(32) NOT NULL,
      hunt_id VARCHAR(32) NOT NULL,
      points BIGINT NOT NULL,
      solved INT NOT NULL,
      PRIMARY KEY (player_id, hunt_id)
    ) ${table}`);
    await this.#upWallets(runner, table);
  }

  async #upWallets(runner: QueryRunner, table: string): Promise<void> {
    for (const column of ["wallet VARCHAR(128) NULL", "wallet_connected_at BIGINT NULL", "exchange VARCHAR(32) NULL"])
      await runner.query(`ALTER TABLE players ADD COLUMN ${column}`);
    await runner.query(`CREATE TABLE wallets (
      address VARCHAR(128) NOT NULL PRIMARY KEY,
      player_id VARCHAR(32) NOT NULL,
      first_connected_at BIGINT NOT NULL
    ) ${table}`);
    await runner.query(`CREATE TABLE wallet_challenges (
      player_id VARCHAR(32) NOT NULL PRIMARY KEY,
      challenge VARCHAR(255) NOT NULL,
      expires_at BIGINT NOT NULL
    ) ${table}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ["wallet_challenges", "wallets", "hunt_results", "quest_changes", "quest_progress", "quests"])
      await runner.query(`DROP TABLE ${name}`);
    for (const column of ["wallet", "wallet_connected_at", "exchange"])
      await runner.query(`ALTER TABLE players DROP COLUMN ${column}`);
  }
}
