import { type Application, type Request, type RequestHandler, Router } from "express";
import { clientAddress, networksOf } from "../edge/addresses.ts";
import type { FlowQueue } from "../edge/FlowQueue.ts";
import type { Logger } from "../telemetry/log.ts";
import { isTracing } from "../tracing.ts";
import { type SignInServices, signInAnonymously } from "./auth/anonymous.ts";
import { identify } from "./auth/authenticate.ts";
import type { Identity } from "./auth/identity.ts";
import { BODY_LIMIT, jsonBody } from "./body.ts";
import { answerFailures, unknownRoute } from "./failures.ts";
import { notCached, openToAnyOrigin, panelHeaders, securityHeaders } from "./headers.ts";
import { healthRoutes, type MetricsPage, metricsRoutes, refuseWhenCutOff, refuseWhenDraining } from "./health.ts";
import type { RequestLimits } from "./limits.ts";
import { matchmakingRoutes } from "./matchmaking.ts";
import { type HttpOutcome, measureRequests } from "./measures.ts";
import { monitorRoutes } from "./monitor.ts";
import { noteCallers } from "./noteCallers.ts";
import { playerPage } from "./page.ts";
import { playgroundPage } from "./playground.ts";
import type { Readiness } from "./readiness.ts";
import { requestIds } from "./requestIds.ts";
import { below, traceRequests } from "./traces.ts";

/** What the endpoints need of the rest. */
export interface HttpServices extends Omit<SignInServices, "inTurn"> {
  /** In whose turns those go on who have waited together with many others. */
  flows: FlowQueue;
  /** In production there is no playground. */
  production: boolean;
  /** Whether the one proxy in front of us is believed when it says whom it speaks for. */
  trustProxy: boolean;
  log: Logger;
  /** None where metrics are not read, but sent. */
  metricsPage: MetricsPage | undefined;
  /** What whoever reads the metrics must show; `undefined`: nothing. */
  metricsToken: string | undefined;
  /** Whether the metrics are on a port of their own, and so not here. */
  hasMetricsPort: boolean;
  /** Told how each request ended, and after how many seconds; of probes and metrics it is not. */
  answered?(outcome: HttpOutcome, seconds: number): void;
  readiness: Readiness;
  /** Whether this node alone cannot reach the database. */
  cutOff?(): boolean;
  limits: RequestLimits;
  /** Told of each authenticated request. */
  noteCaller(caller: Identity): void;
  /** By where they are mounted below `/api`. */
  api: ReadonlyArray<readonly [path: string, router: Router]>;
  /** By where they are mounted at the root, before the player page. */
  routes: ReadonlyArray<readonly [path: string, handler: RequestHandler]>;
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
  app.use(securityHeaders, healthRoutes(readiness));
  if (metricsPage) app.use(metricsRoutes(metricsPage, metricsToken));
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
  if (services.metricsPage && !services.hasMetricsPort) {
    // A page of them is large: a flood that asks for nothing else would be answered as long as it lasts.
    app.use("/metrics", limits.unlessKeptOut);
    app.use(metricsRoutes(services.metricsPage, services.metricsToken));
  }
  if (services.answered) app.use(measureRequests(services.clock, services.answered));
  if (isTracing()) app.use(traceRequests);

  const open = [openToAnyOrigin, notCached, refuseWhenDraining(readiness), limits.perAddress];
  const reachable = refuseWhenCutOff(() => services.cutOff?.() ?? false);
  app.use(
    "/matchmake",
    below("/matchmake"),
    open,
    reachable,
    matchmakingRoutes(() => readiness.draining),
  );
  app.use("/auth", below("/auth"), open, authRoutes(services));
  app.use(
    "/api",
    open,
    reachable,
    identify(tokens),
    limits.perPlayer,
    noteCallers(services.noteCaller),
    apiRoutes(services.api),
  );

  app.use("/monitor", limits.perAddress, monitorRoutes(tokens));
  if (!services.production) app.use("/playground", limits.perAddress, panelHeaders, playgroundPage());
  for (const [path, handler] of services.routes) app.use(path, below(path), limits.perAddress, handler);
  app.use(limits.perAddress, playerPage(services.pageFolder));
  app.use(unknownRoute);
  app.use(answerFailures(log));
}

function authRoutes({ flows, trustProxy, ...services }: HttpServices): Router {
  const router = Router();
  const inTurn = (request: Request): Promise<void> =>
    flows.turn(networksOf(clientAddress(request, trustProxy))[0]!.key);
  router.post("/anonymous", jsonBody(BODY_LIMIT), signInAnonymously({ ...services, inTurn }));
  return router;
}

function apiRoutes(mounted: HttpServices["api"]): Router {
  const router = Router();
  for (const [path, routes] of mounted) router.use(path, below(`/api${path}`), routes);
  return router;
}
