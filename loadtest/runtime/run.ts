import { FlagError } from "./flags.ts";

/** Runs a load test. What goes wrong is told in one line, and ends the process: with 2 for a wrong flag, else with 1. */
export async function run(test: () => Promise<void>): Promise<void> {
  try {
    await test();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(error instanceof FlagError ? 2 : 1);
  }
}
