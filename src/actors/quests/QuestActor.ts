import { chooseExchange, connectWallet, disconnectWallet } from "../../entities/players/Wallet.ts";
import { type ItemAmount, PrizeLedger } from "../../entities/prizes/PrizeLedger.ts";
import { type QuestRecord, questsById } from "../../entities/quests/Quest.ts";
import {
  dueProgress,
  insertProgress,
  keyOf,
  logChanges,
  type PlayerQuest,
  type Progress,
  pastOf,
  progressOf,
  type QuestState,
  removeProgress,
  scheduleProgress,
  soonestDue,
  waitingForHunt,
  waitingOf,
} from "../../entities/quests/QuestProgress.ts";
import type { Transaction } from "../../entities/sql.ts";
import { RingmasterError, type WireError } from "../../errors.ts";
import { Actor, type TimerHandlers } from "../runtime/Actor.ts";
import { isTriggeredBy, type QuestTrigger, whoHasMetSince, whoMeets } from "./checks.ts";
import { awardsOf, BATCH, judgeStart, nextBatchAt, type StartDecision } from "./rules.ts";

/** Hunts whose results are still to be compared with waiting quests, each as far as it has come. */
export interface QuestPartState {
  hunts: Array<{ huntId: string; after: PlayerQuest }>;
}

/** What became of asking to start a quest: how it stands, or why it cannot. */
export type StartOutcome = { progress: Progress } | { error: WireError };

/** The feed of what became of quests, one event a batch; each node notifies those of its players who are there. */
export const QUESTS_TOPIC = "quests";

/** What an event of the feed says: some rounds of one quest have come to a state. */
export interface QuestNews {
  questId: string;
  state: Exclude<QuestState, "started">;
  rewards: ItemAmount[];
  /** `[playerId, round, dueAt]` each. */
  rounds: Array<[string, number, number]>;
}

/** Before all ids. */
const BEGINNING: PlayerQuest = { playerId: "", questId: "" };

/**
 * Sees to the quests of a part of the players. Which rounds are under way is in the table, not in the state, so that a turn
 * costs the same however many there are; the one timer is armed for the soonest of them. Whatever makes a condition met is
 * stored in the same turn that looks at the waiting quests, or told durably: no change is missed.
 */
export class QuestActor extends Actor<QuestPartState> {
  static readonly kind = "quests";
  static initial(): QuestPartState {
    return { hunts: [] };
  }

  readonly timers: TimerHandlers = {
    due: () => this.#complete(),
    hunts: () => this.#compareHunt(),
  };

  /** Starts quests for players of this part; the outcomes are in the order asked. What is under way already stays as it is. */
  async start(asked: readonly PlayerQuest[]): Promise<StartOutcome[]> {
    const tx = await this.sql();
    const quests = await questsById(tx, [...new Set(asked.map(({ questId }) => questId))]);
    const progress = await progressOf(tx, asked);
    const past = await pastOf(tx, asked);
    const outcomes = new Map<string, StartOutcome>();
    const begun: Progress[] = [];
    for (const each of asked) {
      const key = keyOf(each);
      if (outcomes.has(key)) continue;
      const decision = judgeStart(quests.get(each.questId), progress.get(key), past.get(key), this.now);
      if (decision.kind === "begins") {
        const { playerId, questId } = each;
        begun.push({ playerId, questId, round: decision.round, startedAt: this.now, dueAt: null });
        outcomes.set(key, { progress: begun.at(-1)! });
      } else if (decision.kind === "underWay") outcomes.set(key, { progress: decision.progress });
      else outcomes.set(key, { error: refusalOf(decision, each.questId).toWire() });
    }
    await this.#begin(tx, quests, begun);
    return asked.map((each) => outcomes.get(keyOf(each))!);
  }

  /** Connects a wallet that is proven to be the player's. Throws `conflict` and `not_found`. */
  async connectWallet(playerId: string, address: string): Promise<void> {
    const tx = await this.sql();
    await connectWallet(tx, playerId, address, this.now);
    await this.#changed(tx, playerId, "wallet");
  }

  /** What is due for a wallet lapses, unless another is connected by then. */
  async disconnectWallet(playerId: string): Promise<void> {
    await disconnectWallet(await this.sql(), playerId);
  }

  /** Throws `not_found` when there is no such player. */
  async chooseExchange(playerId: string, exchange: string): Promise<void> {
    const tx = await this.sql();
    await chooseExchange(tx, playerId, exchange, this.now);
    await this.#changed(tx, playerId, "exchange");
  }

  /** The results of a hunt are stored: its players' quests that wait for hunts are looked at, a page a turn. */
  async huntRevealed(huntId: string): Promise<void> {
    this.state.hunts.push({ huntId, after: BEGINNING });
    this.at("hunts", this.now);
  }

  async #begin(tx: Transaction, quests: ReadonlyMap<string, QuestRecord>, begun: readonly Progress[]): Promise<void> {
    const met = await whoMayComplete(tx, quests, begun);
    for (const each of begun) if (met.has(each)) each.dueAt = this.now + quests.get(each.questId)!.delayMs;
    await insertProgress(tx, this.id, begun);
    await this.#log(tx, begun, "started");
    await this.#log(tx, [...met], "scheduled");
    this.#expect([...met]);
  }

  async #changed(tx: Transaction, playerId: string, trigger: QuestTrigger): Promise<void> {
    await this.#schedule(tx, await waitingOf(tx, playerId), trigger);
  }

  /** Schedules those of the waiting rounds whose condition the change has made met. */
  async #schedule(tx: Transaction, waiting: readonly Progress[], trigger: QuestTrigger): Promise<void> {
    const quests = await questsById(tx, [...new Set(waiting.map(({ questId }) => questId))]);
    const concerned = waiting.filter(({ questId }) => isTriggeredBy(quests.get(questId)!.condition, trigger));
    const met = [...(await whoMayComplete(tx, quests, concerned))];
    for (const [questId, rounds] of Map.groupBy(met, (each) => each.questId)) {
      const dueAt = this.now + quests.get(questId)!.delayMs;
      for (const each of rounds) each.dueAt = dueAt;
      const playerIds = rounds.map(({ playerId }) => playerId);
      await scheduleProgress(tx, this.id, questId, playerIds, dueAt);
    }
    await this.#log(tx, met, "scheduled");
    this.#expect(met);
    this.#announce(quests, met, "scheduled");
  }

  /** Completes what is due, and pays for it, in this one transaction; what does not meet its condition any more lapses. */
  async #complete(): Promise<void> {
    const tx = await this.sql();
    const due = await dueProgress(tx, this.id, this.now, BATCH);
    const quests = await questsById(tx, [...new Set(due.map(({ questId }) => questId))]);
    const met = await whoMayComplete(tx, quests, due);
    const completed = [...met];
    const lapsed = due.filter((each) => !met.has(each));
    const awards = completed.flatMap((each) => awardsOf(quests.get(each.questId)!, each));
    if (awards.length > 0) await new PrizeLedger(tx, this.rng).pay(tx, awards, this.now);
    await this.#log(tx, completed, "completed");
    await this.#log(tx, lapsed, "lapsed");
    await removeProgress(tx, due);
    const soonest = await soonestDue(tx, this.id);
    if (soonest !== undefined) this.at("due", nextBatchAt(soonest, this.now, due.length === BATCH));
    this.#announce(quests, completed, "completed");
    this.#announce(quests, lapsed, "lapsed");
  }

  async #compareHunt(): Promise<void> {
    const [hunt] = this.state.hunts;
    if (!hunt) return;
    const tx = await this.sql();
    const page = await waitingForHunt(tx, this.id, hunt.huntId, hunt.after, BATCH);
    if (page.length === BATCH) {
      const { playerId, questId } = page.at(-1)!;
      hunt.after = { playerId, questId };
    } else this.state.hunts.shift();
    await this.#schedule(tx, page, "hunts");
    if (this.state.hunts.length > 0) this.at("hunts", this.now);
  }

  /** The timer is never later than the soonest completion. */
  #expect(scheduled: readonly Progress[]): void {
    const soonest = Math.min(...scheduled.map(({ dueAt }) => dueAt!));
    const armed = this.due("due");
    if (scheduled.length > 0 && (armed === undefined || soonest < armed)) this.at("due", soonest);
  }

  async #log(tx: Transaction, rounds: readonly Progress[], state: QuestState): Promise<void> {
    const at = this.now;
    const changes = rounds.map((each) => ({ ...each, state, at, dueAt: state === "started" ? null : each.dueAt }));
    await logChanges(tx, changes, this.place.nodeId);
  }

  #announce(quests: ReadonlyMap<string, QuestRecord>, rounds: readonly Progress[], state: QuestNews["state"]): void {
    if (rounds.length === 0) return;
    const data: QuestNews[] = [...Map.groupBy(rounds, ({ questId }) => questId)].map(([questId, ofQuest]) => ({
      questId,
      state,
      rewards: quests.get(questId)!.rewards,
      rounds: ofQuest.map(({ playerId, round, dueAt }) => [playerId, round, dueAt!]),
    }));
    this.publish(QUESTS_TOPIC, { type: state, data });
  }
}

/** Those of the rounds whose condition is met, by one statement a condition. */
async function whoMayComplete(
  tx: Transaction,
  quests: ReadonlyMap<string, QuestRecord>,
  rounds: readonly Progress[],
): Promise<Set<Progress>> {
  const met = new Set<Progress>();
  // Each round of a repeatable one counts from its own begin, and a player has one at a time.
  const byCondition = Map.groupBy(rounds, ({ questId }) => {
    const { condition, repeatable } = quests.get(questId)!;
    return repeatable ? questId : JSON.stringify(condition);
  });
  for (const alike of byCondition.values()) {
    const { condition, repeatable } = quests.get(alike[0]!.questId)!;
    const players = repeatable
      ? await whoHasMetSince(tx, condition, new Map(alike.map(({ playerId, startedAt }) => [playerId, startedAt])))
      : await whoMeets(tx, condition, [...new Set(alike.map(({ playerId }) => playerId))]);
    for (const each of alike) if (players.has(each.playerId)) met.add(each);
  }
  return met;
}

function refusalOf(
  decision: Extract<StartDecision, { kind: "unknown" | "done" | "resting" }>,
  questId: string,
): RingmasterError {
  switch (decision.kind) {
    case "unknown":
      return new RingmasterError("not_found", `There is no quest ${questId} to start.`);
    case "done":
      return new RingmasterError("conflict", `You have completed the quest ${questId} as often as it can be.`);
    case "resting": {
      const againAt = decision.until;
      const message = `You have completed the quest ${questId} lately; it can be started again at ${new Date(againAt).toISOString()}.`;
      return new RingmasterError("conflict", message, { againAt });
    }
  }
}
