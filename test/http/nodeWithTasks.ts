/** A node of Ringmaster with a task of its own, `courier`, which fails until it is told that it need not; enqueues keys that it is sent. */
import { crc32 } from "node:zlib";
import { z } from "zod";
import { RINGMASTER } from "../../src/app.config.ts";
import { createApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { defineDomain } from "../../src/domains/runtime/Domain.ts";
import { defineTask } from "../../src/schedulers/runtime/defineTask.ts";
import { TaskActor } from "../../src/schedulers/runtime/TaskActor.ts";
import { createLogger } from "../../src/telemetry/log.ts";

/** What it is sent: the key of a task to enqueue, or that tasks succeed from now on. */
export type TaskOrder = { enqueue: string } | { mended: true };

const SHARDS = 16;
let isBroken = true;

const config = readConfig(process.env, RINGMASTER.domains);
const courier = defineDomain({
  name: "courier",
  jobs: () => [
    defineTask({
      name: "courier",
      args: z.null(),
      retries: 0,
      run: async (_args, { key }) => {
        if (isBroken) throw new Error("the road is closed");
        return { brought: key };
      },
    }),
  ],
  open: ({ actors }) => actors,
});
const app = await createApp(config, { domains: [...RINGMASTER.domains, courier] }, createLogger(config.logLevel));
process.on("message", (order: TaskOrder) => {
  if ("mended" in order) isBroken = false;
  else
    void app
      .servicesOf(courier)
      .ref(TaskActor, `courier/${crc32(order.enqueue) % SHARDS}`)
      .enqueue(order.enqueue, "null", null);
});
process.once("SIGTERM", async () => process.exit((await app.stop()) ? 0 : 1));
console.log(`Ringmaster is ready: http://localhost:${app.port}`);
