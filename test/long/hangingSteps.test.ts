import assert from "node:assert/strict";
import { join } from "node:path";
import { freePort } from "../../scripts/processes/freePort.ts";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { RingmasterNode } from "../support/RingmasterNode.ts";

const HANGING = new URL("../support/hangingSteps.ts", import.meta.url).href;
const START_TIMEOUT_MS = "15000";
const SHUTDOWN_TIMEOUT_MS = "5000";

/** All that a node awaits of its start. */
const START = ["metrics", "database", "stores", "server", "actors", "jobs", "domains", "rooms"];

/** What `/readyz` says of a node's parts; undefined where nobody listens. */
async function partsOf(port: number): Promise<Record<string, string> | undefined> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    return ((await answer.json()) as { parts: Record<string, string> }).parts;
  } catch {
    return undefined;
  }
}

describe("A node of which a part hangs", function () {
  this.timeout(4 * DEADLINE_MS);
  let directory: string;

  before(() => {
    directory = temporaryDirectory("hanging-steps");
  });
  after(() => removeDirectory(directory));

  async function environment(hanging: string): Promise<{ env: NodeJS.ProcessEnv; metricsPort: number }> {
    const metricsPort = await freePort();
    const env = {
      DATABASE_URL: `sqlite:${join(directory, `${hanging.replace(/\W/g, "-")}.sqlite`)}`,
      METRICS_PORT: String(metricsPort),
      NODE_OPTIONS: `--import ${HANGING}`,
      HANGING_STEPS: hanging,
      START_TIMEOUT_MS,
      SHUTDOWN_TIMEOUT_MS,
    };
    return { env, metricsPort };
  }

  it("does not start, and says which part it is, in the log and, where the metrics have a port, in /readyz", async () => {
    const starts = START.map(async (what) => {
      const { env, metricsPort } = await environment(`start:${what}`);
      const { program, output } = await RingmasterNode.launch(env);
      const isNamed = async (): Promise<boolean> => (await partsOf(metricsPort))?.[what] === "starting";
      const takesLong = (): boolean => output.some((line) => line.includes(`"what":"${what}","doing":"starting"`));
      const isTold = async (): Promise<boolean> => takesLong() && (what === "metrics" || (await isNamed()));
      await until(isTold, { what: `${what} is named`, timeoutMs: DEADLINE_MS });
      assert.deepEqual(await program.exited, { code: 1, signal: null });
      const line = output.find((each) => each.startsWith("Ringmaster cannot start"));
      assert.equal(line, `Ringmaster cannot start: ${what}: not started within 15 s (START_TIMEOUT_MS)`);
    });
    await Promise.all(starts);
  });

  it("ends when it is told to while it starts", async () => {
    const { env, metricsPort } = await environment("start:jobs");
    const { program, output } = await RingmasterNode.launch({ ...env, START_TIMEOUT_MS: "600000" });
    const isNamed = async (): Promise<boolean> => (await partsOf(metricsPort))?.jobs === "starting";
    await until(isNamed, { what: "the part is named", timeoutMs: DEADLINE_MS });
    program.signal("SIGTERM");
    assert.deepEqual(await program.exited, { code: 1, signal: null });
    assert.ok(output.some((line) => line.startsWith("Ringmaster cannot start: SIGTERM came")));
  });

  it("stops all others, each in its order, and names those that hang until the end, were it all of them", async () => {
    const { env, metricsPort } = await environment("stop:*");
    const node = await RingmasterNode.start(env);
    node.program.signal("SIGTERM");
    let seen: Record<string, string> = {};
    const isOver = async (): Promise<boolean> => {
      seen = (await partsOf(metricsPort)) ?? seen;
      return node.program.exit !== undefined;
    };
    await until(isOver, { what: "the process ends", timeoutMs: DEADLINE_MS });
    assert.deepEqual(await node.program.exited, { code: 1, signal: null });
    const stuck = node.output
      .filter((line) => line.includes("a part did not stop in its time"))
      .map((line) => (JSON.parse(line) as { what: string }).what);
    assert.deepEqual(stuck.slice(0, 2), ["listings", "actors"]);
    assert.deepEqual(stuck.slice(-3), ["database", "metrics", "telemetry"]);
    for (const what of ["rooms", "jobs", "peers", "connections"]) assert.ok(stuck.includes(what), what);
    assert.equal(seen.node, "draining");
    assert.ok(stuck.filter((what) => seen[what] === "stuck").length >= stuck.length - 2, JSON.stringify(seen));
  });
});
