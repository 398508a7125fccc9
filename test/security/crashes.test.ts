import assert from "node:assert/strict";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { victim } from "./attacks.ts";

const MISBEHAVING = new URL("./misbehaving.ts", import.meta.url).href;
const FAULTS = /^process_faults_total\{kind="(\w+)"\} (\d+)$/gm;

/** Environments in which `@pm2/io` installs handlers of its own, and in which it does not. */
const ENVIRONMENTS = { "with @pm2/io's handlers": {}, "without them": { exec_mode: "cluster_mode" } };

describe("What nobody handled", function () {
  this.timeout(2 * DEADLINE_MS);

  for (const [name, env] of Object.entries(ENVIRONMENTS)) {
    it(`is logged without secrets and counted; a rejection is survived, an exception ends the process in order (${name})`, async () => {
      const { node, end } = await victim({ NODE_OPTIONS: `--import ${MISBEHAVING}`, ...env });
      const said = (what: string): boolean => node.output.some((line) => line.includes(what));
      const faults = async (): Promise<Record<string, number>> => {
        const page = await (await fetch(`${node.url}/metrics`)).text();
        return Object.fromEntries([...page.matchAll(FAULTS)].map(([, kind, count]) => [kind, Number(count)]));
      };
      try {
        assert.deepEqual(await faults(), { rejection: 0, exception: 0 });
        node.program.send("reject");
        await until(async () => (await faults()).rejection === 1, { timeoutMs: DEADLINE_MS, what: "it is counted" });
        assert.ok(said("a rejection that nobody handled"));
        assert.equal((await node.get("/readyz")).status, 200);

        node.program.send("throw");
        const exit = await until(() => node.program.exit, { timeoutMs: DEADLINE_MS, what: "the process ends" });
        assert.deepEqual(exit, { code: 1, signal: null });
        assert.ok(said("an exception that nobody handled"));
        assert.ok(said('"stopped"'), "all of it was stopped in order");
        assert.ok(!said("secret"), node.output.join("\n"));
      } finally {
        await end();
      }
    });
  }
});
