import { createReadStream, createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createConnection, type ResultSetHeader } from "mysql2/promise";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { roomsTopic } from "../../src/actors/runtime/Actor.ts";
import { Actors } from "../../src/actors/runtime/Actors.ts";
import { MemoryBus } from "../../src/actors/runtime/MemoryBus.ts";
import { TournamentActor, tournamentKind } from "../../src/actors/tournaments/TournamentActor.ts";
import { systemClock, systemRng } from "../../src/clock.ts";
import { tabSeparated } from "../../src/entities/bulk.ts";
import type { Database, Value } from "../../src/entities/sql.ts";
import { STANDING_COLUMNS } from "../../src/entities/tournaments/Standings.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { MemoryLeaderboard } from "../../src/stores/tournaments/MemoryLeaderboard.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { openDatabase } from "../../test/support/database.ts";
import { residentMbOf } from "../runtime/usage.ts";
import { ENTRY_COLUMNS, entriesOf, theTerms } from "./theTournament.ts";

export interface SettlementOptions {
  databaseUrl: string;
  players: number;
  /** Settlement and bare load in turn, so often. */
  rounds: number;
  seed: number;
  connections: number;
}

export interface SettlementRound {
  /** From the end of the tournament to the word that it is settled. */
  settledMs: number;
  /** The same rows by one LOAD DATA LOCAL into a table like that of the standings, from a file. */
  loadedMs: number;
}

export interface SettlementResult {
  rounds: SettlementRound[];
  /** Resident memory of this process in MB: when the first settlement began, and the most while it ran. */
  memory: { before: number; peak: number };
  players: number;
  awards: number;
  /** Of every round: the same result has the same hash but for the tournament's times. */
  resultHashes: string[];
}

const ID = "bench";
/** Rows of entries written in one transaction. */
const ENTRIES_PAGE = 50_000;
const MEMORY_LOOK_MS = 50;
const DATABASE_MEMORY = 512 * 2 ** 20;

/** Settles one tournament of many players, and loads the same standings barely, in turn. */
export async function benchSettlement(
  options: SettlementOptions,
  tell: (line: string) => void,
): Promise<SettlementResult> {
  const database = await openDatabase({ kind: "mysql", url: options.databaseUrl, pool: options.connections });
  const folder = temporaryDirectory("settlement");
  const file = join(folder, "standings");
  const result: SettlementResult = {
    rounds: [],
    memory: { before: 0, peak: 0 },
    players: 0,
    awards: 0,
    resultHashes: [],
  };
  try {
    await database.write(`SET GLOBAL innodb_buffer_pool_size = ${DATABASE_MEMORY}`);
    await database.write("CREATE TABLE bare_standings LIKE standings");
    tell(`writing the entries of ${options.players} players`);
    await writeEntries(database, options);
    for (let round = 1; round <= options.rounds; round++) {
      await clear(database);
      const settled = await settle(database, round, result.memory);
      result.resultHashes.push(settled.resultHash);
      if (round === 1) await writeStandings(database, file);
      const loadedMs = await loadBarely(options.databaseUrl, file);
      result.rounds.push({ settledMs: settled.ms, loadedMs });
      tell(`round ${round}: settled in ${Math.round(settled.ms)} ms; bare load ${Math.round(loadedMs)} ms`);
    }
    return { ...result, ...(await countsOf(database)) };
  } finally {
    removeDirectory(folder);
    await database.close();
  }
}

async function writeEntries(database: Database, options: SettlementOptions): Promise<void> {
  let page: Value[][] = [];
  const write = (): Promise<void> => database.transaction((tx) => tx.load("score_entries", ENTRY_COLUMNS, page));
  for (const entry of entriesOf(ID, options)) {
    page.push(entry);
    if (page.length < ENTRIES_PAGE) continue;
    await write();
    page = [];
  }
  await write();
  await database.query("ANALYZE TABLE score_entries");
}

/** What is left of an earlier round goes, so that all find the same tables. */
async function clear(database: Database): Promise<void> {
  for (const table of ["standings", "bare_standings", "awards", "inventories"])
    await database.write(`TRUNCATE ${table}`);
  await database.write("DELETE FROM actors");
  await database.write("DELETE FROM tournaments");
}

async function settle(
  database: Database,
  round: number,
  memory: SettlementResult["memory"],
): Promise<{ ms: number; resultHash: string }> {
  const feed = new MemoryFeed();
  const actors = runtimeOn(database, feed, `bench-${round}`);
  await actors.start();
  const opened = Promise.withResolvers<void>();
  const settled = Promise.withResolvers<string>();
  await feed.follow(roomsTopic(TournamentActor, ID), {
    onEvent: ({ type, data }) => {
      if (type === "phase" && (data as { phase: string }).phase === "open") opened.resolve();
      if (type === "settled") settled.resolve((data as { resultHash: string }).resultHash);
    },
    onReset: () => {},
  });
  const tournament = actors.ref(TournamentActor, ID);
  await tournament.create(theTerms(Date.now()), "bench", null);
  await opened.promise;
  const watch = setInterval(() => {
    if (round === 1) memory.peak = Math.max(memory.peak, residentMbOf(process.pid));
  }, MEMORY_LOOK_MS);
  if (round === 1) memory.before = residentMbOf(process.pid);
  try {
    const from = performance.now();
    await tournament.end();
    const resultHash = await settled.promise;
    return { ms: performance.now() - from, resultHash };
  } finally {
    clearInterval(watch);
    await actors.drain();
    await actors.stop();
  }
}

/** The standings as a file, in their order: what the bare load reads. */
async function writeStandings(database: Database, file: string): Promise<void> {
  const pages = database.stream(
    `SELECT ${STANDING_COLUMNS.join(", ")} FROM standings WHERE tournament_id = ? ORDER BY place`,
    [ID],
    ENTRIES_PAGE,
  );
  async function* text(): AsyncGenerator<Buffer> {
    for await (const page of pages) yield* tabSeparated(page as Value[][]);
  }
  await pipeline(text, createWriteStream(file));
}

async function loadBarely(url: string, file: string): Promise<number> {
  const connection = await createConnection(url);
  try {
    const from = performance.now();
    await connection.query<ResultSetHeader>({
      sql: `LOAD DATA LOCAL INFILE 'standings' INTO TABLE bare_standings CHARACTER SET utf8mb4 (${STANDING_COLUMNS.join(", ")})`,
      infileStreamFactory: () => createReadStream(file),
    });
    return performance.now() - from;
  } finally {
    await connection.end();
  }
}

async function countsOf(database: Database): Promise<{ players: number; awards: number }> {
  const [row] = await database.query<{ players: number; bare: number; awards: number }>(
    `SELECT (SELECT COUNT(*) FROM standings) AS players, (SELECT COUNT(*) FROM bare_standings) AS bare,
      (SELECT COUNT(*) FROM awards) AS awards`,
  );
  const { players, bare, awards } = row!;
  if (players !== bare) throw new Error(`${players} standings were settled, and ${bare} loaded`);
  return { players, awards };
}

function runtimeOn(database: Database, feed: MemoryFeed, nodeId: string): Actors {
  const log = createLogger("warn");
  return new Actors({
    node: { id: nodeId, role: "all" },
    kinds: [
      tournamentKind({
        database,
        leaderboard: new MemoryLeaderboard(),
        clock: systemClock,
        log,
        reviewOverdue: () => {},
      }),
    ],
    ...{ database, bus: new MemoryBus(), feed, clock: systemClock, rng: systemRng },
    log,
    metrics: new Metrics(() => ({ rooms: 0, clients: 0 })),
  });
}
