import assert from "node:assert/strict";
import { VARIABLES } from "../../src/config.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { codesOf, documentOf, sectionOf, tableOf } from "./documents.ts";

const OPERATIONS = documentOf("docs/operations.md");

describe("docs/operations.md", () => {
  it("names every variable that is read, and no other", () => {
    const documented = tableOf(sectionOf(OPERATIONS, "## Variables"), "variable").map(([name]) => codesOf(name!)[0]);
    assert.deepEqual(documented.sort(), [...VARIABLES].sort());
  });

  it("tells of every metric of Ringmaster's own, and of none that is not there", async () => {
    const metrics = await new Metrics(() => ({ rooms: 0, clients: 0 })).registry.getMetricsAsJSON();
    const known = new Set(metrics.map(({ name }) => name));
    const cells = tableOf(sectionOf(OPERATIONS, "## Watching"), "metric").map(([cell]) => cell!);
    const documented = cells.flatMap(codesOf).map((code) => code.replace(/\{.*\}$/, ""));
    for (const name of documented) assert.ok(known.has(name), `there is no metric ${name}`);
    for (const name of known) {
      if (!/^(nodejs|process)_/.test(name)) assert.ok(documented.includes(name), `${name} is not documented`);
    }
  });
});
