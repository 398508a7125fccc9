import assert from "node:assert/strict";
import type { QueryRunner } from "typeorm";
import { EventTable } from "../../src/entities/events/EventTable.ts";
import { createEventTable } from "../../src/entities/migrations/ddl.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { freshDatabaseUrl } from "../support/servers.ts";

const BALLOTS = new EventTable<{ votes: number }>("ballots", {
  coming: ["announced"],
  on: ["open", "counting"],
  over: ["closed"],
});

/** `at` is when it begins. */
const ballot = (id: string, phase: string, at: number) => ({
  ...{ id, name: `Ballot ${id}`, phase, startsAt: at, phaseEndsAt: at + 1, endsAt: at + 2, definition: { votes: 0 } },
});

/** As much of a runner as a migration of plain statements needs. */
const runnerOf = (database: Database) =>
  ({
    connection: { options: { type: database.dialect === "mysql" ? "mysql" : "better-sqlite3" } },
    query: (sql: string) => database.write(sql),
  }) as unknown as QueryRunner;

const DATABASES = {
  SQLite: () => openDatabase({ kind: "sqlite", path: ":memory:" }),
  MariaDB: async () => openDatabase({ kind: "mysql", url: await freshDatabaseUrl(), pool: 5 }),
};

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`A table of events (${name})`, () => {
    let database: Database;

    before(async function () {
      this.timeout(60_000);
      database = await open();
      await createEventTable(runnerOf(database), "ballots");
      for (const [id, phase, at] of [
        ...[["c2", "announced", 60] as const, ["c1", "announced", 50] as const, ["b1", "open", 20] as const],
        ...[["b2", "counting", 30] as const, ["a1", "closed", 1] as const, ["a2", "closed", 2] as const],
      ])
        await BALLOTS.insert(database, ballot(id, phase, at));
    });
    after(() => database?.close());

    const idsOf = (rows: readonly { id: string }[]): string[] => rows.map(({ id }) => id);

    it("gives back what it was given, and knows which there are", async () => {
      assert.deepEqual(await BALLOTS.get(database, "b1"), ballot("b1", "open", 20));
      assert.equal(await BALLOTS.get(database, "none"), null);
      assert.deepEqual([await BALLOTS.has(database, "b1"), await BALLOTS.has(database, "none")], [true, false]);
    });

    it("lists those on and coming, soonest first, then those that are over, latest first", async () => {
      assert.deepEqual(idsOf(await BALLOTS.list(database)), ["b1", "b2", "c1", "c2", "a2", "a1"]);
    });

    it("tells the lobby of the latest that are on, and the soonest that come", async () => {
      const lobby = BALLOTS.lobby("ballot");
      assert.deepEqual(lobby.news, ["ballotScheduled", "ballotPhase"]);
      const { on, coming, over } = await lobby.board(database, 1);
      assert.deepEqual([idsOf(on), idsOf(coming), idsOf(over)], [["b2"], ["c1"], ["a2", "a1"]]);
    });

    it("lists none of a phase that there is not", async () => {
      const withoutComing = new EventTable("ballots", { coming: [], on: ["open"], over: [] });
      const { on, coming, over } = await withoutComing.board(database, 9);
      assert.deepEqual([idsOf(on), coming, over], [["b1"], [], []]);
    });

    it("replaces all that changes of one, and nothing of the others", async () => {
      const changed = { ...ballot("c1", "open", 55), name: "Another", definition: { votes: 3 } };
      await BALLOTS.update(database, changed);
      assert.deepEqual(await BALLOTS.get(database, "c1"), changed);
      assert.deepEqual(await BALLOTS.get(database, "c2"), ballot("c2", "announced", 60));
    });

    it("refuses another one of an id", async () => {
      await assert.rejects(BALLOTS.insert(database, ballot("b1", "open", 1)));
    });
  });
}
