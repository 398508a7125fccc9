import { type App, createApp } from "./app.config.ts";
import { ConfigError, readConfig } from "./config.ts";
import { operatorToken } from "./http/auth/roles.ts";

try {
  const config = readConfig(process.env);
  const app = await createApp(config);
  await printAddresses(app, config.jwtSecretIsMade);
  stopOnSignals(app);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(`Ringmaster cannot start: ${error.message}`);
  process.exit(1);
}

async function printAddresses({ port, tokens }: App, hasMadeSecret: boolean): Promise<void> {
  console.log(`Ringmaster is ready: http://localhost:${port}`);
  if (hasMadeSecret) console.log(`operator's token for this run: ${await operatorToken(tokens)}`);
}

/** The first signal drains; a second one ends at once. */
function stopOnSignals({ log, stop }: App): void {
  const onSignal = (signal: string): void => {
    for (const each of ["SIGTERM", "SIGINT"]) process.removeAllListeners(each).on(each, () => process.exit(1));
    log.info({ signal }, "draining");
    void stop().then((inTime) => {
      log.info({ inTime }, "stopped");
      process.exit(inTime ? 0 : 1);
    });
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
}
