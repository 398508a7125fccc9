import assert from "node:assert/strict";
import { type AuditEntry, auditLines, noteUnknown, writeEffect, writeNote } from "../../src/entities/audit.ts";
import { eventChanges, noteEventChange } from "../../src/entities/events/EventChange.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";

const DATABASES = {
  SQLite: () => openDatabase({ kind: "sqlite", path: ":memory:" }),
  MariaDB: async () => openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 8 }),
};

for (const [name, open] of Object.entries(DATABASES))
  describe(`Lines of the audit (${name})`, function () {
    this.timeout(120_000);
    let database: Database;

    before(async () => {
      database = await open();
    });
    beforeEach(async () => {
      for (const table of ["audit", "event_changes"]) await database.write(`DELETE FROM ${table}`);
    });
    after(() => database?.close());

    const entry = (id: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
      ...{ id, operatorId: "op", operator: "Op", role: "operator", command: "pauseHunt", subject: "hunt:h" },
      ...{ args: '{"reason":"because"}', node: "n", via: "room", requestId: null, ...more },
    });
    const effect = (line: AuditEntry, at: number) => database.transaction((tx) => writeEffect(tx, line, at));
    const lines = async () =>
      (await auditLines(database, {}, { after: undefined, limit: 10 })).map(({ id, at, outcome, error }) => ({
        ...{ id, at, outcome, error },
      }));

    it("say that a command is done once its effect is stored, whatever was said of it before", async () => {
      await noteUnknown(database, entry("a"), 1);
      assert.deepEqual(await lines(), [{ id: "a", at: 1, outcome: "unknown", error: "outcome_unknown" }]);
      await effect(entry("a"), 2);
      assert.deepEqual(await lines(), [{ id: "a", at: 2, outcome: "done", error: null }]);
    });

    it("stay as they are once a command is done: its repeat and what is said of that change nothing", async () => {
      await effect(entry("a"), 1);
      await effect(entry("a"), 5);
      assert.equal(
        await writeNote(database, { entry: entry("a"), at: 6, outcome: "failed", error: "internal" }),
        false,
      );
      assert.deepEqual(await lines(), [{ id: "a", at: 1, outcome: "done", error: null }]);
    });

    it("go with their transaction", async () => {
      const work = database.transaction(async (tx) => {
        await writeEffect(tx, entry("a"), 1);
        throw new Error("as asked");
      });
      await assert.rejects(work, /as asked/);
      assert.deepEqual(await lines(), []);
    });

    it("are read in order where several came at once, each once", async () => {
      for (const id of ["b", "a", "d", "c"]) await effect(entry(id), id === "d" ? 9 : 5);
      const first = await auditLines(database, {}, { after: undefined, limit: 2 });
      const rest = await auditLines(database, { subject: "hunt:h" }, { after: first[1], limit: 10 });
      assert.deepEqual(
        [...first, ...rest].map(({ id }) => id),
        ["d", "c", "b", "a"],
      );
    });

    it("are what was done to an event with a reason, beside what nodes of the version before have noted", async () => {
      await effect(entry("a"), 10);
      await effect(entry("b", { command: "startHunt", args: "{}" }), 20);
      await effect(entry("c", { command: "releaseHunt" }), 40);
      await effect(entry("d", { subject: "hunt:other" }), 50);
      await writeNote(database, { entry: entry("e"), at: 60, outcome: "refused", error: "conflict" });
      const noted = { kind: "resume", operatorId: "before", reason: "older", changedAt: 30 } as const;
      await noteEventChange(database, { domain: "hunts", eventId: "h", id: "x" }, noted);
      const made = { operatorId: "op", reason: "because" };
      assert.deepEqual(await eventChanges(database, "hunts", "h", 10), [
        { kind: "release", ...made, changedAt: 40 },
        noted,
        { kind: "pause", ...made, changedAt: 10 },
      ]);
      assert.deepEqual(
        (await eventChanges(database, "hunts", "h", 2)).map(({ changedAt }) => changedAt),
        [40, 30],
      );
    });
  });
