import { RingmasterError } from "../../errors.ts";
import { insertNew } from "../insertNew.ts";
import { exactDouble, type Sql } from "../sql.ts";
import type { Order } from "./Tournament.ts";

/** A game that is played for scores. Games are data: operators add them. */
export interface Game {
  /** `[a-z][a-z0-9_]*`, at most 32. */
  id: string;
  name: string;
  /** Digits that a score may have after the point, 0 to 6. */
  precision: number;
  /** Whether more (`desc`) or less is better: in its pools and rankings, and in its tournaments unless they say otherwise. */
  order: Order;
  /** What a score may be, bounds included. */
  minScore: number;
  maxScore: number;
  /** How often one player may submit to one tournament. */
  submissionsPerMinute: number;
  /** Whether each score of its tournaments must come of a run that was begun. */
  runs: RunsPolicy;
}

export type RunsPolicy = "optional" | "required";

interface StoredGame {
  id: string;
  name: string;
  score_precision: unknown;
  score_order: Order;
  min_score: unknown;
  max_score: unknown;
  submissions_per_minute: unknown;
  runs: RunsPolicy;
}

const selected = ({ dialect }: Pick<Sql, "dialect">): string =>
  `id, name, score_precision, score_order, ${exactDouble(dialect, "min_score")} AS min_score, ${exactDouble(dialect, "max_score")} AS max_score, submissions_per_minute, runs`;

/** Every game, by id. There are as many as operators make: few. */
export async function games(sql: Pick<Sql, "query" | "dialect">): Promise<Game[]> {
  return (await sql.query<StoredGame>(`SELECT ${selected(sql)} FROM games ORDER BY id`)).map(gameOf);
}

/** By game. */
export type ScoreSigns = ReadonlyMap<string, 1 | -1>;

/** By which number a game's scores are to be multiplied so that more is better, by id: 1, or -1 where less is. */
export async function scoreSigns(sql: Pick<Sql, "query">): Promise<ScoreSigns> {
  const rows = await sql.query<{ id: string; score_order: Order }>("SELECT id, score_order FROM games");
  return new Map(rows.map(({ id, score_order }) => [id, signOf(score_order)]));
}

export const signOf = (order: Order): 1 | -1 => (order === "desc" ? 1 : -1);

/** Throws `not_found`. */
export async function gameById(sql: Pick<Sql, "query" | "dialect">, id: string): Promise<Game> {
  const [row] = await sql.query<StoredGame>(`SELECT ${selected(sql)} FROM games WHERE id = ?`, [id]);
  if (!row) throw new RingmasterError("not_found", `There is no game ${id}.`);
  return gameOf(row);
}

/** Throws `conflict` for an id that is taken. */
export async function insertGame(sql: Sql, game: Game, now: number): Promise<void> {
  const columns = [
    "id",
    "name",
    "score_precision",
    "score_order",
    "min_score",
    "max_score",
    "submissions_per_minute",
    "runs",
    "created_at",
  ];
  const { id, name, precision, order, minScore, maxScore, submissionsPerMinute, runs } = game;
  const added = await insertNew(sql, { table: "games", columns }, [
    [id, name, precision, order, minScore, maxScore, submissionsPerMinute, runs, now],
  ]);
  if (added === 0) throw new RingmasterError("conflict", `There is a game ${game.id} already.`);
}

function gameOf({
  id,
  name,
  score_precision,
  score_order,
  min_score,
  max_score,
  submissions_per_minute,
  runs,
}: StoredGame): Game {
  return {
    id,
    name,
    precision: Number(score_precision),
    order: score_order,
    minScore: Number(min_score),
    maxScore: Number(max_score),
    submissionsPerMinute: Number(submissions_per_minute),
    runs,
  };
}
