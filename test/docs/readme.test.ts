import assert from "node:assert/strict";
import { join } from "node:path";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { Program } from "../../scripts/processes/Program.ts";
import { beginDemoHunt } from "../support/demo.ts";
import { RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { documentOf } from "./documents.ts";

const README = documentOf("README.md");
const WHERE_IT_LOOKS = "http://localhost:2567";

/** The first block of code in `language`, and what is said of its output in backquotes after it. */
function exampleIn(language: string): { code: string; rest: string } {
  const [block, code] = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(README)!;
  return { code: code!, rest: README.slice(README.indexOf(block!) + block!.length) };
}

describe("The README's client", function () {
  this.timeout(120_000);
  let directory: string;
  let node: RingmasterNode;

  before(async () => {
    directory = temporaryDirectory("readme-test");
    node = await RingmasterNode.start({
      DATABASE_URL: `sqlite:${join(directory, "ringmaster.sqlite")}`,
      DEMO: "true",
      NODE_ENV: "development",
    });
    await beginDemoHunt(node.url, await tokenOf("operator"));
  });

  after(async () => {
    await node.kill();
    removeDirectory(directory);
  });

  it("runs as it stands, and prints what is said of it", async () => {
    const { code, rest } = exampleIn("js");
    assert.ok(code.includes(WHERE_IT_LOOKS));
    const client = await Program.start({
      name: "the README's client",
      command: process.execPath,
      args: ["--input-type=module", "--eval", code.replace(WHERE_IT_LOOKS, node.url)],
    });
    assert.deepEqual(await client.exited, { code: 0, signal: null }, client.tail());
    const [prompt, answer] = [...rest.matchAll(/`([^`]+)`/g)].map(([, said]) => said!);
    assert.ok(client.tail().includes(`${prompt}\n${answer}`), client.tail());
  });
});
