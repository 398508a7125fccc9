import assert from "node:assert/strict";
import type { Winner } from "../../src/entities/hunts/Hunt.ts";
import type { Database } from "../../src/entities/sql.ts";
import { OUTCOME } from "../../src/stores/hunts/ClueLedger.ts";
import { BotHistory } from "./supportBots.ts";

/** A clue that a player was given. Times are epoch milliseconds. */
export interface Given {
  player: string;
  assignmentId: string;
  expiresAt: number;
  at: number;
}

/** An answer that was judged; `sentAt` is when it was sent for the first time. */
export interface Judged {
  player: string;
  assignmentId: string;
  sentAt: number;
  correct: boolean;
  points: number;
  attemptsLeft: number;
}

/** What players can be sure of at the end: their points, and those that may have come after the last word they heard. */
export interface Account {
  player: string;
  points: number;
  unsure: number;
}

interface Row {
  instance: number;
  generation: number;
  player: string;
  expiresAt: number;
  attemptsUsed: number;
  outcome: number;
  points: number;
  solveSeq: number;
}

/** Everything that was acknowledged to the players of one hunt; `count` is of right answers. */
export class HuntHistory extends BotHistory {
  readonly given: Given[] = [];
  readonly judged: Judged[] = [];

  give(given: Given): void {
    this.given.push(given);
    this.changed();
  }

  judge(judged: Judged): void {
    this.judged.push(judged);
    this.changed();
  }

  get count(): number {
    return this.judged.filter(({ correct }) => correct).length;
  }
}

/** Compares what was acknowledged with what the database holds. */
export async function assertKept(
  database: Database,
  huntId: string,
  history: HuntHistory,
  accounts: readonly Account[],
): Promise<void> {
  const rows = await rowsOf(database, huntId);
  const byId = new Map(rows.map((row) => [`${row.instance}.${row.generation}`, row]));
  assert.deepEqual(history.faults, []);
  for (const { assignmentId, player, expiresAt } of history.given) {
    const row = byId.get(assignmentId);
    assert.ok(row, `${assignmentId} was given to ${player} and is not stored`);
    assert.deepEqual([assignmentId, row.player, row.expiresAt], [assignmentId, player, expiresAt]);
  }
  for (const judged of history.judged) {
    const row = byId.get(judged.assignmentId);
    assert.ok(row, `${judged.assignmentId} was judged and is not stored`);
    assert.equal(row.player, judged.player);
    if (judged.correct) assert.deepEqual([row.outcome, row.points], [OUTCOME.solved, judged.points]);
    else if (judged.attemptsLeft === 0) assert.equal(row.outcome, OUTCOME.exhausted);
    else assert.ok(row.attemptsUsed > 0);
  }
  assertHeldByOne(rows, history);
  assertPoints(rows, accounts);
}

/** What the winners must be: counted here, not by the server's own query. */
export async function recount(database: Database, huntId: string, limit: number): Promise<[number, string, number][]> {
  const totals = new Map<string, { points: number; reached: number }>();
  for (const { player, outcome, points, solveSeq } of await rowsOf(database, huntId)) {
    if (outcome !== OUTCOME.solved) continue;
    const total = totals.get(player) ?? { points: 0, reached: 0 };
    totals.set(player, { points: total.points + points, reached: Math.max(total.reached, solveSeq) });
  }
  return [...totals]
    .sort(([, a], [, b]) => b.points - a.points || a.reached - b.reached)
    .slice(0, limit)
    .map(([player, { points }], at) => [at + 1, player, points]);
}

export const placesOf = (winners: readonly Winner[]): [number, string, number][] =>
  winners.map(({ rank, playerId, points }) => [rank, playerId, points]);

async function rowsOf(database: Database, huntId: string): Promise<Row[]> {
  return await database.query<Row>(
    `SELECT instance, generation, player_id AS player, expires_at AS expiresAt,
      attempts_used AS attemptsUsed, outcome, points, solve_seq AS solveSeq
    FROM hunt_assignments WHERE hunt_id = ? ORDER BY instance, generation`,
    [huntId],
  );
}

/**
 * No instance was open for two, and none was given again once it was solved. The moment that counts is that of the word: what
 * a row says of its opening is the time at which its node asked, a moment before the ledger decided.
 */
function assertHeldByOne(rows: readonly Row[], history: HuntHistory): void {
  const givenAt = new Map(history.given.map(({ assignmentId, at }) => [assignmentId, at]));
  const overAt = new Map(history.given.map(({ assignmentId, expiresAt }) => [assignmentId, expiresAt]));
  for (const { assignmentId, correct, attemptsLeft, sentAt } of history.judged) {
    if (correct) overAt.set(assignmentId, Number.POSITIVE_INFINITY);
    else if (attemptsLeft === 0) overAt.set(assignmentId, Math.min(overAt.get(assignmentId)!, sentAt));
  }
  for (const held of Map.groupBy(rows, ({ instance }) => instance).values()) {
    for (const { instance, generation, outcome, player } of held.slice(0, -1)) {
      assert.ok(outcome === OUTCOME.exhausted || outcome === OUTCOME.expired, `${instance}.${generation} is over`);
      const until = overAt.get(`${instance}.${generation}`) ?? 0;
      for (const later of held.filter((other) => other.generation > generation)) {
        const from = givenAt.get(`${instance}.${later.generation}`) ?? Number.POSITIVE_INFINITY;
        assert.ok(from >= until, `${instance} was ${player}'s until ${until}, and ${later.player}'s from ${from}`);
      }
    }
  }
  const open = rows.filter(({ outcome }) => outcome === OUTCOME.open).map(({ player }) => player);
  assert.equal(new Set(open).size, open.length, "nobody has two open clues");
}

function assertPoints(rows: readonly Row[], accounts: readonly Account[]): void {
  const solved = rows.filter(({ outcome }) => outcome === OUTCOME.solved);
  const order = solved.map(({ solveSeq }) => solveSeq);
  assert.equal(new Set(order).size, order.length, "each solve has its own place in the order");
  const stored = new Map<string, number>();
  for (const { player, points } of solved) stored.set(player, (stored.get(player) ?? 0) + points);
  for (const { player, points, unsure } of accounts) {
    const inDatabase = stored.get(player) ?? 0;
    const known = unsure > 0 ? [points, points + unsure] : [points];
    assert.ok(known.includes(inDatabase), `${player} counts ${known.join(" or ")} points, the database ${inDatabase}`);
  }
}
