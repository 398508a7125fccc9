import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { Program } from "../support/processes.ts";

const SCRIPT = join(import.meta.dirname, "../../scripts/tests.ts");

describe("npm test, in parts", function () {
  this.timeout(120_000);
  let directory: string;

  beforeEach(() => {
    directory = temporaryDirectory("tests-in-parts");
  });
  afterEach(() => removeDirectory(directory));

  /** Runs files of these bodies, and answers what it wrote and ended with. */
  async function run(bodies: readonly string[], parts: number): Promise<{ code: number | null; lines: string[] }> {
    for (const [at, body] of bodies.entries()) writeFileSync(join(directory, `${at}.test.mjs`), body);
    writeFileSync(join(directory, "ignored.test.mjs"), file("is not run"));
    const program = await Program.start({
      ...{ name: "tests", command: process.execPath },
      args: [
        ...[SCRIPT, "--parts", `${parts}`, "--ignore", join(directory, "ignored*"), join(directory, "*.test.mjs")],
        ...["--", "--forbid-only"],
      ],
    });
    const lines: string[] = [];
    program.onLine((line) => lines.push(line));
    const { code } = await program.exited;
    return { code, lines };
  }

  /** A file with a test that notes its process. */
  function file(name: string, then = ""): string {
    const note = `appendFileSync(${JSON.stringify(join(directory, "ran"))}, process.pid + ' ${name}\\n')`;
    return `import { appendFileSync } from "node:fs"; it(${JSON.stringify(name)}, () => { ${note}; ${then} });`;
  }
  const ran = (): string[][] =>
    readFileSync(join(directory, "ran"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => line.split(" "));

  for (const parts of [1, 2])
    it(`runs each file once, in ${parts} of mocha's processes, and ends with one count`, async () => {
      const { code, lines } = await run(
        ["a", "b", "c"].map((name) => file(name)),
        parts,
      );
      assert.equal(lines.at(-1), "3 passed, 0 failed");
      assert.equal(lines.filter((line) => / passed, /.test(line)).length, 1);
      assert.equal(code, 0);
      assert.deepEqual(
        ran()
          .map(([, name]) => name)
          .sort(),
        ["a", "b", "c"],
      );
      assert.equal(new Set(ran().map(([pid]) => pid)).size, parts);
    });

  it("fails when any part does, and shows what failed", async () => {
    const { code, lines } = await run([file("a"), file("b", "throw new Error('no bread')")], 2);
    assert.equal(lines.at(-1), "1 passed, 1 failed");
    assert.ok(lines.some((line) => line.includes("no bread")));
    assert.equal(code, 1);
  });

  it("loses nothing of what is more than its reader takes at once", async () => {
    const lots = `for (let line = 0; line < 40_000; line += 1) console.log("line " + line + "x".repeat(100))`;
    const { code, lines } = await run([file("a"), file("b", lots)], 2);
    assert.equal(lines.filter((line) => /^line \d+x+$/.test(line)).length, 40_000);
    assert.equal(lines.at(-1), "2 passed, 0 failed");
    assert.equal(code, 0);
  });

  it("counts a part as failed that ends before its count", async () => {
    const { code, lines } = await run([file("a"), file("b", "process.exit(0)")], 2);
    assert.equal(lines.at(-1), "1 passed, 1 failed");
    assert.ok(lines.some((line) => /^tests 2 of 2 ended with 0$/.test(line)));
    assert.equal(code, 1);
  });

  it("hands options on to mocha, and fails where there is nothing to run", async () => {
    const only = await run([`it.only("a", () => {});`], 1);
    assert.equal(only.code, 1);
    const none = await run([], 2);
    assert.equal(none.code, 1);
  });
});
