import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { Redis } from "ioredis";
import { RINGMASTER } from "../../src/app.config.ts";
import { variablesOf } from "../../src/config.ts";
import { everyMetric } from "../support/metrics.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { RingmasterNode } from "../support/RingmasterNode.ts";
import { freshRedisUrl } from "../support/servers.ts";
import { codesOf, documentOf, protocolPages, sectionOf, tableOf } from "./documents.ts";

const OPERATIONS = documentOf("docs/operations.md");
const SOURCE = new URL("../../src/", import.meta.url);

describe("docs/operations.md", () => {
  it("names every variable that is read, and no other", () => {
    const pages = [sectionOf(OPERATIONS, "## Variables"), ...protocolPages()];
    const documented = pages.flatMap((page) => tableOf(page, "variable")).map(([name]) => codesOf(name!)[0]);
    assert.deepEqual(documented.sort(), variablesOf(RINGMASTER.domains).sort());
  });

  it("tells of every metric of Ringmaster's own, and of none that is not there", async () => {
    const metrics = await everyMetric().getMetricsAsJSON();
    const known = new Set(metrics.map(({ name }) => name));
    const pages = [sectionOf(OPERATIONS, "## Watching"), ...protocolPages()];
    const cells = pages.flatMap((page) => tableOf(page, "metric")).map(([cell]) => cell!);
    const documented = cells.flatMap(codesOf).map((code) => code.replace(/\{.*\}$/, ""));
    for (const name of documented) assert.ok(known.has(name), `there is no metric ${name}`);
    for (const name of known) {
      if (!/^(nodejs|process)_/.test(name)) assert.ok(documented.includes(name), `${name} is not documented`);
    }
  });

  it("explains entries of the log that there are", () => {
    const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
    const source = files.map((path) => readFileSync(new URL(path, SOURCE), "utf8")).join("\n");
    const cells = tableOf(sectionOf(OPERATIONS, "## Logs"), "entry").map(([cell]) => cell!);
    const entries = cells.flatMap(codesOf).filter((code) => code.split(" ").length > 2);
    assert.ok(entries.length > 8);
    for (const entry of entries) assert.ok(source.includes(`"${entry}`), `there is no entry "${entry}"`);
  });

  it("says how many connections a node has to Redis", async function () {
    this.timeout(120_000);
    const documented = Number(/To Redis it has (\d+):/.exec(OPERATIONS)![1]);
    const [redisUrl, databaseUrl] = await Promise.all([freshRedisUrl(), migratedDatabaseUrl()]);
    const node = await RingmasterNode.start({ REDIS_URL: redisUrl, DATABASE_URL: databaseUrl });
    const redis = new Redis(redisUrl);
    const connections = async (): Promise<number> =>
      [...String(await redis.client("LIST")).matchAll(/ name=ringmaster:/g)].length;
    try {
      await until(async () => (await connections()) === documented, {
        timeoutMs: DEADLINE_MS,
        what: "its connections",
      });
    } finally {
      redis.disconnect();
      await node.kill();
    }
  });
});
