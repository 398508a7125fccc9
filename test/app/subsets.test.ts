import assert from "node:assert/strict";
import { join } from "node:path";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { RINGMASTER } from "../../src/app.config.ts";
import { declaredBy, requireWhole } from "../../src/domains/runtime/declared.ts";
import { openDatabase } from "../../src/entities/database.ts";
import type { Description } from "../../src/operations/describe.ts";
import { codesOf, documentOf, sectionOf, tableOf } from "../docs/documents.ts";
import { aHunt } from "../http/edge.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { freshDatabaseUrl } from "../support/servers.ts";
import { Visitor } from "../support/Visitor.ts";
import { ALWAYS, withNeeds } from "./withNeeds.ts";

const HOUR_MS = 3_600_000;
const ALL = RINGMASTER.domains;
const namesOf = (domains: typeof ALL): string[] => domains.map(({ name }) => name);

describe("A part of the domains", () => {
  it("is what docs/operations.md says it needs", () => {
    const rows = tableOf(sectionOf(documentOf("docs/operations.md"), "### A part of the domains"), "domain");
    const documented = new Map(rows.map(([domain, needed]) => [codesOf(domain!)[0]!, codesOf(needed!).sort()]));
    const others = namesOf(ALL).filter((name) => !ALWAYS.includes(name as never));
    const needed = others.map((name) => [
      name,
      namesOf(withNeeds([name], ALL))
        .filter((each) => each !== name && !ALWAYS.includes(each as never))
        .sort(),
    ]);
    assert.deepEqual(documented, new Map(needed as Array<[string, string[]]>));
  });

  for (const [dialect, configOf] of [
    ["SQLite", async () => ({ kind: "sqlite", path: ":memory:" }) as const],
    ["MariaDB", async () => ({ kind: "mysql", url: await freshDatabaseUrl(), pool: 5 }) as const],
  ] as const)
    describe(`in a database of its own (${dialect})`, function () {
      this.timeout(120_000);
      for (const name of namesOf(ALL))
        it(`has all of its tables, with ${name} as its largest`, async () => {
          const declared = declaredBy(withNeeds([name], ALL));
          requireWhole(declared);
          await (await openDatabase(await configOf(), declared)).close();
        });

      it("gets those of the others when these are listed later, in any order", async () => {
        const config = await configOf();
        if (config.kind === "sqlite") return await grows({ kind: "sqlite", path: join(directory, "grows.sqlite") });
        await grows(config);
      });
    });

  let directory: string;
  before(() => {
    directory = temporaryDirectory("subsets");
  });
  after(() => removeDirectory(directory));

  /** Lists one more at a time, and looks for the columns that several domains have to do with. */
  async function grows(config: Parameters<typeof openDatabase>[0]): Promise<void> {
    for (const names of [[], ["popups"], ["quests"], ["tournaments"], ["hunts", "tournaments"], namesOf(ALL)])
      await (await openDatabase(config, declaredBy(withNeeds(names, ALL)))).close();
    const database = await openDatabase(config, declaredBy(ALL));
    try {
      for (const table of ["hunts", "tournaments"])
        assert.deepEqual(await database.query(`SELECT pauses, pausing, review_since FROM ${table}`), []);
    } finally {
      await database.close();
    }
  }
});

/** What is listed beside what it needs, and what is done there beside the jobs and queries of all that is listed. */
const PARTS: Record<string, (ask: Ask, node: RingmasterNode) => Promise<void>> = {
  hunts: async (ask, node) => {
    const { id: huntId } = await ask<{ id: string }>("command", "createHunt", {
      ...aHunt(),
      startsAt: Date.now() + HOUR_MS,
    });
    await ask("command", "startHunt", { huntId });
    const { room } = await Visitor.join(node.client((await node.signIn()).token), "hunt", { huntId });
    const { assignmentId } = await room.request<unknown, { assignmentId: string }>("claim", {});
    assert.ok(assignmentId);
    await ask("command", "pauseHunt", { huntId, reason: "a look" });
    await room.leave();
  },
  pools: async (ask) => {
    await ask("command", "contributeToPool", { game: "snake", period: "daily", item: "TICO", amount: "5" });
    await ask("query", "rankings", { game: "snake", period: "all" });
  },
  quests: async (_ask, node) => {
    const { token } = await node.signIn();
    assert.equal((await node.get("/api/me/quests", { token })).status, 200);
  },
  popups: async (_ask, node) => {
    assert.equal((await node.get("/api/popups/global")).status, 200);
  },
};

type Ask = <T>(type: "command" | "query", name: string, args?: object) => Promise<T>;
interface ListedJob {
  name: string;
  lastRun: { scheduledAt: number; outcome: string } | null;
}

for (const [part, use] of Object.entries(PARTS))
  describe(`A node with ${part} and what they need alone`, function () {
    this.timeout(120_000);
    let directory: string;
    let node: RingmasterNode;
    let operator: Visitor;
    const ask: Ask = (type, name, args = {}) => operator.request(type, { name, args });

    before(async () => {
      directory = temporaryDirectory(`only-${part}`);
      const DATABASE_URL = `sqlite:${join(directory, "ringmaster.sqlite")}`;
      node = await RingmasterNode.start({ DATABASE_URL, DOMAINS: `${part},admin,retention` }, "test/app/subsetNode.ts");
      operator = await Visitor.join(node.client(await tokenOf("operator")), "admin");
    });

    after(async () => {
      await node?.kill();
      removeDirectory(directory);
    });

    it("is ready, answers what it has, and runs its jobs", async () => {
      const token = await tokenOf("operator");
      await use(ask, node);
      const { queries } = await operator.request<Description>("describe", {});
      for (const { name, args } of queries)
        if (((args as { required?: string[] }).required ?? []).length === 0) await ask("query", name);
      const { jobs } = await ask<{ jobs: ListedJob[] }>("query", "jobs");
      assert.ok(jobs.some(({ name }) => name === "retention"));
      for (const { name } of jobs) {
        const { scheduledAt } = await ask<{ scheduledAt: number }>("command", "triggerJob", { job: name });
        await until(
          async () => {
            const { body } = await node.get<{ jobs: ListedJob[] }>("/api/jobs/status", { token });
            const { lastRun } = body.jobs.find((job) => job.name === name)!;
            return lastRun?.scheduledAt === scheduledAt && lastRun.outcome === "succeeded";
          },
          { timeoutMs: DEADLINE_MS, what: `${name} has run` },
        );
      }
    });
  });
