/**
 * `npm run dev`: the server, restarted when a file of src changes, and beside it Vite, whose page follows each change of
 * web at once. Ctrl-C ends both.
 */
import { fileURLToPath } from "node:url";
import { Program } from "./processes/Program.ts";
import { untilInterrupted } from "./processes/untilInterrupted.ts";

const GRACE_MS = 5000;

const repository = fileURLToPath(new URL("../", import.meta.url));
process.chdir(repository);

const interrupted = untilInterrupted();
const server = await run("server", ["--watch", "--watch-path=src", "--watch-preserve-output", "src/index.ts"]);
const page = await run("page", ["node_modules/vite/bin/vite.js", "dev", "web"]);
await Promise.race([interrupted, server.exited, page.exited]);
await Promise.all([server.stop(GRACE_MS), page.stop(GRACE_MS)]);

async function run(name: string, args: readonly string[]): Promise<Program> {
  const program = await Program.start({ name, command: process.execPath, args });
  program.onLine((line) => process.stdout.write(`${name.padEnd(6)} | ${line}\n`));
  return program;
}
