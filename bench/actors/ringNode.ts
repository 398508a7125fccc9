/** A whole node of Ringmaster on which many actors' timers fall due at once. Started by `hunts/besideLoad.ts`. */
import type { Actors } from "../../src/actors/runtime/Actors.ts";
import { createApp } from "../../src/app.config.ts";
import { readConfig } from "../../src/config.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { armAll, ringKind } from "./ringing.ts";
import { serveLoad } from "./serveLoad.ts";

let runtime!: () => Actors;
const load = serveLoad(async (timers) => (await armAll({ timers, seconds: 0 }, runtime())).firstDueAt);
const config = readConfig(process.env);
const app = await createApp(config, createLogger(config.logLevel), {
  kinds: (actors) => {
    runtime = actors;
    return [ringKind((ring) => ring === "stored" && load.stored())];
  },
  jobs: () => [],
});
process.once("SIGTERM", async () => process.exit((await app.stop()) ? 0 : 1));
console.log(`Ringmaster is ready: http://localhost:${app.port}`);
