import type { QueryRunner } from "typeorm";
import type { BreakingMigration } from "./breaks.ts";

/** `MOST_DIGITS` and `LARGEST_SCORE` of `src/entities/tournaments/precision.ts` when this was written. */
const MOST_DIGITS = 6;
const LARGEST_SCORE = 1e15;

/**
 * Scores become whole numbers of units of their game's precision (docs/adr/0042-scores-are-whole-numbers.md). A game whose scores have all been whole has a
 * precision of 0, and not a row of it changes. One with a score or a bound that is not whole gets as many digits as its scores leave
 * room for, and its rows are written anew in units. What is settled stays as it is, in standings without a precision: their hash is known. All of it
 * is one transaction: no table is changed here, which would end it.
 */
export class ScoresInUnits20261130090100 implements BreakingMigration {
  readonly name = "ScoresInUnits20261130090100";

  /** It would read units as scores, where tournaments have been listed before. */
  async breaks(runner: QueryRunner): Promise<string | undefined> {
    if (!(await runner.hasTable("score_entries"))) return undefined;
    const games = await fractional(runner);
    return games.length > 0 ? `they would misread the scores of ${games.join(", ")}` : undefined;
  }

  async up(runner: QueryRunner): Promise<void> {
    for (const game of await fractional(runner)) {
      const precision = await digitsOf(runner, game);
      await runner.query("UPDATE games SET score_precision = ? WHERE id = ?", [precision, game]);
      await write(runner, game, `* ${10 ** precision}`, {
        tournaments: "game = ? AND phase NOT IN ('settled', 'cancelled')",
        set: (terms) => `'$.${terms}precision', ${precision}`,
      });
    }
  }

  /** Scores as clients write them, whichever of them were so before. */
  async down(runner: QueryRunner): Promise<void> {
    const rows: Array<{ id: string; precision: unknown }> = await runner.query(
      "SELECT id, score_precision AS 'precision' FROM games WHERE score_precision > 0",
    );
    for (const { id, precision } of rows)
      await write(runner, id, `/ ${10 ** Number(precision)}`, {
        tournaments: "game = ? AND JSON_EXTRACT(definition, '$.precision') > 0",
        set: (terms) => `'$.${terms}precision', 0`,
      });
  }
}

/** Games with a score or a bound that is not whole. */
async function fractional(runner: QueryRunner): Promise<string[]> {
  const rows: Array<{ game: string }> = await runner.query(
    `SELECT DISTINCT game FROM score_entries WHERE score <> ROUND(score)
     ${(await poolTables(runner)).map((table) => `UNION SELECT game FROM ${table} WHERE score <> ROUND(score)`).join(" ")}
     UNION SELECT id FROM games WHERE min_score <> ROUND(min_score) OR max_score <> ROUND(max_score)`,
  );
  return rows.map(({ game }) => game);
}

/** Tables of pools that have scores; none where pools have not been listed yet, whose scores will be units from the first on. */
async function poolTables(runner: QueryRunner): Promise<string[]> {
  const tables = [];
  for (const table of ["rankings", "pools"]) if (await runner.hasTable(table)) tables.push(table);
  return tables;
}

interface Rewriting {
  /** Those whose scores are written anew, by their game. */
  tournaments: string;
  /** What is set in terms that are kept behind this path. */
  set(terms: string): string;
}

/** Writes a game's scores anew, each times or divided by the units of one. */
async function write(
  runner: QueryRunner,
  game: string,
  scaled: string,
  { tournaments, set }: Rewriting,
): Promise<void> {
  const ofGame = `(SELECT id FROM tournaments WHERE ${tournaments})`;
  const anew = (column: string): string =>
    `${column} = ${scaled.startsWith("*") ? `ROUND(${column} ${scaled})` : `${column} ${scaled}.0`}`;
  await runner.query(`UPDATE score_entries SET ${anew("score")}, ${anew("best")} WHERE game = ?`, [game]);
  for (const table of await poolTables(runner))
    await runner.query(`UPDATE ${table} SET ${anew("score")} WHERE game = ?`, [game]);
  await runner.query(`UPDATE standings SET ${anew("score")} WHERE tournament_id IN ${ofGame}`, [game]);
  // Boards hold what the scores were: the epoch that follows has them loaded anew.
  await runner.query(
    `UPDATE actors SET state = JSON_SET(state, ${set("terms.")}, '$.boardEpoch', JSON_EXTRACT(state, '$.boardEpoch') + 1)
     WHERE kind = 'tournament' AND id IN ${ofGame}`,
    [game],
  );
  await runner.query(
    `UPDATE actors SET state = JSON_SET(state, ${set("template.")})
     WHERE kind = 'tournament-series' AND JSON_EXTRACT(state, '$.template.game') = ?`,
    [game],
  );
  await runner.query(
    `UPDATE tournaments SET board_epoch = board_epoch + 1, definition = JSON_SET(definition, ${set("")}) WHERE ${tournaments}`,
    [game],
  );
}

/** As many digits as leave the game's largest number within what can be kept. */
async function digitsOf(runner: QueryRunner, game: string): Promise<number> {
  const tables = await poolTables(runner);
  const [row]: Array<{ largest: unknown }> = await runner.query(
    `SELECT MAX(largest) AS largest FROM (
       SELECT MAX(ABS(score)) AS largest FROM score_entries WHERE game = ?
       UNION ALL SELECT MAX(ABS(best)) FROM score_entries WHERE game = ?
       ${tables.map((table) => `UNION ALL SELECT MAX(ABS(score)) FROM ${table} WHERE game = ?`).join(" ")}) numbers`,
    Array(2 + tables.length).fill(game),
  );
  const largest = Number(row?.largest ?? 0);
  for (let digits = MOST_DIGITS; digits > 0; digits -= 1) if (largest * 10 ** digits <= LARGEST_SCORE) return digits;
  return 0;
}
