import assert from "node:assert/strict";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { RingmasterNode } from "../support/RingmasterNode.ts";
import { Visitor } from "../support/Visitor.ts";

describe("the metrics of a node's edges", function () {
  this.timeout(60_000);
  let node: RingmasterNode;

  before(async () => {
    node = await RingmasterNode.start({ DATABASE_URL: "sqlite::memory:" });
  });
  after(() => node.kill());

  /** The value of a series, once it is there and fits. */
  const series = (name: string, fits: (value: number) => boolean = () => true): Promise<number> =>
    until(
      async () => {
        const text = await (await fetch(`${node.url}/metrics`)).text();
        const line = text.split("\n").find((each) => each.startsWith(`${name} `));
        const value = Number(line?.slice(name.length));
        return line !== undefined && fits(value) ? { value } : undefined;
      },
      { timeoutMs: DEADLINE_MS, what: name },
    ).then(({ value }) => value);

  it("count HTTP requests by how they end, and leave out probes and themselves", async () => {
    await node.signIn();
    await node.get("/api/hunts/no-such-hunt", { token: (await node.signIn()).token });
    await fetch(`${node.url}/readyz`);
    await series('http_request_seconds_count{outcome="2xx"}', (count) => count === 2);
    await series('http_request_seconds_count{outcome="4xx"}', (count) => count === 1);
  });

  it("count what rooms are asked, and what they reject by its code", async () => {
    const lobby = await Visitor.join(node.client((await node.signIn()).token), "lobby");
    await assert.rejects(lobby.request("no such request"), { code: "unknown_request" });
    await series('room_request_seconds_count{room="lobby"}', (count) => count === 1);
    await series('room_request_errors_total{room="lobby",code="unknown_request"}', (count) => count === 1);
    await lobby.room.leave();
  });

  it("say how much of the log's bound is in use", async () => {
    assert.equal(await series('bound_used_ratio{bound="log"}'), 0);
  });
});
