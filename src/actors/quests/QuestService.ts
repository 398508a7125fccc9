import type { Clock } from "../../clock.ts";
import type { Audited } from "../../entities/audit.ts";
import { databaseError } from "../../entities/failures.ts";
import { GroupCommit } from "../../entities/GroupCommit.ts";
import type { ItemAmount } from "../../entities/prizes/PrizeLedger.ts";
import { type QuestRecord, Quests, type QuestTerms, questsById } from "../../entities/quests/Quest.ts";
import { keyOf, type PlayerQuest, type Progress, standingOf } from "../../entities/quests/QuestProgress.ts";
import type { Database } from "../../entities/sql.ts";
import { RingmasterError } from "../../errors.ts";
import type { Feed, FeedEvent } from "../../stores/feeds/Feed.ts";
import { about, type OperatorCall } from "../admin/operatorCall.ts";
import type { Actors } from "../runtime/Actors.ts";
import type { QuestDefinition } from "./definition.ts";
import { QUESTS_TOPIC, QuestActor, type QuestNews, type StartOutcome } from "./QuestActor.ts";
import { partOf, QUEST_PARTS } from "./rules.ts";

/** A quest as everybody sees it. */
export interface QuestSummary extends QuestTerms {
  id: string;
  title: string;
}

/** How a quest stands for a player. Times are epoch milliseconds. */
export interface QuestStanding {
  /** `open`: never started; `active`: its condition is not met yet; `scheduled`: completion is due at `dueAt`. */
  state: "open" | "active" | "scheduled" | "completed" | "lapsed";
  /** How often it has been started. */
  round: number;
  dueAt: number | null;
  /** When it was completed or lapsed. */
  endedAt: number | null;
}

export type MyQuest = QuestSummary & QuestStanding;

/** What a player is told of one of their quests. */
export interface QuestMessage {
  id: string;
  state: QuestNews["state"];
  round: number;
  dueAt: number;
  rewards: ItemAmount[];
}

export interface QuestServicePorts {
  actors: Actors;
  database: Database;
  feed: Feed;
  clock: Clock;
  /** A player who is here was told of an end, so long after it was due. */
  notified(state: "completed" | "lapsed", seconds: number): void;
}

/** Starts that one turn of a part takes. */
const STARTS_A_TURN = 200;
/** Starts that may wait on this node: a few seconds' worth. */
const MOST_STARTS_WAITING = 10_000;

const NEVER_STARTED: QuestStanding = { state: "open", round: 0, dueAt: null, endedAt: null };

/** The quests of this node: starts them, reads how they stand, and tells the players who are here what becomes of theirs. */
export class QuestService {
  readonly #ports: QuestServicePorts;
  readonly #quests: Quests;
  readonly #starts: GroupCommit<PlayerQuest, Map<string, StartOutcome>>;
  readonly #listeners = new Map<string, Set<(message: QuestMessage) => void>>();
  readonly #onMissed = new Set<() => void>();
  #unfollow: (() => void) | undefined;

  constructor(ports: QuestServicePorts) {
    this.#ports = ports;
    this.#quests = new Quests(ports.database);
    this.#starts = new GroupCommit({
      clock: ports.clock,
      flush: (part, asked) => this.#startAll(part, asked),
      maxItems: STARTS_A_TURN,
      maxFlushes: QUEST_PARTS.length,
      maxQueued: MOST_STARTS_WAITING,
    });
  }

  /** From now on players who attend are told. */
  async open(): Promise<void> {
    this.#unfollow = await this.#ports.feed.follow(QUESTS_TOPIC, {
      onEvent: (event) => this.#onEvent(event),
      onReset: () => {
        for (const listener of this.#onMissed) listener();
      },
    });
  }

  close(): void {
    this.#unfollow?.();
  }

  /** The player is here, and hears what becomes of their quests until the returned function is called. */
  attend(playerId: string, notify: (message: QuestMessage) => void): () => void {
    const listeners = this.#listeners.get(playerId) ?? new Set();
    this.#listeners.set(playerId, listeners);
    const entry = (message: QuestMessage): void => notify(message);
    listeners.add(entry);
    return () => {
      if (listeners.delete(entry) && listeners.size === 0) this.#listeners.delete(playerId);
    };
  }

  /** Calls the listener when players who attend may have been told of something less, until the returned function is called. */
  onMissed(listener: () => void): () => void {
    this.#onMissed.add(listener);
    return () => this.#onMissed.delete(listener);
  }

  /** Those that can be started. */
  async list(): Promise<QuestSummary[]> {
    return (await reach(this.#quests.list())).map(summaryOf);
  }

  /** Those that can be started, and those that the player has started; how each stands. */
  async mine(playerId: string): Promise<MyQuest[]> {
    const { database } = this.#ports;
    const [open, { underWay, ended }] = await reach(Promise.all([this.#quests.list(), standingOf(database, playerId)]));
    const standings = new Map<string, QuestStanding>();
    for (const { questId, state, round, dueAt, at } of ended)
      standings.set(questId, { state, round, dueAt, endedAt: at });
    for (const progress of underWay) standings.set(progress.questId, underWayOf(progress));
    const listed = new Set(open.map(({ id }) => id));
    const retired = await reach(
      questsById(
        database,
        [...standings.keys()].filter((id) => !listed.has(id)),
      ),
    );
    return [...open, ...retired.values()].map((quest) => ({
      ...summaryOf(quest),
      ...(standings.get(quest.id) ?? NEVER_STARTED),
    }));
  }

  /**
   * Starts a quest for the player; one that is under way stays as it is. Throws `not_found` for a quest that cannot be started, and
   * `conflict` for one that is done as often as it can be, or was done too lately (then with `againAt`).
   */
  async start(playerId: string, questId: string): Promise<{ id: string } & QuestStanding> {
    const asked = { playerId, questId };
    const outcomes = await this.#starts.commit(partOf(playerId), [asked]);
    const outcome = outcomes.get(keyOf(asked))!;
    if ("error" in outcome) throw RingmasterError.fromWire(outcome.error);
    return { id: questId, ...underWayOf(outcome.progress) };
  }

  /** Throws `conflict` for an id that is taken, and `not_found` for a reward that is no item. */
  async create(definition: QuestDefinition, call: OperatorCall): Promise<{ id: string }> {
    const { id } = definition;
    const quest = { ...definition, createdAt: this.#ports.clock.now() };
    await reach(this.#quests.create(quest, call.operatorId, about(call, `quest:${id}`)));
    return { id };
  }

  /** Nobody can start it any more; who has goes on. Throws `not_found`. */
  async retire(questId: string, by: Audited = {}): Promise<QuestSummary> {
    return summaryOf(await reach(this.#quests.retire(questId, this.#ports.clock.now(), by)));
  }

  async #startAll(part: string, asked: readonly PlayerQuest[]): Promise<Map<string, StartOutcome>> {
    const outcomes = await this.#ports.actors.ref(QuestActor, part).start(asked);
    return new Map(asked.map((each, at) => [keyOf(each), outcomes[at]!]));
  }

  #onEvent(event: FeedEvent): void {
    for (const { questId, state, rewards, rounds } of event.data as QuestNews[]) {
      for (const [playerId, round, dueAt] of rounds) {
        const listeners = this.#listeners.get(playerId);
        if (!listeners) continue;
        for (const notify of listeners) notify({ id: questId, state, round, dueAt, rewards });
        if (state !== "scheduled") this.#ports.notified(state, (this.#ports.clock.now() - dueAt) / 1000);
      }
    }
  }
}

function underWayOf({ round, dueAt }: Progress): QuestStanding {
  return { state: dueAt === null ? "active" : "scheduled", round, dueAt, endedAt: null };
}

function summaryOf({ createdAt: _createdAt, retiredAt: _retiredAt, ...quest }: QuestRecord): QuestSummary {
  return quest;
}

function reach<T>(call: Promise<T>): Promise<T> {
  return call.catch((error: unknown) => {
    throw databaseError(error);
  });
}
