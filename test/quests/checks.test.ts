import assert from "node:assert/strict";
import { countAssignments, NOTHING_COUNTED } from "../../src/actors/hunts/scores.ts";
import { CHECKS, whoHasMetSince, whoMeets } from "../../src/actors/quests/checks.ts";
import { NOTHING_RECORDED, recordResults } from "../../src/entities/hunts/results.ts";
import type { QuestCondition } from "../../src/entities/quests/Quest.ts";
import type { Database } from "../../src/entities/sql.ts";
import { OUTCOME } from "../../src/stores/hunts/ClueLedger.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { insertPlayers } from "./someQuest.ts";

const DATABASES = {
  SQLite: () => openDatabase({ kind: "sqlite", path: ":memory:" }),
  MariaDB: async () => openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 32 }),
};

const EVERYBODY = ["ada", "bob", "cyd", "dee", "nobody"];

/** What each check says of everybody. Ada has all, Bob a wallet, Cyd an exchange and a little luck, Dee nothing. */
const TABLE: Array<[QuestCondition, string[]]> = [
  [{ check: "walletConnected", args: {} }, ["ada", "bob"]],
  [{ check: "exchangeChosen", args: {} }, ["ada", "cyd"]],
  [{ check: "exchangeChosen", args: { exchange: "kraken" } }, ["ada"]],
  [{ check: "huntsSolved", args: { atLeast: 1 } }, ["ada", "cyd"]],
  [{ check: "huntsSolved", args: { atLeast: 2 } }, ["ada"]],
  [{ check: "huntsSolved", args: { atLeast: 3 } }, []],
  [{ check: "scoreReached", args: { atLeast: 5 } }, ["ada", "cyd"]],
  [{ check: "scoreReached", args: { atLeast: 40 } }, ["ada"]],
  [{ check: "scoreReached", args: { atLeast: 41 } }, []],
];

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`the checks of quests (${name})`, () => {
    let database: Database;

    before(async function () {
      this.timeout(120_000);
      database = await open();
      await insertPlayers(database, ["ada", "bob"], { wallets: true });
      await insertPlayers(database, ["cyd", "dee"]);
      await database.write("UPDATE players SET exchange = 'kraken' WHERE id = 'ada'");
      await database.write("UPDATE players SET exchange = 'other' WHERE id = 'cyd'");
      await solve("h1", "ada", 10, 20);
      await solve("h2", "ada", 10);
      await solve("h2", "cyd", 5);
      await hold("h2", "dee", OUTCOME.exhausted, 0);
      for (const hunt of ["h1", "h2"])
        await database.transaction(async (tx) => {
          await countAssignments(tx, hunt, NOTHING_COUNTED, 1000);
          await recordResults(tx, hunt, { after: NOTHING_RECORDED, limit: 1000 }, hunt === "h1" ? 100 : 200);
        });
      // Solved, but its hunt has not come to its reveal.
      await solve("h3", "dee", 1000);
    });

    after(() => database?.close());

    let instance = 0;

    async function solve(hunt: string, player: string, ...points: number[]): Promise<void> {
      for (const each of points) await hold(hunt, player, OUTCOME.solved, each);
    }

    async function hold(hunt: string, player: string, outcome: number, points: number): Promise<void> {
      await database.write(
        `INSERT INTO hunt_assignments (hunt_id, instance, generation, player_id, player_name, opened_at, expires_at, attempts_used, outcome, closed_at, points, solve_seq)
         VALUES (?, ?, 1, ?, ?, 1, 2, 1, ?, 2, ?, ?)`,
        [hunt, instance, player, player, outcome, points, ++instance],
      );
    }

    for (const [condition, players] of TABLE) {
      it(`${condition.check} ${JSON.stringify(condition.args)}: ${players.join(", ") || "nobody"}`, async () => {
        assert.deepEqual([...(await whoMeets(database, condition, EVERYBODY))].sort(), players);
      });
    }

    it("count what has come since a time of each player's own", async () => {
      await database.write("UPDATE players SET wallet_connected_at = 100 WHERE id = 'bob'");
      await database.write("UPDATE players SET exchange_chosen_at = 100 WHERE id = 'cyd'");
      for (const [condition, from, players] of [
        [{ check: "walletConnected", args: {} }, 100, ["bob"]],
        [{ check: "walletConnected", args: {} }, 101, []],
        [{ check: "exchangeChosen", args: {} }, 100, ["cyd"]],
        [{ check: "exchangeChosen", args: {} }, 101, []],
        [{ check: "huntsSolved", args: { atLeast: 2 } }, 100, ["ada"]],
        [{ check: "huntsSolved", args: { atLeast: 2 } }, 101, []],
        [{ check: "scoreReached", args: { atLeast: 10 } }, 200, ["ada"]],
        [{ check: "scoreReached", args: { atLeast: 5 } }, 201, []],
      ] as Array<[QuestCondition, number, string[]]>) {
        const since = new Map(EVERYBODY.map((player) => [player, from]));
        const met = await whoHasMetSince(database, condition, since);
        assert.deepEqual([...met].sort(), players, `${condition.check} ${from}`);
      }
      const own = new Map([
        ["ada", 200],
        ["cyd", 201],
      ]);
      const met = await whoHasMetSince(database, { check: "huntsSolved", args: { atLeast: 1 } }, own);
      assert.deepEqual([...met], ["ada"]);
      assert.deepEqual([...(await whoHasMetSince(database, { check: "walletConnected", args: {} }, new Map()))], []);
    });

    it("say nothing of those who were not asked for", async () => {
      for (const [condition] of TABLE) {
        assert.deepEqual([...(await whoMeets(database, condition, ["dee"]))], []);
        assert.deepEqual([...(await whoMeets(database, condition, []))], []);
      }
    });

    it("are all in this table", () => {
      assert.deepEqual(new Set(TABLE.map(([{ check }]) => check)), new Set(Object.keys(CHECKS)));
    });
  });
}
