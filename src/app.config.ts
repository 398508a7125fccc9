import type { Listed } from "./app.ts";
import { actors } from "./domains/actors.ts";
import { admin } from "./domains/admin.ts";
import { events } from "./domains/events.ts";
import { hunts } from "./domains/hunts.ts";
import { jobs } from "./domains/jobs.ts";
import { lobby } from "./domains/lobby.ts";
import { players } from "./domains/players.ts";
import { pools } from "./domains/pools.ts";
import { popups } from "./domains/popups.ts";
import { prizes } from "./domains/prizes.ts";
import { quests } from "./domains/quests.ts";
import { retention } from "./domains/retention.ts";
import { sessions } from "./domains/sessions.ts";
import { tournaments } from "./domains/tournaments.ts";

/** What Ringmaster consists of: `createApp(config, RINGMASTER)`. A game adds domains, rooms and routes of its own. */
export const RINGMASTER: Listed = {
  domains: [
    ...[actors, jobs, players, sessions, events, prizes],
    ...[quests, popups, tournaments, pools, hunts],
    ...[lobby, admin, retention],
  ],
};
