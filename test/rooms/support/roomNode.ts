/**
 * A node that serves rooms, for tests that need several: the matchmaker is one a process. It does what its parent tells it to
 * and remembers every error that nobody handled.
 */
import { defineRoom, defineServer, matchMaker, Room } from "@colyseus/core";
import { WebSocketTransport } from "@colyseus/ws-transport";
import express from "express";
import { freePort } from "../../../scripts/processes/freePort.ts";
import { FrontDoor } from "../../../src/http/FrontDoor.ts";
import { answerFailures } from "../../../src/http/failures.ts";
import { matchmakingRoutes } from "../../../src/http/matchmaking.ts";
import { clusterMatchmaking } from "../../../src/rooms/runtime/matchmaking.ts";
import { placeRooms } from "../../../src/rooms/runtime/placement.ts";
import { createLogger } from "../../../src/telemetry/log.ts";
import type { Call, NodeReport } from "./RoomProcess.ts";

const report = (message: NodeReport): void => void process.send?.(message);
const faults: string[] = [];
process.on("unhandledRejection", (reason) => faults.push(String((reason as Error)?.stack ?? reason)));
process.on("uncaughtException", (error) => faults.push(String(error.stack)));

/** The ids of the rooms that run here, listed or not. */
const running = new Set<string>();
let placeAt: string | undefined;

class EventRoom extends Room<{ metadata: { event: string; key?: string } }> {
  override async onCreate({ event }: { event: string }): Promise<void> {
    this.autoDispose = false;
    this.metadata = this.roomName === "keyed" ? { event, key: `keyed:${event}` } : { event };
    running.add(this.roomId);
    this.onMessage("hello", () => "hello");
  }

  override onDispose(): void {
    running.delete(this.roomId);
  }
}

const port = await freePort();
const logger = createLogger("info");
const matchmaking = await clusterMatchmaking({ redisUrl: process.env.TEST_REDIS_URL!, logger });
const app = express().use(
  "/matchmake",
  matchmakingRoutes(() => false),
);
app.use(answerFailures(logger));
const server = defineServer({
  presence: matchmaking.presence,
  driver: matchmaking.driver,
  transport: new WebSocketTransport({ server: new FrontDoor(app, { trustProxy: false }) }),
  publicAddress: `127.0.0.1:${port}`,
  gracefullyShutdown: false,
  greet: false,
  selectProcessIdToCreateRoom: placeRooms({
    roomNodes: () => [{ nodeId: "here", processId: placeAt ?? matchMaker.processId }],
    placeOf: async () => "here",
  }),
  rooms: {
    keyed: defineRoom(EventRoom).filterBy(["event"]),
    plain: defineRoom(EventRoom).filterBy(["event"]),
  },
});
await server.listen(port);

const calls: { [C in Call["call"]]: (call: Extract<Call, { call: C }>) => unknown } = {
  join: ({ room, event }) => matchMaker.joinOrCreate(room, { event }),
  create: ({ room, event }) => matchMaker.create(room, { event }),
  placeAt: ({ processId }) => {
    placeAt = processId;
  },
  forget: ({ processId }) => matchmaking.forgetProcess(processId),
  listings: () => matchMaker.query({}),
  running: () => [...running],
  faults: () => faults,
  closeDoors: () => matchmaking.closeDoors(),
  drain: () => server.gracefullyShutdown(false),
};

process.on("message", async ({ id, call }: { id: number; call: Call }) => {
  try {
    const perform = calls[call.call] as (call: Call) => unknown;
    report({ id, value: await perform(call) });
  } catch (error) {
    report({ id, error: { code: (error as { code?: unknown }).code, message: (error as Error).message } });
  }
});

report({ ready: { port, processId: matchMaker.processId } });
