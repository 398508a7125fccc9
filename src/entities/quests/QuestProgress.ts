import type { Sql, Transaction } from "../sql.ts";

/**
 * What has happened in a round: `started`; `scheduled`: the condition was met, and completion is due at a time; `completed`:
 * it still was when due, and the rewards are paid; `lapsed`: it was not any more.
 */
export type QuestState = "started" | "scheduled" | "completed" | "lapsed";

/** One player's one quest. */
export interface PlayerQuest {
  playerId: string;
  questId: string;
}

/** A round that is under way. Times are epoch milliseconds. */
export interface Progress extends PlayerQuest {
  /** 1 for the first time that the player has started the quest. */
  round: number;
  startedAt: number;
  /** When completion is due; null while the condition is not met. */
  dueAt: number | null;
}

/** A line of the log. A round has each state at most once, by its key. */
export interface QuestChange extends PlayerQuest {
  round: number;
  state: QuestState;
  at: number;
  dueAt: number | null;
}

/** What earlier rounds came to. */
export interface QuestPast {
  rounds: number;
  completions: number;
  /** When the latest completion was; null before the first. */
  completedAt: number | null;
}

interface ProgressRow {
  player_id: string;
  quest_id: string;
  round: number;
  started_at: number;
  due_at: number | null;
}

const COLUMNS = "player_id, quest_id, round, started_at, due_at";

/** One key for maps; no id holds a space. */
export const keyOf = ({ playerId, questId }: PlayerQuest): string => `${playerId} ${questId}`;

/** The rounds under way of these, by key. */
export async function progressOf(sql: Sql, pairs: readonly PlayerQuest[]): Promise<Map<string, Progress>> {
  if (pairs.length === 0) return new Map();
  const rows = await sql.query<ProgressRow>(
    `SELECT ${COLUMNS} FROM quest_progress WHERE (player_id, quest_id) IN (${pairsOf(pairs)})`,
    flat(pairs),
  );
  return new Map(rows.map(progressOfRow).map((progress) => [keyOf(progress), progress]));
}

/** Earlier rounds of these, by key; what was never started is missing. */
export async function pastOf(sql: Sql, pairs: readonly PlayerQuest[]): Promise<Map<string, QuestPast>> {
  if (pairs.length === 0) return new Map();
  const asked = pairs.map((_, at) => (at === 0 ? "SELECT ? AS player_id, ? AS quest_id" : "SELECT ?, ?"));
  // A round that a node of an earlier version has begun is in the log alone.
  const rows = await sql.query<
    Record<"player_id" | "quest_id", string> & Record<"rounds" | "completions" | "completed_at" | "logged", unknown>
  >(
    `SELECT asked.player_id, asked.quest_id, rounds, completions, completed_at,
       (SELECT log.round FROM quest_changes log WHERE log.player_id = asked.player_id AND log.quest_id = asked.quest_id
        ORDER BY log.round DESC LIMIT 1) AS logged
     FROM (${asked.join(" UNION ALL ")}) asked
     LEFT JOIN quest_rounds past ON past.player_id = asked.player_id AND past.quest_id = asked.quest_id`,
    flat(pairs),
  );
  return new Map(
    rows
      .filter(({ rounds, logged }) => rounds !== null || logged !== null)
      .map(({ player_id, quest_id, rounds, completions, completed_at, logged }) => [
        keyOf({ playerId: player_id, questId: quest_id }),
        {
          rounds: Math.max(Number(rounds), Number(logged)),
          completions: Number(completions),
          completedAt: completed_at === null ? null : Number(completed_at),
        },
      ]),
  );
}

/** Rounds that begin; a round under way in the same quest is an error. */
export async function insertProgress(tx: Transaction, part: string, begun: readonly Progress[]): Promise<void> {
  if (begun.length === 0) return;
  await tx.write(
    `INSERT INTO quest_progress (part, ${COLUMNS}) VALUES ${begun.map(() => "(?, ?, ?, ?, ?, ?)").join(", ")}`,
    begun.flatMap(({ playerId, questId, round, startedAt, dueAt }) => [
      part,
      playerId,
      questId,
      round,
      startedAt,
      dueAt,
    ]),
  );
}

/** What is due in a part by `now`, soonest first. */
export async function dueProgress(sql: Sql, part: string, now: number, limit: number): Promise<Progress[]> {
  const rows = await sql.query<ProgressRow>(
    `SELECT ${COLUMNS} FROM quest_progress WHERE part = ? AND due_at <= ? ORDER BY due_at LIMIT ?`,
    [part, now, limit],
  );
  return rows.map(progressOfRow);
}

/** When the next completion of a part is due; undefined when none is. */
export async function soonestDue(sql: Sql, part: string): Promise<number | undefined> {
  // MIN(due_at) would read every entry of the part.
  const [row] = await sql.query<{ due_at: number }>(
    "SELECT due_at FROM quest_progress WHERE part = ? AND due_at IS NOT NULL ORDER BY due_at LIMIT 1",
    [part],
  );
  return row && Number(row.due_at);
}

/** The player's rounds whose condition is not met yet. */
export async function waitingOf(sql: Sql, playerId: string): Promise<Progress[]> {
  const rows = await sql.query<ProgressRow>(
    `SELECT ${COLUMNS} FROM quest_progress WHERE player_id = ? AND due_at IS NULL ORDER BY quest_id`,
    [playerId],
  );
  return rows.map(progressOfRow);
}

/** A page of a part's rounds that wait, of players who have a result in the hunt; in the order of their keys. */
export async function waitingForHunt(
  sql: Sql,
  part: string,
  huntId: string,
  after: PlayerQuest,
  limit: number,
): Promise<Progress[]> {
  const columns = COLUMNS.split(", ").map((column) => `quest_progress.${column}`);
  const rows = await sql.query<ProgressRow>(
    `SELECT ${columns.join(", ")} FROM quest_progress
     JOIN hunt_results ON hunt_results.player_id = quest_progress.player_id AND hunt_results.hunt_id = ?
     WHERE part = ? AND due_at IS NULL AND (quest_progress.player_id > ? OR (quest_progress.player_id = ? AND quest_id > ?))
     ORDER BY quest_progress.player_id, quest_id LIMIT ?`,
    [huntId, part, after.playerId, after.playerId, after.questId, limit],
  );
  return rows.map(progressOfRow);
}

/** Rounds of one quest whose condition is met: their completion is due then, and `part` sees to it. */
export async function scheduleProgress(
  tx: Transaction,
  part: string,
  questId: string,
  playerIds: readonly string[],
  dueAt: number,
): Promise<void> {
  await tx.write(
    `UPDATE quest_progress SET due_at = ?, part = ? WHERE quest_id = ? AND player_id IN (${playerIds.map(() => "?").join(", ")})`,
    [dueAt, part, questId, ...playerIds],
  );
}

/** Takes rounds that have ended out. Throws unless each was there: then somebody else has ended one. */
export async function removeProgress(tx: Transaction, ended: readonly PlayerQuest[]): Promise<void> {
  if (ended.length === 0) return;
  const { affected } = await tx.write(
    `DELETE FROM quest_progress WHERE (player_id, quest_id) IN (${pairsOf(ended)})`,
    flat(ended),
  );
  if (affected !== ended.length) throw new Error(`${ended.length} quests were to end, and ${affected} were under way`);
}

/** Adds to the log, and to what the rounds of each have come to. A state that a round has had already fails the transaction. */
export async function logChanges(tx: Transaction, changes: readonly QuestChange[], node: string): Promise<void> {
  if (changes.length === 0) return;
  await tx.write(
    `INSERT INTO quest_changes (player_id, quest_id, round, state, at, due_at, node) VALUES ${changes.map(() => "(?, ?, ?, ?, ?, ?, ?)").join(", ")}`,
    changes.flatMap(({ playerId, questId, round, state, at, dueAt }) => [
      playerId,
      questId,
      round,
      state,
      at,
      dueAt,
      node,
    ]),
  );
  await countRounds(
    tx,
    changes.filter(({ state }) => state !== "scheduled"),
  );
}

const COUNTED = ["rounds", "completions", "completed_at", "ended_round", "ended_state", "ended_at", "ended_due_at"];

async function countRounds(tx: Transaction, changes: readonly QuestChange[]): Promise<void> {
  if (changes.length === 0) return;
  const [conflict, added] =
    tx.dialect === "mysql"
      ? ["ON DUPLICATE KEY UPDATE", (column: string) => `VALUES(${column})`]
      : ["ON CONFLICT (player_id, quest_id) DO UPDATE SET", (column: string) => `excluded.${column}`];
  const latest = COUNTED.map((column) =>
    column === "completions"
      ? `completions = quest_rounds.completions + ${added(column)}`
      : `${column} = COALESCE(${added(column)}, quest_rounds.${column})`,
  );
  const row = `(${["?", "?", ...COUNTED.map(() => "?")].join(", ")})`;
  await tx.write(
    `INSERT INTO quest_rounds (player_id, quest_id, ${COUNTED.join(", ")})
     VALUES ${changes.map(() => row).join(", ")} ${conflict} ${latest.join(", ")}`,
    changes.flatMap(({ playerId, questId, round, state, at, dueAt }) => {
      const isCompleted = state === "completed";
      const end = state === "started" ? [null, null, null, null] : [round, state, at, dueAt];
      return [playerId, questId, round, isCompleted ? 1 : 0, isCompleted ? at : null, ...end];
    }),
  );
}

/** How a player's quests stand: rounds under way, and how the latest round that ended did. */
export async function standingOf(
  sql: Sql,
  playerId: string,
): Promise<{ underWay: Progress[]; ended: Array<QuestChange & { state: "completed" | "lapsed" }> }> {
  const underWay = await sql.query<ProgressRow>(`SELECT ${COLUMNS} FROM quest_progress WHERE player_id = ?`, [
    playerId,
  ]);
  const ended = await sql.query<
    { quest_id: string; ended_state: "completed" | "lapsed" } & Record<
      "ended_round" | "ended_at" | "ended_due_at",
      number
    >
  >(
    `SELECT quest_id, ended_round, ended_state, ended_at, ended_due_at FROM quest_rounds
     WHERE player_id = ? AND ended_round IS NOT NULL`,
    [playerId],
  );
  return {
    underWay: underWay.map(progressOfRow),
    ended: ended.map(({ quest_id, ended_round, ended_state, ended_at, ended_due_at }) => ({
      playerId,
      questId: quest_id,
      round: Number(ended_round),
      state: ended_state,
      at: Number(ended_at),
      dueAt: numberOrNull(ended_due_at),
    })),
  };
}

function progressOfRow(row: ProgressRow): Progress {
  return {
    playerId: row.player_id,
    questId: row.quest_id,
    round: Number(row.round),
    startedAt: Number(row.started_at),
    dueAt: numberOrNull(row.due_at),
  };
}

const numberOrNull = (value: number | null): number | null => (value === null ? null : Number(value));
const pairsOf = (pairs: readonly PlayerQuest[]): string => pairs.map(() => "(?, ?)").join(", ");
const flat = (pairs: readonly PlayerQuest[]): string[] => pairs.flatMap(({ playerId, questId }) => [playerId, questId]);
