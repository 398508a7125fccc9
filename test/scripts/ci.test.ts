import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";

const SCRIPT = fileURLToPath(new URL("../../.ci/run", import.meta.url));

/** What `npm` is asked for by the two runs of tests. */
const [TEST, LONG] = ["test", "run test:long"];

describe(".ci/run", () => {
  let directory: string;

  beforeEach(() => {
    directory = temporaryDirectory("ci-test");
  });

  afterEach(() => removeDirectory(directory));

  /** Runs it with an `npm` that writes each of its commands down, and answers them as `answers` has it in shell. */
  function run(answers: Record<string, string>): { code: number | null; lines: string[]; steps: string[] } {
    const cases = Object.entries(answers).map(([command, shell]) => `"${command}") ${shell} ;;`);
    writeFileSync(
      join(directory, "npm"),
      `#!/usr/bin/env bash\necho "asked: npm $*"\ncase "$*" in\n${cases.join("\n")}\nesac\n`,
    );
    chmodSync(join(directory, "npm"), 0o755);
    const { status, stdout } = spawnSync(SCRIPT, {
      encoding: "utf8",
      env: { ...process.env, PATH: `${directory}:${process.env.PATH}` },
    });
    const lines = stdout.trimEnd().split("\n");
    return { code: status, lines, steps: lines.flatMap((line) => /^asked: npm (.*)$/.exec(line)?.[1] ?? []) };
  }

  const says = (count: string, code = 0): string => `echo "${count}"; exit ${code}`;

  it("runs the long tests after the others, and ends with one count of both", () => {
    const { code, lines, steps } = run({ [TEST!]: says("12 passed, 0 failed"), [LONG!]: says("3 passed, 0 failed") });
    assert.deepEqual(steps, ["ci --no-audit", "run lint", "run typecheck", "test", "run test:long"]);
    assert.equal(lines.at(-1), "15 passed, 0 failed");
    assert.equal(code, 0);
  });

  it("fails with either run, and counts what failed in both", () => {
    const { code, lines, steps } = run({
      [TEST!]: says("10 passed, 2 failed, 1 skipped", 1),
      [LONG!]: says("2 passed, 1 failed", 1),
    });
    assert.ok(steps.includes(LONG!));
    assert.equal(lines.at(-1), "12 passed, 3 failed, 1 skipped");
    assert.equal(code, 1);
  });

  for (const cut of [TEST!, LONG!]) {
    it(`counts \`npm ${cut}\` as failed when it does not come to its count`, () => {
      const whole = says("5 passed, 0 failed");
      const { code, lines } = run({ [TEST!]: whole, [LONG!]: whole, [cut]: "echo '4 passed, 0 fai'" });
      assert.equal(lines.at(-1), "5 passed, 1 failed");
      assert.equal(code, 1);
    });
  }

  it("counts a run as failed that counts no failure and ends with one", () => {
    const { code, lines } = run({ [TEST!]: says("5 passed, 0 failed", 1), [LONG!]: says("1 passed, 0 failed") });
    assert.equal(lines.at(-1), "6 passed, 1 failed");
    assert.equal(code, 1);
  });

  it("runs the tests though the lint fails, and fails", () => {
    const ok = says("1 passed, 0 failed");
    const { code, lines } = run({ "run lint": "exit 1", [TEST!]: ok, [LONG!]: ok });
    assert.equal(lines.at(-1), "2 passed, 0 failed");
    assert.ok(lines.includes("failed: lint"));
    assert.equal(code, 1);
  });

  it("passes nothing where nothing could be installed", () => {
    const { code, lines, steps } = run({ "ci --no-audit": "exit 1" });
    assert.deepEqual(steps, ["ci --no-audit"]);
    assert.equal(lines.at(-1), "0 passed, 1 failed");
    assert.equal(code, 1);
  });
});
