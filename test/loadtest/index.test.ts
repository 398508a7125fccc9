import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../../loadtest/", import.meta.url);

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const script = fileURLToPath(new URL("index.ts", FOLDER));
  return spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
}

describe("npm run loadtest", function () {
  this.timeout(120_000);
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".ts") && name !== "index.ts");

  it("runs each test that there is by its name, with its flags", () => {
    assert.ok(files.length > 2);
    for (const name of files.map((file) => file.slice(0, -".ts".length))) {
      assert.match(
        run(name, "--help").stdout,
        name === "hunt" ? /--answers FILE/ : new RegExp(`-- ${name} --operator`),
      );
      const refused = run(name, "--numClients", "many");
      assert.deepEqual([refused.status, refused.stdout], [2, ""]);
      assert.match(refused.stderr, /^--numClients: must be a whole number/);
    }
  });

  it("runs that of hunts where none is named, and names those that there are", () => {
    assert.match(run("--help").stdout, /--answers FILE/);
    const { status, stderr } = run("nothing");
    assert.equal(status, 2);
    const names = files.map((file) => file.slice(0, -".ts".length)).sort();
    assert.equal(stderr, `there is no load test nothing; there are: ${names.join(", ")}\n`);
  });
});
