import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** Where each thousand players of a ranking begins, in place of a place that is stored with each player. */
export class RankingBlocks20261130050400 implements MigrationInterface {
  readonly name = "RankingBlocks20261130050400";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE ranking_blocks (
      game VARCHAR(32) NOT NULL,
      period VARCHAR(8) NOT NULL,
      starts_at BIGINT NOT NULL,
      players_before INT NOT NULL,
      score DOUBLE NOT NULL,
      reached_at BIGINT NOT NULL,
      reached_seq BIGINT NOT NULL,
      player_id VARCHAR(32) NOT NULL,
      PRIMARY KEY (game, period, starts_at, players_before)
    ) ${dialectOf(runner).table}`);
    // The next run of the job finds the blocks of all.
    await runner.query("UPDATE ranking_periods SET ranked_changes = ranked_changes - 1");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("DROP TABLE ranking_blocks");
  }
}
