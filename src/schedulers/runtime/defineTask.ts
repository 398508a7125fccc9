import type { z } from "zod";
import { type JobContext, NAME } from "./defineJob.ts";

/** What a running task is given, beside what it was enqueued with. */
export interface TaskContext extends JobContext {
  /** The key that it is known by: what effects are keyed by, so that a repeat changes nothing. */
  readonly key: string;
}

/** Work that is enqueued, by a request for one, and done once it is due: `jobs.enqueue(name, args)`. */
export interface TaskDefinition<Args extends z.ZodType = z.ZodType> {
  /** `[a-z][a-z0-9-]*`, at most 32; no job's. */
  name: string;
  /**
   * What it is enqueued with, which must survive JSON. Checked when it is enqueued and when it runs: what is enqueued is run by the
   * nodes that are there by then, some of which may know an earlier or a later version of it.
   */
  args: Args;
  /** How long an attempt may take, in milliseconds; 5 minutes unless given. */
  timeoutMs?: number;
  /** Further attempts after a failure, with backoff and jitter; 3 unless given. Then the task is a dead letter. */
  retries?: number;
  /**
   * Answers with a result that survives JSON, which the history keeps (at most 64 kB). May run more than once for one key, and an
   * attempt that has been given up may still be on its way: effects must be keyed by `key`.
   */
  run(args: z.output<Args>, context: TaskContext): Promise<unknown>;
}

/** A definition with every choice made. */
export interface Task extends Required<Omit<TaskDefinition, "run">> {
  kind: "task";
  run(args: unknown, context: TaskContext): Promise<unknown>;
}

/** Checks a definition; throws an Error that names the task and the fault. */
export function defineTask<Args extends z.ZodType>(definition: TaskDefinition<Args>): Task {
  const { name, args, timeoutMs = 300_000, retries = 3 } = definition;
  const fault = (what: string): Error => new Error(`task ${name}: ${what}`);
  if (!NAME.test(name)) throw fault("a name is [a-z][a-z0-9-]*, at most 32 characters");
  if (!(timeoutMs > 0)) throw fault("timeoutMs must be more than 0");
  if (!(Number.isSafeInteger(retries) && retries >= 0)) throw fault("retries must be a whole number, at least 0");
  const run = (given: unknown, context: TaskContext) => definition.run(given as z.output<Args>, context);
  return { kind: "task", name, args, timeoutMs, retries, run };
}
