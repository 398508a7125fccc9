/**
 * What a test file's supports need around the whole run. A support registers its tasks when it is imported, so a run of
 * files that do not use it pays nothing for it. `hooks.ts` and `reporter.ts` perform them.
 */
export type Task = () => void | Promise<void>;

export const run = {
  before: [] as Task[],
  after: [] as Task[],
  failure: [] as (() => void)[],
};

/** Runs `task` before the first test, with no time limit. */
export function beforeRun(task: Task): void {
  run.before.push(task);
}

/** Runs `task` after the last test, in the reverse order of registration. */
export function afterRun(task: Task): void {
  run.after.unshift(task);
}

/** Runs `task` when a test or a hook has failed, to print what helps to understand it. */
export function onFailure(task: () => void): void {
  run.failure.push(task);
}
