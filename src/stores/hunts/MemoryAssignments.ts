import { Ranks } from "../runtime/Ranks.ts";
import { withMark } from "./assignments.ts";
import { type AssignmentRow, type LedgerRules, OUTCOME, type OwnStanding, type Standing } from "./ClueLedger.ts";
import { instancesOf, LEDGER_STEP, pointsOf, templateOf } from "./ledgerRules.ts";
import type { FreeInstance } from "./MemoryPool.ts";
import { newPlayer, type RebuiltLedger, type RebuiltPlayer } from "./rebuild.ts";

/** A player among those with points. */
interface Ranked {
  id: string;
  player: RebuiltPlayer;
}

/** How an assignment ends; points and the order of solves are 0 unless it is solved. */
interface Ending {
  outcome: Exclude<AssignmentRow["outcome"], typeof OUTCOME.open>;
  now: number;
  points?: number;
  solveSeq?: number;
}

/** The players of a hunt in memory: their assignments from opening to end, and how they stand. */
export class MemoryAssignments {
  readonly #rules: LedgerRules;
  readonly #players: Map<string, RebuiltPlayer>;
  /** Players with an open assignment. */
  readonly #open = new Set<string>();
  /** Whose last seat is gone for good, and who has not been heard of since: the token of that, by player with an open assignment. */
  readonly #departed = new Map<string, string>();
  /** Players with points, best first. */
  readonly #ranks = new Ranks<Ranked>(
    (a, b) => b.player.total - a.player.total || a.player.reachedSeq - b.player.reachedSeq,
  );
  readonly #solvedOf: number[];
  #solved: number;
  #solveSeq: number;
  #version = 0;

  constructor(rules: LedgerRules, { players, solved, solvedOf, solveSeq }: RebuiltLedger) {
    this.#rules = rules;
    this.#players = players;
    this.#solved = solved;
    this.#solvedOf = [...solvedOf];
    this.#solveSeq = solveSeq;
    for (const [id, player] of players) {
      if (player.open !== undefined) this.#open.add(id);
      if (player.total > 0) this.#ranks.add({ id, player });
    }
  }

  /** Grows with each change but that of departures. */
  get version(): number {
    return this.#version;
  }

  get counts(): { players: number; open: number; solved: number } {
    return { players: this.#players.size, open: this.#open.size, solved: this.#solved };
  }

  get(playerId: string): RebuiltPlayer | undefined {
    return this.#players.get(playerId);
  }

  /** The soonest `expiresAt` of an open assignment; 0 when none is open. */
  get nextExpiry(): number {
    let soonest = Number.POSITIVE_INFINITY;
    for (const id of this.#open) soonest = Math.min(soonest, this.#players.get(id)!.open!.expiresAt);
    return Number.isFinite(soonest) ? soonest : 0;
  }

  /** Players whose open assignment is over by its time, soonest first: at most `LEDGER_STEP` of them, and whether there are more. */
  due(now: number): { ids: string[]; more: boolean } {
    const due = [...this.#open]
      .map((id) => ({ id, expiresAt: this.#players.get(id)!.open!.expiresAt }))
      .filter(({ expiresAt }) => expiresAt <= now)
      .sort((a, b) => a.expiresAt - b.expiresAt || (a.id < b.id ? -1 : 1));
    return { ids: due.slice(0, LEDGER_STEP).map(({ id }) => id), more: due.length > LEDGER_STEP };
  }

  /** How many instances of a template are not solved, issued or not. */
  unsolvedOf(template: number): number {
    return instancesOf(this.#rules, template) - this.#solvedOf[template]!;
  }

  /** Gives what was taken out of the pool to a player without an open assignment. */
  open(playerId: string, playerName: string, free: FreeInstance, now: number): RebuiltPlayer {
    const player = this.#players.get(playerId) ?? newPlayer(playerName);
    this.#players.set(playerId, player);
    player.name = playerName;
    player.open = {
      ...free,
      playerId,
      playerName,
      openedAt: now,
      expiresAt: now + this.#rules.clueTtlMs,
      attemptsBefore: player.history.attemptsBefore(templateOf(this.#rules, free.instance)),
      attemptsUsed: 0,
      requestMarks: "",
      outcome: OUTCOME.open,
      closedAt: 0,
      points: 0,
      solveSeq: 0,
    };
    this.#open.add(playerId);
    this.#version += 1;
    return player;
  }

  /** Counts an answer to the player's open assignment. */
  answer(player: RebuiltPlayer, mark: string): AssignmentRow {
    const open = player.open!;
    const attemptsUsed = open.attemptsUsed + 1;
    player.open = { ...open, attemptsUsed, requestMarks: withMark(open.requestMarks, attemptsUsed, mark) };
    this.#version += 1;
    return player.open;
  }

  /** Closes the player's open assignment as solved. */
  solve(playerId: string, player: RebuiltPlayer, now: number): AssignmentRow {
    const { instance } = player.open!;
    const points = pointsOf(this.#rules, instance);
    this.#solveSeq += 1;
    this.#solved += 1;
    this.#solvedOf[templateOf(this.#rules, instance)]! += 1;
    const row = this.close(playerId, player, { outcome: OUTCOME.solved, now, points, solveSeq: this.#solveSeq });
    if (player.total > 0) this.#ranks.remove({ id: playerId, player });
    player.total += points;
    player.reachedSeq = this.#solveSeq;
    this.#ranks.add({ id: playerId, player });
    return row;
  }

  close(playerId: string, player: RebuiltPlayer, { outcome, now, points = 0, solveSeq = 0 }: Ending): AssignmentRow {
    const open = player.open!;
    // Strictly after the closing before it, so that a rebuild knows which one was last, whatever the nodes' clocks say.
    const closedAt = Math.max(now, open.openedAt, (player.last?.closedAt ?? -1) + 1);
    const row = { ...open, outcome, closedAt, points, solveSeq };
    player.open = undefined;
    player.last = row;
    player.history.close(this.#rules, row);
    this.#open.delete(playerId);
    this.#departed.delete(playerId);
    this.#version += 1;
    return row;
  }

  /** Marks the player's open assignment; false when there is none. */
  depart(playerId: string, token: string): boolean {
    const isMarked = this.#open.has(playerId);
    if (isMarked) this.#departed.set(playerId, token);
    return isMarked;
  }

  hasDeparted(playerId: string, token: string): boolean {
    return this.#departed.get(playerId) === token;
  }

  /** The player is there: their departure is void. */
  welcome(playerId: string): void {
    this.#departed.delete(playerId);
  }

  standing(playerId: string): OwnStanding {
    const player = this.#players.get(playerId);
    if (player === undefined || player.total === 0) return { rank: null, points: 0 };
    return { rank: this.#ranks.placeOf({ id: playerId, player }) + 1, points: player.total };
  }

  top(limit: number): Standing[] {
    return this.#ranks
      .slice(0, limit)
      .map(({ id, player: { name, total } }, index) => ({ rank: index + 1, playerId: id, name, points: total }));
  }
}
