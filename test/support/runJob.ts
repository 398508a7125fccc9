import type { Job, JobContext } from "../../src/schedulers/runtime/defineJob.ts";

/** Runs a job once, without its schedule: what it answers, and every progress that it reported, as it was at that moment. */
export async function runJob<T = Record<string, unknown>>(
  job: Job,
  options: { signal?: AbortSignal; onProgress?: (state: unknown) => void } = {},
): Promise<{ result: T; progress: unknown[] }> {
  const progress: unknown[] = [];
  const context = {
    scheduledAt: 0,
    attempt: 1,
    earlierProgress: null,
    signal: options.signal ?? new AbortController().signal,
    progress(state: unknown) {
      progress.push(structuredClone(state));
      options.onProgress?.(state);
    },
  } satisfies JobContext;
  return { result: (await job.run(context)) as T, progress };
}
