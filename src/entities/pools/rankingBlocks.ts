import { exactDouble, type Sql, type Transaction } from "../sql.ts";
import { BEST_PLAYER_FIRST, keyOf, RANKING, type RankingKey } from "./Ranking.ts";

/**
 * A ranking's players are sorted by an index. Which rank that makes is told by **blocks**: where each thousand players begins, and how many
 * come before. So a player who moves changes some blocks, and not the rows of everybody in between; and a rank is found by reading
 * within one block.
 */

/** Players a block. */
export const BLOCK = 1000;

/** A player's position in the order of a ranking. */
export interface Position {
  score: number;
  reachedAt: number;
  reachedSeq: number;
  playerId: string;
}

/** The first player of a block. */
export interface Block extends Position {
  before: number;
}

interface PositionRow {
  exact_score: unknown;
  reached_at: unknown;
  reached_seq: unknown;
  player_id: string;
}

const position = ({ dialect }: Sql): string =>
  `${exactDouble(dialect, "score")} AS exact_score, reached_at, reached_seq, player_id`;

/** The blocks of a ranking as it is now, and how many players it has. Reads a block at a time; throws the signal's reason once it is aborted. */
export async function findBlocks(
  sql: Sql,
  ranking: RankingKey,
  signal: AbortSignal,
): Promise<{ blocks: Block[]; players: number }> {
  const blocks: Block[] = [];
  let next = await positionAt(sql, ranking, undefined, 0);
  while (next) {
    signal.throwIfAborted();
    blocks.push({ ...next, before: blocks.length * BLOCK });
    next = await positionAt(sql, ranking, next, BLOCK);
  }
  const last = blocks.at(-1);
  if (!last) return { blocks, players: 0 };
  return { blocks, players: last.before + (await playersFrom(sql, ranking, last, BLOCK)).length };
}

/** Replaces a ranking's blocks, inside a transaction. */
export async function storeBlocks(tx: Transaction, ranking: RankingKey, blocks: readonly Block[]): Promise<void> {
  await tx.write(`DELETE FROM ranking_blocks WHERE ${RANKING}`, keyOf(ranking));
  if (blocks.length === 0) return;
  const columns = ["game", "period", "starts_at", "players_before", "score", "reached_at", "reached_seq", "player_id"];
  await tx.load(
    "ranking_blocks",
    columns,
    blocks.map(({ before, score, reachedAt, reachedSeq, playerId }) => [
      ...[ranking.game, ranking.period, ranking.startsAt, before],
      ...[score, reachedAt, reachedSeq, playerId],
    ]),
  );
}

/** The block that the player behind `offset` others is in; `undefined` when there are none. */
export async function blockAt(sql: Sql, ranking: RankingKey, offset: number): Promise<Block | undefined> {
  const [row] = await sql.query<PositionRow & { players_before: unknown }>(
    `SELECT players_before, ${position(sql)} FROM ranking_blocks
     WHERE ${RANKING} AND players_before <= ? ORDER BY players_before DESC LIMIT 1`,
    [...keyOf(ranking), offset],
  );
  return row && { ...positionOf(row), before: Number(row.players_before) };
}

/** How many players come before this one; `undefined` for a player who is in no block. */
export async function playersBefore(sql: Sql, ranking: RankingKey, playerId: string): Promise<number | undefined> {
  const [own] = await sql.query<PositionRow>(
    `SELECT ${position(sql)} FROM rankings WHERE ${RANKING} AND player_id = ?`,
    [...keyOf(ranking), playerId],
  );
  if (!own) return undefined;
  const [condition, params] = notBehind(positionOf(own));
  const [row] = await sql.query<PositionRow & { players_before: unknown }>(
    `SELECT players_before, ${position(sql)} FROM ranking_blocks
     WHERE ${RANKING} AND ${condition} ORDER BY players_before DESC LIMIT 1`,
    [...keyOf(ranking), ...params],
  );
  if (!row) return undefined;
  // A little more than a block: some may have come since it was found.
  const players = await playersFrom(sql, ranking, positionOf(row), 2 * BLOCK);
  const at = players.indexOf(playerId);
  return at === -1 ? undefined : Number(row.players_before) + at;
}

/**
 * The condition that a player is at this position or behind it, and its parameters. Written so that a database reads it as ranges of
 * the index: it begins at the position, also where many have the same score.
 */
export function fromOn({ score, reachedAt, reachedSeq, playerId }: Position): [condition: string, params: unknown[]] {
  return [
    `(score < ? OR (score = ? AND (reached_at > ? OR (reached_at = ? AND (reached_seq > ? OR (reached_seq = ? AND player_id >= ?))))))`,
    [score, score, reachedAt, reachedAt, reachedSeq, reachedSeq, playerId],
  ];
}

/** The condition that a position is this one or one before it. */
function notBehind({ score, reachedAt, reachedSeq, playerId }: Position): [condition: string, params: unknown[]] {
  return [
    `(score > ? OR (score = ? AND (reached_at < ? OR (reached_at = ? AND (reached_seq < ? OR (reached_seq = ? AND player_id <= ?))))))`,
    [score, score, reachedAt, reachedAt, reachedSeq, reachedSeq, playerId],
  ];
}

/** The position so many players behind another, or behind the begin. */
async function positionAt(
  sql: Sql,
  ranking: RankingKey,
  from: Position | undefined,
  offset: number,
): Promise<Position | undefined> {
  const [condition, params] = from ? fromOn(from) : ["1 = 1", []];
  const [row] = await sql.query<PositionRow>(
    `SELECT ${position(sql)} FROM rankings WHERE ${RANKING} AND ${condition}
     ORDER BY ${BEST_PLAYER_FIRST} LIMIT 1 OFFSET ${offset}`,
    [...keyOf(ranking), ...params],
  );
  return row && positionOf(row);
}

async function playersFrom(sql: Sql, ranking: RankingKey, from: Position, limit: number): Promise<string[]> {
  const [condition, params] = fromOn(from);
  const rows = await sql.query<{ player_id: string }>(
    `SELECT player_id FROM rankings WHERE ${RANKING} AND ${condition} ORDER BY ${BEST_PLAYER_FIRST} LIMIT ${limit}`,
    [...keyOf(ranking), ...params],
  );
  return rows.map(({ player_id }) => player_id);
}

function positionOf({ exact_score, reached_at, reached_seq, player_id }: PositionRow): Position {
  return {
    score: Number(exact_score),
    reachedAt: Number(reached_at),
    reachedSeq: Number(reached_seq),
    playerId: player_id,
  };
}
