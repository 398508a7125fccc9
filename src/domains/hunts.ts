import { AssignmentJournal } from "../actors/hunts/AssignmentJournal.ts";
import { DemoActor } from "../actors/hunts/DemoActor.ts";
import { FiguresReader } from "../actors/hunts/FiguresReader.ts";
import { HuntActor, huntKind } from "../actors/hunts/HuntActor.ts";
import { HuntOperations } from "../actors/hunts/HuntOperations.ts";
import { HuntService } from "../actors/hunts/HuntService.ts";
import { systemRng } from "../clock.ts";
import { HUNT_ERRORS } from "../entities/hunts/errors.ts";
import { HUNT_LIST, Hunt, Hunts } from "../entities/hunts/Hunt.ts";
import { Hunts20261121000100 } from "../entities/migrations/20261121000100-hunts.ts";
import { HuntLists20261130050500 } from "../entities/migrations/20261130050500-hunt-lists.ts";
import { HuntFairness20261130060000 } from "../entities/migrations/20261130060000-hunt-fairness.ts";
import { HuntRequests20261130060100 } from "../entities/migrations/20261130060100-hunt-requests.ts";
import { HuntScores20261130070000 } from "../entities/migrations/20261130070000-hunt-scores.ts";
import { HuntPlaces20261130120000 } from "../entities/migrations/20261130120000-hunt-places.ts";
import { HuntStandstill20261130140110 } from "../entities/migrations/20261130140110-hunt-standstill.ts";
import { HuntCancelReasons20261130160000 } from "../entities/migrations/20261130160000-hunt-cancel-reasons.ts";
import { huntRoutes } from "../http/hunts.ts";
import { HUNT_COMMANDS, HUNT_QUERIES } from "../operations/hunts.ts";
import { HuntRoom } from "../rooms/hunts/HuntRoom.ts";
import { orphans } from "../schedulers/retention/purges.ts";
import type { ClueLedger } from "../stores/hunts/ClueLedger.ts";
import { MemoryClueLedger } from "../stores/hunts/MemoryClueLedger.ts";
import { RedisClueLedger } from "../stores/hunts/RedisClueLedger.ts";
import { HOT_PATH } from "../telemetry/Meters.ts";
import { events } from "./events.ts";
import { prizes } from "./prizes.ts";
import { quests } from "./quests.ts";
import { defineDomain } from "./runtime/Domain.ts";

/** Clues that are handed out and solved. */
export const hunts = defineDomain({
  name: "hunts",
  needs: { events, prizes, quests },
  entities: [Hunt],
  migrations: [
    Hunts20261121000100,
    HuntLists20261130050500,
    HuntFairness20261130060000,
    HuntRequests20261130060100,
    HuntScores20261130070000,
    HuntPlaces20261130120000,
    HuntStandstill20261130140110,
    HuntCancelReasons20261130160000,
  ],
  errors: HUNT_ERRORS,
  itemSources: ["hunt"],
  retention: [
    orphans({
      name: "huntAssignments",
      table: "hunt_assignments",
      key: ["hunt_id", "instance", "generation"],
      parents: "hunts",
    }),
    orphans({ name: "huntScores", table: "hunt_scores", key: ["hunt_id", "player_id"], parents: "hunts" }),
  ],
  lobby: HUNT_LIST.lobby("hunt"),
  stores: async ({ redis }): Promise<{ ledger: ClueLedger }> => ({
    ledger: redis ? new RedisClueLedger(await redis("ledger")) : new MemoryClueLedger(),
  }),
  metrics: (meters) => {
    const help = "From the arrival of a player's claim or solve to its answer.";
    const answered = meters.histogram("clue_latency_seconds", help, HOT_PATH, "request");
    for (const request of ["claim", "solve"] as const) answered.zero({ request });
    return {
      answered,
      pool: meters.gauge("hunt_pool", "Clues of a running hunt that nobody holds.", "hunt"),
      waiting: meters.gauge("hunt_waiting", "Players of a running hunt who wait for a clue.", "hunt"),
      reviewsOverdue: meters.counter(
        "hunt_reviews_overdue_total",
        "Hours for which results of hunts have been held for review after the first day.",
      ),
    };
  },
  actors: ({ log, metrics, stores: { ledger } }) => [
    huntKind({ ledger, log, reviewOverdue: () => metrics.reviewsOverdue.inc() }),
    DemoActor,
  ],
  open: (node, { quests: { seedDemo } }) => {
    const { actors, clock, database, feed, log, metrics, stores } = node;
    const players = database.of("commits");
    const hunts = new Hunts(players);
    const figures = new FiguresReader({ database, clock });
    const common = { actors, hunts, ledger: stores.ledger, figures, feed, clock, rng: systemRng, log };
    const huntService = new HuntService({
      ...common,
      journal: new AssignmentJournal(players, clock, database),
      setGauges: (hunt, pool, waiting) => {
        metrics.pool.set({ hunt }, pool);
        metrics.waiting.set({ hunt }, waiting);
      },
      // The hunt is over, or has left this node: gauges would grow with every hunt ever played.
      removeGauges: (hunt) => {
        metrics.pool.remove({ hunt });
        metrics.waiting.remove({ hunt });
      },
    });
    node.onStop(() => huntService.flush());
    node.onBack(() => huntService.refresh());
    const huntOperations = new HuntOperations({ ...common, database });
    const demo = actors.ref(DemoActor, "demo");
    return { huntService, huntOperations, answered: metrics.answered, demo, seedDemo, isEmpty: () => hunts.isEmpty() };
  },
  rooms: {
    hunt: {
      room: HuntRoom,
      event: HuntActor,
      answered: ({ answered }, type, seconds) => {
        if (type === "claim" || type === "solve") answered.observe({ request: type }, seconds);
      },
    },
  },
  routes: ({ huntOperations }) => ({ "/hunts": huntRoutes(huntOperations) }),
  commands: HUNT_COMMANDS,
  queries: HUNT_QUERIES,
  demo: ({ demo, isEmpty, seedDemo }) => ({
    isNew: isEmpty,
    start: async () => {
      await demo.start();
      await seedDemo();
    },
    stop: () => demo.stop(),
  }),
});
