import { findChromium, findPromtool, locateMariaDb, locateRedis } from "../../scripts/servers/locate.ts";
import { createDatabase, type DatabaseServer, startMariaDb } from "../../scripts/servers/mariadb.ts";
import { type RedisServer, startRedis } from "../../scripts/servers/redis.ts";
import { afterRun, beforeRun } from "./run.ts";

export { type DatabaseServer, findChromium, findPromtool, type RedisServer, startMariaDb, startRedis };

/** Servers that live as long as the run. */
const started: Promise<RedisServer | DatabaseServer>[] = [];
let redis: Promise<RedisServer> | undefined;
let database: Promise<DatabaseServer> | undefined;

// Installing what is missing can take minutes, which no test's own time limit should have to cover.
beforeRun(async () => {
  await locateRedis();
  await locateMariaDb();
});

afterRun(async () => {
  for (const server of await Promise.allSettled(started)) {
    if (server.status === "fulfilled") await server.value.stop();
  }
});

/**
 * The Redis that the tests of this run share: do not kill it, and use keys and channels of your own.
 * `startRedis()` gives one to break.
 */
export function sharedRedis(): Promise<RedisServer> {
  redis ??= untilTheEnd(startRedis());
  return redis;
}

/**
 * The MariaDB that the tests of this run share: do not kill it. `startMariaDb()` gives one to break. Nobody reads its files after
 * it, so they need no disk.
 */
export function sharedDatabase(): Promise<DatabaseServer> {
  database ??= untilTheEnd(startMariaDb({ flushLogAtCommit: 2, inMemory: true }));
  return database;
}

/**
 * The URL of an empty database of the shared server, or of the one that `TEST_DATABASE_SERVER` names
 * (`mysql://user:password@host:port`): so the tests are tried on another version, or on MySQL.
 */
export async function freshDatabaseUrl(): Promise<string> {
  const other = process.env.TEST_DATABASE_SERVER;
  return other === undefined ? await (await sharedDatabase()).createDatabase() : await createDatabase(other);
}

/**
 * The URL of an empty Redis that nobody else uses. It is a server of its own, since Redis isolates keys but not channels
 * by the number of a database; it lives to the end of the run.
 */
export async function freshRedisUrl(): Promise<string> {
  return (await untilTheEnd(startRedis())).url;
}

function untilTheEnd<S extends RedisServer | DatabaseServer>(server: Promise<S>): Promise<S> {
  started.push(server);
  return server;
}
