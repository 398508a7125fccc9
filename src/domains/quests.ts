import { DEMO_QUESTS } from "../actors/quests/demo.ts";
import { QuestActor } from "../actors/quests/QuestActor.ts";
import { QuestService } from "../actors/quests/QuestService.ts";
import { WalletService } from "../actors/quests/WalletService.ts";
import { verifiersFor } from "../actors/quests/walletProof.ts";
import { systemRng } from "../clock.ts";
import { Quests20261121000400 } from "../entities/migrations/20261121000400-quests.ts";
import { Retention20261121000900 } from "../entities/migrations/20261121000900-retention.ts";
import { QuestRounds20261130050200 } from "../entities/migrations/20261130050200-quest-rounds.ts";
import { OpenLists20261130050600 } from "../entities/migrations/20261130050600-open-lists.ts";
import { QUEST_ERRORS } from "../entities/quests/errors.ts";
import { Quests } from "../entities/quests/Quest.ts";
import { myQuestRoutes, questRoutes } from "../http/quests.ts";
import { myWalletRoutes } from "../http/wallets.ts";
import { QUEST_COMMANDS, QUEST_QUERIES } from "../operations/quests.ts";
import { byAge } from "../schedulers/retention/purges.ts";
import { TIMER_LATENESS } from "../telemetry/Meters.ts";
import { prizes } from "./prizes.ts";
import { defineDomain } from "./runtime/Domain.ts";

/** How long a wallet's challenge stays after it ran out, in days; nobody can use it any more. */
export const CHALLENGE_DAYS = 1;
/** How long the steps of quests' rounds stay in their log, in days; what the rounds came to stays. */
export const QUEST_CHANGE_DAYS = 365;

/** What players are to do by themselves, and the wallets that some of it takes. */
export const quests = defineDomain({
  name: "quests",
  alters: ["players"],
  needs: { prizes },
  migrations: [Quests20261121000400, Retention20261121000900, QuestRounds20261130050200, OpenLists20261130050600],
  errors: QUEST_ERRORS,
  itemSources: ["quest"],
  retention: [
    byAge({
      name: "questChanges",
      table: "quest_changes",
      key: ["player_id", "quest_id", "round", "state"],
      age: "at",
      days: QUEST_CHANGE_DAYS,
    }),
    byAge({
      name: "walletChallenges",
      table: "wallet_challenges",
      key: ["player_id"],
      age: "expires_at",
      days: CHALLENGE_DAYS,
    }),
  ],
  metrics: (meters) => {
    const help = "How long after a quest's end was due its player, who was there, was told.";
    return { lateness: meters.histogram("quest_lateness_seconds", help, TIMER_LATENESS, "state") };
  },
  actors: () => [QuestActor],
  open: async ({ actors, clock, config, database, feed, metrics, onStop }) => {
    const common = { actors, database: database.of("commits"), feed, clock };
    const service = new QuestService({
      ...common,
      notified: (state, seconds) => metrics.lateness.observe({ state }, Math.max(0, seconds)),
    });
    await service.open();
    onStop(() => service.close());
    const wallets = new WalletService({ ...common, rng: systemRng, verifiers: verifiersFor(config.production) });
    const seedDemo = (): Promise<void> => new Quests(database).seed(DEMO_QUESTS, clock.now());
    return { quests: service, wallets, seedDemo };
  },
  routes: ({ quests, wallets }) => ({
    "/me": myWalletRoutes(wallets),
    "/me/quests": myQuestRoutes(quests),
    "/quests": questRoutes(quests),
  }),
  commands: QUEST_COMMANDS,
  queries: QUEST_QUERIES,
});
