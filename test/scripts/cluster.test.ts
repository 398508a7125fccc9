import assert from "node:assert/strict";
import { freePort, isFree } from "../../scripts/processes/freePort.ts";
import { DEADLINE_MS, type Program, startProcess, until } from "../support/processes.ts";
// Imported for what it does: it provides the servers before the first test.
import "../support/servers.ts";

/** The first of two neighbouring free ports. */
async function freePair(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (await isFree(port + 1)) return port;
  }
}

function said(text: string): (line: string) => true | undefined {
  return (line) => line.includes(text) || undefined;
}

describe("npm run cluster", function () {
  this.timeout(120_000);
  let first: number;
  let cluster: Program;

  before(async () => {
    first = await freePair();
    cluster = await startProcess("scripts/cluster.ts", {
      args: ["--nodes", "2", "--port", String(first)],
      name: "cluster",
      env: { LOG_LEVEL: "info" },
    });
  });

  after(async () => {
    await cluster.kill();
  });

  it("starts nodes that serve the same hunt", async () => {
    const urls = [first, first + 1].map((port) => `http://localhost:${port}`);
    for (const url of urls) await cluster.line(`${url} being ready`, said(`ready: ${url} `), 60_000);
    await until(
      async () => {
        const answers = await Promise.all(urls.map(async (url) => (await fetch(`${url}/api/hunts`)).text()));
        return answers[0] === answers[1] && answers[0]?.includes('"id"');
      },
      { timeoutMs: DEADLINE_MS, what: "both nodes list the same hunts" },
    );
  });

  it("says when a node dies, and goes on with the others", async () => {
    const pid = await cluster.line("the pid of a node", (line) => /:(\d+) \(pid (\d+)\)/.exec(line) ?? undefined);
    const [killed, left] = Number(pid[1]) === first ? [first, first + 1] : [first + 1, first];
    process.kill(Number(pid[2]), "SIGKILL");
    await cluster.line("telling of it", said(`node ${killed} ended with SIGKILL`));
    assert.equal((await fetch(`http://localhost:${left}/readyz`)).status, 200);
  });

  it("ends the nodes in order, then their servers, at the first interrupt", async () => {
    const urls = await cluster.line(
      "telling its servers",
      (line) => /REDIS_URL=(\S+) DATABASE_URL=(\S+)/.exec(line) ?? undefined,
    );
    process.kill(cluster.pid, "SIGINT");
    assert.deepEqual(await cluster.exited, { code: 0, signal: null });
    await cluster.line("an orderly end of a node", (line) => /node \d+ ended with exit code 0/.exec(line) ?? undefined);
    const ports = [first, first + 1, ...urls.slice(1).map((url) => Number(new URL(url).port))];
    assert.deepEqual(await Promise.all(ports.map(isFree)), [true, true, true, true]);
  });
});
