import type { Clock } from "../../clock.ts";

/**
 * How long a period must have been over, in milliseconds, before what was stored in it is taken to be all there: what was being
 * stored at its end may be seen only now, and the clocks of nodes differ.
 */
export const SETTLED_MS = 10_000;

/** Resolves once it has been over for `SETTLED_MS`. Rejects when the signal aborts. */
export async function untilSettled(
  clock: Pick<Clock, "now" | "schedule">,
  endedAt: number,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const leftMs = endedAt + SETTLED_MS - clock.now();
  if (leftMs <= 0) return;
  const aborted = Promise.withResolvers<void>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort);
  const cancel = clock.schedule(aborted.resolve, leftMs);
  try {
    await aborted.promise;
  } finally {
    cancel();
    signal.removeEventListener("abort", abort);
  }
}
