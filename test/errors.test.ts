import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ERRORS, type ErrorCode, RingmasterError, toRingmasterError } from "../src/errors.ts";

const TABLE = readFileSync(new URL("../docs/errors.md", import.meta.url), "utf8");

/** The rows of the document's table: code, status, meaning, advice. */
function documented(): string[][] {
  return TABLE.split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

describe("The table of errors", () => {
  it("is documented code by code, with the same statuses", () => {
    const inDocument = documented().map(([code, status]) => [code!.replaceAll("`", ""), Number(status)]);
    const inSource = Object.entries(ERRORS).map(([code, { status }]) => [code, status]);
    assert.deepEqual(new Map(inDocument as [string, number][]), new Map(inSource as [string, number][]));
    assert.equal(inDocument.length, inSource.length);
  });

  it("says of each what it means and what to do", () => {
    for (const [code, , meaning, advice] of documented()) {
      assert.ok(meaning!.length > 20 && advice!.length > 4, code);
    }
  });

  it("holds only statuses of failures", () => {
    for (const [code, { status }] of Object.entries(ERRORS)) assert.ok(status >= 400 && status < 600, code);
  });
});

describe("An error", () => {
  it("goes over the wire and comes back", () => {
    const error = new RingmasterError("wrong_phase", "Too early.", { phase: "discovery" });
    const back = RingmasterError.fromWire(JSON.parse(JSON.stringify(error.toWire())));
    assert.deepEqual(back.toWire(), error.toWire());
    assert.equal(back.status, 409);
  });

  it("that is not ours leaves as internal, without its text", () => {
    for (const thrown of [new Error("secret"), "secret", undefined, { code: "not_found", message: "secret" }]) {
      const error = toRingmasterError(thrown);
      assert.equal(error.code, "internal");
      assert.doesNotMatch(JSON.stringify(error.toWire()), /secret/);
    }
  });

  it("of a code that we do not know comes back as internal, however it is called", () => {
    for (const code of ["teapot", "constructor", "__proto__"]) {
      assert.equal(RingmasterError.fromWire({ code: code as ErrorCode, message: "x" }).code, "internal", code);
    }
  });
});
