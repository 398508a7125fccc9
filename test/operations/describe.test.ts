import assert from "node:assert/strict";
import { description } from "../../src/operations/describe.ts";
import { OPERATIONS } from "../support/api.ts";

describe("What operators can do and read", () => {
  const { commands, queries } = description(OPERATIONS);

  it("is described: name, role, words and JSON Schemas of arguments and answer", () => {
    assert.equal(commands.length + queries.length, OPERATIONS.length);
    for (const { name, role, description: words, args, answer } of [...commands, ...queries]) {
      assert.match(name, /^[a-z]\w+$/);
      assert.ok(["viewer", "operator"].includes(role), name);
      assert.match(words, /^[A-Z].+\.$/, name);
      assert.equal(args.type, "object", name);
      assert.equal(args.additionalProperties, false, `${name} refuses unknown fields`);
      assert.equal(typeof answer, "object", name);
    }
  });

  it("says bounds, defaults, what is required, and where it can be had over HTTP", () => {
    const pause = commands.find(({ name }) => name === "pauseHunt")!;
    assert.equal(pause.endpoint, "POST /api/hunts/:huntId/pause");
    assert.deepEqual(pause.args.required, ["reason", "huntId"]);
    const { ms } = pause.args.properties!;
    assert.deepEqual(
      { type: ms!.type, minimum: ms!.minimum, maximum: ms!.maximum, default: ms!.default },
      { type: "integer", minimum: 1000, maximum: 604_800_000, default: 604_800_000 },
    );
    const history = queries.find(({ name }) => name === "jobHistory")!;
    assert.deepEqual(history.args.properties!.limit, { type: "integer", minimum: 1, maximum: 200, default: 20 });
  });

  it("tells which fields are secret", () => {
    const { args } = commands.find(({ name }) => name === "createHunt")!;
    const clue = (args.properties!.clues as { items: typeof args }).items;
    assert.equal(clue.properties!.answers!.writeOnly, true);
    assert.equal(clue.properties!.prompt!.writeOnly, undefined);
  });

  it("lets viewers read and change nothing", () => {
    for (const { name, role } of commands) assert.equal(role, "operator", name);
  });

  it("has no name twice, and no endpoint", () => {
    for (const list of [
      commands.map(({ name }) => name),
      queries.map(({ name }) => name),
      [...commands, ...queries].flatMap(({ endpoint }) => endpoint ?? []),
    ])
      assert.equal(new Set(list).size, list.length);
  });
});
