import type { Logger } from "./log.ts";

/** What nobody handled: a promise that was rejected, or an exception that was thrown out of the event loop's hands. */
export type Fault = "rejection" | "exception";

export interface FaultPorts {
  log: Logger;
  /** One more of this kind. */
  count(fault: Fault): void;
  /** Has the process end in order. */
  end(): void;
}

/**
 * Takes what nobody handled, for the rest of this process's life: it is logged, without its secrets, and counted. After an exception
 * the process ends, in order; after a rejection it goes on (docs/adr/0020-a-rejection-is-survived.md).
 *
 * Nobody else's handler stays: whether a process survives must not hang on what a dependency installs, and `@pm2/io`, which comes
 * with Colyseus's tools, prints errors as they are, with URLs and the tokens in them.
 */
export function handleFaults({ log, count, end }: FaultPorts): void {
  const handlers = {
    unhandledRejection(reason: unknown): void {
      count("rejection");
      log.error({ err: asError(reason) }, "a rejection that nobody handled");
    },
    uncaughtException(error: unknown): void {
      count("exception");
      log.fatal({ err: asError(error) }, "an exception that nobody handled");
      end();
    },
  };
  for (const [event, handler] of Object.entries(handlers)) process.removeAllListeners(event).on(event, handler);
  process.on("newListener", (event, listener) => {
    const own = Object.entries(handlers).find(([name]) => name === event)?.[1];
    // The event comes before the listener is there.
    if (own !== undefined && listener !== own) process.nextTick(() => process.off(event as string, listener));
  });
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error("something that is no error was thrown");
}
