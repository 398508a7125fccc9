import assert from "node:assert/strict";
import { FILL_ROUNDS } from "../../src/entities/migrations/20261130050200-quest-rounds.ts";
import { logChanges, pastOf, type QuestChange, standingOf } from "../../src/entities/quests/QuestProgress.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { rowsRead } from "../support/rowsRead.ts";

const DATABASES = {
  SQLite: () => openDatabase({ kind: "sqlite", path: ":memory:" }),
  MariaDB: async () => openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 32 }),
};

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`what the rounds of a player's quest came to (${name})`, () => {
    let database: Database;

    before(async function () {
      this.timeout(120_000);
      database = await open();
    });
    beforeEach(async () => {
      for (const table of ["quest_changes", "quest_rounds"]) await database.write(`DELETE FROM ${table}`);
    });
    after(() => database?.close());

    const ada = { playerId: "ada", questId: "q" };
    const log = (...changes: Array<readonly [round: number, state: QuestChange["state"], at: number]>) =>
      database.transaction(async (tx) => {
        for (const [round, state, at] of changes)
          await logChanges(tx, [{ ...ada, round, state, at, dueAt: state === "started" ? null : at - 1 }], "n");
      });
    const LIFE = [
      [1, "started", 10],
      [1, "scheduled", 11],
      [1, "completed", 12],
      [2, "started", 20],
      [2, "scheduled", 21],
      [2, "lapsed", 22],
      [3, "started", 30],
    ] as const;

    it("is the same by what is stored with each step, and by the log of it", async () => {
      await log(...LIFE);
      const past = { rounds: 3, completions: 1, completedAt: 12 };
      const ended = [{ ...ada, round: 2, state: "lapsed", at: 22, dueAt: 21 }];
      const assertAll = async (): Promise<void> => {
        assert.deepEqual([...(await pastOf(database, [ada, { ...ada, playerId: "bob" }]))], [["ada q", past]]);
        assert.deepEqual((await standingOf(database, "ada")).ended, ended);
      };
      await assertAll();
      await database.write("DELETE FROM quest_rounds");
      for (const statement of FILL_ROUNDS) await database.write(statement);
      await assertAll();
    });

    it("is not taken from the log where it says less than was stored", async () => {
      await log(...LIFE);
      await database.write("DELETE FROM quest_changes");
      assert.equal((await pastOf(database, [ada])).get("ada q")!.rounds, 3);
    });

    if (name === "MariaDB")
      it("is read by as many rows however many rounds there were", async () => {
        const readAfter = async (rounds: number): Promise<number> => {
          await database.write(
            `INSERT INTO quest_changes (player_id, quest_id, round, state, at, node)
             SELECT 'ada', 'q', seq, 'lapsed', seq, 'n' FROM seq_1_to_${rounds}`,
          );
          for (const statement of FILL_ROUNDS) await database.write(statement);
          for (const table of ["quest_changes", "quest_rounds"]) await database.query(`ANALYZE TABLE ${table}`);
          return rowsRead(database, async (within) => {
            assert.equal((await pastOf(within, [ada])).get("ada q")!.rounds, rounds);
            assert.equal((await standingOf(within, "ada")).ended[0]!.round, rounds);
          });
        };
        const few = await readAfter(10);
        for (const table of ["quest_changes", "quest_rounds"]) await database.write(`DELETE FROM ${table}`);
        assert.equal(await readAfter(10_000), few);
      });
  });
}
