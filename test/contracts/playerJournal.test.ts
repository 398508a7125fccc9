import assert from "node:assert/strict";
import { PlayerJournal } from "../../src/entities/players/PlayerJournal.ts";
import type { Database } from "../../src/entities/sql.ts";
import { ManualClock } from "../actors/simulation.ts";
import { DATABASES } from "../hunts/ledgerJournals.ts";

for (const { name, open } of DATABASES) {
  describe(`those who sign in (${name})`, function () {
    this.timeout(60_000);
    let database: Database;
    let clock: ManualClock;

    before(async () => {
      database = await open();
    });
    after(() => database.close());
    beforeEach(async () => {
      clock = new ManualClock();
      await database.write("DELETE FROM players");
    });

    const many = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ id: `p${n}`, name: `Büro 🦊 ${n}`, createdAt: n }));

    it("are stored by one statement when they come together", async () => {
      let statements = 0;
      const journal = new PlayerJournal(
        {
          dialect: database.dialect,
          write: (...statement) => {
            statements += 1;
            return database.write(...statement);
          },
        },
        clock,
      );
      const created = Promise.all(many(400).map((player) => journal.create(player)));
      assert.equal(statements, 0, "they wait for each other");
      await clock.advance(50);
      await created;
      assert.equal(statements, 1);
      const rows = await database.query<{ id: string; name: string; created_at: unknown }>(
        "SELECT id, name, created_at FROM players ORDER BY created_at",
      );
      assert.deepEqual(
        rows.map(({ id, name: called, created_at }) => ({ id, name: called, createdAt: Number(created_at) })),
        many(400),
      );
    });

    it("are stored at once when the node leaves", async () => {
      const journal = new PlayerJournal(database, clock);
      const [ann] = many(1);
      const created = journal.create(ann!);
      await journal.flush();
      await created;
    });

    it("are told when the database is away, and that our own statement is wrong", async () => {
      for (const [code, told] of [
        ["ECONNRESET", "unavailable"],
        ["SQLITE_ERROR", "internal"],
      ]) {
        const failing = {
          dialect: database.dialect,
          write: () => Promise.reject(Object.assign(new Error("no"), { code })),
        };
        const created = new PlayerJournal(failing, clock).create(many(1)[0]!);
        const refused = assert.rejects(created, { code: told });
        await clock.advance(50);
        await refused;
      }
    });
  });
}
