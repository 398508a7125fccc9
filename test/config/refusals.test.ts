import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../scripts/processes/freePort.ts";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { RingmasterNode } from "../support/RingmasterNode.ts";

describe("A database that cannot be opened", function () {
  this.timeout(120_000);
  let directory: string;

  before(() => {
    directory = temporaryDirectory("refusals-test");
    writeFileSync(join(directory, "file"), "");
  });

  after(() => removeDirectory(directory));

  const urls: Record<string, () => Promise<string>> = {
    "a server that is not there": async () => `mysql://root:sesame@127.0.0.1:${await freePort()}/ringmaster`,
    "a path below a file": async () => `sqlite:${join(directory, "file", "ringmaster.sqlite")}`,
    "a folder": async () => `sqlite:${directory}`,
  };
  for (const [what, url] of Object.entries(urls)) {
    it(`stops the start with one line that names the variable: ${what}`, async () => {
      const { program, output } = await RingmasterNode.launch({ DATABASE_URL: await url() });
      assert.equal((await program.exited).code, 1);
      assert.equal(output.length, 1, output.join("\n"));
      assert.match(output[0]!, /^Ringmaster cannot start: DATABASE_URL: the database cannot be opened \(.+\)$/);
      assert.doesNotMatch(output[0]!, /sesame/);
    });
  }
});
