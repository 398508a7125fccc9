import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { Program } from "../../scripts/processes/Program.ts";
import { VARIABLES } from "../support/processes.ts";

describe("npm start", function () {
  this.timeout(120_000);
  let directory: string;
  let npm: Program;

  before(async () => {
    directory = temporaryDirectory("start-test");
    // Empty counts as not set, and keeps a developer's own .env from being taken.
    const unset = Object.fromEntries(VARIABLES.map((name) => [name, ""]));
    npm = await Program.start({
      name: "npm start",
      command: "npm",
      args: ["--prefix", fileURLToPath(new URL("../../", import.meta.url)), "start"],
      env: {
        ...process.env,
        ...unset,
        PORT: "0",
        DATABASE_URL: `sqlite:${join(directory, "ringmaster.sqlite")}`,
      },
    });
  });

  after(async () => {
    await npm.kill();
    removeDirectory(directory);
  });

  it("prints where it is ready, with the page and a hunt to play", async () => {
    const url = await npm.line("its address", (line) => /is ready: (http:\S+)/.exec(line)?.[1]);
    const page = await fetch(url);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<title>Ringmaster<\/title>/);
    const { hunts } = (await (await fetch(`${url}/api/hunts`)).json()) as { hunts: unknown[] };
    assert.equal(hunts.length, 1);
  });

  it("ends in order when npm gets the signal", async () => {
    process.kill(npm.pid, "SIGTERM");
    await npm.exited;
    assert.match(npm.tail(), /"msg":"stopped"/);
  });
});
