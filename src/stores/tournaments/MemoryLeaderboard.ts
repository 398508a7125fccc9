import { RingmasterError } from "../../errors.ts";
import type { BoardKey, BoardPage, BoardSnapshot, Leaderboard, Submission, SubmitDecision } from "./Leaderboard.ts";
import { MemoryBoard } from "./MemoryBoard.ts";
import { assertRange, checkedSubmission } from "./submissions.ts";

/** The boards of a single process: gone with it, and rebuilt from the database like those that Redis has lost. */
export class MemoryLeaderboard implements Leaderboard {
  readonly #boards = new Map<string, MemoryBoard>();
  #isClosed = false;

  async submit(board: BoardKey, submission: Submission): Promise<SubmitDecision> {
    const checked = checkedSubmission(submission);
    return this.#find(board)?.submit(board.rules, checked) ?? { kind: "missing" };
  }

  async page(board: BoardKey, offset: number, limit: number): Promise<BoardPage | undefined> {
    assertRange(offset, limit);
    return this.#find(board)?.page(offset, limit);
  }

  async around(board: BoardKey, playerId: string, limit: number): Promise<BoardPage | undefined> {
    assertRange(0, limit);
    return this.#find(board)?.around(playerId, limit);
  }

  async load(board: BoardKey, snapshot: BoardSnapshot): Promise<boolean> {
    if (this.#isOutdated(board, snapshot)) return false;
    const loaded = new MemoryBoard(snapshot, board.rules.order);
    for await (const player of snapshot.players) loaded.add(player);
    // another load may have come first meanwhile
    if (this.#isOutdated(board, snapshot)) return false;
    this.#boards.set(board.id, loaded);
    return true;
  }

  async drop(board: Pick<BoardKey, "id">): Promise<void> {
    this.#find(board);
    this.#boards.delete(board.id);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#boards.clear();
  }

  #isOutdated(board: BoardKey, { epoch }: BoardSnapshot): boolean {
    const current = this.#find(board);
    return current !== undefined && current.epoch >= epoch;
  }

  #find({ id }: Pick<BoardKey, "id">): MemoryBoard | undefined {
    if (this.#isClosed) throw new RingmasterError("draining");
    return this.#boards.get(id);
  }
}
