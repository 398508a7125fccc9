import type { Award } from "../../entities/prizes/PrizeLedger.ts";
import { amountsByItem } from "../../entities/prizes/PrizeLedger.ts";
import { type QuestRecord, REPEATABLE } from "../../entities/quests/Quest.ts";
import type { PlayerQuest, Progress, QuestPast } from "../../entities/quests/QuestProgress.ts";
import { preferredNode } from "../runtime/placement.ts";

/**
 * The parts that players are split into; each is one actor. Enough that the nodes of a cluster share the work and that a
 * node's death concerns some players only, and few enough that what is due at the same time is completed together.
 */
export const QUEST_PARTS: readonly string[] = ["0", "1", "2", "3"];

/** Completions a turn: one transaction of some 20 to 50 ms, behind which starts and wallets of the same part wait. */
export const BATCH = 250;
/** Between two batches of a part, so that a steady trickle is not a transaction each. Far below what a player notices. */
const GAP_MS = 50;

/** The part that sees to a player. */
export function partOf(playerId: string): string {
  return preferredNode(playerId, QUEST_PARTS)!;
}

/** What asking to start a quest comes to. */
export type StartDecision =
  | { kind: "begins"; round: number }
  /** It is under way: asking again changes nothing. */
  | { kind: "underWay"; progress: Progress }
  | { kind: "unknown" }
  /** It is done as often as it can be. */
  | { kind: "done" }
  /** It was done lately, and can be started again then. */
  | { kind: "resting"; until: number };

export function judgeStart(
  quest: Pick<QuestRecord, "repeatable" | "retiredAt" | "cooldownMs" | "maxRounds"> | undefined,
  progress: Progress | undefined,
  past: QuestPast | undefined,
  now: number,
): StartDecision {
  if (progress) return { kind: "underWay", progress };
  if (!quest || quest.retiredAt !== null) return { kind: "unknown" };
  const { cooldownMs, maxRounds } = quest.repeatable ? { ...REPEATABLE, ...quest } : { cooldownMs: 0, maxRounds: 1 };
  if (past && past.completions >= maxRounds!) return { kind: "done" };
  const until = past?.completedAt == null ? now : past.completedAt + cooldownMs!;
  if (until > now) return { kind: "resting", until };
  return { kind: "begins", round: (past?.rounds ?? 0) + 1 };
}

/**
 * What the rewards of a round are paid for, at most once each. A quest that is done once has no round in it: whatever else may
 * fail, it is never paid twice.
 */
export function sourceIdOf({ id, repeatable }: Pick<QuestRecord, "id" | "repeatable">, round: number): string {
  return repeatable ? `${id}#${round}` : id;
}

/** The payments that a completed round is worth. */
export function awardsOf(
  quest: Pick<QuestRecord, "id" | "repeatable" | "rewards">,
  { playerId, round }: PlayerQuest & { round: number },
): Award[] {
  return [...amountsByItem(quest.rewards)].map(([item, amount]) => ({
    source: "quest",
    sourceId: sourceIdOf(quest, round),
    playerId,
    item,
    amount,
  }));
}

/** When the next batch is to be completed: at once while there may be more that is due, else when the next is. */
export function nextBatchAt(soonest: number, now: number, wasFull: boolean): number {
  return wasFull ? now : Math.max(soonest, now + GAP_MS);
}
