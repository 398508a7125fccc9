import assert from "node:assert/strict";
import fc from "fast-check";
import { insertAll, MergedPages, pagesByOffset } from "../../src/entities/bulk.ts";
import { failureOf } from "../../src/entities/failures.ts";
import { type Database, exactDouble, type Row, type RowPages, type Value } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { itMeanwhile } from "../support/meanwhile.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { type DatabaseServer, startMariaDb } from "../support/servers.ts";

/** `SEED=<seed> npx mocha test/tournaments/settlementBulk.test.ts` replays a run. */
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const COLUMNS = ["id", "name", "score", "whole"] as const;
const SPECIAL = ["\\", "\t", "\n", "\r", "\0", "\\N", "NULL", "'", '"', ",", "\b", "\x1a", "\\\t", "🎪", "ß", "\u2028"];

const name = fc.oneof(
  fc.string({ unit: "grapheme-composite", maxLength: 12 }),
  fc.string({ unit: fc.constantFrom(...SPECIAL), maxLength: 12 }),
  fc.constant(null),
);
const score = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ noNaN: true, min: -1e7, max: 1e7 }),
  // Sixteen and seventeen digits, which mysql2 by itself reads a little beside.
  fc.integer({ min: 1e9, max: 2e9 }).map((whole) => whole * 9_999_999.999_9),
  fc.constantFrom(9_999_999.999_999_998, 9_876_543.210_987_654, 5e-324, Number.MAX_VALUE, 1e21, -0, 0.1 + 0.2),
);
const whole = fc.oneof(fc.maxSafeInteger(), fc.constant(null));
const row = fc.tuple(name, score, whole).map((values) => values as Value[]);

describe("rows in bulk", function () {
  this.timeout(120_000);
  let server: DatabaseServer;
  let mysql: Database;
  let sqlite: Database;

  before(async () => {
    server = await startMariaDb({ inMemory: true });
    mysql = await openDatabase({ kind: "mysql", url: await server.createDatabase(), pool: 32 });
    sqlite = await openDatabase({ kind: "sqlite", path: ":memory:" });
    const columns = "(id INT NOT NULL PRIMARY KEY, name VARCHAR(64) NULL, score DOUBLE NOT NULL, whole BIGINT NULL)";
    for (const table of ["loaded", "inserted"]) {
      await mysql.write(`CREATE TABLE ${table} ${columns} CHARSET utf8mb4 COLLATE utf8mb4_bin`);
      await sqlite.write(`CREATE TABLE ${table} ${columns}`);
    }
  });
  after(async () => {
    await mysql?.close();
    await sqlite?.close();
    await server?.stop();
  });

  const databases = (): Database[] => [mysql, sqlite];
  const load = (database: Database, rows: Value[][]): Promise<void> =>
    database.transaction((tx) => tx.load("loaded", COLUMNS, rows));
  const empty = (database: Database): Promise<unknown> =>
    Promise.all(["loaded", "inserted"].map((table) => database.write(`DELETE FROM ${table}`)));
  const count = async (database: Database): Promise<number> =>
    Number((await database.query<{ n: unknown }>("SELECT COUNT(*) AS n FROM loaded"))[0]!.n);

  async function read(database: Database, table: string): Promise<Value[][]> {
    const rows = await database.query<{ id: number; name: string | null; score: unknown; whole: number | null }>(
      `SELECT id, name, ${exactDouble(database.dialect, "score")} AS score, whole FROM ${table} ORDER BY id`,
    );
    return rows.map((each) => [each.id, each.name, Number(each.score) + 0, each.whole]);
  }

  it(`are stored exactly as they are, whatever they hold, as INSERT stores them (seed ${SEED})`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 50 }), async (values) => {
        const rows = values.map((each, at) => [at, ...each]);
        const expected = rows.map(([id, text, number, big]) => [id, text, (number as number) + 0, big]);
        for (const database of databases()) {
          await empty(database);
          await load(database, rows);
          await insertAll(database, { table: "inserted", columns: COLUMNS }, rows, 100);
          assert.deepEqual(await read(database, "loaded"), expected, `loaded into ${database.dialect}`);
          assert.deepEqual(await read(database, "inserted"), expected, `inserted into ${database.dialect}`);
        }
        const [{ n }] = (await mysql.query<{ n: unknown }>(
          "SELECT COUNT(*) AS n FROM loaded a JOIN inserted b USING (id) WHERE a.name <=> b.name AND HEX(a.name) <=> HEX(b.name) AND a.score = b.score",
        )) as [{ n: unknown }];
        assert.equal(Number(n), rows.length, "the server finds no difference either");
      }),
      { seed: SEED, numRuns: 60 },
    );
  });

  it("may be more than one statement has room for", async () => {
    const rows = Array.from({ length: 30_000 }, (_, id): Value[] => [id, "x".repeat(60), id / 3, null]);
    for (const database of databases()) {
      await empty(database);
      await load(database, rows);
      assert.equal(await count(database), 30_000);
      await load(database, []);
    }
  });

  it("are refused when one of them cannot be stored as it is, and none is stored", async () => {
    for (const database of databases()) {
      await empty(database);
      const good: Value[] = [1, "good", 1, 1];
      await assert.rejects(load(database, [good, [1, "the same key", 2, 2]]), `${database.dialect}: a key twice`);
      await assert.rejects(load(database, [good, [2, "no number", Number.NaN, 2]]), /NaN cannot be stored/);
      if (database === mysql)
        await assert.rejects(load(database, [good, [2, "x".repeat(65), 2, 2]]), /not stored as they are/);
      assert.equal(await count(database), 0);
    }
  });

  it("are inserted where the server does not allow LOAD DATA, also when it stops to", async () => {
    await empty(mysql);
    const general = async (): Promise<number> =>
      Number((await mysql.query<{ Value: unknown }>("SHOW GLOBAL STATUS LIKE 'Com_load'"))[0]!.Value);
    await load(mysql, [[1, "by LOAD DATA", 1, 1]]);
    const before = await general();
    assert.ok(before > 0);
    await mysql.write("SET GLOBAL local_infile = OFF");
    try {
      await load(mysql, [[2, "while it stops to", 1, 1]]);
      await load(mysql, [[3, "once it is known", 1, 1]]);
      const other = await openDatabase({ kind: "mysql", url: await server.createDatabase(), pool: 32 });
      await other.write("CREATE TABLE loaded (id INT NOT NULL PRIMARY KEY)");
      await other.transaction((tx) => tx.load("loaded", ["id"], [[1], [2]]));
      await other.close();
      assert.ok((await general()) - before <= 1, "it is tried once at most");
      assert.deepEqual(
        (await read(mysql, "loaded")).map(([id]) => id),
        [1, 2, 3],
      );
    } finally {
      await mysql.write("SET GLOBAL local_infile = ON");
    }
  });

  describe("that are read", () => {
    const SERIES = "SELECT seq, CONCAT('row ', seq) AS name FROM seq_1_to_25 WHERE seq > ? ORDER BY seq";
    const connections = async (): Promise<number> =>
      (await mysql.query("SELECT 1 FROM information_schema.processlist WHERE db = DATABASE()")).length;

    let pooled: number;

    before(async () => {
      pooled = await connections();
    });

    /** How many there are once the server has let go of those that the tests before closed. */
    async function settled(): Promise<number> {
      await until(async () => (await connections()) <= pooled);
      return connections();
    }

    async function drained(pages: RowPages): Promise<Row[][]> {
      const all: Row[][] = [];
      for await (const page of pages) all.push(page);
      return all;
    }

    async function until(isSo: () => Promise<boolean>): Promise<void> {
      while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
    }

    it("come in full pages but for the last, values in the order of the columns, on both databases", async () => {
      for (const database of databases()) {
        await empty(database);
        await load(
          database,
          Array.from({ length: 20 }, (_, at): Value[] => [at + 1, `n${at + 1}`, at, null]),
        );
        const sql = "SELECT name, id FROM loaded WHERE id > ? ORDER BY id";
        for (const [after, page, sizes] of [
          [2, 5, [5, 5, 5, 3]],
          [5, 5, [5, 5, 5]],
          [5, 100, [15]],
          [20, 5, []],
        ] as const) {
          const pages = await drained(database.stream(sql, [after], page));
          assert.deepEqual(
            pages.map(({ length }) => length),
            sizes,
          );
          assert.deepEqual(
            pages.flat(),
            Array.from({ length: 20 - after }, (_, at) => [`n${after + at + 1}`, after + at + 1]),
          );
        }
      }
    });

    it("are read outside of the pool, and their connection ends with them", async () => {
      const before = await settled();
      const pages = mysql.stream(SERIES, [0], 10);
      assert.equal((await pages.next()).value?.length, 10);
      assert.equal(await connections(), before + 1);
      await drained(pages);
      await until(async () => (await connections()) === before);
      assert.deepEqual(await pages.next(), { done: true, value: undefined });
    });

    it("leave no connection when whoever reads leaves off, also in the middle of a wait", async () => {
      const before = await settled();
      for await (const page of mysql.stream(SERIES, [0], 3)) if (page.length === 3) break;
      const slow = mysql.stream("SELECT SLEEP(?)", [600], 3);
      const waiting = slow.next();
      await until(async () => (await connections()) === before + 1);
      await slow.return();
      assert.deepEqual(await waiting, { done: true, value: undefined });
      // The server notices that a client has gone when it next looks: the statement itself is ended here.
      for (const { id } of await mysql.query<{ id: number }>(
        "SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'",
      ))
        await mysql.write(`KILL ${id}`).catch(() => {});
      await until(async () => (await connections()) === before);
    });

    it("make the server wait for a slow reader instead of filling the memory", async () => {
      const pages = mysql.stream("SELECT seq, REPEAT('x', 1000) AS text FROM seq_1_to_200000", [], 100);
      assert.equal((await pages.next()).value?.length, 100);
      const sending = async (): Promise<boolean> =>
        (await mysql.query("SELECT 1 FROM information_schema.processlist WHERE state = 'Writing to net'")).length === 1;
      await until(sending);
      const grown = process.memoryUsage().rss;
      let rows = 100;
      for await (const page of pages) rows += page.length;
      assert.equal(rows, 200_000);
      assert.ok(process.memoryUsage().rss - grown < 150 * 2 ** 20, "not the whole 200 MB were ever held");
    });

    it("tell of a connection that is lost, and of a statement that is wrong", async () => {
      const slow = mysql.stream("SELECT SLEEP(600)", [], 10);
      const waiting = slow.next();
      waiting.catch(() => {});
      const here = (): Promise<{ id: number }[]> =>
        mysql.query("SELECT id FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'");
      await until(async () => (await here()).length === 1);
      await mysql.write(`KILL ${(await here())[0]!.id}`);
      await assert.rejects(waiting, (error) => failureOf(error) === "lost");
      const wrong = mysql.stream("SELECT nothing FROM loaded", [], 10);
      await assert.rejects(wrong.next(), (error) => failureOf(error) === "fault");
    });

    itMeanwhile("may take longer to come than any transaction may be idle", async () => {
      const database = await openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 32 });
      const [page] = await drained(database.stream("SELECT SLEEP(4) AS slept", [], 10));
      assert.deepEqual(page, [[0]]);
      await database.close();
    });

    it("tell of a server that is away", async () => {
      const away = await startMariaDb({ inMemory: true });
      const gone = await openDatabase({ kind: "mysql", url: await away.createDatabase(), pool: 32 });
      await away.stop();
      await assert.rejects(gone.stream("SELECT 1", [], 1).next(), (error) => failureOf(error) === "unreachable");
    });

    it("are merged in their order, whatever the pages of their parts", async () => {
      const numbers = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 40 });
      await fc.assert(
        fc.asyncProperty(fc.array(numbers, { maxLength: 4 }), fc.integer({ min: 1, max: 7 }), async (parts, size) => {
          const pagesOf = (part: number[]): RowPages => {
            const rows = part.toSorted((a, b) => a - b).map((n) => ({ n }));
            const query = async <T>(_: string, params: readonly unknown[] = []): Promise<T[]> => {
              const [limit, offset] = params as [number, number];
              return rows.slice(offset, offset + limit) as T[];
            };
            return pagesByOffset({ query }, "", [], 3);
          };
          const merged = new MergedPages(parts.map(pagesOf), (a, b) => Number(a[0]) < Number(b[0]), size);
          const pages = await drained(merged);
          assert.ok(pages.slice(0, -1).every(({ length }) => length === size));
          assert.deepEqual(
            pages.flat(2),
            parts.flat().sort((a, b) => a - b),
          );
        }),
        { seed: SEED },
      );
    });
  });
});
