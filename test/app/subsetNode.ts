/** A node of Ringmaster with a part of its domains, which `DOMAINS` names (`hunts,admin`), and those that these cannot do without. */
import { RINGMASTER } from "../../src/app.config.ts";
import { createApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { withNeeds } from "./withNeeds.ts";

const domains = withNeeds((process.env.DOMAINS ?? "").split(","), RINGMASTER.domains);
const app = await createApp(readConfig(process.env, domains), { domains });
process.once("SIGTERM", async () => process.exit((await app.stop()) ? 0 : 1));
console.log(`Ringmaster is ready: http://localhost:${app.port}`);
