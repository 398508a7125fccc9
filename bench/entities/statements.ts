import { createPool, type Pool } from "mysql2";
import { shares } from "../../src/entities/MysqlDatabase.ts";
import { openDatabase } from "../../test/support/database.ts";

export interface StatementsOptions {
  databaseUrl: string;
  rounds: number;
  /** How long each side runs in each round. */
  roundMs: number;
}

/** One round of one side. */
export interface StatementsRound {
  perSecond: number;
  /** CPU of this process, for one statement, in microseconds. */
  cpuMicros: number;
}

export interface StatementsResult {
  ours: StatementsRound[];
  raw: StatementsRound[];
}

const POOL = 16;
/** Statements under way or waiting. */
const CALLERS = 64;
const STATEMENT = "SELECT ? AS value";

type Send = (value: number) => Promise<unknown>;

/** What the deadline of each statement costs: ours beside a plain pool of mysql2 with as many connections, in turn. */
export async function benchStatements({ databaseUrl, rounds, roundMs }: StatementsOptions): Promise<StatementsResult> {
  const database = await openDatabase({ kind: "mysql", url: databaseUrl, pool: POOL });
  const commits = database.of("commits");
  const connections = shares(POOL).commits;
  const pool = createPool({ uri: databaseUrl, connectionLimit: connections, maxIdle: connections });
  const sides: Record<keyof StatementsResult, Send> = {
    ours: (value) => commits.query(STATEMENT, [value]),
    raw: (value) => sendBy(pool, value),
  };
  const result: StatementsResult = { ours: [], raw: [] };
  try {
    for (const send of Object.values(sides)) await roundOf(send, roundMs / 2);
    for (let round = 0; round < rounds; round++) {
      result.ours.push(await roundOf(sides.ours, roundMs));
      result.raw.push(await roundOf(sides.raw, roundMs));
    }
    return result;
  } finally {
    await new Promise<void>((resolve) => pool.end(() => resolve()));
    await database.close();
  }
}

function sendBy(pool: Pool, value: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    pool.query(STATEMENT, [value], (error, rows) => (error ? reject(error) : resolve(rows)));
  });
}

async function roundOf(send: Send, roundMs: number): Promise<StatementsRound> {
  const usedBefore = process.cpuUsage();
  const startedAt = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      while (performance.now() - startedAt < roundMs) {
        await send(done);
        done += 1;
      }
    }),
  );
  const { user, system } = process.cpuUsage(usedBefore);
  return { perSecond: (done * 1000) / (performance.now() - startedAt), cpuMicros: (user + system) / done };
}
