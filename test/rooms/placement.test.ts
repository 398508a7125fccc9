import assert from "node:assert/strict";
import { choosePlace, type Places } from "../../src/rooms/runtime/placement.ts";

const nodes = ["n1", "n2", "n3"].map((nodeId) => ({ nodeId, processId: `p-${nodeId}` }));

function place(known: Partial<Places>): string | undefined {
  return choosePlace({ nodes, rooms: new Map(), preferred: undefined, self: "p-n2", ...known });
}

describe("the place of a new room", () => {
  it("is the preferred node, however many rooms that has", () => {
    assert.equal(place({ preferred: "n3", rooms: new Map([["p-n3", 100]]) }), "p-n3");
  });

  it("is the process with the fewest rooms when the preferred node serves none, or there is none", () => {
    const rooms = new Map([
      ["p-n1", 2],
      ["p-n2", 3],
      ["p-n3", 1],
    ]);
    assert.equal(place({ rooms }), "p-n3");
    assert.equal(place({ rooms, preferred: "worker" }), "p-n3");
  });

  it("counts a process that nothing is known of as empty", () => {
    const rooms = new Map([
      ["p-n1", 1],
      ["p-n2", 1],
    ]);
    assert.equal(place({ rooms }), "p-n3");
  });

  it("is here among equals", () => {
    assert.equal(place({}), "p-n2");
  });

  it("is never a process that is not live, even if it has the fewest rooms or is the one that asks", () => {
    const rooms = new Map([
      ["p-n1", 5],
      ["dead", 0],
    ]);
    assert.equal(place({ nodes: nodes.slice(0, 1), rooms, self: "dead", preferred: "dead" }), "p-n1");
  });

  it("is nowhere when no node serves rooms", () => {
    assert.equal(place({ nodes: [] }), undefined);
  });
});
