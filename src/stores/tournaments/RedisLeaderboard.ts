import type { Redis } from "ioredis";
import { RingmasterError } from "../../errors.ts";
import { Coalescer } from "../runtime/Coalescer.ts";
import { RedisRun } from "../runtime/RedisRun.ts";
import { LuaScript } from "../runtime/redis.ts";
import { allKeys, type StagedKeys, StagedLoad, stagedKeys } from "../runtime/StagedLoad.ts";
import * as wire from "./boardWire.ts";
import {
  type BoardKey,
  type BoardPage,
  type BoardRules,
  type BoardSnapshot,
  type Leaderboard,
  REMEMBERED,
  type Submission,
  type SubmitDecision,
} from "./Leaderboard.ts";
import { assertRange, checkedSubmission } from "./submissions.ts";

const SUBMIT = new LuaScript(new URL("./submit.lua", import.meta.url));
const ROWS = new LuaScript(new URL("./rows.lua", import.meta.url));
const STAGE = new LuaScript(new URL("./stage.lua", import.meta.url));

/** The order is that of KEYS in `submit.lua`, behind meta. */
const COLLECTIONS = ["players", "ranks"] as const;
/** Players a call of `stage.lua`, each with up to `REMEMBERED` entries: some milliseconds of Redis. */
const STAGE_CHUNK = 250;

interface Pending {
  rules: BoardRules;
  submission: Submission;
}

/**
 * The board in Redis, shared by all nodes. Submissions to one board that come in one turn of the event loop share a call.
 *
 * Memory in Redis: some 300 bytes a player with one entry, and 0.8 kB a player with `REMEMBERED` or more, with ids and names of a
 * dozen characters; a player's id is held twice, the name once, the submissions' ids once each. Nothing grows with the entries ever
 * made.
 *
 * It belongs to one run of the server (`RedisRun`, which also says what `redis` must be).
 */
export class RedisLeaderboard implements Leaderboard {
  readonly #run: RedisRun;
  readonly #coalescer: Coalescer<Pending, SubmitDecision>;
  #isClosed = false;

  constructor(redis: Redis) {
    this.#run = new RedisRun(redis);
    this.#coalescer = new Coalescer({ batch: (boardId, pending) => this.#decide(boardId, pending) });
  }

  async submit(board: BoardKey, submission: Submission): Promise<SubmitDecision> {
    return this.#coalescer.ask(board.id, { rules: board.rules, submission: checkedSubmission(submission) });
  }

  async page(board: BoardKey, offset: number, limit: number): Promise<BoardPage | undefined> {
    assertRange(offset, limit);
    return this.#rows(board, [limit, offset]);
  }

  async around(board: BoardKey, playerId: string, limit: number): Promise<BoardPage | undefined> {
    assertRange(0, limit);
    return this.#rows(board, [limit, 0, playerId]);
  }

  async load(board: BoardKey, { epoch, submissions, players }: BoardSnapshot): Promise<boolean> {
    this.#assertOpen();
    const load = new StagedLoad(this.#run, keysOf(board.id), epoch);
    if (!(await load.begin())) return false;
    let [count, seq] = [0, 0];
    const isStaged = await load.stage(STAGE, players, STAGE_CHUNK, (chunk) => {
      count += chunk.length;
      for (const { latest } of chunk) seq = Math.max(seq, latest.seq);
      return chunk.flatMap((player) => wire.stagedPlayer(player, board.rules.order));
    });
    if (!isStaged) return false;
    return load.finish([count, count], { seq, submissions });
  }

  async drop(board: Pick<BoardKey, "id">): Promise<void> {
    this.#assertOpen();
    await this.#run.unlink(allKeys(keysOf(board.id)));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#coalescer.close();
    this.#run.close();
  }

  async #decide(boardId: string, pending: readonly Pending[]): Promise<SubmitDecision[]> {
    const { operator, order, maxEntries, maxSubmissions, minScore, maxScore, submissionsPerMinute } = pending[0]!.rules;
    const submissions = pending.map(({ submission }) => submission);
    const reply = await this.#run.callForBytes(SUBMIT, liveKeys(boardId), [
      ...[operator, order, maxEntries, maxSubmissions, minScore, maxScore, submissionsPerMinute, REMEMBERED],
      ...wire.packSubmissions(submissions),
    ]);
    return reply === null ? pending.map(() => ({ kind: "missing" })) : wire.decisionsOf(reply as Buffer, submissions);
  }

  async #rows(board: BoardKey, args: readonly (string | number)[]): Promise<BoardPage | undefined> {
    this.#assertOpen();
    const reply = await this.#run.callForBytes(ROWS, liveKeys(board.id), [board.rules.order, ...args]);
    return reply === null ? undefined : wire.pageOf(reply as Buffer);
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new RingmasterError("draining");
  }
}

function keysOf(boardId: string): StagedKeys {
  return stagedKeys(`board:${boardId}`, COLLECTIONS);
}

/** As `submit.lua` and `rows.lua` take them. */
function liveKeys(boardId: string): string[] {
  const { meta, live } = keysOf(boardId);
  return [meta, ...live];
}
