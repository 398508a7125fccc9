import { run, type Task } from "./run.ts";

/** Mocha's global fixtures; `.mocharc.json` requires this file. */
export async function mochaGlobalSetup(): Promise<void> {
  await perform(run.before);
}

export async function mochaGlobalTeardown(): Promise<void> {
  await perform(run.after);
}

async function perform(tasks: readonly Task[]): Promise<void> {
  for (const task of tasks) await task();
}
