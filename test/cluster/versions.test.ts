import assert from "node:assert/strict";
import { Cluster, type ClusterNode, sooner } from "./support.ts";
import { named } from "./supportHistory.ts";

describe("two versions of the code on the nodes of a cluster", function () {
  this.timeout(120_000);
  let cluster: Cluster;

  before(async () => {
    cluster = await Cluster.open();
  });
  after(() => cluster.close());

  const add = (node: ClusterNode, actor: string, amount: number): Promise<number> =>
    node.call({ kind: "versioned", actor, method: "add", args: [amount] });
  const rows = async () => {
    const found = await cluster.database.query<{ id: string; owner: string | null; state_version: number }>(
      "SELECT id, owner, state_version FROM actors WHERE kind = 'versioned' ORDER BY id",
    );
    return found.map(({ id, owner, state_version }) => [id, owner, Number(state_version)]);
  };

  it("migrate what the earlier one left, and leave what the later one wrote to it, through deaths of both", async () => {
    const ids = named("v", 12).toSorted();
    const [old] = await cluster.boot(["old"], { version: 1 });
    await cluster.join(old!);
    for (const id of ids) assert.equal(await add(old!, id, 1), 1);
    assert.deepEqual(
      await rows(),
      ids.map((id) => [id, "old", 1]),
    );
    const [young] = await cluster.boot(["young"], { version: 2 });
    await cluster.join(young!);
    await cluster.meet(old!, young!);
    await old!.kill();
    for (const id of ids) assert.equal(await sooner(`${id} is answered`, () => add(young!, id, 1).catch(() => 0)), 2);
    assert.deepEqual(
      await rows(),
      ids.map((id) => [id, "young", 2]),
    );
    const [older] = await cluster.boot(["older"], { version: 1 });
    await cluster.join(older!);
    await cluster.meet(older!, young!);
    for (const id of ids) assert.equal(await add(older!, id, 1), 3);
    await young!.kill();
    const call = { kind: "versioned", actor: ids[0]!, method: "add", args: [1], options: { deadlineMs: 8000 } };
    await assert.rejects(older!.call(call), { code: "unavailable" });
    const [again] = await cluster.boot(["again"], { version: 2 });
    await cluster.join(again!);
    await cluster.meet(older!, again!);
    for (const id of ids) assert.equal(await sooner(`${id} is answered`, () => add(older!, id, 1).catch(() => 0)), 4);
    assert.deepEqual(
      await rows(),
      ids.map((id) => [id, "again", 2]),
    );
  });
});
