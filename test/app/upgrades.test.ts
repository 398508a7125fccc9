import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { Redis } from "ioredis";
import { DataSource, type DataSourceOptions } from "typeorm";
import { ConfigError } from "../../src/config.ts";
import { assertNoNodes } from "../../src/parts/runningNodes.ts";
import { MIGRATIONS, openDatabase } from "../support/database.ts";
import { freshDatabaseUrl, type RedisServer, startRedis } from "../support/servers.ts";

const TTL_MS = 400;
/** The last migration of the version before scores became whole numbers. */
const BEFORE = "ScorePrecision20261130090000";

describe("a node that finds a database of the version before", function () {
  this.timeout(60_000);
  let redis: RedisServer;
  let client: Redis;
  let url: string;
  let beating: NodeJS.Timeout | undefined;

  before(async () => {
    redis = await startRedis();
    client = new Redis(redis.url);
  });

  beforeEach(async () => {
    url = await freshDatabaseUrl();
    await client.flushall();
    const until = MIGRATIONS.findIndex(({ name }) => name === BEFORE) + 1;
    await withSource(
      async (source) => {
        await source.runMigrations({ transaction: "each" });
      },
      MIGRATIONS.slice(0, until),
    );
  });

  afterEach(() => clearInterval(beating));

  after(async () => {
    client.disconnect();
    await redis.stop();
  });

  async function withSource<T>(
    work: (source: DataSource) => Promise<T>,
    migrations: ReadonlyArray<(typeof MIGRATIONS)[number]> = [],
  ): Promise<T> {
    const options = { type: "mysql", url, migrations: [...migrations] } as DataSourceOptions;
    const source = await new DataSource(options).initialize();
    try {
      return await work(source);
    } finally {
      await source.destroy();
    }
  }

  /** Nodes of that version run, and one has ended without a goodbye. */
  async function oldNodesRun(): Promise<void> {
    await client.hset("ringmaster:nodes", "dead", "{}");
    let count = 0;
    beating = setInterval(() => void client.hset("ringmaster:nodes", "old", `{"count":${count++}}`), TTL_MS / 6);
  }

  const addFractions = (): Promise<void> =>
    withSource(async (source) => {
      await source.query("UPDATE games SET max_score = 99.5 WHERE id = 'pong'");
    });

  async function start(): Promise<void> {
    const database = await openDatabase({ kind: "mysql", url, pool: 5 }, (reasons) =>
      assertNoNodes(redis.url, TTL_MS, reasons),
    );
    await database.close();
  }

  const migrated = (): Promise<boolean> =>
    withSource(async (source) => {
      const rows = await source.query("SELECT 1 FROM migrations WHERE name = ?", [MIGRATIONS.at(-1)!.name]);
      return rows.length > 0;
    });

  it("refuses to start while nodes run that could not go on beside what it would change, and changes nothing", async () => {
    await addFractions();
    await oldNodesRun();
    await assert.rejects(start(), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /\(old\).*pong/);
      return true;
    });
    assert.equal(await migrated(), false);
  });

  it("starts once these have stopped, also without a goodbye", async () => {
    await addFractions();
    await oldNodesRun();
    clearInterval(beating);
    await start();
    assert.equal(await migrated(), true);
  });

  it("starts beside nodes that can go on", async () => {
    await oldNodesRun();
    await start();
    assert.equal(await migrated(), true);
  });
});

describe("migrations", () => {
  const folder = new URL("../../src/entities/migrations/", import.meta.url);
  /** What a statement of the version before may need, or not name. */
  const BREAKS = /DROP (TABLE|COLUMN)|RENAME|MODIFY|CHANGE COLUMN|ADD COLUMN (?![^"`]*DEFAULT)[^"`]*NOT NULL/;
  /** The first version has none before it. */
  const FIRST = /^202611(0|1|20|21)/;

  for (const file of readdirSync(folder).filter((name) => /^\d{14}/.test(name) && !FIRST.test(name)))
    it(`take nothing away that nodes of the version before need, or say so: ${file}`, () => {
      const [up = ""] = readFileSync(new URL(file, folder), "utf8").split("async down(");
      assert.ok(!BREAKS.test(up) || /async breaks\(/.test(up), String(BREAKS.exec(up)?.[0]));
    });
});
