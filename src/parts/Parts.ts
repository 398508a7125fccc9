import type { Server } from "@colyseus/core";
import type { Application } from "express";
import type { Backplane } from "../backplane.ts";
import type { Config } from "../config.ts";
import type { FlowQueue } from "../edge/FlowQueue.ts";
import type { KeepOut } from "../edge/KeepOut.ts";
import type { DatabaseProbe } from "../entities/DatabaseProbe.ts";
import type { Database } from "../entities/sql.ts";
import type { Tokens } from "../http/auth/tokens.ts";
import type { MetricsPage } from "../http/health.ts";
import type { Readiness } from "../http/readiness.ts";
import type { Lifecycle } from "../lifecycle.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** Everything that the rooms and endpoints are made of. */
export interface Parts {
  config: Config;
  log: Logger;
  metrics: Metrics;
  /** None where metrics are not read, but sent. */
  metricsPage: MetricsPage | undefined;
  readiness: Readiness;
  lifecycle: Lifecycle;
  tokens: Tokens;
  keepOut: KeepOut;
  flows: FlowQueue;
  database: Database;
  /** Whether the database commits, and can be reached at all. None for the embedded one. */
  databaseProbe: DatabaseProbe | undefined;
  backplane: Backplane;
  server: Server;
  app: Application;
}
