import type { MigrationInterface } from "typeorm";
import { Actors20261121000000 } from "./20261121000000-actors.ts";
import { Hunts20261121000100 } from "./20261121000100-hunts.ts";
import { Jobs20261121000200 } from "./20261121000200-jobs.ts";
import { Prizes20261121000300 } from "./20261121000300-prizes.ts";
import { Quests20261121000400 } from "./20261121000400-quests.ts";
import { Sessions20261121000500 } from "./20261121000500-sessions.ts";
import { Popups20261121000600 } from "./20261121000600-popups.ts";
import { Tournaments20261121000700 } from "./20261121000700-tournaments.ts";
import { Pools20261121000800 } from "./20261121000800-pools.ts";
import { Retention20261121000900 } from "./20261121000900-retention.ts";
import { TournamentIndexes20261121001000 } from "./20261121001000-tournament-indexes.ts";
import { Messages20261130020000 } from "./20261130020000-messages.ts";
import { FailingTimers20261130020100 } from "./20261130020100-failing-timers.ts";
import { MarksBySender20261130020200 } from "./20261130020200-marks-by-sender.ts";
import { Tasks20261130021000 } from "./20261130021000-tasks.ts";
import { DatabaseProbes20261130030000 } from "./20261130030000-database-probes.ts";
import { ActorBlame20261130030300 } from "./20261130030300-actor-blame.ts";
import { ActorSlots20261130040000 } from "./20261130040000-actor-slots.ts";
import { OpenPools20261130050000 } from "./20261130050000-open-pools.ts";
import { RefusedAwards20261130050100 } from "./20261130050100-refused-awards.ts";
import { QuestRounds20261130050200 } from "./20261130050200-quest-rounds.ts";
import { ScoreOrder20261130050300 } from "./20261130050300-score-order.ts";
import { RankingBlocks20261130050400 } from "./20261130050400-ranking-blocks.ts";
import { HuntLists20261130050500 } from "./20261130050500-hunt-lists.ts";
import { OpenLists20261130050600 } from "./20261130050600-open-lists.ts";
import { InventoryChanges20261130050700 } from "./20261130050700-inventory-changes.ts";
import { HuntFairness20261130060000 } from "./20261130060000-hunt-fairness.ts";
import { HuntRequests20261130060100 } from "./20261130060100-hunt-requests.ts";
import { HuntScores20261130070000 } from "./20261130070000-hunt-scores.ts";
import { ScorePrecision20261130090000 } from "./20261130090000-score-precision.ts";
import { ScoresInUnits20261130090100 } from "./20261130090100-scores-in-units.ts";
import { TournamentEntrants20261130100000 } from "./20261130100000-tournament-entrants.ts";
import { EventChanges20261130110000 } from "./20261130110000-event-changes.ts";
import { Pauses20261130110100 } from "./20261130110100-pauses.ts";
import { HuntPlaces20261130120000 } from "./20261130120000-hunt-places.ts";
import { BlameAges20261130130000 } from "./20261130130000-blame-ages.ts";
import { Runs20261130130100 } from "./20261130130100-runs.ts";

/** Every migration, oldest first; they run before anything listens. */
export const MIGRATIONS: ReadonlyArray<new () => MigrationInterface> = [
  Actors20261121000000,
  Hunts20261121000100,
  Jobs20261121000200,
  Prizes20261121000300,
  Quests20261121000400,
  Sessions20261121000500,
  Popups20261121000600,
  Tournaments20261121000700,
  Pools20261121000800,
  Retention20261121000900,
  TournamentIndexes20261121001000,
  Messages20261130020000,
  FailingTimers20261130020100,
  Tasks20261130021000,
  DatabaseProbes20261130030000,
  ActorSlots20261130040000,
  ActorBlame20261130030300,
  OpenPools20261130050000,
  RefusedAwards20261130050100,
  QuestRounds20261130050200,
  ScoreOrder20261130050300,
  RankingBlocks20261130050400,
  HuntLists20261130050500,
  OpenLists20261130050600,
  InventoryChanges20261130050700,
  HuntFairness20261130060000,
  HuntRequests20261130060100,
  HuntScores20261130070000,
  ScorePrecision20261130090000,
  ScoresInUnits20261130090100,
  TournamentEntrants20261130100000,
  EventChanges20261130110000,
  Pauses20261130110100,
  HuntPlaces20261130120000,
  BlameAges20261130130000,
  MarksBySender20261130020200,
  Runs20261130130100,
];
