import assert from "node:assert/strict";
import { bearer, Edge } from "./edge.ts";

describe("GET /api/me/inventory", () => {
  let edge: Edge;
  before(async () => {
    edge = await Edge.open();
  });
  after(() => edge.close());

  it("tells callers what they have, and nobody else", async () => {
    const token = await edge.services.tokens.issue({ playerId: "ada", name: "Ada", role: "player" }, 60_000);
    const mine = await fetch(`${edge.url}/api/me/inventory`, { headers: bearer(token) });
    assert.equal(mine.status, 200);
    assert.deepEqual(await mine.json(), { items: [{ item: "TICO", amount: "3" }] });
    assert.equal((await fetch(`${edge.url}/api/me/inventory`)).status, 401);
  });
});
