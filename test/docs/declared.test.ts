import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { RINGMASTER } from "../../src/app.config.ts";
import { declaredBy } from "../../src/domains/runtime/declared.ts";
import { ERRORS, type ErrorCode, RingmasterError } from "../../src/errors.ts";
import { eventOption } from "../../src/rooms/runtime/EventRoom.ts";
import { provideRoomServices, type RoomServices } from "../../src/rooms/runtime/services.ts";
import { unused } from "../support/api.ts";
import { documentedErrors, firstWordsOf, protocolPages, REPOSITORY, sectionsOf } from "./documents.ts";

const ROOMS = join(REPOSITORY, "src/rooms");
const { domains, rooms } = declaredBy(RINGMASTER.domains);

/** The text of the folder in which the class of a room is. */
function sourceOf(room: { name: string }): string {
  const files = readdirSync(ROOMS, { recursive: true, encoding: "utf8" });
  const file = files.find((path) => path.endsWith(`/${room.name}.ts`));
  assert.ok(file !== undefined, `there is no file ${room.name}.ts below src/rooms`);
  const folder = join(ROOMS, dirname(file));
  return readdirSync(folder)
    .map((each) => readFileSync(join(folder, each), "utf8"))
    .join("\n");
}

/** What is written in `pattern`'s group. */
function writtenIn(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, name]) => name!))].sort();
}

/** The names in the first cells of a room's tables that begin with `first`. */
function documentedOf(room: string, first: string): string[] {
  return sectionsOf(`## Room \`${room}\``)
    .flatMap((section) => firstWordsOf(section, first))
    .sort();
}

describe("What the domains declare, and the documents of the protocol,", () => {
  it("have the same rooms", () => {
    const headings = protocolPages().flatMap((page) => [...page.matchAll(/^## Room `(\w+)`$/gm)]);
    assert.deepEqual([...new Set(headings.map(([, name]) => name!))].sort(), [...rooms.keys()].sort());
  });

  for (const [name, { declared }] of rooms) {
    const source = sourceOf(declared.room as unknown as { name: string });
    const [section = ""] = sectionsOf(`## Room \`${name}\``);

    it(`have the same event of the room ${name}, by which it is placed and joined`, () => {
      const [, option] = /^Options `\{(\w+)\}`/m.exec(section) ?? [];
      assert.equal(declared.event && eventOption(name), option);
      provideRoomServices(unused as RoomServices);
      const { eventName } = new declared.room() as { eventName?: string };
      assert.equal(eventName, declared.event && name);
    });

    it(`have the same role for the room ${name}`, () => {
      assert.equal(declared.room.onAuth?.role, /role `(\w+)`/.exec(section)?.[1]);
    });

    it(`have the same requests of the room ${name}`, () => {
      const taken = writtenIn(source, /\.request\(\s*"(\w+)"/g);
      assert.ok(taken.length > 0);
      assert.deepEqual(documentedOf(name, "request"), taken);
    });

    it(`have the same messages of the room ${name}`, () => {
      const sent = writtenIn(source, /\b(?:send|sendTo|notify|broadcast)\(\s*(?:[\w.]+,\s*)?"(\w+)"/g);
      assert.deepEqual(documentedOf(name, "message"), sent);
    });

    it(`have the same fields of the state of the room ${name}`, () => {
      provideRoomServices(unused as RoomServices);
      const { state } = new declared.room() as { state?: { toJSON(): object } };
      assert.deepEqual(documentedOf(name, "field"), Object.keys(state?.toJSON() ?? {}).sort());
    });
  }

  for (const kind of ["commands", "queries"] as const) {
    it(`have the same ${kind}`, () => {
      const declared = domains.flatMap(({ definition }) => (definition[kind] ?? []).map(({ name }) => name));
      assert.ok(declared.length > 10);
      const first = kind === "commands" ? "command" : "query";
      assert.deepEqual(documentedOf("admin", first), declared.sort());
    });
  }
});

describe("What the domains declare, and docs/errors.md,", () => {
  it("have the same codes, with the same statuses", () => {
    const declared = domains.flatMap(({ definition: { errors } }) => Object.values(errors ?? {}));
    const codes = [...(Object.keys(ERRORS) as ErrorCode[]), ...declared];
    const statuses = codes.map((code) => [code, new RingmasterError(code).status] as const);
    assert.ok(declared.length > 5);
    assert.deepEqual(documentedErrors(), new Map(statuses));
  });
});
