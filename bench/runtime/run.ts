import { FlagError } from "../../loadtest/runtime/flags.ts";

/** A line of a bench's output. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Runs a bench and ends the process: with 2 and one line for a wrong flag, with 1 and the stack for any other error. */
export async function run(bench: () => Promise<void>): Promise<never> {
  try {
    await bench();
    process.exit();
  } catch (error) {
    const isFlag =
      error instanceof FlagError || String((error as { code?: unknown }).code).startsWith("ERR_PARSE_ARGS");
    process.stderr.write(`${isFlag ? (error as Error).message : ((error as Error).stack ?? error)}\n`);
    process.exit(isFlag ? 2 : 1);
  }
}
