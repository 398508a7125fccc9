import { eventTime, wallTime } from "../../entities/events/Pausing.ts";
import {
  HUNT_PHASES,
  type HuntPhase,
  type HuntRecord,
  type SealedHunt,
  type Winner,
} from "../../entities/hunts/Hunt.ts";
import { RingmasterError } from "../../errors.ts";
import { assignmentIdOf } from "../../stores/hunts/assignments.ts";
import type { AssignmentRow, HuntKey, LedgerRules, LedgerView } from "../../stores/hunts/ClueLedger.ts";
import { attemptsLeftOf } from "../../stores/hunts/ledgerRules.ts";
import { type EventAudience, EventView } from "../events/EventView.ts";
import { isNewer } from "../events/ThrottledRefresh.ts";
import type { PhaseNews } from "./state.ts";

/** A clue as its holder sees it. */
export interface ClueCard {
  assignmentId: string;
  clueId: string;
  type: string;
  prompt: string;
  points: number;
  /** Epoch milliseconds. */
  expiresAt: number;
  /** Answers that the player has left to this clue. */
  attemptsLeft: number;
}

/** A claim of this node that has no clue yet. */
export interface WaitingClaim {
  name: string;
  /** Whether its player has been told to wait: from then on the clue is pushed, until then it is the answer. */
  isTold: boolean;
  /** Whether its player has dropped out and may be back: until then nothing is pushed, nor asked again. */
  isAway: boolean;
  /** The place in the queue that its player was told last; 0 for none. */
  position: number;
}

/** Who hears what happens to a hunt on this node: its rooms. */
export interface HuntAudience extends EventAudience {
  /** Whether the player is connected to this room. */
  has(playerId: string): boolean;
  /** How many connections to this room the player has. */
  connections(playerId: string): number;
  /** Whether the player has a seat in this room: they are connected, or have dropped out and it is kept for them. */
  keeps(playerId: string): boolean;
  /** A waiting claim was served. */
  onClue(playerId: string, card: ClueCard): void;
  onRevoked(playerId: string, assignmentId: string): void;
  /** A waiting player has another place in the queue than they were told, counted from 1. */
  onPosition(playerId: string, position: number): void;
  /** A player who waited has left the queue. */
  onQuit(playerId: string): void;
  /** Nothing is left for a player who waited. */
  onExhausted(playerId: string): void;
  onPhase(phase: HuntPhase): void;
  onView(view: LedgerView): void;
  onChest(winners: Winner[]): void;
}

/** What a node knows of one hunt. Times are epoch milliseconds. */
export class HuntView extends EventView<HuntRecord, HuntAudience> {
  protected override readonly kind = { noun: "hunt", phases: HUNT_PHASES };
  key: HuntKey;
  /** Players of this node whose claim waits; they ask again when the ledger was rebuilt or a node died. */
  readonly waiting = new Map<string, WaitingClaim>();
  view: LedgerView | undefined;
  winners: Winner[] | undefined;

  constructor(record: HuntRecord) {
    super(record);
    this.winners = record.winners ?? undefined;
    this.key = this.#newKey();
  }

  #newKey(): HuntKey {
    return { id: this.id, rules: rulesOf(this.definition), pauses: this.pausing?.count ?? 0 };
  }

  protected override onDefinition({ startsAt }: Pick<HuntRecord, "startsAt">): void {
    this.key = this.#newKey();
    this.startsAt = startsAt;
  }

  /** The hunt's own time, by which clues run out and their pauses end: it stands still while the hunt is paused. */
  timeAt(now: number): number {
    return eventTime(this.pausing, now);
  }

  /** When it will be this time of the hunt, if the hunt is not paused (again). Epoch milliseconds. */
  wallOf(time: number): number {
    return wallTime(this.pausing, time);
  }

  /**
   * Throws `wrong_phase`, with the phase and when it changes, unless clues are given out now; `paused` while it is; and `unavailable`
   * for the moment in which a correction has been heard of, and not been read.
   */
  requireSolving(): void {
    this.requirePhase();
    this.requireRunning();
    this.requireCurrent();
  }

  /** Throws `wrong_phase` unless the hunt is in solving, paused or not. */
  requirePhase(): void {
    if (this.reviewSince !== undefined) throw this.solvingIsOver();
    if (this.phase !== "solving")
      throw this.#wrongPhase(`The hunt is in ${this.phase}; clues are given out in solving.`);
  }

  /** Why nothing is taken that is decided after the end of solving, while the event that says so is yet to come. */
  solvingIsOver(): RingmasterError {
    return this.#wrongPhase("Solving is over.");
  }

  #wrongPhase(message: string): RingmasterError {
    const changesAt = this.phaseEndsAt === 0 ? null : this.phaseEndsAt;
    return new RingmasterError("wrong_phase", message, { phase: this.phase, changesAt });
  }

  cardOf(row: AssignmentRow): ClueCard {
    const clueId = row.instance % this.definition.clues.length;
    const { type, prompt, points } = this.definition.clues[clueId]!;
    return {
      assignmentId: assignmentIdOf(row),
      clueId: String(clueId),
      type,
      prompt,
      points,
      expiresAt: this.wallOf(row.expiresAt),
      attemptsLeft: attemptsLeftOf(this.definition, row),
    };
  }

  /** Whether the player is connected to a room of this node. */
  seats(playerId: string): boolean {
    for (const room of this.audience) if (room.has(playerId)) return true;
    return false;
  }

  /** How many connections to rooms of this node the player has. */
  connections(playerId: string): number {
    let sum = 0;
    for (const room of this.audience) sum += room.connections(playerId);
    return sum;
  }

  /** Whether the player has a seat in a room of this node, a connected one or one that is kept for them. */
  keeps(playerId: string): boolean {
    for (const room of this.audience) if (room.keeps(playerId)) return true;
    return false;
  }

  /** A player of this node waits, and knows it. */
  wait({ playerId, name }: { playerId: string; name: string }): void {
    this.waiting.set(playerId, { name, isTold: true, isAway: false, position: 0 });
  }

  /**
   * Hands a clue to a player who waited, wherever they are on this node: also where another node has their claim. To one whose claim is
   * under way here, it is the answer.
   */
  serve(playerId: string, card: ClueCard): void {
    const claim = this.waiting.get(playerId);
    if (claim?.isAway) return;
    this.waiting.delete(playerId);
    if (claim?.isTold === false) return;
    for (const room of this.audience) room.onClue(playerId, card);
  }

  /** Tells a waiting player their place in the queue, unless they know it. */
  notifyPosition(playerId: string, position: number): void {
    const claim = this.waiting.get(playerId);
    if (!claim?.isTold || claim.isAway || claim.position === position) return;
    claim.position = position;
    for (const room of this.audience) room.onPosition(playerId, position);
  }

  notifyRevoked(playerId: string, assignmentId: string): void {
    for (const room of this.audience) room.onRevoked(playerId, assignmentId);
  }

  /** The player waits no more, because they want to. */
  quit(playerId: string): void {
    if (!this.waiting.delete(playerId)) return;
    for (const room of this.audience) room.onQuit(playerId);
  }

  notifyExhausted(playerId: string): void {
    for (const room of this.audience) room.onExhausted(playerId);
  }

  /** Whether the ledger may hold something of the hunt. */
  get isInLedger(): boolean {
    return this.phase === "solving" && this.reviewSince === undefined;
  }

  /** Takes note of the phase, its end, its pauses and its review; what is heard late may be older than what is known, and is left out. */
  moveTo({ phase, endsAt, pausing, reviewSince, cancelReason }: Omit<PhaseNews, "revision">): void {
    if (!this.mayFollow({ phase, pausing })) return;
    this.pausing = pausing;
    this.key = this.#newKey();
    this.phase = phase;
    this.phaseEndsAt = endsAt;
    this.reviewSince = reviewSince;
    this.cancelReason = cancelReason;
    // Postponed.
    if (phase === "scheduled") this.startsAt = endsAt;
    if (!this.isInLedger) this.waiting.clear();
    for (const room of this.audience) room.onPhase(phase);
  }

  show(view: LedgerView): void {
    if (!isNewer(view, this.view)) return;
    this.view = view;
    for (const room of this.audience) room.onView(view);
  }

  openChest(winners: Winner[]): void {
    this.winners = winners;
    for (const room of this.audience) room.onChest(winners);
  }
}

function rulesOf({ clueTtlMs, attempts, clues, repeat, perPlayer, cooldownMs }: SealedHunt): LedgerRules {
  return {
    ...{ clueTtlMs, attempts, total: clues.length * repeat },
    points: clues.map(({ points }) => points),
    repeatable: clues.map(({ repeatable = false }) => repeatable),
    ...(perPlayer !== undefined && { perPlayer }),
    ...(cooldownMs !== undefined && { cooldownMs }),
  };
}
