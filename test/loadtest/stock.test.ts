import assert from "node:assert/strict";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import type { StandingsPage } from "../../src/actors/tournaments/TournamentOperations.ts";
import { DEADLINE_MS, type Program, startProcess, until } from "../support/processes.ts";
import { RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { someTournament } from "../tournaments/someTournament.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CLIENTS = 8;

/** The script that `docs/clients.md` has for the stock tool. */
function documentedScript(): string {
  const [, section] = readFileSync(join(ROOT, "docs/clients.md"), "utf8").split("## The colyseus load-test tool\n");
  const [, script] = /```ts\n(.*?)```/s.exec(section!)!;
  return script!;
}

describe("the colyseus load-test tool with the script of its template", function () {
  this.timeout(120_000);
  let folder: string;
  let script: string;
  let node: RingmasterNode;
  let tournamentId: string;

  before(async () => {
    folder = temporaryDirectory("stock-loadtest");
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    script = join(folder, "example.ts");
    writeFileSync(script, documentedScript());
    node = await RingmasterNode.start({
      DATABASE_URL: `sqlite:${join(folder, "ringmaster.sqlite")}`,
      LOG_LEVEL: "warn",
    });
  });
  after(async () => {
    await node.kill();
    removeDirectory(folder);
  });
  beforeEach(async () => {
    const made = { token: await tokenOf("operator"), body: someTournament() };
    tournamentId = (await node.post<{ id: string }>("/api/tournaments", made)).body.id;
  });

  const output = (name: string): string => join(folder, name);
  const written = (name: string): string => (existsSync(output(name)) ? readFileSync(output(name), "utf8") : "");
  const start = (name: string, ...flags: string[]): Promise<Program> =>
    startProcess(script, {
      name: "colyseus-loadtest",
      args: ["--endpoint", node.url.replace("http", "ws"), "--room", "tournament", "--output", output(name), ...flags],
      env: { TERM: "xterm" },
    });
  const players = async (): Promise<number> =>
    (await node.get<StandingsPage>(`/api/tournaments/${tournamentId}/standings`)).body.total;

  it("joins with a player and the event for each client, and plays", async () => {
    const tool = await start("plays.log", "--tournamentId", tournamentId, "--numClients", String(CLIENTS));
    await until(async () => (await players()) === CLIENTS, { what: "all have a standing", timeoutMs: DEADLINE_MS });
    assert.deepEqual(await tool.stop(DEADLINE_MS), { code: 0, signal: null }, tool.tail());
    const [, summary] = written("plays.log").split("Finished. Summary:");
    assert.match(summary!, new RegExp(`Successful connections: ${CLIENTS}\\b`));
    assert.match(summary!, /Failed connections: 0\b/);
    assert.match(summary!, /Total errors: 0\b/);
  });

  it("joins as the one player whose token it is given", async () => {
    const { token } = await node.signIn("Ada");
    const flags = ["--tournamentId", tournamentId, "--token", token, "--numClients", "3"];
    const tool = await start("token.log", ...flags);
    const entries = async (): Promise<number | undefined> =>
      (await node.get<StandingsPage>(`/api/tournaments/${tournamentId}/standings`)).body.rows[0]?.entries;
    await until(async () => (await entries()) === 3, { what: "each has submitted", timeoutMs: DEADLINE_MS });
    assert.equal(await players(), 1);
    await tool.stop(DEADLINE_MS);
    assert.match(written("token.log"), /Successful connections: 3\b/);
  });

  it("counts who cannot join, and says why in words", async () => {
    const tool = await start("refused.log", "--tournamentId", "nosuch", "--numClients", "2");
    const refusals = (): number => written("refused.log").match(/not_found: /g)?.length ?? 0;
    await until(() => refusals() === 2, { what: "both are refused", timeoutMs: DEADLINE_MS });
    await tool.stop(DEADLINE_MS);
    assert.match(written("refused.log"), /Failed connections: 2\b/);
  });
});
