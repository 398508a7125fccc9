import { z } from "zod";
import type { QuestCondition } from "../../entities/quests/Quest.ts";
import type { Sql } from "../../entities/sql.ts";

/** What can make a condition met: whoever changes it has the player's waiting quests looked at again. */
export type QuestTrigger = "wallet" | "exchange" | "hunts";

/** A kind of condition, answered for many players by one statement. */
export interface QuestCheck<Args> {
  args: z.ZodType<Args>;
  changesWith: QuestTrigger;
  /**
   * A statement that selects as `id` those of the players asked for who meet it: `asked` makes the condition that a row is one of theirs, from
   * the columns of the player and of the time since when the row says so. `params` follow the players'.
   */
  select(args: Args, asked: (player: string, since: string) => string): { text: string; params: readonly unknown[] };
}

/** Keeps the arguments' type between the schema and the statement. */
function check<Args>(definition: QuestCheck<Args>): QuestCheck<Args> {
  return definition;
}

/** What an exchange goes by. */
export const exchangeId = z.string().regex(/^[a-z0-9-]{1,32}$/, "must be 1 to 32 of a-z, 0-9 and -");

const atLeast = z.strictObject({ atLeast: z.int().min(1).max(1_000_000_000) });

/** The registry: a further kind of condition is one entry here, and a trigger where its facts change. */
export const CHECKS = {
  /** The player has a wallet connected. */
  walletConnected: check({
    args: z.strictObject({}),
    changesWith: "wallet",
    select: (_args, asked) => ({
      text: `SELECT id FROM players WHERE ${asked("id", "wallet_connected_at")} AND wallet IS NOT NULL`,
      params: [],
    }),
  }),
  /** The player has chosen an exchange: this one, where one is named. */
  exchangeChosen: check({
    args: z.strictObject({ exchange: exchangeId.optional() }),
    changesWith: "exchange",
    select: ({ exchange }, asked) => ({
      text: `SELECT id FROM players WHERE ${asked("id", "exchange_chosen_at")} AND exchange ${exchange === undefined ? "IS NOT NULL" : "= ?"}`,
      params: exchange === undefined ? [] : [exchange],
    }),
  }),
  /** The player has solved a clue in so many hunts that have come to their reveal. */
  huntsSolved: check({
    args: atLeast,
    changesWith: "hunts",
    select: (args, asked) => ({
      text: `SELECT player_id AS id FROM hunt_results WHERE ${asked("player_id", "revealed_at")} GROUP BY player_id HAVING COUNT(*) >= ?`,
      params: [args.atLeast],
    }),
  }),
  /** The points of all the player's hunts that have come to their reveal are so many together. */
  scoreReached: check({
    args: atLeast,
    changesWith: "hunts",
    select: (args, asked) => ({
      text: `SELECT player_id AS id FROM hunt_results WHERE ${asked("player_id", "revealed_at")} GROUP BY player_id HAVING SUM(points) >= ?`,
      params: [args.atLeast],
    }),
  }),
} as const;

export type CheckName = keyof typeof CHECKS;

/** A condition as a definition holds it: `{check, args}`. */
export const questCondition = z.discriminatedUnion("check", [
  conditionOf("walletConnected"),
  conditionOf("exchangeChosen"),
  conditionOf("huntsSolved"),
  conditionOf("scoreReached"),
]) satisfies z.ZodType<QuestCondition>;

function conditionOf<N extends CheckName>(name: N) {
  return z.strictObject({ check: z.literal(name), args: CHECKS[name].args as z.ZodType<Record<string, unknown>> });
}

/** Whether something of this kind can make the condition met. */
export function isTriggeredBy(condition: QuestCondition, trigger: QuestTrigger): boolean {
  return checkOf(condition).changesWith === trigger;
}

/** Those of the players who meet the condition. Without players, asks nothing. */
export async function whoMeets(
  sql: Pick<Sql, "query">,
  condition: QuestCondition,
  playerIds: readonly string[],
): Promise<Set<string>> {
  const { select } = checkOf(condition);
  if (playerIds.length === 0) return new Set();
  const { text, params } = select(condition.args, (player) => `${player} IN (${playerIds.map(() => "?").join(", ")})`);
  return idsOf(await sql.query(text, [...playerIds, ...params]));
}

/** Those of the players who have come to meet the condition since a time of their own (epoch milliseconds): what was before does not count. */
export async function whoHasMetSince(
  sql: Pick<Sql, "query">,
  condition: QuestCondition,
  since: ReadonlyMap<string, number>,
): Promise<Set<string>> {
  if (since.size === 0) return new Set();
  const { text, params } = checkOf(condition).select(condition.args, (player, from) => {
    const one = `(${player} = ? AND ${from} >= ?)`;
    return `(${Array(since.size).fill(one).join(" OR ")})`;
  });
  return idsOf(await sql.query(text, [...[...since].flat(), ...params]));
}

function idsOf(rows: ReadonlyArray<{ id: string }>): Set<string> {
  return new Set(rows.map(({ id }) => id));
}

function checkOf({ check: name }: QuestCondition): QuestCheck<Record<string, unknown>> {
  if (!Object.hasOwn(CHECKS, name)) throw new Error(`this version knows no check ${name}`);
  return CHECKS[name as CheckName] as unknown as QuestCheck<Record<string, unknown>>;
}
