import type { Clock } from "../../clock.ts";
import { type ErrorCode, toRingmasterError } from "../../errors.ts";
import type { BoardPage, Leaderboard } from "../../stores/tournaments/Leaderboard.ts";
import type { Log } from "../runtime/ports.ts";
import type { ScoreJournal } from "./ScoreJournal.ts";
import type { TournamentView } from "./TournamentView.ts";

export interface ReconciliationPorts {
  leaderboard: Pick<Leaderboard, "page">;
  journal: Pick<ScoreJournal, "countTo">;
  clock: Clock;
  log: Log;
  /** Loads the board from what is committed; false when somebody else is doing so. */
  rebuild(table: TournamentView): Promise<boolean>;
}

/** How far the board has come is read once nothing has raised it again for this long. */
const LOOK_AFTER_MS = 500;
/** Most players who were not answered have tried again by then, and most commits that were under way are over. */
const CHECK_AFTER_MS = 4500;
/** A board that is raised again and again is checked after this all the same. */
const LONGEST_MS = 60_000;
/** Tournaments that need not be checked once more when a first room comes; forgotten all at once when they are more. */
const MOST_CHECKED = 10_000;

/** What a tournament says that takes nothing any more, or is gone. */
const IS_OVER: ReadonlySet<ErrorCode> = new Set(["wrong_phase", "not_found"]);

interface UncertainBoard {
  /** The latest that the node has had of the tournament. */
  table: TournamentView;
  /** How often it was added to. */
  raises: number;
}

/**
 * Compares boards with what is committed: those that may count what was never committed, since a node was lost or a commit failed between the two. Whoever submits again
 * has it committed; when something is left after a while, the board is loaded anew, so that it shows nobody a score that will not
 * be in the result. To find out, all entries of a tournament are read: of one tournament at a time.
 *
 * States of a board:
 *   (right)   to raised when something was decided and perhaps not committed, or its first room comes (`opened`);
 *   raised    to looking once nothing has raised it again for a while, and after the longest wait at the latest;
 *   looking   how far it has come is noted; to checking when commits under way then are over; to raised when it was raised again;
 *   checking  its entries are counted in the database; to (right) when all are there, or the tournament takes none any more; to loading
 *             when some are missing and no more of them come;
 *   loading   is loaded anew from what is committed; then to raised.
 */
export class BoardReconciliation {
  readonly #ports: ReconciliationPorts;
  /** By tournament. */
  readonly #uncertain = new Map<string, UncertainBoard>();
  /** What was found right since this node began and has last lost a peer, or the shared memory. */
  readonly #checked = new Set<string>();
  #counting: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(ports: ReconciliationPorts) {
    this.#ports = ports;
  }

  /** Something was decided, and perhaps not committed. */
  raise(table: TournamentView): void {
    const known = this.#uncertain.get(table.id);
    if (known) {
      known.table = table;
      known.raises += 1;
    } else void this.#begin({ table, raises: 0 });
  }

  /** A tournament has its first room here: whoever had rooms before may be gone, without anybody having noticed. */
  opened(table: TournamentView): void {
    if (!this.#checked.has(table.id)) this.raise(table);
  }

  /** What was judged may be wrong by now: a peer is gone, which may have decided something on any board, or boards are lost. */
  forget(): void {
    this.#checked.clear();
    for (const board of this.#uncertain.values()) board.raises += 1;
  }

  /** Checks none any more: this node leaves. Those that outlive it check its boards. */
  close(): void {
    this.#isClosed = true;
  }

  async #begin(board: UncertainBoard): Promise<void> {
    const { id } = board.table;
    this.#uncertain.set(id, board);
    let isCleared = false;
    while (!isCleared) isCleared = await this.#isCleared(board);
    this.#uncertain.delete(id);
    if (this.#checked.size === MOST_CHECKED) this.#checked.clear();
    this.#checked.add(id);
  }

  /** Whether nothing is left of the board; to be asked again until that is so. */
  async #isCleared(board: UncertainBoard): Promise<boolean> {
    const { log, rebuild } = this.#ports;
    try {
      const { seen, raises } = await this.#look(board);
      if (!(await this.#isWrong(board.table, seen))) return board.raises === raises;
      await rebuild(board.table);
    } catch (error) {
      if (IS_OVER.has(toRingmasterError(error).code)) return true;
      const tournament = board.table.id;
      log.warn({ err: error, tournament }, "a board that may count what is not committed could not be checked yet");
      await this.#pause(CHECK_AFTER_MS);
    }
    return false;
  }

  /** What the board had decided some while ago, if it was there, and how often it had been raised by then. */
  async #look(board: UncertainBoard): Promise<{ seen: BoardPage | undefined; raises: number }> {
    const { clock } = this.#ports;
    const lookBy = clock.monotonic() + LONGEST_MS;
    for (;;) {
      const { raises } = board;
      await this.#pause(LOOK_AFTER_MS);
      const isOverdue = clock.monotonic() >= lookBy;
      if (board.raises !== raises && !isOverdue) continue;
      const seen = await this.#board(board.table);
      if (seen !== undefined) await this.#pause(CHECK_AFTER_MS);
      if (board.raises === raises || isOverdue) return { seen, raises };
    }
  }

  /** Whether the board still counts what it had decided, and not all of that is committed, nor on its way. */
  async #isWrong(table: TournamentView, seen: BoardPage | undefined): Promise<boolean> {
    let before: number | undefined;
    while (seen !== undefined) {
      const committed = await this.#count(table.id, seen.seq);
      if (committed === seen.version) return false;
      const now = await this.#board(table);
      if (now === undefined) break;
      // One that was loaded since then holds nothing but what is committed.
      if (now.epoch > seen.epoch) return false;
      if (committed === before) return true;
      before = committed;
      await this.#pause(CHECK_AFTER_MS);
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
  async #board({ key, isTaking }: TournamentView): Promise<BoardPage | undefined> {
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
