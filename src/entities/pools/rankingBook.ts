import { insertNew } from "../insertNew.ts";
import type { Database, Sql, Transaction } from "../sql.ts";
import { scoreSigns } from "../tournaments/Game.ts";
import { COUNTED, countedInTime } from "./entries.ts";
import type { Period } from "./Pool.ts";
import { keyOf, RANKING, type RankingKey, type RankingPeriod } from "./Ranking.ts";
import { findBlocks, storeBlocks } from "./rankingBlocks.ts";

/** Must be there before it can be locked. */
export async function ensureMark(sql: Sql, game: string): Promise<void> {
  const [known] = await sql.query("SELECT 1 FROM ranking_marks WHERE game = ?", [game]);
  if (!known) await insertNew(sql, { table: "ranking_marks", columns: ["game", "counted_until"] }, [[game, 0]]);
}

export async function moveMark(tx: Transaction, game: string, until: number): Promise<void> {
  await tx.write("UPDATE ranking_marks SET counted_until = ? WHERE game = ?", [until, game]);
}

/** The time of the `count`th entry of the game from `from` on and before `until`; `undefined` when there are fewer. */
export async function storedAtOf(
  sql: Sql,
  game: string,
  { startsAt, endsAt }: Period,
  count: number,
): Promise<number | undefined> {
  const [row] = await sql.query<{ stored_at: unknown }>(
    `SELECT stored_at FROM score_entries WHERE game = ? AND stored_at >= ? AND stored_at < ? ORDER BY stored_at LIMIT 1 OFFSET ${count - 1}`,
    [game, startsAt, endsAt],
  );
  return row && Number(row.stored_at);
}

/** Adds the entries of `part`, which must be later than all that have been added, to a ranking. */
export async function addEntries(tx: Transaction, ranking: RankingKey, part: Period): Promise<void> {
  const [conflict, added] =
    tx.dialect === "mysql"
      ? ["ON DUPLICATE KEY UPDATE", (column: string) => `VALUES(${column})`]
      : ["ON CONFLICT (game, period, starts_at, player_id) DO UPDATE SET", (column: string) => `excluded.${column}`];
  const ifBetter = (column: string): string =>
    `${column} = CASE WHEN ${added("score")} > rankings.score THEN ${added(column)} ELSE rankings.${column} END`;
  const { affected } = await tx.write(
    `${insertBest(await signOfGame(tx, ranking), countedInTime(tx), "")}
     ${conflict} entries = rankings.entries + ${added("entries")},
       ${["player_name", "reached_at", "reached_seq", "score"].map(ifBetter).join(", ")}`,
    [...keyOf(ranking), ranking.game, part.startsAt, part.endsAt],
  );
  if (affected > 0) await noteChange(tx, ranking);
}

/**
 * What a ranking says of the players of a tournament, anew from their entries before `until`: for when its entries do not count
 * any more.
 */
export async function recountPlayersOf(
  tx: Transaction,
  ranking: RankingKey,
  tournamentId: string,
  until: number,
): Promise<void> {
  const players = "player_id IN (SELECT player_id FROM score_entries WHERE tournament_id = ?)";
  await tx.write(`DELETE FROM rankings WHERE ${RANKING} AND ${players}`, [...keyOf(ranking), tournamentId]);
  const end = Math.min(ranking.endsAt, until);
  await tx.write(insertBest(await signOfGame(tx, ranking), COUNTED, `AND e.${players}`), [
    ...keyOf(ranking),
    ranking.game,
    ranking.startsAt,
    end,
    tournamentId,
  ]);
  await noteChange(tx, ranking);
}

async function signOfGame(sql: Sql, { game }: RankingKey): Promise<1 | -1> {
  return (await scoreSigns(sql)).get(game) ?? 1;
}

/** Each player's best entry, by its merit, and how many they have. Parameters: the ranking's key, then the game and the time of the entries. */
function insertBest(sign: 1 | -1, entries: string, condition: string): string {
  const merit = sign === 1 ? "e.score" : "0 - e.score";
  return `INSERT INTO rankings (game, period, starts_at, player_id, player_name, score, reached_at, reached_seq, entries)
    SELECT ?, ?, ?, player_id, player_name, merit, stored_at, seq, entries FROM (
      SELECT e.player_id, e.player_name, ${merit} AS merit, e.stored_at, e.seq,
        ROW_NUMBER() OVER (PARTITION BY e.player_id ORDER BY ${merit} DESC, e.stored_at, e.seq, e.tournament_id) AS nth,
        COUNT(*) OVER (PARTITION BY e.player_id) AS entries
      FROM ${entries} WHERE e.game = ? AND e.stored_at >= ? AND e.stored_at < ? ${condition}
    ) best WHERE nth = 1`;
}

async function noteChange(tx: Transaction, ranking: RankingKey): Promise<void> {
  const conflict =
    tx.dialect === "mysql" ? "ON DUPLICATE KEY UPDATE" : "ON CONFLICT (game, period, starts_at) DO UPDATE SET";
  await tx.write(
    `INSERT INTO ranking_periods (game, period, starts_at, ends_at, changes, ranked_changes, players)
     VALUES (?, ?, ?, ?, 1, 0, 0) ${conflict} changes = ranking_periods.changes + 1`,
    [...keyOf(ranking), ranking.endsAt],
  );
}

/** The game's rankings that have changed since they were ranked. */
export function changedRankings(sql: Sql, game: string): Promise<RankingKey[]> {
  return rankingsWhere(sql, game, "changes <> ranked_changes", []);
}

/** The game's rankings with anything of this time. */
export function rankingsOf(sql: Sql, game: string, { startsAt, endsAt }: Period): Promise<RankingKey[]> {
  return rankingsWhere(sql, game, "starts_at < ? AND ends_at > ?", [endsAt, startsAt]);
}

async function rankingsWhere(
  sql: Sql,
  game: string,
  condition: string,
  params: readonly number[],
): Promise<RankingKey[]> {
  const rows = await sql.query<{ period: RankingPeriod; starts_at: unknown; ends_at: unknown }>(
    `SELECT period, starts_at, ends_at FROM ranking_periods WHERE game = ? AND ${condition} ORDER BY starts_at, period`,
    [game, ...params],
  );
  return rows.map(({ period, starts_at, ends_at }) => ({
    game,
    period,
    startsAt: Number(starts_at),
    endsAt: Number(ends_at),
  }));
}

/**
 * Finds the ranks of a ranking's players anew; no two share one. Nothing is locked but the ranking's blocks, for the moment in which they are
 * replaced. Answers how many players there are.
 */
export async function rank(
  database: Sql & Pick<Database, "transaction">,
  ranking: RankingKey,
  now: number,
  signal: AbortSignal,
): Promise<number> {
  const [row] = await database.query<{ changes: unknown }>(
    `SELECT changes FROM ranking_periods WHERE ${RANKING}`,
    keyOf(ranking),
  );
  const { blocks, players } = await findBlocks(database, ranking, signal);
  await database.transaction(async (tx) => {
    // First, since it locks the row: two who replace the blocks at once would both insert them.
    await tx.write(`UPDATE ranking_periods SET ranked_changes = ?, ranked_at = ?, players = ? WHERE ${RANKING}`, [
      Number(row!.changes),
      now,
      players,
      ...keyOf(ranking),
    ]);
    await storeBlocks(tx, ranking, blocks);
  });
  return players;
}

/** A cancelled tournament whose entries may be in the rankings yet. */
export interface Cancelled {
  id: string;
  /** When its entries were stored; `undefined` when it has none. */
  time: Period | undefined;
}

/** The game's tournaments that have been cancelled since their entries were counted. */
export async function newlyCancelled(sql: Sql, game: string): Promise<Cancelled[]> {
  const rows = await sql.query<{ id: string; first: unknown; last: unknown }>(
    `SELECT t.id, (SELECT MIN(stored_at) FROM score_entries WHERE tournament_id = t.id) AS first,
       (SELECT MAX(stored_at) FROM score_entries WHERE tournament_id = t.id) AS last
     FROM tournaments t LEFT JOIN ranking_exclusions x ON x.tournament_id = t.id
     WHERE t.game = ? AND t.phase = 'cancelled' AND x.tournament_id IS NULL`,
    [game],
  );
  return rows.map(({ id, first, last }) => ({
    id,
    time: first === null ? undefined : { startsAt: Number(first), endsAt: Number(last) + 1 },
  }));
}

/** Notes that the entries of a cancelled tournament are in no ranking any more. */
export async function exclude(sql: Sql, tournamentId: string, now: number): Promise<void> {
  const exclusions = { table: "ranking_exclusions", columns: ["tournament_id", "excluded_at"] };
  await insertNew(sql, exclusions, [[tournamentId, now]]);
}
