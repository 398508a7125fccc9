/** A whole node of Ringmaster with actors and a job of the chaos run's own, callers of these, and a clock that can be set. */
import { setTimeout as sleep } from "node:timers/promises";
import { RINGMASTER } from "../../src/app.config.ts";
import { createApp } from "../../src/app.ts";
import { readConfig } from "../../src/config.ts";
import { defineDomain } from "../../src/domains/runtime/Domain.ts";
import { RingmasterError } from "../../src/errors.ts";
import { defineJob } from "../../src/schedulers/runtime/defineJob.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { ChaosActor, chaosKind } from "./chaosActors.ts";
import type { CallRecord, NodeMessage, NodeOptions, NodeRequest } from "./nodeProtocol.ts";

const options = JSON.parse(process.env.CHAOS!) as NodeOptions;
const CALLER_PAUSE_MS = 100;
const DEADLINE_MS = 5000;
const JOB_PERIOD_MS = 2000;

/** How far this process's wall clock is off: everything that asks for the time asks `Date.now`. */
let clockOffsetMs = 0;
const now = Date.now;
Date.now = () => now() + clockOffsetMs;

const tell = (message: NodeMessage): void => void process.send?.(message, undefined, undefined, () => {});

const config = readConfig(process.env, RINGMASTER.domains);
const chaos = defineDomain({
  name: "chaos",
  actors: () => [chaosKind],
  jobs: ({ database }) => [
    defineJob({
      name: "chaos",
      schedule: { everyMs: JOB_PERIOD_MS },
      missed: "fire",
      overlap: "queue",
      retries: 20,
      run: async ({ scheduledAt, attempt }) => {
        const sql = "INSERT INTO chaos_attempts (scheduled_at, attempt, node) VALUES (?, ?, ?)";
        await database.write(sql, [scheduledAt, attempt, options.id]);
      },
    }),
  ],
  open: ({ actors }) => actors,
});
const app = await createApp(config, { domains: [...RINGMASTER.domains, chaos] }, createLogger(config.logLevel));
const actors = app.servicesOf(chaos);

const { targets } = options;
for (const target of targets)
  void actors
    .ref(ChaosActor, target)
    .startTicking()
    .catch(() => {});
const callers: Promise<void>[] = [];
let isEnding = false;
for (let caller = 0; caller < options.callers; caller += 1) callers.push(callOn(caller));
console.log(`Ringmaster is ready: http://localhost:${app.port}`);

process.on("message", (request: NodeRequest) => {
  if ("clockOffsetMs" in request) clockOffsetMs = request.clockOffsetMs;
  else if ("probe" in request) void answer(request);
  else void endCalls();
});
process.once("SIGTERM", async () => process.exit((await app.stop()) ? 0 : 1));
// Who started it is gone.
process.once("disconnect", () => process.exit(1));

/** Every second caller gives its calls request ids, and repeats each until it is answered. */
async function callOn(caller: number): Promise<void> {
  for (let call = 0; !isEnding; call += 1) {
    const actor = targets[(caller + call) % targets.length]!;
    const to = targets[(caller + call + 1) % targets.length]!;
    const name = `${options.id}.${process.pid}-${caller}-${call}`;
    const record: CallRecord = {
      name,
      actor,
      method: call % 3 === 0 ? "pass" : "add",
      codes: [],
      startedAt: now(),
      tookMs: 0,
    };
    const request = { deadlineMs: DEADLINE_MS, ...(caller % 2 === 1 ? { requestId: name } : {}) };
    const startedAt = performance.now();
    do {
      try {
        const ref = actors.ref(ChaosActor, actor, request);
        record.value = await (record.method === "pass" ? ref.pass(name, to) : ref.add(name));
      } catch (error) {
        record.codes.push(error instanceof RingmasterError ? error.code : String(error));
      }
      await sleep(CALLER_PAUSE_MS);
    } while ("requestId" in request && record.value === undefined && record.codes.at(-1) !== "draining");
    record.tookMs = performance.now() - startedAt - CALLER_PAUSE_MS;
    tell({ record });
  }
}

/** Begins no more calls, and says when all have come to their end. */
async function endCalls(): Promise<void> {
  isEnding = true;
  await Promise.all(callers);
  tell({ callsEnded: true });
}

/** Whether each of the targets answers here, in time. */
async function answer({ probe, deadlineMs }: { probe: number; deadlineMs: number }): Promise<void> {
  const asked = targets.map((target) => actors.ref(ChaosActor, target, { deadlineMs }).count());
  const failed = (await Promise.allSettled(asked)).flatMap((result) =>
    result.status === "rejected"
      ? [result.reason instanceof RingmasterError ? result.reason.code : String(result.reason)]
      : [],
  );
  tell({ probed: probe, failed });
}
