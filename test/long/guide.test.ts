import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { documentOf, REPOSITORY, sectionOf } from "../docs/documents.ts";

/** What the example is made of, by path: a line of bold code names the file, and the block behind it is the file. */
const GUIDE = sectionOf(
  documentOf("CONTRIBUTING.md").replace(/^```md[\s\S]*?^```$/gm, (block) => block.replace(/^#/gm, "\u0000#")),
  "## Add an event type",
).replaceAll("\u0000", "");
const FILES = new Map(
  [...GUIDE.matchAll(/^\*\*`([^`]+)`\*\*\n```\w+\n([\s\S]*?\n)```$/gm)].map(
    ([, path, text]) => [path!, text!] as const,
  ),
);
/** What of the repository the example stands among. */
const COPIED = [
  ...["src", "test", "loadtest", "docs", "scripts", "package.json", "tsconfig.json", "biome.json", ".mocharc.json"],
  ...[".gitignore", ".env.example", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"],
];

describe("The example of CONTRIBUTING.md, written down file by file,", function () {
  this.timeout(600_000);
  let folder: string;

  before(() => {
    folder = temporaryDirectory("guide");
    for (const name of COPIED) cpSync(join(REPOSITORY, name), join(folder, name), { recursive: true });
    for (const name of ["node_modules", "web", "ops"]) symlinkSync(join(REPOSITORY, name), join(folder, name));
    for (const [path, text] of FILES) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const list = join(folder, "src/app.config.ts");
    const listed = readFileSync(list, "utf8").replace("domains: [", "domains: [polls, ");
    writeFileSync(list, `import { polls } from "./domains/polls.ts";\n${listed}`);
  });
  after(() => removeDirectory(folder));

  /** Runs a tool of the repository in the folder. */
  function run(tool: string, ...args: string[]): void {
    const script = join(folder, "node_modules", tool);
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
      cwd: folder,
      encoding: "utf8",
    });
    assert.equal(status, 0, `${tool}\n${stdout}${stderr}`);
  }

  it("is whole, and short: at most 10 files of 400 lines with tests, bot and documents", () => {
    assert.ok(FILES.has("src/domains/polls.ts"), "the files were not found");
    const lines = [...FILES.values()].reduce((sum, text) => sum + text.split("\n").length - 1, 0);
    assert.ok(FILES.size <= 10 && lines <= 400, `${FILES.size} files of ${lines} lines`);
  });

  it("is formatted, and has nothing to complain about", () => {
    const code = [...FILES.keys()].filter((path) => path.endsWith(".ts"));
    run("@biomejs/biome/bin/biome", "check", "--error-on-warnings", ...code);
  });

  it("has right types", () => {
    const files = [...FILES.keys(), "src/index.ts"].filter((path) => path.endsWith(".ts"));
    writeFileSync(
      join(folder, "tsconfig.guide.json"),
      JSON.stringify({ extends: "./tsconfig.json", include: files, compilerOptions: { incremental: false } }),
    );
    run("typescript/bin/tsc", "--project", "tsconfig.guide.json");
  });

  it("passes its tests, and those that every domain has to pass", () => {
    const documents = ["docs/commands", "docs/complete", "docs/declared", "docs/runtime"];
    const everybodys = [...documents, "operations/everyOperation", "app/domains", "architecture"];
    run("mocha/bin/mocha.js", "test/polls/poll.test.ts", ...everybodys.map((name) => `test/${name}.test.ts`));
  });

  it("shows its bot's help", () => {
    const { stdout } = spawnSync(process.execPath, ["loadtest/index.ts", "poll", "--help"], {
      cwd: folder,
      encoding: "utf8",
    });
    assert.match(stdout, /-- poll --operator/);
  });
});
