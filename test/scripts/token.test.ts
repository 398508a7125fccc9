import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/clock.ts";
import { Tokens } from "../../src/http/auth/tokens.ts";

const SCRIPT = fileURLToPath(new URL("../../scripts/token.ts", import.meta.url));
const SECRET = "a secret that only these tests ever use";

function run(env: Record<string, string>, ...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], {
    env: { PATH: process.env.PATH, ...env },
    encoding: "utf8",
  });
  return { code: status, out: stdout.trim(), err: stderr.trim() };
}

describe("npm run token", () => {
  it("prints a token that the nodes of this secret accept", async () => {
    const { code, out } = run({ JWT_SECRET: SECRET }, "--role", "viewer", "--id", "anna", "--name", "Anna");
    assert.equal(code, 0);
    const identity = await new Tokens(SECRET, systemClock).verify(out);
    assert.deepEqual(identity, { playerId: "anna", name: "Anna", role: "viewer" });
  });

  it("says in one line what is missing or wrong", () => {
    const noSecret = run({});
    assert.equal(noSecret.code, 1);
    assert.match(noSecret.err, /^JWT_SECRET: .*$/);
    const badRole = run({ JWT_SECRET: SECRET }, "--role", "king");
    assert.equal(badRole.code, 1);
    assert.match(badRole.err, /^--role: must be one of player, viewer, operator$/);
  });
});
