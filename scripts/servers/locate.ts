import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { composeProvides, type Service } from "./compose.ts";
import { canInstallPackages, installPackages } from "./debian.ts";

/** Where servers lie that a user's PATH may leave out. */
const SERVER_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/opt/homebrew/bin"];

/** Something to run that this machine may have or get. */
interface Need<T> {
  /** What messages call it. */
  name: string;
  debianPackage: string;
  find(): T | undefined;
}

export interface MariaDbPrograms {
  server: string;
  /** Makes the system tables of an empty data directory. */
  install: string;
}

const redis: Need<string> = {
  name: "Redis",
  debianPackage: "redis-server",
  find: () => findProgram("redis-server"),
};

const mariaDb: Need<MariaDbPrograms> = {
  name: "MariaDB",
  debianPackage: "mariadb-server",
  find() {
    // MySQL's own `mysqld` comes without such an installer and has other options: it is not taken for MariaDB.
    const server = findProgram("mariadbd", "mysqld");
    const install = findProgram("mariadb-install-db", "mysql_install_db");
    return server !== undefined && install !== undefined ? { server, install } : undefined;
  },
};

const chromium: Need<string> = {
  name: "Chromium",
  debianPackage: "chromium",
  find: () => findProgram("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
};

const promtool: Need<string> = {
  name: "promtool",
  debianPackage: "prometheus",
  find: () => findProgram("promtool"),
};

/** The path of redis-server, or that it runs in a container. Rejects with one error that says what to install. */
export const locateRedis = memoised(
  async () => (await provide(redis, [mariaDb])) ?? (await inContainer(redis, "redis")),
);

/** The paths of MariaDB's programs, or that it runs in a container. Rejects as `locateRedis` does. */
export const locateMariaDb = memoised(
  async () => (await provide(mariaDb, [redis])) ?? (await inContainer(mariaDb, "mariadb")),
);

/** The path of a Chromium or Chrome. Rejects with one error that says what to install. */
export const findChromium = memoised(() => findOnly(chromium));

/** The path of the tool that checks Prometheus's rules. Rejects with one error that says what to install. */
export const findPromtool = memoised(() => findOnly(promtool));

/** For what no container provides. */
async function findOnly(need: Need<string>): Promise<string> {
  const path = await provide(need, []);
  if (path === undefined) throw new Error(`${wanted(need)}.`);
  return path;
}

/**
 * Finds it, or installs it where that is allowed. `companions` that are missing too are installed along: who needs one
 * needs the other a moment later.
 */
async function provide<T>(need: Need<T>, companions: readonly Need<unknown>[]): Promise<T | undefined> {
  const present = need.find();
  if (present !== undefined || !canInstallPackages()) return present;
  const missing = [need, ...companions.filter((companion) => companion.find() === undefined)];
  try {
    await installPackages(missing.map(({ debianPackage }) => debianPackage));
  } catch (error) {
    process.stderr.write(`[servers] ${(error as Error).message}\n`);
  }
  return need.find();
}

async function inContainer(need: Need<unknown>, service: Service): Promise<"container"> {
  if (await composeProvides(service)) return "container";
  throw new Error(`${wanted(need)}, or start an engine that \`docker compose\` can use.`);
}

function wanted({ name, debianPackage }: Need<unknown>): string {
  return `${name} is needed and is not on PATH: install it (on Debian: apt-get install ${debianPackage})`;
}

/** The first of `names` that can be executed from PATH or a folder of servers. */
function findProgram(...names: string[]): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...SERVER_FOLDERS].filter((folder) => folder !== "");
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Runs `task` at the first call, and gives its outcome to every later one. */
function memoised<T>(task: () => Promise<T>): () => Promise<T> {
  let outcome: Promise<T> | undefined;
  return () => {
    outcome ??= task();
    return outcome;
  };
}
