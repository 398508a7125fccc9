/** A whole node of Ringmaster on which many actors' timers fall due at once. Started by `hunts/besideLoad.ts`. */
import { RINGMASTER } from "../../src/app.config.ts";
import { createApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { defineDomain } from "../../src/domains/runtime/Domain.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { armAll, ringKind } from "./ringing.ts";
import { serveLoad } from "./serveLoad.ts";

const load = serveLoad(async (timers) => (await armAll({ timers, seconds: 0 }, app.servicesOf(ringing))).firstDueAt);
const config = readConfig(process.env, RINGMASTER.domains);
const ringing = defineDomain({
  name: "ringing",
  actors: () => [ringKind((ring) => ring === "stored" && load.stored())],
  open: ({ actors }) => actors,
});
const app = await createApp(config, { domains: [...RINGMASTER.domains, ringing] }, createLogger(config.logLevel));
process.once("SIGTERM", async () => process.exit((await app.stop()) ? 0 : 1));
console.log(`Ringmaster is ready: http://localhost:${app.port}`);
