import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

const end = (column: string): string => `(SELECT ${column} FROM quest_changes
  WHERE quest_changes.player_id = quest_rounds.player_id AND quest_changes.quest_id = quest_rounds.quest_id
    AND quest_changes.round = quest_rounds.ended_round AND quest_changes.state IN ('completed', 'lapsed'))`;

/** What the log says of the rounds until now. */
export const FILL_ROUNDS = [
  `INSERT INTO quest_rounds (player_id, quest_id, rounds, completions, completed_at, ended_round)
   SELECT player_id, quest_id, MAX(round), COUNT(CASE WHEN state = 'completed' THEN 1 END),
     MAX(CASE WHEN state = 'completed' THEN at END), MAX(CASE WHEN state IN ('completed', 'lapsed') THEN round END)
   FROM quest_changes GROUP BY player_id, quest_id`,
  `UPDATE quest_rounds SET ended_state = ${end("state")}, ended_at = ${end("at")}, ended_due_at = ${end("due_at")}
   WHERE ended_round IS NOT NULL`,
];

/**
 * What the rounds of a player's quest have come to, in one row, so that neither a start nor a list reads the log of them; since when a player
 * meets a condition, so that a repeatable quest counts from the begin of its round.
 */
export class QuestRounds20261130050200 implements MigrationInterface {
  readonly name = "QuestRounds20261130050200";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await runner.query(`CREATE TABLE quest_rounds (
      player_id VARCHAR(32) NOT NULL,
      quest_id VARCHAR(32) NOT NULL,
      rounds INT NOT NULL,
      completions INT NOT NULL,
      completed_at BIGINT NULL,
      ended_round INT NULL,
      ended_state VARCHAR(16) NULL,
      ended_at BIGINT NULL,
      ended_due_at BIGINT NULL,
      PRIMARY KEY (player_id, quest_id)
    ) ${table}`);
    for (const statement of FILL_ROUNDS) await runner.query(statement);
    await runner.query("CREATE INDEX quest_changes_old ON quest_changes (at)");
    await runner.query("ALTER TABLE hunt_results ADD COLUMN revealed_at BIGINT NOT NULL DEFAULT 0");
    await runner.query("ALTER TABLE players ADD COLUMN exchange_chosen_at BIGINT NULL");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE players DROP COLUMN exchange_chosen_at");
    await runner.query("ALTER TABLE hunt_results DROP COLUMN revealed_at");
    const on = dialectOf(runner).table === "" ? "" : " ON quest_changes";
    await runner.query(`DROP INDEX quest_changes_old${on}`);
    await runner.query("DROP TABLE quest_rounds");
  }
}
