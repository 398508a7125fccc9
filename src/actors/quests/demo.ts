import type { QuestDefinition } from "./definition.ts";

/** What a newcomer finds to do beside the demo hunt. */
export const DEMO_QUESTS: readonly QuestDefinition[] = [
  {
    id: "connect-wallet",
    title: "Connect a wallet",
    condition: { check: "walletConnected", args: {} },
    delayMs: 10_000,
    rewards: [{ item: "TICO", amount: "50" }],
    repeatable: false,
  },
  {
    id: "choose-exchange",
    title: "Choose your exchange",
    condition: { check: "exchangeChosen", args: {} },
    delayMs: 5000,
    rewards: [{ item: "TICO", amount: "25" }],
    repeatable: false,
  },
  {
    id: "first-clue",
    title: "Solve a clue, then see the chest open",
    condition: { check: "huntsSolved", args: { atLeast: 1 } },
    delayMs: 0,
    rewards: [{ item: "PRIVATE_PASS", amount: "1" }],
    repeatable: false,
  },
  {
    id: "hundred-points",
    title: "Collect a hundred points",
    condition: { check: "scoreReached", args: { atLeast: 100 } },
    delayMs: 0,
    rewards: [{ item: "TICO", amount: "100" }],
    repeatable: false,
  },
];
