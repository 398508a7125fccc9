import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataSource, type DataSourceOptions, type QueryRunner } from "typeorm";
import type { DatabaseConfig } from "../../src/config.ts";
import { ScorePrecision20261130090000 } from "../../src/entities/migrations/20261130090000-score-precision.ts";
import { ScoresInUnits20261130090100 } from "../../src/entities/migrations/20261130090100-scores-in-units.ts";
import type { Database } from "../../src/entities/sql.ts";
import { gameById } from "../../src/entities/tournaments/Game.ts";
import { MIGRATIONS, openDatabase, SCHEMA } from "../support/database.ts";
import { freshDatabaseUrl } from "../support/servers.ts";

const BEFORE = MIGRATIONS.slice(0, MIGRATIONS.indexOf(ScorePrecision20261130090000));

/** A database as it was before games had a precision. */
async function ofBefore(config: DatabaseConfig): Promise<DataSource> {
  const place =
    config.kind === "mysql" ? { type: "mysql", url: config.url } : { type: "better-sqlite3", database: config.path };
  const source = new DataSource({
    ...place,
    entities: [...SCHEMA.entities],
    migrations: [...BEFORE],
  } as DataSourceOptions);
  await source.initialize();
  await source.runMigrations({ transaction: "each" });
  return source;
}

const terms = (game: string) => JSON.stringify({ name: "Cup", game, minScore: -5.5, maxScore: 1e9, operator: "sum" });

/** Two games: of one all scores are whole, of the other some are not. */
async function fill(source: DataSource): Promise<void> {
  const run = (sql: string, params: unknown[] = []): Promise<unknown> => source.query(sql, params);
  for (const game of ["whole", "golf", "bounded"])
    await run(
      "INSERT INTO games (id, name, min_score, max_score, submissions_per_minute, created_at) VALUES (?, ?, ?, ?, 9, 0)",
      [...[game, game, game === "bounded" ? 0.5 : -5, 1e9]],
    );
  for (const [id, game, phase] of [
    ["w", "whole", "open"],
    ["g", "golf", "open"],
    ["s", "golf", "settling"],
    ["d", "golf", "settled"],
  ] as const) {
    await run(
      `INSERT INTO tournaments (id, name, game, phase, starts_at, ends_at, phase_ends_at, over_at, board_epoch, definition,
        prizes_distributed, created_by, created_at, updated_at) VALUES (?, 'T', ?, ?, 0, 0, 0, 0, 3, ?, 0, 'op', 0, 0)`,
      [id, game, phase, terms(game)],
    );
    await run(
      `INSERT INTO actors (kind, id, epoch, version, state, timers, crashes, created_at, updated_at)
       VALUES ('tournament', ?, 1, 1, ?, '[]', 0, 0, 0)`,
      [id, `{"terms":${terms(game)},"phase":"${phase}","boardEpoch":3}`],
    );
    const [first, second] = game === "whole" ? [3, 1e15] : [0.1, 0.2];
    for (const [no, score, best] of [
      [1, first, first],
      [2, second, first + second],
    ] as const)
      await run(
        `INSERT INTO score_entries (tournament_id, player_id, entry_no, submission_id, player_name, game, score, subscore, best,
          best_subscore, seq, reached_seq, told_rank, stored_at) VALUES (?, 'ann', ?, ?, 'Ann', ?, ?, 0, ?, 0, ?, ?, 1, 0)`,
        [id, no, `s${no}`, game, score, best, no, no],
      );
    await run(
      `INSERT INTO standings (tournament_id, place, player_id, player_name, score, subscore, entries)
       VALUES (?, 1, 'ann', 'Ann', ?, 0, 2)`,
      [id, first + second],
    );
  }
  await run(
    `INSERT INTO actors (kind, id, epoch, version, state, timers, crashes, created_at, updated_at)
     VALUES ('tournament-series', 'g', 1, 1, ?, '[]', 0, 0, 0)`,
    [`{"template":${terms("golf")},"count":1}`],
  );
  await run(
    "INSERT INTO pools (game, period, starts_at, ends_at, score) VALUES ('golf', 'daily', 0, 1, 0.2), ('whole', 'daily', 0, 1, 7)",
  );
  await run(
    `INSERT INTO rankings (game, period, starts_at, player_id, player_name, score, reached_at, reached_seq, entries)
     VALUES ('golf', 'all', 0, 'ann', 'Ann', 0.2, 0, 1, 2), ('whole', 'all', 0, 'ann', 'Ann', 7, 0, 1, 2)`,
  );
}

for (const [name, config] of [
  ["SQLite", async (dir: string): Promise<DatabaseConfig> => ({ kind: "sqlite", path: join(dir, "old.sqlite") })],
  ["MariaDB", async (): Promise<DatabaseConfig> => ({ kind: "mysql", url: await freshDatabaseUrl(), pool: 8 })],
] as const) {
  describe(`scores of before games had a precision (${name})`, () => {
    let dir: string;
    let database: Database;
    before(async function () {
      this.timeout(120_000);
      dir = await mkdtemp(join(tmpdir(), "precision-"));
      const place = await config(dir);
      const source = await ofBefore(place);
      await fill(source);
      await source.destroy();
      database = await openDatabase(place);
    });
    after(async () => {
      await database?.close();
      await rm(dir, { recursive: true, force: true });
    });

    const column = async (sql: string, params: unknown[] = []): Promise<number[]> =>
      (await database.query<{ value: unknown }>(sql, params)).map(({ value }) => Number(value));
    const stateOf = async (kind: string, id: string) => {
      const [row] = await database.query<{ state: string }>("SELECT state FROM actors WHERE kind = ? AND id = ?", [
        kind,
        id,
      ]);
      return JSON.parse(row!.state);
    };

    it("stay as they are where all of a game's are whole", async () => {
      assert.equal((await gameById(database, "whole")).precision, 0);
      assert.deepEqual(
        await column("SELECT score AS value FROM score_entries WHERE game = 'whole' ORDER BY entry_no"),
        [3, 1e15],
      );
      assert.deepEqual(await column("SELECT score AS value FROM pools WHERE game = 'whole'"), [7]);
      assert.deepEqual(await column("SELECT score AS value FROM rankings WHERE game = 'whole'"), [7]);
      assert.deepEqual(await column("SELECT board_epoch AS value FROM tournaments WHERE id = 'w'"), [3]);
      assert.equal((await stateOf("tournament", "w")).boardEpoch, 3);
    });

    it("are written anew in units where some are not, sums without what doubles had made of them", async () => {
      const { precision, minScore, maxScore } = await gameById(database, "golf");
      assert.deepEqual([precision, minScore, maxScore], [6, -5, 1e9]);
      assert.equal((await gameById(database, "bounded")).precision, 6);
      for (const id of ["g", "s", "d"]) {
        const of = "FROM score_entries WHERE tournament_id = ? ORDER BY entry_no";
        assert.deepEqual(await column(`SELECT score AS value ${of}`, [id]), [100_000, 200_000]);
        assert.deepEqual(await column(`SELECT best AS value ${of}`, [id]), [100_000, 300_000]);
      }
      assert.deepEqual(await column("SELECT score AS value FROM pools WHERE game = 'golf'"), [200_000]);
      assert.deepEqual(await column("SELECT score AS value FROM rankings WHERE game = 'golf'"), [200_000]);
    });

    it("are of that precision in tournaments and series that go on, whose boards are loaded anew", async () => {
      for (const id of ["g", "s"]) {
        const { terms: own, boardEpoch, phase } = await stateOf("tournament", id);
        assert.deepEqual([own.precision, own.minScore, boardEpoch], [6, -5.5, 4], phase);
        const [row] = await database.query<{ definition: string; board_epoch: unknown }>(
          "SELECT definition, board_epoch FROM tournaments WHERE id = ?",
          [id],
        );
        assert.deepEqual([JSON.parse(row!.definition).precision, Number(row!.board_epoch)], [6, 4]);
      }
      assert.equal((await stateOf("tournament-series", "g")).template.precision, 6);
    });

    it("stay in the standings of what is settled, to the last bit: their hash is known", async () => {
      const exact = database.dialect === "mysql" ? "CAST(score AS CHAR)" : "score";
      const of = (id: string) => column(`SELECT ${exact} AS value FROM standings WHERE tournament_id = ?`, [id]);
      assert.deepEqual(await of("d"), [0.1 + 0.2]);
      assert.deepEqual(await of("s"), [300_000]);
      const { terms: own, boardEpoch } = await stateOf("tournament", "d");
      assert.deepEqual([own.precision, boardEpoch], [undefined, 3]);
    });

    it("are decimals again when the migration is undone", async () => {
      const entries = () =>
        column("SELECT best AS value FROM score_entries WHERE tournament_id = 'g' ORDER BY entry_no");
      await database.transaction(async (tx) => {
        const runner = {
          hasTable: async () => true,
          query: (sql: string, params: unknown[] = []) =>
            /^SELECT/.test(sql) ? tx.query(sql, params) : tx.write(sql, params),
        };
        await new ScoresInUnits20261130090100().down(runner as unknown as QueryRunner);
      });
      assert.deepEqual(await entries(), [0.1, 0.3]);
      assert.equal((await stateOf("tournament", "g")).terms.precision, 0);
      assert.deepEqual(
        await column("SELECT score AS value FROM score_entries WHERE game = 'whole' ORDER BY entry_no"),
        [3, 1e15],
      );
    });
  });
}
