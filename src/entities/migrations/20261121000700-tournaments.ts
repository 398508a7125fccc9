import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** The games that are played, tournaments, the entries that the leaderboard commits (append-only), and final standings. */
export class Tournaments20261121000700 implements MigrationInterface {
  readonly name = "Tournaments20261121000700";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await this.#upGames(runner, table);
    await runner.query(`CREATE TABLE tournaments (
      id VARCHAR(32) NOT NULL PRIMARY KEY,
      name VARCHAR(128) NOT NULL,
      game VARCHAR(32) NOT NULL,
      phase VARCHAR(16) NOT NULL,
      starts_at BIGINT NOT NULL,
      ends_at BIGINT NOT NULL,
      phase_ends_at BIGINT NOT NULL,
      over_at BIGINT NOT NULL,
      board_epoch BIGINT NOT NULL,
      definition TEXT NOT NULL,
      series_id VARCHAR(32) NULL,
      players INT NULL,
      result_hash VARCHAR(64) NULL,
      prizes_distributed SMALLINT NOT NULL,
      created_by VARCHAR(32) NOT NULL,
      created_at BIGINT NOT NULL,
      updated_at BIGINT NOT NULL
    ) ${table}`);
    await runner.query("CREATE INDEX tournaments_recent ON tournaments (over_at, id)");
    await runner.query(`CREATE TABLE score_entries (
      tournament_id VARCHAR(32) NOT NULL,
      player_id VARCHAR(32) NOT NULL,
      entry_no INT NOT NULL,
      submission_id VARCHAR(64) NOT NULL,
      player_name VARCHAR(64) NOT NULL,
      game VARCHAR(32) NOT NULL,
      score DOUBLE NOT NULL,
      subscore BIGINT NOT NULL,
      best DOUBLE NOT NULL,
      best_subscore BIGINT NOT NULL,
      seq BIGINT NOT NULL,
      reached_seq BIGINT NOT NULL,
      told_rank INT NOT NULL,
      stored_at BIGINT NOT NULL,
      PRIMARY KEY (tournament_id, player_id, entry_no),
      UNIQUE (tournament_id, player_id, submission_id)
    ) ${table}`);
    await runner.query("CREATE INDEX score_entries_of_game ON score_entries (game, stored_at, score, player_id)");
    // No secondary unique key: a settlement loads a million of these.
    await runner.query(`CREATE TABLE standings (
      tournament_id VARCHAR(32) NOT NULL,
      place INT NOT NULL,
      player_id VARCHAR(32) NOT NULL,
      player_name VARCHAR(64) NOT NULL,
      score DOUBLE NOT NULL,
      subscore BIGINT NOT NULL,
      entries INT NOT NULL,
      PRIMARY KEY (tournament_id, place)
    ) ${table}`);
    await runner.query("CREATE INDEX standings_of_player ON standings (player_id, tournament_id)");
  }

  async #upGames(runner: QueryRunner, table: string): Promise<void> {
    await runner.query(`CREATE TABLE games (
      id VARCHAR(32) NOT NULL PRIMARY KEY,
      name VARCHAR(64) NOT NULL,
      min_score DOUBLE NOT NULL,
      max_score DOUBLE NOT NULL,
      submissions_per_minute INT NOT NULL,
      created_at BIGINT NOT NULL
    ) ${table}`);
    await runner.query(`INSERT INTO games (id, name, min_score, max_score, submissions_per_minute, created_at) VALUES
      ('snake', 'Snake', 0, 1000000000, 120, 0),
      ('tetris', 'Tetris', 0, 1000000000, 120, 0),
      ('pong', 'Pong', 0, 1000000000, 120, 0),
      ('breakout', 'Breakout', 0, 1000000000, 120, 0),
      ('space_invaders', 'Space Invaders', 0, 1000000000, 120, 0)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ["standings", "score_entries", "tournaments", "games"]) await runner.query(`DROP TABLE ${name}`);
  }
}
