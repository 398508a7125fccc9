import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { defineErrors, ERRORS, isErrorCode, RingmasterError, toRingmasterError } from "../src/errors.ts";

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
      assert.equal(RingmasterError.fromWire({ code, message: "x" }).code, "internal", code);
    }
  });
});

describe("The error codes of a domain", () => {
  const RAFFLE_ERRORS = defineErrors({ tickets_gone: { status: 409, message: "No ticket is left." } });

  it("are thrown, told and read as the common ones are", () => {
    const error = new RingmasterError(RAFFLE_ERRORS.tickets_gone, undefined, { left: 0 });
    assert.deepEqual([error.code, error.status, error.message], ["tickets_gone", 409, "No ticket is left."]);
    assert.deepEqual(RingmasterError.fromWire(error.toWire()).toWire(), error.toWire());
    assert.ok(isErrorCode("tickets_gone"));
  });

  it("are defined once", () => {
    const terms = { status: 409, message: "Again." };
    for (const code of ["tickets_gone", "conflict"])
      assert.throws(() => defineErrors({ [code]: terms }), { message: `the error code ${code} is defined twice` });
  });

  it("are all defined, or none of them", () => {
    const terms = { status: 409, message: "Again." };
    assert.throws(() => defineErrors({ not_defined: terms, conflict: terms }));
    assert.ok(!isErrorCode("not_defined"));
  });

  it("are words, of failures", () => {
    assert.throws(() => defineErrors({ "Sold out": { status: 409, message: "x" } }), /a code is \[a-z_\]\+/);
    assert.throws(() => defineErrors({ sold: { status: 200, message: "x" } }), /200 is no status of a failure/);
  });
});
