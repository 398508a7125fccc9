import assert from "node:assert/strict";
import { CommitUnknown } from "../../src/entities/failures.ts";
import { Hunts } from "../../src/entities/hunts/Hunt.ts";
import type { Database, Transaction } from "../../src/entities/sql.ts";
import { Tournaments } from "../../src/entities/tournaments/Tournament.ts";
import { openDatabase } from "../support/database.ts";

/** A database that answers no commit. */
function unanswered(database: Database): Database {
  const begin = async (): Promise<Transaction> => {
    const tx = await database.begin();
    const commit = tx.commit.bind(tx);
    return Object.assign(tx, {
      async commit() {
        await commit();
        throw new CommitUnknown("the connection was lost during a commit");
      },
    });
  };
  return Object.assign(Object.create(database) as Database, {
    begin,
    query: database.query.bind(database),
    async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
      const tx = await begin();
      const result = await work(tx);
      await tx.commit();
      return result;
    },
  });
}

describe("what only reads", () => {
  let database: Database;

  before(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
  });
  after(() => database.close());

  const reads: Record<string, (from: Database) => Promise<unknown>> = {
    "a hunt": (from) => new Hunts(from).get("h"),
    hunts: (from) => new Hunts(from).list(),
    "a tournament": (from) => new Tournaments(from).get("t"),
    tournaments: (from) => new Tournaments(from).list(),
  };
  for (const [what, read] of Object.entries(reads))
    it(`has no commit whose outcome could be unknown: ${what}`, async () => {
      assert.deepEqual(await read(unanswered(database)), await read(database));
      assert.equal((await database.query("SELECT 1")).length, 1, "it has ended its transaction");
    });
});
