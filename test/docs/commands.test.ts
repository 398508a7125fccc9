import assert from "node:assert/strict";
import { description, type OperationDescription } from "../../src/operations/describe.ts";
import { OPERATIONS } from "../support/api.ts";
import { codesOf, documentOf, sectionOf, sectionsOf, tableOf } from "./documents.ts";

const SECTION = sectionsOf("## Room `admin`").join("\n");
const { commands, queries } = description(OPERATIONS);

/** The arguments of each name in a table of the room admin; of definitions, which have a section of their own, none. */
function argumentsIn(kind: "command" | "query"): Map<string, string | undefined> {
  const said = tableOf(SECTION, kind).flatMap(([cell, args]) => {
    const [names, shapes] = [codesOf(cell!), codesOf(args!)];
    return names.map((name, at): [string, string | undefined] => [name, argumentsOf(args!, shapes[at] ?? shapes[0])]);
  });
  return new Map(said);
}

function argumentsOf(cell: string, shape: string | undefined): string | undefined {
  if (cell === "–") return "{}";
  return shape;
}

/** `{huntId, limit?}`: the names of an object's fields, with a mark where they may be left out. */
function shapeOf({ args }: OperationDescription): string {
  const required = new Set(args.required as string[] | undefined);
  const fields = Object.keys(args.properties ?? {}).map((name) => (required.has(name) ? name : `${name}?`));
  return sorted(`{${fields.join(", ")}}`);
}

const sorted = (shape: string): string => `{${shape.slice(1, -1).split(", ").sort().join(", ")}}`;

for (const [kind, listed] of [
  ["command", commands],
  ["query", queries],
] as const)
  describe(`Each ${kind} in docs/protocol.md`, () => {
    const documented = argumentsIn(kind);

    it("is one that there is, and there is no other", () => {
      assert.deepEqual([...documented.keys()].sort(), listed.map(({ name }) => name).sort());
    });

    for (const each of listed)
      it(`has the arguments that ${each.name} takes`, () => {
        const shape = documented.get(each.name);
        if (shape === undefined) assert.ok(Object.keys(each.args.properties!).length > 3, "no definition");
        else assert.equal(sorted(shape), shapeOf(each));
      });
  });

describe("The fields of a line of the audit in docs/protocol.md", () => {
  it("are those that the query answers, in words too", () => {
    const section = sectionOf(documentOf("docs/protocol.md"), "## The audit");
    const { answer } = queries.find(({ name }) => name === "audit")!;
    const line = (answer.properties!.lines as { items: typeof answer }).items;
    const fields = Object.keys(line.properties!).sort();
    assert.deepEqual(
      tableOf(section, "field")
        .flatMap(([cell]) => codesOf(cell!))
        .sort(),
      fields,
    );
    assert.deepEqual(/`\{(id, [^}]+)\}`/.exec(section)![1]!.split(", ").sort(), fields);
  });
});
