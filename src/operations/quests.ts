import { z } from "zod";
import { questDefinition, questId } from "../actors/quests/definition.ts";
import type { QuestService } from "../actors/quests/QuestService.ts";
import { amountOf, created, none } from "./fields.ts";
import { operationsWith } from "./Operation.ts";

/** What these need of the node. */
export interface QuestOperationServices {
  quests: Pick<QuestService, "list" | "create" | "retire">;
}

const { command, query } = operationsWith<QuestOperationServices>();

const quest = z.object({
  id: z.string(),
  title: z.string(),
  condition: z.object({ check: z.string(), args: z.record(z.string(), z.unknown()) }),
  delayMs: z.int(),
  rewards: z.array(amountOf),
  repeatable: z.boolean(),
  cooldownMs: z.int().optional(),
  maxRounds: z.int().optional(),
});

/** What operators do to quests. */
export const QUEST_COMMANDS = [
  command("createQuest", {
    description: "Adds a quest. What it promises never changes; a repeat is a conflict.",
    args: questDefinition,
    answer: created,
    endpoint: { method: "POST", path: "/quests", status: 201 },
    run: (definition, { quests }, call) => quests.create(definition, call),
  }),
  command("retireQuest", {
    description: "Nobody can start it any more; who has goes on.",
    args: z.strictObject({ questId }),
    answer: quest,
    endpoint: { method: "POST", path: "/quests/:questId/retire" },
    run: (args, { quests }, call) => quests.retire(args.questId, call),
  }),
];

/** What is asked of quests. */
export const QUEST_QUERIES = [
  query("quests", {
    description: "Quests that can be started.",
    args: none,
    answer: z.array(quest),
    run: (_args, { quests }) => quests.list(),
  }),
];
