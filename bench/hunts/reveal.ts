import { assignmentCounts, standings } from "../../src/actors/hunts/AssignmentJournal.ts";
import {
  bestScores,
  countAssignments,
  NOTHING_COUNTED,
  NOTHING_TALLIED,
  tallyScores,
} from "../../src/actors/hunts/scores.ts";
import { NOTHING_RECORDED, recordResults } from "../../src/entities/hunts/results.ts";
import type { Database, Transaction, Value } from "../../src/entities/sql.ts";
import { WHOLE_EVENT_MS } from "../../src/entities/sql.ts";
import { OUTCOME } from "../../src/stores/hunts/ClueLedger.ts";
import { openDatabase } from "../../test/support/database.ts";
import { medianOf } from "../runtime/medianOf.ts";
import { Meanwhile, type MeanwhileResult } from "./Meanwhile.ts";

export interface RevealOptions {
  databaseUrl: string;
  assignments: number;
  players: number;
  /** Whether it is also revealed as one transaction. */
  atOnce: boolean;
}

/** Milliseconds, and how many parts there were. */
export interface Parts {
  totalMs: number;
  medianMs: number;
  longestMs: number;
  parts: number;
}

export interface RevealResult {
  /** As one transaction: standings, and each player's result, from all assignments. */
  atOnceMs?: number;
  /** What a page of the hunt cost whoever read it: counts and the best ten, from all assignments. */
  readMs?: number;
  counting: Parts;
  tallying: Parts;
  /** The winners, once all is counted. */
  winnersMs: number;
  results: Parts;
  /** What others waited for while it was revealed in parts. */
  meanwhile: MeanwhileResult;
  /** Whether both ways came to the same. */
  isSame?: boolean;
}

const HUNT = "bench";
const LOAD_PAGE = 50_000;
/** As a hunt's actor has them. */
const PAGE = 20_000;
const PLAYERS_PAGE = 50_000;
const WINNERS = 100;
const TOP = 10;
const COLUMNS = [
  ...["hunt_id", "instance", "generation", "player_id", "player_name", "opened_at", "expires_at", "attempts_used"],
  ...["outcome", "closed_at", "points", "solve_seq"],
];
const DATABASE_MEMORY = 512 * 2 ** 20;

/** Reveals a hunt of many assignments in parts, and before, unless it is left out, as one transaction. */
export async function benchReveal(options: RevealOptions, tell: (line: string) => void): Promise<RevealResult> {
  const database = await openDatabase({ kind: "mysql", url: options.databaseUrl, pool: 8 });
  try {
    await database.write(`SET GLOBAL innodb_buffer_pool_size = ${DATABASE_MEMORY}`);
    tell(`writing ${options.assignments} assignments of ${options.players} players`);
    await fill(database, options);
    const before = options.atOnce ? await revealedBefore(database, tell) : undefined;
    const { best, ...figures } = await revealInParts(database);
    const { counting, tallying, winnersMs, results } = figures;
    tell(`in parts: ${Math.round(counting.totalMs + tallying.totalMs + winnersMs + results.totalMs)} ms`);
    if (!before) return figures;
    const { atOnceMs, readMs, atOnce } = before;
    return { ...figures, atOnceMs, readMs, isSame: JSON.stringify(best) === JSON.stringify(atOnce) };
  } finally {
    await database.close();
  }
}

/** As it was done once. */
async function revealedBefore(database: Database, tell: (line: string) => void) {
  const [atOnceMs, atOnce] = await timed(() => revealAtOnce(database));
  tell(`as one transaction: ${Math.round(atOnceMs)} ms`);
  await database.write("DELETE FROM hunt_results");
  const [readMs] = await timed(() => Promise.all([standings(database, HUNT, TOP), assignmentCounts(database, HUNT)]));
  tell(`a page of the hunt, from all assignments: ${Math.round(readMs)} ms`);
  return { atOnceMs, readMs, atOnce };
}

/** As the turns of a hunt's actor do it. */
async function revealInParts(database: Database) {
  const turns = database.of("turns");
  const turn = <T>(work: (tx: Transaction) => Promise<T>): Promise<T> =>
    turns.transaction((tx) => {
      tx.allow(WHOLE_EVENT_MS);
      return work(tx);
    });
  const others = await Meanwhile.begin(database);
  const counting = await inParts(NOTHING_COUNTED, (after) => turn((tx) => countAssignments(tx, HUNT, after, PAGE)));
  const tallying = await inParts(NOTHING_TALLIED, async (after) => {
    const { tally, isLast } = await turn((tx) => tallyScores(tx, HUNT, after, PLAYERS_PAGE));
    return isLast ? undefined : tally;
  });
  const [winnersMs, best] = await timed(() => turn((tx) => bestScores(tx, HUNT, WINNERS)));
  const results = await inParts(NOTHING_RECORDED, (after) =>
    turn((tx) => recordResults(tx, HUNT, { after, limit: PAGE }, 1)),
  );
  return { counting, tallying, winnersMs, results, best, meanwhile: await others.end() };
}

async function fill(database: Database, { assignments, players }: Omit<RevealOptions, "atOnce">): Promise<void> {
  for (let from = 0; from < assignments; from += LOAD_PAGE) {
    const rows = Array.from({ length: Math.min(LOAD_PAGE, assignments - from) }, (_, at): Value[] => {
      const instance = from + at;
      // Neighbours in the table are different players', and each has solved some and lost some.
      const player = (instance * 7919) % players;
      const isSolved = instance % 3 !== 0;
      return [
        ...[HUNT, instance, 1, `p${player}`, `Player ${player}`, 1, 2, 1],
        ...[
          isSolved ? OUTCOME.solved : OUTCOME.exhausted,
          2,
          isSolved ? 1 + (instance % 5) : 0,
          isSolved ? instance : 0,
        ],
      ];
    });
    await database.transaction((tx) => tx.load("hunt_assignments", COLUMNS, rows));
  }
}

async function revealAtOnce(database: Database): Promise<unknown> {
  return database.transaction(async (tx) => {
    tx.allow(10 * WHOLE_EVENT_MS);
    const best = await standings(tx, HUNT, WINNERS);
    await tx.write(
      `INSERT INTO hunt_results (player_id, hunt_id, points, solved, revealed_at)
       SELECT player_id, hunt_id, SUM(points), COUNT(*), 1 FROM hunt_assignments
       WHERE hunt_id = ? AND outcome = ? GROUP BY player_id, hunt_id`,
      [HUNT, OUTCOME.solved],
    );
    return best;
  });
}

async function inParts<T>(beginning: T, part: (after: T) => Promise<T | undefined>): Promise<Parts> {
  const took: number[] = [];
  for (let after: T | undefined = beginning; after !== undefined; ) {
    const from: T = after;
    const [ms, to] = await timed(() => part(from));
    took.push(ms);
    after = to;
  }
  const totalMs = took.reduce((sum, ms) => sum + ms, 0);
  return { totalMs, medianMs: medianOf(took), longestMs: Math.max(...took), parts: took.length };
}

async function timed<T>(work: () => Promise<T>): Promise<[ms: number, result: T]> {
  const startedAt = performance.now();
  const result = await work();
  return [performance.now() - startedAt, result];
}
