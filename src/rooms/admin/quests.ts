import { z } from "zod";
import { parseQuestDefinition, questId } from "../../actors/quests/definition.ts";
import type { QuestService } from "../../actors/quests/QuestService.ts";
import { validate } from "../../validate.ts";
import type { Verbs } from "./verbs.ts";

const named = z.strictObject({ questId });

export interface QuestVerbServices {
  quests: Pick<QuestService, "list" | "create" | "retire">;
}

export const QUEST_VERBS: Verbs<QuestVerbServices> = {
  commands: {
    createQuest: async (args, { quests }, { operatorId }) => {
      const definition = parseQuestDefinition(args);
      await quests.create(definition, operatorId);
      return { id: definition.id };
    },
    retireQuest: (args, { quests }) => quests.retire(validate(named, args).questId),
  },
  queries: {
    quests: (_args, { quests }) => quests.list(),
  },
};
