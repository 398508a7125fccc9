import assert from "node:assert/strict";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { RingmasterNode } from "../support/RingmasterNode.ts";
import { freshRedisUrl } from "../support/servers.ts";

interface Report {
  ready: boolean;
  parts: Record<string, string>;
}

describe("a node whose clock is off", function () {
  this.timeout(180_000);
  let node: RingmasterNode;

  before(async () => {
    const env = { REDIS_URL: await freshRedisUrl(), DATABASE_URL: await migratedDatabaseUrl() };
    node = await RingmasterNode.start(env, "test/support/offClockNode.ts");
  });

  after(() => node?.kill());

  const offsetS = async (): Promise<number> => {
    const text = await (await fetch(`${node.url}/metrics`)).text();
    return Number(/^clock_offset_seconds (\S+)$/m.exec(text)?.[1]);
  };

  const becomes = (status: number) =>
    until(async () => (await node.get<Report>("/readyz")).status === status, {
      what: `/readyz answers ${status}`,
      timeoutMs: DEADLINE_MS,
    });

  it("says so by its name in /readyz and by how much in a metric, until it is set right", async () => {
    assert.ok(Math.abs(await offsetS()) < 2);
    node.program.signal("SIGUSR2");
    await becomes(503);
    const { body } = await node.get<Report>("/readyz");
    const { clock, ...others } = body.parts;
    assert.match(clock!, /^off by (29|30)\.\d s$/);
    assert.ok(
      Object.values(others).every((state) => state === "ready"),
      JSON.stringify(others),
    );
    await until(async () => Math.abs((await offsetS()) - 30) < 1, {
      what: "clock_offset_seconds is 30",
      timeoutMs: DEADLINE_MS,
    });
    node.program.signal("SIGUSR2");
    await becomes(200);
    assert.equal((await node.get<Report>("/readyz")).body.parts.clock, "ready");
    await until(async () => Math.abs(await offsetS()) < 2, {
      what: "clock_offset_seconds is 0",
      timeoutMs: DEADLINE_MS,
    });
  });
});
