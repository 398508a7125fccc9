import type { Clock } from "../../clock.ts";
import { type ErrorCode, toRingmasterError } from "../../errors.ts";
import type { BoardPage, Leaderboard } from "../../stores/tournaments/Leaderboard.ts";
import type { ScoreJournal } from "../../stores/tournaments/ScoreJournal.ts";
import type { Log } from "../runtime/ports.ts";
import type { TournamentTable } from "./TournamentTable.ts";

export interface DoubtPorts {
  leaderboard: Pick<Leaderboard, "page">;
  journal: Pick<ScoreJournal, "countTo">;
  clock: Clock;
  log: Log;
  /** Loads the board from what is committed; false when somebody else is doing so. */
  rebuild(table: TournamentTable): Promise<boolean>;
}

/** How far the board has come is read once nothing has added to the doubt for this long. */
const LOOK_AFTER_MS = 500;
/** Most players who were not answered have tried again by then, and most commits that were under way are over. */
const JUDGE_AFTER_MS = 4500;
/** A doubt that is added to again and again is judged after this all the same. */
const LONGEST_MS = 60_000;
/** Tournaments that need not be judged once more when a first room comes; forgotten all at once when they are more. */
const MOST_JUDGED = 10_000;

/** What a tournament says that takes nothing any more, or is gone. */
const IS_OVER: ReadonlySet<ErrorCode> = new Set(["wrong_phase", "not_found"]);

interface Doubt {
  /** The latest that the node has had of the tournament. */
  table: TournamentTable;
  /** How often it was added to. */
  raises: number;
}

/**
 * Boards that may count what was never committed, since a node was lost or a commit failed between the two. Whoever submits again
 * has it committed; when something is left after a while, the board is loaded anew, so that it shows nobody a score that will not
 * be in the result. To find out, all entries of a tournament are read: of one tournament at a time.
 */
export class Doubts {
  readonly #ports: DoubtPorts;
  /** By tournament. */
  readonly #open = new Map<string, Doubt>();
  /** What was found right since this node began and has last lost a peer, or the shared memory. */
  readonly #judged = new Set<string>();
  #counting: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(ports: DoubtPorts) {
    this.#ports = ports;
  }

  /** Something was decided, and perhaps not committed. */
  raise(table: TournamentTable): void {
    const known = this.#open.get(table.id);
    if (known) {
      known.table = table;
      known.raises += 1;
    } else void this.#begin({ table, raises: 0 });
  }

  /** A tournament has its first room here: whoever had rooms before may be gone, without anybody having noticed. */
  opened(table: TournamentTable): void {
    if (!this.#judged.has(table.id)) this.raise(table);
  }

  /** What was judged may be wrong by now: a peer is gone, which may have decided something on any board, or boards are lost. */
  forget(): void {
    this.#judged.clear();
    for (const doubt of this.#open.values()) doubt.raises += 1;
  }

  /** Clears none any more: this node leaves. Those that outlive it take its doubts over. */
  close(): void {
    this.#isClosed = true;
  }

  async #begin(doubt: Doubt): Promise<void> {
    const { id } = doubt.table;
    this.#open.set(id, doubt);
    let isCleared = false;
    while (!isCleared) isCleared = await this.#isCleared(doubt);
    this.#open.delete(id);
    if (this.#judged.size === MOST_JUDGED) this.#judged.clear();
    this.#judged.add(id);
  }

  /** Whether nothing is left of the doubt; to be asked again until that is so. */
  async #isCleared(doubt: Doubt): Promise<boolean> {
    const { log, rebuild } = this.#ports;
    try {
      const { seen, raises } = await this.#look(doubt);
      if (!(await this.#isWrong(doubt.table, seen))) return doubt.raises === raises;
      await rebuild(doubt.table);
    } catch (error) {
      if (IS_OVER.has(toRingmasterError(error).code)) return true;
      const tournament = doubt.table.id;
      log.warn({ err: error, tournament }, "a board that may count what is not committed could not be checked yet");
      await this.#pause(JUDGE_AFTER_MS);
    }
    return false;
  }

  /** What the board had decided some while ago, if it was there, with all that was in doubt when so much had been added to the doubt. */
  async #look(doubt: Doubt): Promise<{ seen: BoardPage | undefined; raises: number }> {
    const { clock } = this.#ports;
    const lookBy = clock.monotonic() + LONGEST_MS;
    for (;;) {
      const { raises } = doubt;
      await this.#pause(LOOK_AFTER_MS);
      const isOverdue = clock.monotonic() >= lookBy;
      if (doubt.raises !== raises && !isOverdue) continue;
      const seen = await this.#board(doubt.table);
      if (seen !== undefined) await this.#pause(JUDGE_AFTER_MS);
      if (doubt.raises === raises || isOverdue) return { seen, raises };
    }
  }

  /** Whether the board still counts what it had decided, and not all of that is committed, nor on its way. */
  async #isWrong(table: TournamentTable, seen: BoardPage | undefined): Promise<boolean> {
    let before: number | undefined;
    while (seen !== undefined) {
      const committed = await this.#count(table.id, seen.seq);
      if (committed === seen.version) return false;
      const board = await this.#board(table);
      if (board === undefined) break;
      // One that was loaded since then holds nothing but what is committed.
      if (board.epoch > seen.epoch) return false;
      if (committed === before) return true;
      before = committed;
      await this.#pause(JUDGE_AFTER_MS);
    }
    // A board that is missing is loaded for the next score; until one comes, rooms would show nothing, or what it showed last.
    return table.isTaking;
  }

  #count(tournamentId: string, seq: number): Promise<number> {
    const counted = this.#counting.then(() => this.#ports.journal.countTo(tournamentId, seq));
    this.#counting = counted.catch(() => {});
    return counted;
  }

  /** The board without rows; `undefined` where nothing is taken, and where it is missing. */
  async #board({ key, isTaking }: TournamentTable): Promise<BoardPage | undefined> {
    return isTaking ? await this.#ports.leaderboard.page(key, 0, 0) : undefined;
  }

  /** Is never over once this node leaves. */
  #pause(ms: number): Promise<void> {
    const { clock } = this.#ports;
    return new Promise((resolve) => {
      clock.schedule(() => {
        if (!this.#isClosed) resolve();
      }, ms);
    });
  }
}
