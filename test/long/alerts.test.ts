import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { REPOSITORY } from "../docs/documents.ts";
import { findPromtool } from "../support/servers.ts";

const run = promisify(execFile);
const FOLDER = join(REPOSITORY, "ops/prometheus");

describe("the alerts of Prometheus", function () {
  this.timeout(600_000);

  it("are rules and a configuration that it takes", async () => {
    await run(await findPromtool(), ["check", "config", join(FOLDER, "prometheus.yml")]);
  });

  it("fire in each case that they are for, in these words, and in no other", async () => {
    await run(await findPromtool(), ["test", "rules", join(FOLDER, "alerts.test.yml")]);
  });
});
