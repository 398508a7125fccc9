import assert from "node:assert/strict";
import { QueryFailedError } from "typeorm";
import {
  CLIENT_CODES,
  FAULTY_STATES,
  type Failure,
  SERVER_CODES,
  SQLITE_CODES,
} from "../../src/entities/failureCodes.ts";
import { CommitUnknown, databaseError, edgeError, failureOf, mayHaveCommitted } from "../../src/entities/failures.ts";
import { RingmasterError } from "../../src/errors.ts";

/** What mysql2 makes of the server's answer; a code that it does not know has no name. */
const answered = (errno: number, sqlState = "HY000") =>
  Object.assign(new Error("as the server says it"), { errno, sqlState, code: undefined });
const failed = (more: object) => Object.assign(new Error("as the driver says it"), more);

/** What a caller is told for each kind. */
const TOLD: Record<Failure, string> = {
  fault: "the error itself",
  conflict: "unavailable",
  refused: "unavailable",
  unreachable: "unavailable",
  lost: "unavailable",
};

function toldFor(error: unknown): string {
  const told = databaseError(error);
  return told === error ? "the error itself" : (told as RingmasterError).code;
}

describe("what a failed statement means", () => {
  for (const [code, failure, meaning] of SERVER_CODES)
    it(`${code} of the server, ${meaning}: ${failure}`, () => {
      const error = answered(code);
      assert.equal(failureOf(error), failure);
      assert.equal(toldFor(error), TOLD[failure]);
    });

  for (const [state, meaning] of FAULTY_STATES)
    it(`SQL state ${state}…, ${meaning}: fault`, () => assert.equal(failureOf(answered(9999, `${state}000`)), "fault"));

  for (const [code, failure, meaning] of CLIENT_CODES)
    it(`${code} of mysql2 or the system, ${meaning}: ${failure}`, () => {
      if (code === "ECONNECT")
        return assert.equal(failureOf(failed({ code: "ETIMEDOUT", syscall: "connect" })), failure);
      const error = failed({ code, fatal: true });
      assert.equal(failureOf(error), failure);
      assert.equal(toldFor(error), code === "POOL_FULL" ? "overloaded" : TOLD[failure]);
    });

  for (const [code, failure, meaning] of SQLITE_CODES)
    it(`${code} of SQLite, ${meaning}: ${failure}`, () => {
      assert.equal(failureOf(failed({ code })), failure);
      assert.equal(failureOf(failed({ code: `${code}_EXTENDED` })), failure);
      assert.equal(toldFor(failed({ code })), TOLD[failure]);
    });

  it("takes what the server says and nobody knows for a refusal, not for our own fault", () => {
    for (const [errno, state] of [
      [9999, "HY000"],
      [4242, "08S01"],
      [1999, ""],
      [9999, "XX000"],
    ] as const) {
      assert.equal(failureOf(answered(errno, state)), "refused");
      assert.equal(toldFor(answered(errno, state)), "unavailable");
    }
    assert.equal(failureOf(failed({ code: "SQLITE_NEVER_HEARD_OF" })), "refused");
  });

  it("takes a limit of the account for a refusal, though its SQL state speaks of syntax", () => {
    assert.equal(failureOf(answered(1203, "42000")), "refused");
    assert.equal(failureOf(answered(1226, "42000")), "refused");
  });

  it("takes a statement for lost when the connection was given up for it, whatever the error's name", () => {
    assert.equal(failureOf(failed({ code: "ERR_STREAM_DESTROYED", fatal: true })), "lost");
  });

  it("takes what is no error of a database for our own fault", () => {
    for (const error of [new TypeError("x is not a function"), new Error("as asked"), undefined, null, "text", 7])
      assert.equal(failureOf(error), "fault");
    assert.equal(toldFor(new RingmasterError("wrong_phase")), "the error itself");
  });

  it("looks into what TypeORM wraps", () => {
    assert.equal(failureOf(new QueryFailedError("SELECT", [], answered(1290))), "refused");
    assert.equal(failureOf(new QueryFailedError("SELECT", [], answered(1064, "42000"))), "fault");
  });
});

describe("a commit that failed", () => {
  it("may have happened when nobody answered, or the answer does not tell", () => {
    const unsure = [edgeError("STATEMENT_TIMEOUT", "late"), failed({ code: "ECONNRESET", fatal: true })];
    for (const error of [...unsure, answered(1180), answered(1053, "08S01"), answered(9999)])
      assert.equal(mayHaveCommitted(error), true);
    assert.equal(mayHaveCommitted(failed({ code: "SQLITE_IOERR_FSYNC" })), true);
  });

  it("has not happened when the server undid it, said that it takes no writes, or was never asked", () => {
    for (const code of [1213, 1205, 1290, 1792, 1836, 1114, 1317])
      assert.equal(mayHaveCommitted(answered(code)), false, String(code));
    for (const code of ["CONNECTION_GONE", "POOL_FULL", "POOL_TIMEOUT", "POOL_CLOSED"] as const)
      assert.equal(mayHaveCommitted(edgeError(code, "never sent")), false, code);
    assert.equal(mayHaveCommitted(failed({ code: "SQLITE_FULL" })), false);
  });

  it("is told as outcome_unknown where it may have happened", () => {
    assert.equal(toldFor(new CommitUnknown("lost")), "outcome_unknown");
  });
});
