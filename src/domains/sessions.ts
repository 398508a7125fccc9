import { z } from "zod";
import { systemClock } from "../clock.ts";
import { Sessions20261121000500 } from "../entities/migrations/20261121000500-sessions.ts";
import { SessionHistory } from "../entities/sessions/SessionHistory.ts";
import { mySessionRoutes } from "../http/sessions.ts";
import { byAge } from "../schedulers/retention/purges.ts";
import { sessionsJob } from "../schedulers/sessions/sessionsJob.ts";
import { MemorySessionStore } from "../stores/sessions/MemorySessionStore.ts";
import { RedisSessionStore } from "../stores/sessions/RedisSessionStore.ts";
import { SessionService } from "../stores/sessions/SessionService.ts";
import type { SessionStore } from "../stores/sessions/SessionStore.ts";
import { defineDomain } from "./runtime/Domain.ts";

/** How long players' sessions stay in the history, in days. */
export const SESSION_DAYS = 90;

/** When players were there. */
export const sessions = defineDomain({
  name: "sessions",
  migrations: [Sessions20261121000500],
  retention: [
    byAge({
      name: "sessions",
      table: "player_sessions",
      key: ["player_id", "started_at"],
      age: "ended_at",
      days: SESSION_DAYS,
    }),
  ],
  variables: {
    SESSION_TIMEOUT_MINUTES: z.coerce
      .number()
      .min(0.05)
      .max(1440)
      .default(30)
      .transform((minutes) => Math.round(minutes * 60_000)),
  },
  stores: async ({ settings: { SESSION_TIMEOUT_MINUTES: timeoutMs }, redis }): Promise<{ sessions: SessionStore }> => ({
    sessions: redis
      ? new RedisSessionStore(await redis("sessions"), { timeoutMs })
      : new MemorySessionStore({ timeoutMs }),
  }),
  jobs: ({ stores, database }) => [
    sessionsJob({ store: stores.sessions, history: new SessionHistory(database), clock: systemClock }),
  ],
  open: ({ stores, database, actors, clock, log, onStop }) => {
    const { membership } = actors;
    const service = new SessionService({
      store: stores.sessions,
      history: new SessionHistory(database.of("commits")),
      clock,
      nodeId: membership.self.id,
      liveNodes: () => membership.live().map(({ id }) => id),
      log,
    });
    onStop(() => service.flush());
    return service;
  },
  routes: (service) => ({ "/me": mySessionRoutes(service) }),
  activity: (service) => service,
});
