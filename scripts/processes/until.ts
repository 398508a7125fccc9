/** How often a condition is looked at again, in milliseconds: seldom enough to cost nothing, often enough not to be felt. */
const INTERVAL_MS = 20;

/** Long enough for anything that has to happen at all, on a machine with other work. */
const LONG_MS = 30_000;

export interface UntilOptions {
  /** How long to wait before giving up, in milliseconds; 30,000 unless told. */
  timeoutMs?: number;
  /** What is waited for, to end the sentence "… did not happen within … ms:". */
  what: string;
}

/**
 * Waits until `condition` gives something truthy, and returns that. It is for things that tell nobody when they happen.
 * A condition that throws counts as not yet met, and its last error is the cause of the failure.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = LONG_MS, what }: UntilOptions,
): Promise<NonNullable<T>> {
  const start = performance.now();
  let cause: unknown;
  let last: unknown;
  do {
    try {
      const met = await condition();
      if (met) return met;
      last = met;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
  } while (performance.now() - start < timeoutMs);
  const seen = cause instanceof Error ? cause.message : JSON.stringify(last);
  throw new Error(`did not happen within ${timeoutMs} ms: ${what} (last seen: ${seen})`, { cause });
}
