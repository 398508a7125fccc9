import { fileURLToPath } from "node:url";
import { CloseCode, defineRoom, matchMaker, type RegisteredHandler } from "@colyseus/core";
import express from "express";
import { DemoActor } from "./actors/hunts/DemoActor.ts";
import { huntKind } from "./actors/hunts/HuntActor.ts";
import { PopupActor } from "./actors/popups/PopupActor.ts";
import { QuestActor } from "./actors/quests/QuestActor.ts";
import type { Actor, ActorContext, ActorType } from "./actors/runtime/Actor.ts";
import { Actors } from "./actors/runtime/Actors.ts";
import type { ActorKind } from "./actors/runtime/Residents.ts";
import { tournamentKind } from "./actors/tournaments/TournamentActor.ts";
import { TournamentDemoActor } from "./actors/tournaments/TournamentDemoActor.ts";
import { TournamentSeriesActor } from "./actors/tournaments/TournamentSeriesActor.ts";
import { openBackplane } from "./backplane.ts";
import { systemClock, systemRng } from "./clock.ts";
import type { Config } from "./config.ts";
import { KeepOut } from "./edge/KeepOut.ts";
import { PrizeLedger } from "./entities/prizes/PrizeLedger.ts";
import { SessionHistory } from "./entities/sessions/SessionHistory.ts";
import { Tokens } from "./http/auth/tokens.ts";
import { MetricsPage } from "./http/health.ts";
import { RequestLimits } from "./http/limits.ts";
import { Readiness } from "./http/readiness.ts";
import { type HttpServices, mountHttp } from "./http/server.ts";
import { Lifecycle, NODE_PARTS } from "./lifecycle.ts";
import { CutOff } from "./parts/CutOff.ts";
import { startDatabase } from "./parts/database.ts";
import { startDemo } from "./parts/demo.ts";
import type { Parts } from "./parts/Parts.ts";
import { listen, listenForMetrics, openServer, portOf } from "./parts/server.ts";
import { type EventServices, openServices } from "./parts/services.ts";
import { AdminRoom, type AdminRoomServices } from "./rooms/admin/AdminRoom.ts";
import { HuntRoom, type HuntRoomServices } from "./rooms/hunts/HuntRoom.ts";
import { LobbyRoom, type LobbyRoomServices } from "./rooms/lobby/LobbyRoom.ts";
import { provideRoomServices } from "./rooms/runtime/services.ts";
import { TournamentRoom, type TournamentRoomServices } from "./rooms/tournaments/TournamentRoom.ts";
import { dailyPoolsJob } from "./schedulers/pools/dailyPoolsJob.ts";
import { rankingsJob } from "./schedulers/pools/rankingsJob.ts";
import { weeklyDrawJob } from "./schedulers/pools/weeklyDrawJob.ts";
import { weeklyPoolsJob } from "./schedulers/pools/weeklyPoolsJob.ts";
import { prizeCheckJob } from "./schedulers/prizes/prizeCheckJob.ts";
import { retentionJob } from "./schedulers/retention/retentionJob.ts";
import type { Job } from "./schedulers/runtime/defineJob.ts";
import type { Task } from "./schedulers/runtime/defineTask.ts";
import { Jobs } from "./schedulers/runtime/Jobs.ts";
import { sessionsJob } from "./schedulers/sessions/sessionsJob.ts";
import { PlayerJournal } from "./stores/players/PlayerJournal.ts";
import type { Logger } from "./telemetry/log.ts";
import { Metrics } from "./telemetry/metrics.ts";

/** The rooms that clients join, and what tells one room of a name from another. */
const ROOMS: Record<string, RegisteredHandler> = {
  hunt: defineRoom(HuntRoom).filterBy(["huntId"]),
  tournament: defineRoom(TournamentRoom).filterBy(["tournamentId"]),
  lobby: defineRoom(LobbyRoom),
  admin: defineRoom(AdminRoom),
};

/** The actors that may live on a node. */
const ACTORS: ReadonlyArray<new (context: ActorContext) => Actor<never>> = [
  DemoActor,
  PopupActor,
  QuestActor,
  TournamentSeriesActor,
  TournamentDemoActor,
] as never;

/** The global jobs, and the tasks that may be enqueued. */
const JOBS: ReadonlyArray<(parts: Parts) => Job | Task> = [
  ({ backplane, database }) =>
    sessionsJob({ store: backplane.sessions, history: new SessionHistory(database), clock: systemClock }),
  ({ database }) => retentionJob({ database, clock: systemClock }),
  ({ database }) => prizeCheckJob(new PrizeLedger(database, systemRng)),
  (parts) => dailyPoolsJob(poolPorts(parts)),
  (parts) => weeklyPoolsJob(poolPorts(parts)),
  (parts) => rankingsJob(poolPorts(parts)),
  (parts) => weeklyDrawJob(poolPorts(parts)),
];

function poolPorts({ config, database }: Parts) {
  const ledger = new PrizeLedger(database, systemRng);
  return { database, ledger, clock: systemClock, timezone: config.timezone };
}

/** A process alone keeps its id over restarts, so that it finds its actors again at once. */
const EMBEDDED_NODE = "embedded";
/** Of the time for a shutdown; the rest is for rooms and connections. */
const DRAIN_PART = 0.7;
const PAGE_FOLDER = fileURLToPath(new URL("../web/dist", import.meta.url));

/** What a process has beside Ringmaster's own: chaos runs measure by actors and jobs of their own. */
export interface Added {
  kinds(actors: () => Actors): readonly ActorKind[];
  jobs(parts: Parts): ReadonlyArray<Job | Task>;
}

const NOTHING_ADDED: Added = { kinds: () => [], jobs: () => [] };

/** A node of Ringmaster, running. */
export interface App {
  /** The port it listens on. */
  port: number;
  tokens: Tokens;
  log: Logger;
  metrics: Metrics;
  /** Refuses new work, finishes what runs, hands everything over and closes. Resolves with whether that was done in time. */
  stop(): Promise<boolean>;
}

/** Starts a node: database and migrations, stores, actors, then rooms and HTTP. Stops what had started when a part fails. */
export async function createApp(config: Config, log: Logger, added: Added = NOTHING_ADDED): Promise<App> {
  const readiness = new Readiness(NODE_PARTS);
  const lifecycle = new Lifecycle({ clock: systemClock, log, readiness });
  try {
    return await start({ config, log, readiness, lifecycle }, added);
  } catch (error) {
    await lifecycle.stop(config.shutdownTimeoutMs);
    throw error;
  }
}

async function start(
  { config, log, readiness, lifecycle }: Pick<Parts, "config" | "log" | "readiness" | "lifecycle">,
  added: Added,
): Promise<App> {
  const { database, databaseProbe } = await startDatabase({ config, lifecycle, log, readiness });

  const backplane = await openBackplane(config, log);
  lifecycle.onStop("stores", () => backplane.close());
  backplane.watch((reachable) =>
    reachable ? readiness.up("stores") : readiness.down("stores", "Redis is out of reach"),
  );
  lifecycle.up("stores");

  const metrics = new Metrics(() => ({ rooms: matchMaker.stats.local.roomCount, clients: matchMaker.stats.local.ccu }));
  const tokens = new Tokens(config.jwtSecret, systemClock);
  const keepOut = new KeepOut(systemClock);
  const app = express();
  const actorsLater = Promise.withResolvers<Actors>();
  const server = await openServer({ config, log, backplane, app, keepOut, readiness, actors: actorsLater.promise });
  lifecycle.onStop("connections", () => server.transport.shutdown());
  const services = { tokens, keepOut, database, databaseProbe, backplane, server, app };
  const parts = { config, log, metrics, readiness, lifecycle, ...services };

  const jobs = makeJobs(parts, added);
  const actors = await startActors(parts, jobs, added);
  actorsLater.resolve(actors);
  await jobs.start(actors);
  lifecycle.onStop("jobs", () => jobs.stop());
  lifecycle.up("jobs");
  await startRooms(parts, actors, jobs);
  await startDemo(parts, actors);
  return {
    port: portOf(server),
    tokens,
    log,
    metrics,
    stop: () => lifecycle.stop(config.shutdownTimeoutMs),
  };
}

function makeJobs(parts: Parts, added: Added): Jobs {
  const { config, database, log, metrics } = parts;
  return new Jobs([...JOBS.map((make) => make(parts)), ...added.jobs(parts)], {
    database,
    clock: systemClock,
    log,
    ran: (...attempt) => metrics.jobRan(...attempt),
    buried: () => metrics.deadLetter("task"),
    overdue: (job) => metrics.jobOverdue(job),
    timezone: config.timezone,
    switches: config.jobSwitches,
  });
}

async function startActors(
  { config, backplane, database, lifecycle, log, metrics, readiness }: Parts,
  jobs: Jobs,
  added: Added,
): Promise<Actors> {
  const id = config.redisUrl === undefined ? EMBEDDED_NODE : matchMaker.processId;
  const actors: Actors = new Actors({
    node: {
      id,
      role: config.role,
      ...(config.publicAddress === undefined ? {} : { publicAddress: config.publicAddress }),
    },
    kinds: [
      ...ACTORS.map(kindOf),
      huntKind({ ledger: backplane.ledger, log }),
      tournamentKind({ database, leaderboard: backplane.leaderboard, clock: systemClock, log }),
      jobs.kind(() => actors),
      jobs.tasks.kind(() => actors),
      ...added.kinds(() => actors),
    ],
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
  lifecycle.onDrain("actors", () => actors.drain());
  lifecycle.up("actors");
  return actors;
}

/** A node whose clock is off judges by it what comes too early or too late, so clients should be at others. */
function showClock(readiness: Readiness, { isOff, offMs }: { isOff: boolean; offMs: number }): void {
  if (isOff) readiness.down("clock", `off by ${(offMs / 1000).toFixed(1)} s`);
  else readiness.up("clock");
}

function kindOf(Type: new (context: ActorContext) => Actor<never>): ActorKind {
  return {
    type: Type as unknown as ActorType<Actor<unknown>>,
    create: (context) => new Type(context) as unknown as Actor<unknown>,
  };
}

async function startRooms(parts: Parts, actors: Actors, jobs: Jobs): Promise<void> {
  const { backplane, config, lifecycle, server } = parts;
  const domainServices = await openServices(parts, actors);
  provideRoomServices(roomServices(parts, domainServices, actors, jobs));
  const metricsPage = new MetricsPage(parts.metrics.registry, systemClock);
  const cutOff = (): boolean => actors.membership.self.cutOff === true;
  mountRoutes(parts, domainServices, {
    jobs,
    deadLetters: actors.deadLetters,
    failingTimers: actors.failingTimers,
    deadTasks: jobs.tasks,
    metricsPage,
    cutOff,
  });
  for (const [name, handler] of Object.entries(ROOMS)) {
    handler.name = name;
    if (config.role !== "worker") matchMaker.addRoomType(handler);
  }
  lifecycle.onStop("rooms", () => matchMaker.gracefullyShutdown().then(() => {}));
  // Before the actors are handed over: nobody is to be sent here while that goes on.
  lifecycle.onDrain("listings", () => backplane.matchmaking.closeDoors());
  watchReach(parts, actors);
  await listen(server, config);
  await listenForMetrics(parts, metricsPage);
  lifecycle.up("rooms");
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

function roomServices(
  { backplane, keepOut, log, metrics, readiness, tokens }: Parts,
  domainServices: EventServices,
  actors: Actors,
  jobs: Jobs,
) {
  const services: HuntRoomServices & TournamentRoomServices & LobbyRoomServices & AdminRoomServices = {
    ...domainServices,
    verify: (token) => tokens.verify(token),
    keptOutMs: (player) => keepOut.remainingMs(player),
    logger: log,
    clock: actors.clock,
    draining: () => readiness.draining,
    cutOff: () => actors.membership.self.cutOff === true,
    requestAnswered: (room, type, outcome, seconds) => {
      if (outcome !== "ok") return;
      if (room === "hunt" && (type === "claim" || type === "solve")) metrics.clueAnswered(type, seconds);
      if (room === "tournament" && type === "submit") metrics.scoreAnswered(seconds);
    },
    setTournamentGauges: (id, players) => metrics.setTournamentGauges(id, players),
    removeTournamentGauges: (id) => metrics.removeTournamentGauges(id),
    attend: () => domainServices.sessions.attend(),
    nodeId: actors.membership.self.id,
    jobs,
    deadLetters: actors.deadLetters,
    failingTimers: actors.failingTimers,
    deadTasks: jobs.tasks,
    feed: backplane.feed,
    actors,
  };
  return services;
}

function mountRoutes(
  parts: Parts,
  domainServices: EventServices,
  services: Pick<HttpServices, "jobs" | "deadLetters" | "failingTimers" | "deadTasks" | "metricsPage" | "cutOff">,
): void {
  const { app, backplane, config, database, keepOut, lifecycle, log, readiness, tokens } = parts;
  const players = new PlayerJournal(database.of("commits"), systemClock);
  lifecycle.onStop("sign-ins", () => players.flush());
  mountHttp(app, {
    ...domainServices,
    production: config.production,
    trustProxy: config.trustProxy,
    log,
    metricsToken: config.metricsToken,
    hasMetricsPort: config.metricsPort !== undefined,
    readiness,
    limits: new RequestLimits({
      perAddress: config.rateLimitPerAddress,
      redis: backplane.limitsRedis,
      trustProxy: config.trustProxy,
      keepOut,
    }),
    hunts: domainServices.huntOperations,
    tournaments: domainServices.tournamentOperations,
    ...services,
    me: new PrizeLedger(database.of("commits"), systemRng),
    players,
    tokens,
    clock: systemClock,
    rng: systemRng,
    pageFolder: PAGE_FOLDER,
  });
}
