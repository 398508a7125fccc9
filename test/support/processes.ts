import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";
import { Program } from "../../scripts/processes/Program.ts";
import { afterRun, onFailure } from "./run.ts";

export { type Exit, Program } from "../../scripts/processes/Program.ts";
export { until } from "../../scripts/processes/until.ts";

/** Long enough for anything that has to happen at all, on a machine with other work. How soon it does is no test's question that waits by this. */
export const DEADLINE_MS = 30_000;

export interface ProcessOptions {
  args?: readonly string[];
  /** Added to this process's environment, of which no variable of Ringmaster is passed on. */
  env?: NodeJS.ProcessEnv;
  /** What messages call it; the script's name unless given. */
  name?: string;
}

const REPOSITORY = new URL("../../", import.meta.url);
/** All of Ringmaster's: `test/config/envExample.test.ts` holds that this file names each. */
export const VARIABLES: readonly string[] = Object.keys(
  parseEnv(readFileSync(new URL(".env.example", REPOSITORY), "utf8")),
);

const programs = new Set<Program>();

afterRun(async () => {
  await Promise.all([...programs].map((program) => program.kill()));
});

onFailure(() => {
  for (const program of programs) {
    const state = program.exit === undefined ? "runs" : `ended with ${program.exit.signal ?? program.exit.code}`;
    process.stderr.write(`--- ${program.name} (pid ${program.pid}, ${state}), last lines:\n${program.tail()}\n`);
  }
});

/**
 * Starts a TypeScript file of the repository (`"src/index.ts"`, `"test/cluster/node.ts"`) in a Node process like this
 * one, with a channel for `send` and `message`. It is killed at the latest at the end of the run.
 */
export async function startProcess(script: string, options: ProcessOptions = {}): Promise<Program> {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !VARIABLES.includes(name)));
  const program = await Program.start({
    name: options.name ?? script,
    command: process.execPath,
    args: [fileURLToPath(new URL(script, REPOSITORY)), ...(options.args ?? [])],
    env: { ...inherited, ...options.env },
    ipc: true,
  });
  programs.add(program);
  return program;
}

/**
 * For `Program.line`: has `pick` look at the lines that are JSON objects, such as a log's.
 * `await node.line("being ready", json((entry) => (entry.msg === "ready" ? entry : undefined)))`
 */
export function json<T>(pick: (entry: Record<string, unknown>) => T | undefined): (line: string) => T | undefined {
  return (line) => {
    if (!line.startsWith("{")) return undefined;
    let entry: Record<string, unknown>;
    try {
      entry = JSON.parse(line) as Record<string, unknown>;
    } catch {
      return undefined;
    }
    return pick(entry);
  };
}
