import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const ROOT = join(import.meta.dirname, "../..");

describe("The code in docs/actors.md", function () {
  this.timeout(120_000);
  const page = readFileSync(join(ROOT, "docs/actors.md"), "utf8");
  const blocks = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code!);
  const files = blocks.map((_, at) => join(ROOT, "docs", `.actors-block-${process.pid}-${at}.ts`));

  after(() => {
    for (const file of files) rmSync(file, { force: true });
  });

  it("compiles as it stands there", () => {
    assert.ok(blocks.length > 1);
    for (const [at, file] of files.entries()) writeFileSync(file, blocks[at]!);
    const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile);
    const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
    const program = ts.createProgram(files, { ...options, noEmit: true, incremental: false });
    const told = files.flatMap((file) => ts.getPreEmitDiagnostics(program, program.getSourceFile(file)));
    assert.deepEqual(
      told.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")),
      [],
    );
  });
});
