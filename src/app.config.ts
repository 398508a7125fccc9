import { fileURLToPath } from "node:url";
import { defineRoom, matchMaker, type RegisteredHandler, Server } from "@colyseus/core";
import express from "express";
import { DemoActor } from "./actors/hunts/DemoActor.ts";
import { HuntActor } from "./actors/hunts/HuntActor.ts";
import { HuntDesk } from "./actors/hunts/HuntDesk.ts";
import { HuntOffice } from "./actors/hunts/HuntOffice.ts";
import { POPUPS, PopupActor } from "./actors/popups/PopupActor.ts";
import { PopupViews } from "./actors/popups/PopupViews.ts";
import { DEMO_QUESTS } from "./actors/quests/demo.ts";
import { QuestActor } from "./actors/quests/QuestActor.ts";
import { QuestDesk } from "./actors/quests/QuestDesk.ts";
import { WalletDesk } from "./actors/quests/WalletDesk.ts";
import { verifiersFor } from "./actors/quests/walletProof.ts";
import type { Actor, ActorContext, ActorType } from "./actors/runtime/Actor.ts";
import { Actors } from "./actors/runtime/Actors.ts";
import type { ActorKind } from "./actors/runtime/Residents.ts";
import { type Backplane, openBackplane } from "./backplane.ts";
import { systemClock, systemRng } from "./clock.ts";
import { type Config, ConfigError } from "./config.ts";
import { openDatabase } from "./entities/database.ts";
import { Hunts } from "./entities/hunts/Hunt.ts";
import { Players } from "./entities/players/Player.ts";
import { PrizeLedger } from "./entities/prizes/PrizeLedger.ts";
import { Quests } from "./entities/quests/Quest.ts";
import { SessionHistory } from "./entities/sessions/SessionHistory.ts";
import type { Database } from "./entities/sql.ts";
import { Tokens } from "./http/auth/tokens.ts";
import { FrontDoor } from "./http/FrontDoor.ts";
import { RequestLimits } from "./http/limits.ts";
import { Readiness } from "./http/readiness.ts";
import { mountHttp } from "./http/server.ts";
import { Lifecycle, PARTS } from "./lifecycle.ts";
import { AdminRoom, type AdminRoomServices } from "./rooms/admin/AdminRoom.ts";
import { HuntRoom, type HuntRoomServices } from "./rooms/hunts/HuntRoom.ts";
import { LobbyBoard } from "./rooms/lobby/LobbyBoard.ts";
import { LobbyRoom, type LobbyRoomServices } from "./rooms/lobby/LobbyRoom.ts";
import { PacedTransport } from "./rooms/runtime/PacedTransport.ts";
import { placeRooms } from "./rooms/runtime/placement.ts";
import { provideRoomServices } from "./rooms/runtime/services.ts";
import { prizeCheckJob } from "./schedulers/prizes/prizeCheckJob.ts";
import { retentionJob } from "./schedulers/retention/retentionJob.ts";
import type { Job } from "./schedulers/runtime/defineJob.ts";
import { Jobs } from "./schedulers/runtime/Jobs.ts";
import { sessionsJob } from "./schedulers/sessions/sessionsJob.ts";
import { AssignmentJournal } from "./stores/hunts/AssignmentJournal.ts";
import { SessionDesk } from "./stores/sessions/SessionDesk.ts";
import { createLogger, type Logger } from "./telemetry/log.ts";
import { Metrics } from "./telemetry/metrics.ts";

/** The rooms that clients join, and what tells one room of a name from another. */
const ROOMS: Record<string, RegisteredHandler> = {
  hunt: defineRoom(HuntRoom).filterBy(["huntId"]),
  lobby: defineRoom(LobbyRoom),
  admin: defineRoom(AdminRoom),
};

/** The actors that may live on a node. */
const ACTORS: ReadonlyArray<new (context: ActorContext) => Actor<never>> = [
  HuntActor,
  DemoActor,
  PopupActor,
  QuestActor,
] as never;

/** The global jobs. */
const JOBS: ReadonlyArray<(parts: Parts) => Job> = [
  ({ backplane, database }) =>
    sessionsJob({ store: backplane.sessions, history: new SessionHistory(database), clock: systemClock }),
  ({ database }) => retentionJob({ database, clock: systemClock }),
  ({ database }) => prizeCheckJob(new PrizeLedger(database, systemRng)),
];

/** A process alone keeps its id over restarts, so that it finds its actors again at once. */
const EMBEDDED_NODE = "embedded";
/** What a client may send in one frame, in bytes. */
const LARGEST_FRAME = 16 * 1024;
const PAGE_FOLDER = fileURLToPath(new URL("../web/dist", import.meta.url));

/** A node of Ringmaster, running. */
export interface App {
  /** The port it listens on. */
  port: number;
  tokens: Tokens;
  log: Logger;
  /** Refuses new work, finishes what runs, hands everything over and closes. Resolves with whether that was done in time. */
  stop(): Promise<boolean>;
}

/** Everything that the rooms and endpoints are made of. */
interface Parts {
  config: Config;
  log: Logger;
  metrics: Metrics;
  readiness: Readiness;
  lifecycle: Lifecycle;
  tokens: Tokens;
  database: Database;
  backplane: Backplane;
  server: Server;
  app: express.Express;
}

interface ServerParts extends Pick<Parts, "config" | "log" | "backplane" | "app"> {
  /** There once they have started, which is before anybody can join a room. */
  actors: Promise<Actors>;
}

/** Starts a node: configuration, logs, database and migrations, stores, actors, then rooms and HTTP. Stops what had started when a part fails. */
export async function createApp(config: Config): Promise<App> {
  const log = createLogger(config.logLevel);
  const readiness = new Readiness(PARTS);
  const lifecycle = new Lifecycle({ clock: systemClock, log, readiness });
  try {
    return await start(config, log, readiness, lifecycle);
  } catch (error) {
    await lifecycle.stop(config.shutdownTimeoutMs);
    throw error;
  }
}

async function start(config: Config, log: Logger, readiness: Readiness, lifecycle: Lifecycle): Promise<App> {
  const database = await openDatabase(config.database);
  lifecycle.onStop("database", () => database.close());
  lifecycle.up("database");

  const backplane = await openBackplane(config, log);
  lifecycle.onStop("stores", () => backplane.close());
  backplane.watch((reachable) =>
    reachable ? readiness.up("stores") : readiness.down("stores", "Redis is out of reach"),
  );
  lifecycle.up("stores");

  const metrics = new Metrics(() => ({ rooms: matchMaker.stats.local.roomCount, clients: matchMaker.stats.local.ccu }));
  const tokens = new Tokens(config.jwtSecret, systemClock);
  const app = express();
  const actorsLater = Promise.withResolvers<Actors>();
  const server = await openServer({ config, log, backplane, app, actors: actorsLater.promise });
  lifecycle.onStop("connections", () => server.transport.shutdown());
  const parts = { config, log, metrics, readiness, lifecycle, tokens, database, backplane, server, app };

  const jobs = makeJobs(parts);
  const actors = await startActors(parts, jobs);
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
    stop: () => lifecycle.stop(config.shutdownTimeoutMs),
  };
}

/** Colyseus's server, which makes the process id that this node goes by; it does not listen yet. */
async function openServer({ config, log, backplane, app, actors }: ServerParts): Promise<Server> {
  const door = new FrontDoor(app, config.trustProxy);
  const server = new Server({
    transport: new PacedTransport({ server: door, maxPayload: LARGEST_FRAME }),
    presence: backplane.matchmaking.presence,
    driver: backplane.matchmaking.driver,
    gracefullyShutdown: false,
    greet: false,
    logger: colyseusLog(log),
    ...(config.publicAddress === undefined ? {} : { publicAddress: config.publicAddress }),
    ...(config.redisUrl === undefined ? {} : { selectProcessIdToCreateRoom: placement(actors) }),
  });
  await matchMaker.onReady;
  return server;
}

/**
 * Colyseus logs what goes wrong with a client's connection as an error with its stack, and nothing worse: our rooms log their own
 * failures. Whoever sends garbage must not be able to page an operator, nor to fill the log.
 */
function colyseusLog(log: Logger): Pick<Console, "debug" | "info" | "warn" | "error"> {
  const ours = log.child({ part: "colyseus" });
  const tell = (level: "debug" | "info" | "warn") => (text: unknown) => ours[level](String(text).split("\n", 1)[0]!);
  return { debug: tell("debug"), info: tell("info"), warn: tell("warn"), error: tell("warn") };
}

function placement(later: Promise<Actors>): matchMaker.SelectProcessIdCallback {
  return async (roomName, options) => {
    const actors = await later;
    return placeRooms({
      roomNodes: () =>
        actors.membership
          .live()
          .filter((node) => node.role !== "worker" && !node.draining)
          .map(({ id }) => ({ nodeId: id, processId: id })),
      placeOf: async (name, { huntId }: { huntId?: unknown }) =>
        name === "hunt" && typeof huntId === "string" ? actors.whereIs(HuntActor, huntId) : undefined,
    } as Parameters<typeof placeRooms>[0])(roomName, options);
  };
}

function makeJobs(parts: Parts): Jobs {
  const { config, database, log, metrics } = parts;
  return new Jobs(
    JOBS.map((make) => make(parts)),
    {
      database,
      clock: systemClock,
      log,
      ran: (...attempt) => metrics.jobRan(...attempt),
      timezone: config.timezone,
      switches: config.jobSwitches,
    },
  );
}

async function startActors(
  { config, backplane, database, lifecycle, log, metrics }: Parts,
  jobs: Jobs,
): Promise<Actors> {
  const id = config.redisUrl === undefined ? EMBEDDED_NODE : matchMaker.processId;
  const actors: Actors = new Actors({
    node: {
      id,
      role: config.role,
      ...(config.publicAddress === undefined ? {} : { publicAddress: config.publicAddress }),
    },
    kinds: [...ACTORS.map(kindOf), jobs.kind(() => actors)],
    bus: backplane.bus,
    feed: backplane.feed,
    database,
    clock: systemClock,
    rng: systemRng,
    log,
    metrics,
    ttlMs: config.nodeTtlMs,
  });
  actors.membership.on((event) => {
    if (event.type === "gone") void backplane.matchmaking.forgetProcess(event.nodeId);
  });
  lifecycle.onStop("peers", () => actors.stop());
  await actors.start();
  lifecycle.onDrain("actors", () => actors.drain());
  lifecycle.up("actors");
  return actors;
}

function kindOf(Type: new (context: ActorContext) => Actor<never>): ActorKind {
  return {
    type: Type as unknown as ActorType<Actor<unknown>>,
    create: (context) => new Type(context) as unknown as Actor<unknown>,
  };
}

async function startRooms(parts: Parts, actors: Actors, jobs: Jobs): Promise<void> {
  const { app, backplane, config, database, lifecycle, log, metrics, readiness, server, tokens } = parts;
  const { feed, ledger } = backplane;
  const hunts = new Hunts(database);
  const journal = new AssignmentJournal(database, systemClock);
  const common = { actors, hunts, ledger, journal, database, feed, clock: systemClock, rng: systemRng, log };
  const huntOffice = new HuntOffice(common);
  const huntDesk = new HuntDesk({
    ...common,
    stands: (id, pool, waiting) => metrics.huntStands(id, pool, waiting),
    forget: (id) => metrics.forgetHunt(id),
  });
  lifecycle.onStop("hunts", () => huntDesk.flush());
  const board = new LobbyBoard({ feed, hunts, database });
  await board.start();
  lifecycle.onStop("board", () => board.stop());
  backplane.watch((reachable) => {
    if (!reachable) return;
    huntDesk.refresh();
    board.refresh().catch((error: unknown) => log.warn({ err: error }, "the lobby's board could not be read anew"));
  });
  const popupViews = new PopupViews(database, systemClock);
  if (config.role !== "web") await actors.ref(PopupActor, POPUPS).arm();

  const quests = new QuestDesk({ actors, database, feed, clock: systemClock });
  await quests.open();
  lifecycle.onStop("quests", () => quests.close());
  const sessions = new SessionDesk({
    store: backplane.sessions,
    history: new SessionHistory(database),
    clock: systemClock,
    nodeId: actors.membership.self.id,
    liveNodes: () => actors.membership.live().map(({ id }) => id),
    log,
  });
  lifecycle.onStop("buffers", async () => void (await Promise.all([popupViews.flush(), sessions.flush()])));

  const services: HuntRoomServices & LobbyRoomServices & AdminRoomServices = {
    verify: (token) => tokens.verify(token),
    logger: log,
    clock: systemClock,
    requestAnswered: (room, type, outcome, seconds) => {
      if (room === "hunt" && outcome === "ok" && (type === "claim" || type === "solve"))
        metrics.clueAnswered(type, seconds);
    },
    attend: () => sessions.attend(),
    nodeId: actors.membership.self.id,
    huntDesk,
    huntOffice,
    board,
    popupViews,
    quests,
    jobs,
    feed,
    actors,
  };
  provideRoomServices(services);
  mountHttp(app, {
    production: config.production,
    trustProxy: config.trustProxy,
    log,
    registry: metrics.registry,
    readiness,
    limits: new RequestLimits(config.rateLimitPerAddress, backplane.limitsRedis),
    hunts: huntOffice,
    popup: actors.ref(PopupActor, POPUPS),
    jobs,
    sessions,
    me: new PrizeLedger(database, systemRng),
    quests,
    wallets: new WalletDesk({ ...common, verifiers: verifiersFor(config.production) }),
    players: new Players(database),
    tokens,
    clock: systemClock,
    rng: systemRng,
    pageFolder: PAGE_FOLDER,
  });
  for (const [name, handler] of Object.entries(ROOMS)) {
    handler.name = name;
    if (config.role !== "worker") matchMaker.addRoomType(handler);
  }
  lifecycle.onStop("rooms", () => matchMaker.gracefullyShutdown().then(() => {}));
  await listen(server, config.port);
  lifecycle.up("rooms");
}

/** Rejects with a ConfigError when the port cannot be had: Colyseus would wait for it forever. */
async function listen(server: Server, port: number): Promise<void> {
  const refused = Promise.withResolvers<never>();
  const refuse = (error: NodeJS.ErrnoException): void => {
    const why = error.code === "EADDRINUSE" ? "is in use" : `cannot be listened on (${error.code ?? error.message})`;
    refused.reject(new ConfigError(`PORT: ${port} ${why}`, { cause: error }));
  };
  server.transport.server?.once("error", refuse);
  await Promise.race([server.listen(port), refused.promise]);
  server.transport.server?.off("error", refuse);
}

/** In development an empty embedded database gets something to play at once. */
async function startDemo({ config, database }: Parts, actors: Actors): Promise<void> {
  const demo = actors.ref(DemoActor, "demo");
  const isWanted =
    config.demo ?? (!config.production && config.database.kind === "sqlite" && (await new Hunts(database).isEmpty()));
  if (isWanted) await Promise.all([demo.start(), new Quests(database).seed(DEMO_QUESTS, systemClock.now())]);
  else if (config.demo === false && config.role !== "web") await demo.stop();
}

function portOf(server: Server): number {
  const address = server.transport.server?.address();
  return typeof address === "object" && address ? address.port : 0;
}
