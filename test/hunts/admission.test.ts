import assert from "node:assert/strict";
import { RingmasterNode } from "../support/RingmasterNode.ts";

describe("Joining a hunt that there is not", function () {
  this.timeout(120_000);
  let node: RingmasterNode;

  before(async () => {
    node = await RingmasterNode.alone();
  });

  after(async () => {
    await node.close();
  });

  it("is refused as not found, and is no failure of the server's", async () => {
    const { token } = await node.signIn();
    const atStart = node.output.length;
    for (const method of ["joinOrCreate", "create"] as const) {
      await assert.rejects(node.client(token)[method]("hunt", { huntId: "none" }), {
        code: 404,
        message: "not_found: There is no hunt none.",
      });
    }
    assert.deepEqual(
      node.output.slice(atStart).filter((line) => line.startsWith("{")),
      [],
    );
  });
});
