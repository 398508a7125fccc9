import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** Popups: what they may say, the windows in which they were shown, and who saw one. */
export class Popups20261121000600 implements MigrationInterface {
  readonly name = "Popups20261121000600";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await runner.query(`CREATE TABLE popup_contents (
      id VARCHAR(32) NOT NULL PRIMARY KEY,
      title VARCHAR(128) NOT NULL,
      body VARCHAR(512) NOT NULL,
      weight INT NOT NULL
    ) ${table}`);
    await runner.query(`INSERT INTO popup_contents (id, title, body, weight) VALUES
      ('welcome', 'The ring is open', 'A hunt may be on right now: look at the programme.', 3),
      ('standings', 'Who leads?', 'Points are counted the moment they are won. Look at the standings.', 2),
      ('invite', 'Better together', 'Hunts are more fun with rivals. Tell a friend.', 1)`);
    await runner.query(`CREATE TABLE popup_windows (
      id VARCHAR(32) NOT NULL PRIMARY KEY,
      content_id VARCHAR(32) NOT NULL,
      title VARCHAR(128) NOT NULL,
      body VARCHAR(512) NOT NULL,
      opened_at BIGINT NOT NULL,
      closes_at BIGINT NOT NULL,
      closed_at BIGINT NULL,
      views BIGINT NOT NULL
    ) ${table}`);
    await runner.query("CREATE INDEX popup_windows_recent ON popup_windows (opened_at)");
    await runner.query(`CREATE TABLE popup_views (
      window_id VARCHAR(32) NOT NULL,
      player_id VARCHAR(32) NOT NULL,
      viewed_at BIGINT NOT NULL,
      PRIMARY KEY (window_id, player_id)
    ) ${table}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ["popup_views", "popup_windows", "popup_contents"]) await runner.query(`DROP TABLE ${name}`);
  }
}
