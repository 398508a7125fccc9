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
    const { expiresAt, ...identity } = await new Tokens(SECRET, systemClock).verify(out);
    assert.deepEqual(identity, { playerId: "anna", name: "Anna", role: "viewer" });
    assert.ok(expiresAt !== undefined && expiresAt > Date.now());
  });

  it("says in one line what is missing or wrong", () => {
    const noSecret = run({});
    assert.equal(noSecret.code, 1);
    assert.match(noSecret.err, /^JWT_SECRET: .*$/);
    const badRole = run({ JWT_SECRET: SECRET }, "--role", "king");
    assert.equal(badRole.code, 1);
    assert.match(badRole.err, /^--role: must be one of player, viewer, operator$/);
    const unknown = run({ JWT_SECRET: SECRET }, "--roll", "viewer");
    assert.equal(unknown.code, 1);
    assert.match(unknown.err, /^Unknown option '--roll'.*\nnpm run token -s -- \[--role operator\|viewer\|player\]/);
    const help = run({}, "--help");
    assert.deepEqual([help.code, help.out.split(" --")[0], help.err], [0, "npm run token -s", ""]);
  });

  it("makes none for an id or a name that the database has no room for", async () => {
    for (const [flag, most] of [
      ["id", 32],
      ["name", 64],
    ] as const) {
      for (const bad of ["", "x".repeat(most + 1)]) {
        const { code, out, err } = run({ JWT_SECRET: SECRET }, `--${flag}`, bad);
        assert.deepEqual([code, out, err], [1, "", `--${flag}: must have 1 to ${most} characters`]);
      }
    }
    const longest = run({ JWT_SECRET: SECRET }, "--id", "x".repeat(32), "--name", "x".repeat(64));
    const { playerId, name } = await new Tokens(SECRET, systemClock).verify(longest.out);
    assert.deepEqual([playerId.length, name.length], [32, 64]);
  });
});
