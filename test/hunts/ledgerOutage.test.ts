import assert from "node:assert/strict";
import { AssignmentJournal } from "../../src/actors/hunts/AssignmentJournal.ts";
import { systemClock } from "../../src/clock.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { type DatabaseServer, startMariaDb } from "../support/servers.ts";
import { insertHunt, openRow, rowsIn } from "./ledgerJournals.ts";

describe("AssignmentJournal when MariaDB fails", function () {
  this.timeout(120_000);
  let server: DatabaseServer;
  let database: Database;

  before(async () => {
    server = await startMariaDb();
    database = await openDatabase({ kind: "mysql", url: await server.createDatabase(), pool: 32 });
  });
  after(async () => {
    await database.close();
    await server.stop();
  });

  it("keeps what it said was committed, rejects the rest as unavailable, and takes it again afterwards", async () => {
    const journal = new AssignmentJournal(database, systemClock);
    const hunt = await insertHunt(database);
    const row = (n: number) => openRow(n, 1, `p-${n}`);
    const committed = new Set<number>();
    const failed: number[] = [];
    let next = 0;
    const commitOnAndOn = async (): Promise<void> => {
      while (failed.length === 0) {
        const n = next++;
        try {
          assert.equal(await journal.commit(hunt, 1, [row(n)]), "committed");
          committed.add(n);
        } catch (error) {
          assert.equal((error as { code?: string }).code, "unavailable");
          failed.push(n);
        }
      }
    };
    const committers = Array.from({ length: 20 }, commitOnAndOn);
    await until(() => committed.size > 200, { what: "some rows are committed", timeoutMs: DEADLINE_MS });
    await server.kill();
    await Promise.all(committers);
    await assert.rejects(rowsIn(journal, hunt), { code: "unavailable" });

    await server.restart();
    const repeat = (): Promise<boolean> =>
      journal.commit(hunt, 1, failed.map(row)).then(
        (result) => result === "committed",
        () => false,
      );
    await until(repeat, { what: "the failed rows are committed", timeoutMs: DEADLINE_MS });
    const stored = new Set((await rowsIn(journal, hunt)).map(({ instance }) => instance));
    assert.deepEqual(
      [...stored].sort((a, b) => a - b),
      [...committed, ...failed].sort((a, b) => a - b),
    );
  });
});
