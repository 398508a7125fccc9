/**
 * Resolves at the first SIGINT or SIGTERM, for an orderly end. The second one ends this process at once, and the
 * watchdog what it started.
 */
export function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    let interrupted = false;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (interrupted) process.exit(130);
        interrupted = true;
        resolve();
      });
    }
  });
}
