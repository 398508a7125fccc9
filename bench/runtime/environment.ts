import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { Redis } from "ioredis";
import { createConnection } from "mysql2/promise";

/** What a figure depends on beside the code. */
export interface Environment {
  cpu: string;
  cores: number;
  memoryGb: number;
  node: string;
  redis: string;
  /** This and the next: absent where no database takes part. */
  mariaDb?: string;
  /** 1: every commit is on the disk before it is acknowledged. */
  flushLogAtCommit?: number;
  /** How many files, sockets included, one process may have open. */
  openFiles: number;
  /** Processes that wanted a core, on average of the last minute, before anything was measured. */
  loadAverage: number;
}

export async function environmentOf(redisUrl: string, databaseUrl?: string): Promise<Environment> {
  const [redis, database] = await Promise.all([
    redisVersion(redisUrl),
    databaseUrl === undefined ? {} : databaseVersion(databaseUrl),
  ]);
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    redis,
    ...database,
    openFiles: openFilesLimit(),
    loadAverage: loadavg()[0]!,
  };
}

export function describeEnvironment(environment: Environment): string {
  const { cpu, cores, memoryGb, node, redis, mariaDb, flushLogAtCommit, openFiles, loadAverage } = environment;
  const database =
    mariaDb === undefined ? "" : `, MariaDB ${mariaDb} (innodb_flush_log_at_trx_commit=${flushLogAtCommit})`;
  return [
    `${cores} × ${cpu}, ${memoryGb} GB; load average ${loadAverage.toFixed(1)} before the start`,
    `Node ${node}, Redis ${redis}${database}, ${openFiles} open files a process`,
  ].join("\n");
}

/** The system's own limit, to which Node raises itself. Systems that do not tell are taken for generous. */
export function openFilesLimit(): number {
  try {
    const limit = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

async function redisVersion(url: string): Promise<string> {
  const client = new Redis(url);
  try {
    return /^redis_version:(\S+)/m.exec(await client.info("server"))?.[1] ?? "unknown";
  } finally {
    client.disconnect();
  }
}

async function databaseVersion(url: string): Promise<{ mariaDb: string; flushLogAtCommit: number }> {
  const connection = await createConnection(url);
  try {
    const [rows] = await connection.query("SELECT VERSION() AS version, @@innodb_flush_log_at_trx_commit AS flushed");
    const [{ version, flushed }] = rows as [{ version: string; flushed: number }];
    return { mariaDb: version, flushLogAtCommit: flushed };
  } finally {
    await connection.end();
  }
}
