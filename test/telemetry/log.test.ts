import assert from "node:assert/strict";
import { createLogger, type Logger } from "../../src/telemetry/log.ts";

/** A logger that writes into an array, one entry a line. */
function recorded(level = "trace"): { log: Logger; lines: string[]; last: () => Record<string, unknown> } {
  const lines: string[] = [];
  const log = createLogger(level, { write: (line: string) => lines.push(line) });
  return { log, lines, last: () => JSON.parse(lines.at(-1)!) };
}

const TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwMSJ9.c2lnbmF0dXJl";

describe("The log", () => {
  it("is one line of JSON an entry, with level, time, message and fields", () => {
    const { log, lines, last } = recorded();
    log.info({ hunt: "h1", note: "two\nlines" }, "Phase changed");
    assert.equal(lines[0]!.trimEnd().includes("\n"), false);
    const { level, msg, hunt, time } = last();
    assert.deepEqual({ level, msg, hunt }, { level: "info", msg: "Phase changed", hunt: "h1" });
    assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it("keeps to its level", () => {
    const { log, lines } = recorded("warn");
    log.info("quiet");
    log.warn("heard");
    assert.equal(lines.length, 1);
  });

  it("writes no secret field, at any depth and in any case", () => {
    const { log, lines } = recorded();
    const secret = "hunter2hunter2";
    log.info({ token: secret, answer: secret, nested: { Authorization: secret, list: [{ answers: [secret] }] } }, "x");
    log.info({ request: { headers: { cookie: secret, "set-cookie": secret }, body: { password: secret } } }, "x");
    log.child({ token: secret, requestId: "r1" }).info("x");
    assert.doesNotMatch(lines.join(""), /hunter2/);
    for (const line of lines) assert.match(line, /redacted/);
    assert.match(lines.at(-1)!, /"requestId":"r1"/);
  });

  it("writes no token and no password that stands in a text", () => {
    const { log, lines } = recorded();
    log.info(`GET /?x=${TOKEN} failed`);
    log.error(
      { err: new Error(`connect mysql://root:hunter2@db:3306/x and redis://:hunter2@cache: ${TOKEN}`) },
      "down",
    );
    assert.doesNotMatch(lines.join(""), /hunter2|c2lnbmF0dXJl/);
    assert.match(lines[1]!, /mysql:\/\/root:\[redacted\]@db:3306\/x/);
  });

  it("writes of an error its name, code, message, stack and causes, and nothing that a driver hung on it", () => {
    const { log, last } = recorded();
    const cause = Object.assign(new Error("lost"), { parameters: ["hunter2"], code: "ECONNRESET" });
    log.error({ err: new Error("failed", { cause }) }, "x");
    const err = last().err as { message: string; stack: string; cause: Record<string, unknown> };
    assert.equal(err.message, "failed");
    assert.match(err.stack, /log\.test\.ts/);
    assert.deepEqual(Object.keys(err.cause).sort(), ["code", "message", "name", "stack"]);
  });

  it("survives what JSON does not: cycles and big integers", () => {
    const { log, last } = recorded();
    const cycle: Record<string, unknown> = { amount: 5n };
    cycle.self = cycle;
    log.info({ cycle }, "x");
    assert.equal((last().cycle as Record<string, unknown>).amount, "5");
  });
});
