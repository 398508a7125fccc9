import { LARGEST_SCORE } from "../../src/entities/tournaments/precision.ts";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import type { BoardKey, BoardRules, Leaderboard } from "../../src/stores/tournaments/Leaderboard.ts";
import { MemoryLeaderboard } from "../../src/stores/tournaments/MemoryLeaderboard.ts";
import { RedisLeaderboard } from "../../src/stores/tournaments/RedisLeaderboard.ts";
import { sharedRedis } from "../support/servers.ts";

/** A leaderboard under test. */
export interface OpenLeaderboard {
  leaderboard: Leaderboard;
  /** Loses everything that it holds of the board, as a Redis that died does. */
  wipe(board: BoardKey): Promise<void>;
  close(): Promise<void>;
}

/** Both implementations, by the name that a test's title gives them. */
export const LEADERBOARDS: { name: string; open: () => Promise<OpenLeaderboard> }[] = [
  {
    name: "MemoryLeaderboard",
    async open() {
      const leaderboard = new MemoryLeaderboard();
      return { leaderboard, wipe: (board) => leaderboard.drop(board), close: () => leaderboard.close() };
    },
  },
  {
    name: "RedisLeaderboard",
    async open() {
      const redis = connectRedis((await sharedRedis()).url, "leaderboard-test");
      await whenReady(redis);
      const leaderboard = new RedisLeaderboard(redis);
      return {
        leaderboard,
        async wipe({ id }) {
          const keys = await redis.keys(`{board:${id}}:*`);
          if (keys.length > 0) await redis.unlink(...keys);
        },
        async close() {
          await leaderboard.close();
          redis.disconnect();
        },
      };
    },
  },
];

let boards = 0;

/** A board that no other test has; it takes whatever its rules say nothing about. */
export function freshBoard(rules: Partial<BoardRules> = {}): BoardKey {
  boards += 1;
  return {
    id: `test-${process.pid}-${boards}`,
    rules: {
      ...{ operator: "best", order: "desc", maxEntries: 100_000, maxSubmissions: 5_000_000 },
      ...{ minScore: -LARGEST_SCORE, maxScore: LARGEST_SCORE, submissionsPerMinute: 100_000 },
      ...rules,
    },
  };
}
