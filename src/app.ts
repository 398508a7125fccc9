import { fileURLToPath } from "node:url";
import { CloseCode, defineRoom, matchMaker, type RegisteredHandler, type Room } from "@colyseus/core";
import express, { type RequestHandler } from "express";
import { Actors } from "./actors/runtime/Actors.ts";
import { type Backplane, openBackplane } from "./backplane.ts";
import { systemClock, systemRng } from "./clock.ts";
import type { Config } from "./config.ts";
import type { Domain } from "./domains/runtime/Domain.ts";
import { type Declared, declaredBy, requireRead, requireWhole } from "./domains/runtime/declared.ts";
import { OpenDomains } from "./domains/runtime/OpenDomains.ts";
import { FlowQueue } from "./edge/FlowQueue.ts";
import { KeepOut } from "./edge/KeepOut.ts";
import { Tokens } from "./http/auth/tokens.ts";
import { MetricsPage } from "./http/health.ts";
import { RequestLimits } from "./http/limits.ts";
import { Readiness } from "./http/readiness.ts";
import { mountHttp } from "./http/server.ts";
import { Lifecycle, NODE_PARTS } from "./lifecycle.ts";
import { CutOff } from "./parts/CutOff.ts";
import { startDatabase } from "./parts/database.ts";
import { startDemos } from "./parts/demo.ts";
import type { Parts } from "./parts/Parts.ts";
import { listen, listenForMetrics, openServer, portOf } from "./parts/server.ts";
import { eventOption } from "./rooms/runtime/EventRoom.ts";
import { provideRoomServices, provideServicesOf } from "./rooms/runtime/services.ts";
import { Jobs } from "./schedulers/runtime/Jobs.ts";
import { createLogger, type Logger } from "./telemetry/log.ts";
import { Metrics } from "./telemetry/metrics.ts";
import { Telemetry } from "./telemetry/Telemetry.ts";

/** A process alone keeps its id over restarts, so that it finds its actors again at once. */
const EMBEDDED_NODE = "embedded";
/** Of the time for a shutdown, to hand over actors, and to close rooms once they owe no answers; the rest is all others'. */
const DRAIN_PART = 0.7;
const ROOMS_PART = 0.12;
const PAGE_FOLDER = fileURLToPath(new URL("../web/dist", import.meta.url));

/** The services of a domain that is listed. */
export type ServicesOf = <S>(domain: Domain<S>) => S;

/** What an app consists of. */
export interface Listed {
  /** In any order: each is opened behind those that it needs. */
  domains: readonly Domain[];
  /** Rooms that are no domain's, by the name that clients join: a game's own. */
  rooms?(servicesOf: ServicesOf): Readonly<Record<string, RegisteredHandler>>;
  /** Endpoints that are no domain's, by where they are mounted at the root. */
  routes?(servicesOf: ServicesOf): Readonly<Record<string, RequestHandler>>;
}

/** A node of Ringmaster, running. */
export interface App {
  /** The port it listens on. */
  port: number;
  tokens: Tokens;
  log: Logger;
  metrics: Metrics;
  /** The services of a domain. Throws an Error for one that is not listed. */
  servicesOf: ServicesOf;
  /** Refuses new work, finishes what runs, hands everything over and closes. Resolves with whether that was done in time. */
  stop(): Promise<boolean>;
}

/**
 * Starts a node: database and migrations, stores, actors, then rooms and HTTP. Stops what had started when a part fails. Throws an Error
 * before anything starts when a domain is missing or listed twice, two of them claim the same name for something, or `config` was read without the
 * domains' variables.
 */
export async function createApp(
  config: Config,
  listed: Listed,
  log: Logger = createLogger(config.logLevel),
): Promise<App> {
  const declared = declaredBy(listed.domains);
  requireWhole(declared);
  requireRead(config, declared);
  const readiness = new Readiness(NODE_PARTS);
  const { startTimeoutMs } = config;
  const lifecycle = new Lifecycle({ clock: systemClock, log, readiness, startTimeoutMs });
  try {
    return await start({ config, log, readiness, lifecycle }, declared, listed);
  } catch (error) {
    await lifecycle.stop(config.shutdownTimeoutMs);
    throw error;
  }
}

/** What a node is made of, with its domains. */
interface Running extends Parts {
  domains: OpenDomains;
}

async function start(
  begun: Pick<Parts, "config" | "log" | "readiness" | "lifecycle">,
  declared: Declared,
  listed: Listed,
): Promise<App> {
  const { config, log, readiness, lifecycle } = begun;
  const metrics = new Metrics(() => ({ rooms: matchMaker.stats.local.roomCount, clients: matchMaker.stats.local.ccu }));
  const isRead = config.telemetry.metrics === "prometheus";
  const metricsPage = isRead ? new MetricsPage(metrics.registry, systemClock) : undefined;
  const telemetry = await lifecycle.start("telemetry", () => Telemetry.start({ config, log, metrics }));
  // First, and so the last that stops: what the others do when they stop is told too.
  lifecycle.onStop("telemetry", () => telemetry.stop());
  // Behind it alone: it tells what the others wait for.
  await lifecycle.start("metrics", () => listenForMetrics(begun, metricsPage));
  const { database, databaseProbe } = await lifecycle.start("database", () => startDatabase(begun, declared));
  const { backplane, domains } = await lifecycle.start("stores", async () => {
    const backplane = await startBackplane(begun);
    const domains = new OpenDomains(declared, { config, log, database, backplane, lifecycle, meters: metrics.meters });
    await domains.prepare();
    return { backplane, domains };
  });

  const tokens = new Tokens(config.jwtSecret, systemClock);
  const keepOut = new KeepOut(systemClock);
  const flows = new FlowQueue();
  const app = express();
  const actorsLater = Promise.withResolvers<Actors>();
  const placed = { rooms: declared.rooms, actors: actorsLater.promise };
  const opened = { config, log, backplane, app, keepOut, flows, readiness, ...placed };
  const server = await lifecycle.start("server", () => openServer(opened));
  lifecycle.onStop("connections", () => server.transport.shutdown());
  const services = { tokens, keepOut, flows, database, databaseProbe, backplane, server, app };
  const parts: Running = { config, log, metrics, metricsPage, readiness, lifecycle, ...services, domains };

  const jobs = makeJobs(parts);
  const actors = await lifecycle.start("actors", () => startActors(parts, jobs));
  actorsLater.resolve(actors);
  await lifecycle.start("jobs", () => jobs.start(actors));
  lifecycle.onStop("jobs", () => jobs.stop());
  await lifecycle.start("domains", () => domains.open(actors, jobs));
  const servicesOf: ServicesOf = (domain) => domains.of(domain);
  const own = { rooms: listed.rooms?.(servicesOf) ?? {}, routes: listed.routes?.(servicesOf) ?? {} };
  await lifecycle.start("rooms", () => startRooms(parts, actors, own));
  await startDemos(parts, domains.demos());
  return {
    port: portOf(server),
    tokens,
    log,
    metrics,
    servicesOf,
    stop: () => lifecycle.stop(config.shutdownTimeoutMs),
  };
}

async function startBackplane({
  config,
  log,
  readiness,
  lifecycle,
}: Pick<Parts, "config" | "log" | "readiness" | "lifecycle">): Promise<Backplane> {
  const backplane = await openBackplane(config, log);
  lifecycle.onStop("stores", () => backplane.close());
  backplane.watch((reachable) =>
    reachable ? readiness.up("stores") : readiness.down("stores", "Redis is out of reach"),
  );
  return backplane;
}

function makeJobs({ config, database, domains, log, metrics }: Running): Jobs {
  return new Jobs(domains.jobs(), {
    database,
    clock: systemClock,
    log,
    ran: (...attempt) => metrics.jobRan(...attempt),
    buried: () => metrics.deadLetter("task"),
    overdue: (job) => metrics.jobOverdue(job),
    endFailed: (job) => metrics.jobEndFailed(job),
    timezone: config.timezone,
    switches: config.jobSwitches,
  });
}

async function startActors(
  { config, backplane, database, domains, lifecycle, log, metrics, readiness }: Running,
  jobs: Jobs,
): Promise<Actors> {
  const id = config.redisUrl === undefined ? EMBEDDED_NODE : matchMaker.processId;
  const actors: Actors = new Actors({
    node: {
      id,
      role: config.role,
      ...(config.publicAddress === undefined ? {} : { publicAddress: config.publicAddress }),
    },
    kinds: [...domains.kinds(), jobs.kind(() => actors), jobs.tasks.kind(() => actors)],
    bus: backplane.bus,
    feed: backplane.feed,
    database,
    clock: systemClock,
    rng: systemRng,
    log,
    metrics,
    ttlMs: config.nodeTtlMs,
    drainMs: config.shutdownTimeoutMs * DRAIN_PART,
  });
  actors.membership.on((event) => {
    if (event.type === "gone") void backplane.matchmaking.forgetProcess(event.nodeId);
    if (event.type === "clock") showClock(readiness, event);
  });
  lifecycle.onStop("peers", () => actors.stop());
  await actors.start();
  lifecycle.onDrain("actors", () => actors.drain(), { part: DRAIN_PART });
  return actors;
}

/** A node whose clock is off judges by it what comes too early or too late, so clients should be at others. */
function showClock(readiness: Readiness, { isOff, offMs }: { isOff: boolean; offMs: number }): void {
  if (isOff) readiness.down("clock", `off by ${(offMs / 1000).toFixed(1)} s`);
  else readiness.up("clock");
}

/** What is no domain's. */
interface Own {
  rooms: Readonly<Record<string, RegisteredHandler>>;
  routes: Readonly<Record<string, RequestHandler>>;
}

async function startRooms(parts: Running, actors: Actors, own: Own): Promise<void> {
  const { backplane, config, lifecycle, server } = parts;
  const doubled = Object.keys(own.rooms).find((name) => parts.domains.declared.rooms.has(name));
  if (doubled !== undefined) throw new Error(`the room ${doubled} is named twice: by a domain and by the app`);
  provideServices(parts, actors);
  for (const [name, handler] of [...domainRooms(parts.domains), ...Object.entries(own.rooms)]) {
    handler.name = name;
    if (config.role !== "worker") matchMaker.addRoomType(handler);
  }
  mountRoutes(parts, { own, cutOff: () => actors.membership.self.cutOff === true });
  lifecycle.onStop("rooms", () => matchMaker.gracefullyShutdown().then(() => {}), { part: ROOMS_PART });
  // Before the actors are handed over: nobody is to be sent here while that goes on.
  lifecycle.onDrain("listings", () => backplane.matchmaking.closeDoors());
  watchReach(parts, actors);
  await listen(server, config);
}

function domainRooms({ declared }: OpenDomains): Array<[string, RegisteredHandler]> {
  return [...declared.rooms].map(
    ([
      name,
      {
        declared: { room, event },
      },
    ]) => {
      const handler = defineRoom(room as unknown as new () => Room);
      return [name, event === undefined ? handler : handler.filterBy([eventOption(name)] as never)];
    },
  );
}

/** Gives all rooms what they have in common, and those of domains the services of theirs. */
function provideServices(
  { backplane, domains, keepOut, log, metrics, readiness, tokens }: Running,
  actors: Actors,
): void {
  const activity = domains.activity();
  const common = {
    verify: (token: string) => tokens.verify(token),
    keptOutMs: (player: string) => keepOut.remainingMs(player),
    logger: log,
    clock: actors.clock,
    draining: () => readiness.draining,
    cutOff: () => actors.membership.self.cutOff === true,
    requestAnswered: (room: string, _type: string, outcome: string, seconds: number) =>
      metrics.roomAnswered(room, outcome, seconds),
    ...(activity && { attend: () => activity.attend() }),
  };
  provideRoomServices(common);
  const forDomains = { nodeId: actors.membership.self.id, feed: backplane.feed, actors };
  for (const { domain, declared } of domains.declared.rooms.values()) {
    const services = domains.of(domain) as object | undefined;
    provideServicesOf(declared.room, {
      ...forDomains,
      ...services,
      // A class may be listed by several names.
      requestAnswered: (room: string, type: string, outcome: string, seconds: number) => {
        metrics.roomAnswered(room, outcome, seconds);
        if (outcome === "ok") domains.declared.rooms.get(room)?.declared.answered?.(services, type, seconds);
      },
    });
  }
}

/** Has this node stand back while it alone cannot reach the database. */
function watchReach({ backplane, databaseProbe, lifecycle, log, readiness }: Parts, actors: Actors): void {
  const { matchmaking } = backplane;
  const cutOff = new CutOff({
    actors,
    clock: systemClock,
    setDoors: (open) => {
      if (!readiness.draining) void (open ? matchmaking.openDoors() : matchmaking.closeDoors());
    },
    closeRooms: () => {
      log.warn("rooms close, since peers reach the database and this node does not");
      for (const closing of matchMaker.disconnectAll(CloseCode.SERVER_SHUTDOWN))
        closing.catch((error: unknown) => log.error({ err: error }, "a room did not close"));
    },
  });
  databaseProbe?.watch((reach) => {
    if (!readiness.draining) cutOff.set(reach === "unreachable");
  });
  lifecycle.onStop("reach", () => cutOff.stop());
}

interface Mounted {
  own: Own;
  cutOff(): boolean;
}

function mountRoutes(parts: Running, { own, cutOff }: Mounted): void {
  const { app, backplane, config, domains, flows, keepOut, log, metricsPage, readiness, tokens } = parts;
  const activity = domains.activity();
  mountHttp(app, {
    production: config.production,
    trustProxy: config.trustProxy,
    log,
    metricsPage,
    metricsToken: config.metricsToken,
    hasMetricsPort: config.metricsPort !== undefined,
    readiness,
    answered: (outcome, seconds) => parts.metrics.httpAnswered(outcome, seconds),
    cutOff,
    limits: new RequestLimits({
      perAddress: config.rateLimitPerAddress,
      redis: backplane.limitsRedis,
      trustProxy: config.trustProxy,
      keepOut,
      log,
    }),
    noteCaller: (caller) => activity?.noteCaller(caller),
    api: domains.routes(),
    routes: Object.entries(own.routes),
    players: domains.players(),
    flows,
    tokens,
    clock: systemClock,
    rng: systemRng,
    pageFolder: PAGE_FOLDER,
  });
}
