import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** Prize pools and what was paid into them, rankings by game and period, and the weekly draws with who took part. */
export class Pools20261121000800 implements MigrationInterface {
  readonly name = "Pools20261121000800";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await runner.query(`CREATE TABLE pools (
      game VARCHAR(32) NOT NULL,
      period VARCHAR(8) NOT NULL,
      starts_at BIGINT NOT NULL,
      ends_at BIGINT NOT NULL,
      finalised_at BIGINT NULL,
      winner_id VARCHAR(32) NULL,
      winner_name VARCHAR(64) NULL,
      winner_wallet VARCHAR(128) NULL,
      score DOUBLE NULL,
      PRIMARY KEY (game, period, starts_at)
    ) ${table}`);
    // A contribution counts once, whichever period its repetition comes in.
    await runner.query(`CREATE TABLE pool_contributions (
      game VARCHAR(32) NOT NULL,
      period VARCHAR(8) NOT NULL,
      contribution_id VARCHAR(64) NOT NULL,
      starts_at BIGINT NOT NULL,
      item VARCHAR(32) NOT NULL,
      amount BIGINT NOT NULL,
      contributed_by VARCHAR(32) NOT NULL,
      contributed_at BIGINT NOT NULL,
      PRIMARY KEY (game, period, contribution_id)
    ) ${table}`);
    await runner.query(
      "CREATE INDEX pool_contributions_of ON pool_contributions (game, period, starts_at, item, amount)",
    );
    await this.#upRankings(runner, table);
    await this.#upDraws(runner, table);
  }

  async #upRankings(runner: QueryRunner, table: string): Promise<void> {
    await runner.query(`CREATE TABLE rankings (
      game VARCHAR(32) NOT NULL,
      period VARCHAR(8) NOT NULL,
      starts_at BIGINT NOT NULL,
      player_id VARCHAR(32) NOT NULL,
      player_name VARCHAR(64) NOT NULL,
      score DOUBLE NOT NULL,
      reached_at BIGINT NOT NULL,
      reached_seq BIGINT NOT NULL,
      entries INT NOT NULL,
      place INT NULL,
      PRIMARY KEY (game, period, starts_at, player_id)
    ) ${table}`);
    await runner.query("CREATE INDEX rankings_by_place ON rankings (game, period, starts_at, place)");
    await runner.query(
      "CREATE INDEX rankings_by_score ON rankings (game, period, starts_at, score DESC, reached_at, reached_seq, player_id)",
    );
    // A ranking is out of date while its changes are not those that it was ranked with.
    await runner.query(`CREATE TABLE ranking_periods (
      game VARCHAR(32) NOT NULL,
      period VARCHAR(8) NOT NULL,
      starts_at BIGINT NOT NULL,
      ends_at BIGINT NOT NULL,
      changes INT NOT NULL,
      ranked_changes INT NOT NULL,
      ranked_at BIGINT NULL,
      players INT NOT NULL,
      PRIMARY KEY (game, period, starts_at)
    ) ${table}`);
    await runner.query(`CREATE TABLE ranking_marks (
      game VARCHAR(32) NOT NULL PRIMARY KEY,
      counted_until BIGINT NOT NULL
    ) ${table}`);
    // Cancelled tournaments whose entries have been taken out of the rankings.
    await runner.query(`CREATE TABLE ranking_exclusions (
      tournament_id VARCHAR(32) NOT NULL PRIMARY KEY,
      excluded_at BIGINT NOT NULL
    ) ${table}`);
  }

  async #upDraws(runner: QueryRunner, table: string): Promise<void> {
    await runner.query(`CREATE TABLE draws (
      week_starts_at BIGINT NOT NULL PRIMARY KEY,
      week_ends_at BIGINT NOT NULL,
      drawn_at BIGINT NOT NULL,
      seed VARCHAR(64) NOT NULL,
      candidates INT NOT NULL,
      candidates_hash VARCHAR(64) NOT NULL,
      winner_id VARCHAR(32) NULL,
      winner_name VARCHAR(64) NULL
    ) ${table}`);
    await runner.query(`CREATE TABLE draw_candidates (
      week_starts_at BIGINT NOT NULL,
      position INT NOT NULL,
      player_id VARCHAR(32) NOT NULL,
      PRIMARY KEY (week_starts_at, position)
    ) ${table}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of [
      ...["draw_candidates", "draws", "ranking_exclusions", "ranking_marks", "ranking_periods", "rankings"],
      ...["pool_contributions", "pools"],
    ])
      await runner.query(`DROP TABLE ${name}`);
  }
}
