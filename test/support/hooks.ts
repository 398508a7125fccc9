import { enableCompileCache, flushCompileCache } from "node:module";
import { fileURLToPath } from "node:url";
import { run, type Task } from "./run.ts";

/** Left for the next run: what has changed since then is compiled anew. */
const COMPILED = fileURLToPath(new URL("../../node_modules/.cache/compiled/", import.meta.url));

// Half of a node's start is stripping types and compiling, and the tests start many nodes of the same modules.
enableCompileCache(COMPILED);
process.env.NODE_COMPILE_CACHE = COMPILED;

/** Mocha's global fixtures; `.mocharc.json` requires this file. */
export async function mochaGlobalSetup(): Promise<void> {
  // Nodes that tests kill leave nothing behind: they are served by what the test files themselves have imported.
  flushCompileCache();
  await perform(run.before);
}

export async function mochaGlobalTeardown(): Promise<void> {
  await perform(run.after);
}

async function perform(tasks: readonly Task[]): Promise<void> {
  for (const task of tasks) await task();
}
