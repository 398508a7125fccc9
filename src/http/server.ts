import { type Application, Router } from "express";
import type { DeadLetterOperations, DeadTaskOperations, TimerOperations } from "../actors/admin/deadLetters.ts";
import type { Logger } from "../telemetry/log.ts";
import { type SignInServices, signInAnonymously } from "./auth/anonymous.ts";
import { identify } from "./auth/authenticate.ts";
import { BODY_LIMIT, jsonBody } from "./body.ts";
import { deadLetterRoutes } from "./deadLetters.ts";
import { answerFailures, unknownRoute } from "./failures.ts";
import { type GameDirectory, gameRoutes } from "./games.ts";
import { notCached, openToAnyOrigin, panelHeaders, securityHeaders } from "./headers.ts";
import { healthRoutes, type MetricsPage, metricsRoutes, refuseWhenCutOff, refuseWhenDraining } from "./health.ts";
import { type HuntDirectory, huntRoutes } from "./hunts.ts";
import { type JobDirectory, jobRoutes } from "./jobs.ts";
import type { RequestLimits } from "./limits.ts";
import { matchmakingRoutes } from "./matchmaking.ts";
import { type MyThings, myRoutes } from "./me.ts";
import { monitorRoutes } from "./monitor.ts";
import { playerPage } from "./page.ts";
import { playgroundPage } from "./playground.ts";
import {
  type DrawDirectory,
  drawRoutes,
  type PoolDirectory,
  poolRoutes,
  type RankingDirectory,
  rankingRoutes,
} from "./pools.ts";
import { type PopupDoor, popupRoutes } from "./popups.ts";
import { myQuestRoutes, type QuestDirectory, questRoutes } from "./quests.ts";
import type { Readiness } from "./readiness.ts";
import { requestIds } from "./requestIds.ts";
import { type CallerSessions, mySessionRoutes, noteCallers } from "./sessions.ts";
import { type TournamentDirectory, tournamentRoutes } from "./tournaments.ts";
import { myWalletRoutes, type WalletConnections } from "./wallets.ts";

/** What the endpoints need of the rest. */
export interface HttpServices extends SignInServices {
  /** In production there is no playground. */
  production: boolean;
  /** Whether the one proxy in front of us is believed when it says whom it speaks for. */
  trustProxy: boolean;
  log: Logger;
  metricsPage: MetricsPage;
  /** What whoever reads the metrics must show; `undefined`: nothing. */
  metricsToken: string | undefined;
  /** Whether the metrics are on a port of their own, and so not here. */
  hasMetricsPort: boolean;
  readiness: Readiness;
  /** Whether this node alone cannot reach the database. */
  cutOff?(): boolean;
  limits: RequestLimits;
  hunts: HuntDirectory;
  me: MyThings;
  quests: QuestDirectory;
  wallets: WalletConnections;
  tournaments: TournamentDirectory;
  games: GameDirectory;
  pools: PoolDirectory;
  rankings: RankingDirectory;
  draws: DrawDirectory;
  popup: PopupDoor;
  jobs: JobDirectory;
  deadLetters: DeadLetterOperations;
  failingTimers: TimerOperations;
  deadTasks: DeadTaskOperations;
  sessions: CallerSessions;
  /** The folder of the built player page. */
  pageFolder: string;
}

/** What there is on a port of the metrics' own: they, and what probes ask for. */
export function mountMetrics(
  app: Application,
  {
    log,
    metricsPage,
    metricsToken,
    readiness,
  }: Pick<HttpServices, "log" | "metricsPage" | "metricsToken" | "readiness">,
): void {
  app.disable("x-powered-by");
  app.use(securityHeaders, healthRoutes(readiness), metricsRoutes(metricsPage, metricsToken));
  app.use(unknownRoute);
  app.use(answerFailures(log));
}

/** All of Ringmaster's HTTP, in the order in which a request meets it. */
export function mountHttp(app: Application, services: HttpServices): void {
  const { limits, log, readiness, rng, tokens } = services;
  app.disable("x-powered-by");
  app.set("trust proxy", services.trustProxy ? 1 : false);
  app.use(requestIds(rng), securityHeaders);
  app.use(healthRoutes(readiness));
  if (!services.hasMetricsPort) app.use(metricsRoutes(services.metricsPage, services.metricsToken));

  const open = [openToAnyOrigin, notCached, refuseWhenDraining(readiness), limits.perAddress];
  const reachable = refuseWhenCutOff(() => services.cutOff?.() ?? false);
  app.use(
    "/matchmake",
    open,
    reachable,
    matchmakingRoutes(() => readiness.draining),
  );
  app.use("/auth", open, authRoutes(services));
  app.use(
    "/api",
    open,
    reachable,
    identify(tokens),
    limits.perPlayer,
    noteCallers(services.sessions),
    apiRoutes(services),
  );

  app.use("/monitor", limits.perAddress, monitorRoutes(tokens));
  if (!services.production) app.use("/playground", limits.perAddress, panelHeaders, playgroundPage());
  app.use(limits.perAddress, playerPage(services.pageFolder));
  app.use(unknownRoute);
  app.use(answerFailures(log));
}

function authRoutes(services: SignInServices): Router {
  const router = Router();
  router.post("/anonymous", jsonBody(BODY_LIMIT), signInAnonymously(services));
  return router;
}

function apiRoutes(services: HttpServices): Router {
  const { games, hunts, jobs, me, popup, quests, sessions, tournaments, wallets } = services;
  const router = Router();
  router.use("/me", myRoutes(me), mySessionRoutes(sessions), myWalletRoutes(wallets));
  router.use("/me/quests", myQuestRoutes(quests));
  router.use("/quests", questRoutes(quests));
  router.use("/popups", popupRoutes(popup));
  router.use("/jobs", jobRoutes(jobs));
  router.use(
    "/dead-letters",
    deadLetterRoutes({ letters: services.deadLetters, timers: services.failingTimers, tasks: services.deadTasks }),
  );
  router.use("/hunts", huntRoutes(hunts));
  router.use("/tournaments", tournamentRoutes(tournaments));
  router.use("/games", gameRoutes(games));
  router.use("/pools", poolRoutes(services.pools));
  router.use("/rankings", rankingRoutes(services.rankings));
  router.use("/draws", drawRoutes(services.draws));
  return router;
}
