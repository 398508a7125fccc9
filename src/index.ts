import { RINGMASTER } from "./app.config.ts";
import { type App, createApp } from "./app.ts";
import { sleep, systemClock } from "./clock.ts";
import { ConfigError, readConfig } from "./config.ts";
import { operatorToken } from "./http/auth/roles.ts";
import { handleFaults } from "./telemetry/crashes.ts";
import { createLogger, standardOutput } from "./telemetry/log.ts";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;
/** How long the end of the process waits for who reads its log. */
const LAST_LINES_MS = 500;

// Who reads it may be gone sooner than this process.
process.stderr.on("error", () => {});

try {
  // From the first moment on: whoever can reach this node can also have it end in order.
  const signalled = firstSignal();
  const config = readConfig(process.env, RINGMASTER.domains);
  const log = createLogger(config.logLevel);
  const failed = Promise.withResolvers<undefined>();
  let app: App | undefined;
  handleFaults({
    log,
    count: (fault) => app?.metrics.faulted(fault),
    end: () => (app === undefined ? process.exit(1) : failed.resolve(undefined)),
  });
  app = await Promise.race([createApp(config, RINGMASTER, log), notStarted(signalled, config.shutdownTimeoutMs)]);
  await printAddresses(app, config.jwtSecretIsMade);
  await drain(app, await Promise.race([signalled, failed.promise]));
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  const reasons = error.message.split("\n");
  console.error(`Ringmaster cannot start: ${reasons.join("\n  ")}`);
  process.exit(1);
}

async function printAddresses({ port, tokens }: App, hasMadeSecret: boolean): Promise<void> {
  console.log(`Ringmaster is ready: http://localhost:${port}`);
  if (hasMadeSecret) console.log(`operator's token for this run: ${await operatorToken(tokens)}`);
}

/** The first signal, which drains once the start is over; a second one ends the process at once. */
function firstSignal(): Promise<string> {
  return new Promise((resolve) => {
    const onSignal = (signal: string): void => {
      for (const each of SIGNALS) process.removeAllListeners(each).on(each, () => process.exit(1));
      resolve(signal);
    };
    for (const each of SIGNALS) process.on(each, onSignal);
  });
}

/** Rejects when the start has not ended for so long after a signal: what it waits for may never come. */
async function notStarted(signalled: Promise<string>, timeoutMs: number): Promise<never> {
  const signal = await signalled;
  await sleep(systemClock, timeoutMs);
  throw new ConfigError(`${signal} came, and the start did not end within ${timeoutMs / 1000} s (SHUTDOWN_TIMEOUT_MS)`);
}

/** Ends in order, for a signal or, without one, because of a fault. */
async function drain({ log, stop }: App, signal: string | undefined): Promise<void> {
  log.info(signal === undefined ? {} : { signal }, "draining");
  const inTime = await stop();
  log.info({ inTime }, "stopped");
  await standardOutput.flush(LAST_LINES_MS);
  process.exit(inTime && signal !== undefined ? 0 : 1);
}
