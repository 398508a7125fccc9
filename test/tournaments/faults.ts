import type { EntryCommit } from "../../src/actors/tournaments/entries.ts";
import { ScoreJournal } from "../../src/actors/tournaments/ScoreJournal.ts";
import type { CommitResult } from "../../src/entities/journaling.ts";
import { RingmasterError } from "../../src/errors.ts";
import type {
  BoardKey,
  BoardPage,
  BoardSnapshot,
  Leaderboard,
  Submission,
  SubmitDecision,
} from "../../src/stores/tournaments/Leaderboard.ts";

/** What befalls one step: it fails and nothing has happened, it happens and nobody is told, or it goes well. */
export type Mishap = "not done" | "not told" | undefined;

const unavailable = (): RingmasterError => new RingmasterError("unavailable");

async function suffer<T>(mishap: Mishap, step: () => Promise<T>): Promise<T> {
  if (mishap === "not done") throw unavailable();
  const result = await step();
  if (mishap === "not told") throw unavailable();
  return result;
}

/** A journal whose commits a test holds up, or has fail. */
export class FaultyJournal extends ScoreJournal {
  /** What befalls the next commit. */
  fate: () => Mishap = () => undefined;
  /** Is called, and waited for, before each commit. */
  before: () => Promise<void> = async () => {};
  /** Is called, and waited for, before it counts. */
  beforeCount: () => Promise<void> = async () => {};
  /** How often it has counted. */
  counts = 0;
  #held: Promise<void> = Promise.resolve();

  /** Holds all commits from now on until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return resolve;
  }

  override async commit(
    id: string,
    game: string,
    epoch: number,
    commits: readonly EntryCommit[],
  ): Promise<CommitResult> {
    await this.#held;
    await this.before();
    return await suffer(this.fate(), () => super.commit(id, game, epoch, commits));
  }

  override async countTo(id: string, seq: number): Promise<number> {
    await this.beforeCount();
    this.counts += 1;
    return await super.countTo(id, seq);
  }
}

/** The way of one node to a leaderboard. */
export class FaultyLeaderboard implements Leaderboard {
  /** What befalls the next submission. */
  fate: () => Mishap = () => undefined;
  /** Is called, and waited for, before each submission. */
  before: (board: BoardKey) => Promise<void> = async () => {};
  /** How often its rows were read. */
  reads = 0;
  readonly #base: Leaderboard;

  constructor(base: Leaderboard) {
    this.#base = base;
  }

  async submit(board: BoardKey, submission: Submission): Promise<SubmitDecision> {
    await this.before(board);
    return await suffer(this.fate(), () => this.#base.submit(board, submission));
  }

  page(board: BoardKey, offset: number, limit: number): Promise<BoardPage | undefined> {
    this.reads += 1;
    return this.#base.page(board, offset, limit);
  }

  around(board: BoardKey, playerId: string, limit: number): Promise<BoardPage | undefined> {
    this.reads += 1;
    return this.#base.around(board, playerId, limit);
  }

  load(board: BoardKey, snapshot: BoardSnapshot): Promise<boolean> {
    return this.#base.load(board, snapshot);
  }

  drop(board: BoardKey): Promise<void> {
    return this.#base.drop(board);
  }

  async close(): Promise<void> {}
}
