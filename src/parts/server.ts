import type { AddressInfo } from "node:net";
import { matchMaker, Server } from "@colyseus/core";
import express from "express";
import type { Actors } from "../actors/runtime/Actors.ts";
import { systemClock } from "../clock.ts";
import { type Config, ConfigError } from "../config.ts";
import type { Declared } from "../domains/runtime/declared.ts";
import { FrontDoor } from "../http/FrontDoor.ts";
import type { MetricsPage } from "../http/health.ts";
import { mountMetrics } from "../http/server.ts";
import { eventOption } from "../rooms/runtime/EventRoom.ts";
import { PacedTransport } from "../rooms/runtime/PacedTransport.ts";
import { placeRooms } from "../rooms/runtime/placement.ts";
import { hasSeat } from "../rooms/runtime/seats.ts";
import { colyseusLog } from "../telemetry/colyseusLog.ts";
import type { Parts } from "./Parts.ts";

export interface ServerParts
  extends Pick<Parts, "config" | "log" | "backplane" | "app" | "keepOut" | "flows" | "readiness"> {
  /** Those of domains, by name. */
  rooms: Declared["rooms"];
  /** There once they have started, which is before anybody can join a room. */
  actors: Promise<Actors>;
}

/**
 * Connections that wait to be taken, where the system allows as many. Node takes one in each turn of its loop; what the system has no room for is tried again by its
 * client after 1, 2, 4 s.
 */
const MOST_UNTAKEN = 4096;

/** What a client may send in one frame, in bytes. */
const LARGEST_FRAME = 16 * 1024;

/** Colyseus's server, which makes the process id that this node goes by; it does not listen yet. */
export async function openServer({
  config,
  log,
  backplane,
  app,
  keepOut,
  flows,
  readiness,
  rooms,
  actors,
}: ServerParts): Promise<Server> {
  const door = new FrontDoor(app, {
    trustProxy: config.trustProxy,
    perAddress: config.rateLimitPerAddress,
    keepOut,
    flows,
    // Who comes to a node that drains is told so, though the seat is void.
    hasSeat: (url) => readiness.draining || hasSeat(url),
  });
  const server = new Server({
    transport: new PacedTransport({
      server: door,
      maxPayload: LARGEST_FRAME,
      draining: () => readiness.draining,
      keepOut,
    }),
    presence: backplane.matchmaking.presence,
    driver: backplane.matchmaking.driver,
    gracefullyShutdown: false,
    greet: false,
    logger: colyseusLog(log, systemClock),
    ...(config.publicAddress === undefined ? {} : { publicAddress: config.publicAddress }),
    ...(config.redisUrl === undefined ? {} : { selectProcessIdToCreateRoom: placement(rooms, actors) }),
  });
  await matchMaker.onReady;
  return server;
}

function placement(rooms: Declared["rooms"], later: Promise<Actors>): matchMaker.SelectProcessIdCallback {
  return async (roomName, options) => {
    const actors = await later;
    const places = placeRooms({
      roomNodes: () => actors.membership.roomHosts().map(({ id }) => ({ nodeId: id, processId: id })),
      placeOf: async (name, asked) => {
        const event = rooms.get(name)?.declared.event;
        const id = event && (asked as Record<string, unknown> | undefined)?.[eventOption(name)];
        return event && typeof id === "string" ? actors.whereIs(event, id) : undefined;
      },
    });
    return places(roomName, options);
  };
}

/** Listens where the metrics are on a port of their own. Rejects with a ConfigError when that cannot be had. */
export async function listenForMetrics(
  parts: Pick<Parts, "config" | "lifecycle" | "log" | "readiness">,
  metricsPage: MetricsPage | undefined,
): Promise<void> {
  const { host, metricsPort: port, metricsToken, trustProxy } = parts.config;
  if (port === undefined) return;
  const app = express();
  mountMetrics(app, { ...parts, metricsPage, metricsToken });
  const door = new FrontDoor(app, { trustProxy });
  await new Promise<void>((resolve, reject) => {
    door.once("error", (error) => reject(portError("METRICS_PORT", port, error)));
    door.listen(port, host, MOST_UNTAKEN, resolve);
  });
  const { port: found } = door.address() as AddressInfo;
  parts.log.info({ port: found }, "metrics are on a port of their own");
  parts.lifecycle.onStop("metrics", () => {
    door.close();
    door.closeAllConnections();
  });
}

function portError(variable: string, port: number, error: NodeJS.ErrnoException): ConfigError {
  const why = error.code === "EADDRINUSE" ? "is in use" : `cannot be listened on (${error.code ?? error.message})`;
  return new ConfigError(`${variable}: ${port} ${why}`, { cause: error });
}

/** Rejects with a ConfigError when the port cannot be had: Colyseus would wait for it forever. */
export async function listen(server: Server, { port, host }: Pick<Config, "port" | "host">): Promise<void> {
  const refused = Promise.withResolvers<never>();
  const refuse = (error: NodeJS.ErrnoException): void => refused.reject(portError("PORT", port, error));
  server.transport.server?.once("error", refuse);
  await Promise.race([server.listen(port, host, MOST_UNTAKEN), refused.promise]);
  server.transport.server?.off("error", refuse);
}

/** The port that it listens on. */
export function portOf(server: Server): number {
  const address = server.transport.server?.address();
  return typeof address === "object" && address ? address.port : 0;
}
