import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { QUEST_EVENTS, QUEST_TIMES } from "../../loadtest/quests/QuestBot.ts";
import type { Report } from "../../loadtest/runtime/LoadTest.ts";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { DEADLINE_MS, startProcess } from "../support/processes.ts";
import { RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { freshRedisUrl } from "../support/servers.ts";

type QuestReport = Report<(typeof QUEST_EVENTS)[number], (typeof QUEST_TIMES)[number]>;

describe("the load test of quests", function () {
  this.timeout(120_000);

  it("reports what the database holds", async () => {
    const folder = temporaryDirectory("quests-loadtest");
    const databaseUrl = await migratedDatabaseUrl();
    const node = await RingmasterNode.start({
      REDIS_URL: await freshRedisUrl(),
      DATABASE_URL: databaseUrl,
      RATE_LIMIT_PER_ADDRESS: "1000000",
    });
    const report = join(folder, "report.json");
    const program = await startProcess("loadtest/quests.ts", {
      args: [
        ...["--endpoint", node.url, "--operator", await tokenOf("operator"), "--report", report],
        ...["--numClients", "20", "--due", "300", "--spread", "200", "--seed", "7"],
      ],
      env: { CI: "true" },
    });
    // However long each of them takes to come round on a busy machine.
    const rounds = (line: string): true | undefined =>
      Number(/completed (\d+)/.exec(line)?.[1]) >= 20 ? true : undefined;
    await program.line("20 rounds", rounds, DEADLINE_MS);
    program.signal("SIGTERM");
    const exit = await program.exited;
    assert.equal(exit.code, 0, program.tail());
    const counted = JSON.parse(readFileSync(report, "utf8")) as QuestReport;
    assert.equal(counted.joined, 20);
    assert.deepEqual([counted.lapsed, counted.notTold, counted.protocolErrors], [0, 0, 0]);
    assert.ok(counted.completed >= 20, `${counted.completed} rounds`);
    assert.equal(counted.latencyMs.told.count, counted.completed);
    const database = await openDatabase({ kind: "mysql", url: databaseUrl, pool: 32 });
    const [row] = await database.query<{ count: number }>(
      "SELECT COUNT(*) AS count FROM quest_changes WHERE state = 'started'",
    );
    assert.equal(Number(row!.count), counted.started);
    await database.close();
    await node.kill();
    removeDirectory(folder);
  });
});
