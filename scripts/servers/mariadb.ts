import { randomBytes } from "node:crypto";
import { accessSync, constants, statfsSync, writeFileSync } from "node:fs";
import { freemem } from "node:os";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
import { temporaryDirectory } from "../processes/guard.ts";
import { Program } from "../processes/Program.ts";
import { ContainerRunner } from "./compose.ts";
import { locateMariaDb, type MariaDbPrograms } from "./locate.ts";
import { AS_USER, copySystemTables, LOG_FILE_SIZE } from "./mariadbTemplate.ts";
import { LocalRunner, onFreePort, PrivateServer, type Runner } from "./PrivateServer.ts";

export interface MariaDbOptions {
  /** `innodb_flush_log_at_trx_commit`: 1 (the default) writes each commit to the disk, 2 leaves that to the system. */
  flushLogAtCommit?: 1 | 2;
  /** Keeps its files in memory, where the machine has plenty: every table that is made waits for the disk several times. */
  inMemory?: boolean;
  /** Where its files lie instead: on a disk that can be filled. */
  folder?: string;
}

/** What lies here, Linux keeps in memory. */
const MEMORY = "/dev/shm";

/** Some times what the databases of a whole run of the tests take. */
const PLENTY_BYTES = 4 * 2 ** 30;

/** A private MariaDB. Its data survive `kill` and `restart`, and go with `stop`. */
export class DatabaseServer extends PrivateServer {
  /** `mysql://…` without a database, for a user that may do everything. */
  readonly url: string;

  constructor(port: number, runner: Runner, password: string) {
    super(port, runner);
    this.url = `mysql://root:${password}@127.0.0.1:${port}`;
  }

  /** Makes an empty database and returns its `mysql://…/name`. */
  async createDatabase(): Promise<string> {
    return await createDatabase(this.url);
  }
}

/** Makes an empty database on the server at `url`, which names none, and returns its `mysql://…/name`. */
export async function createDatabase(url: string): Promise<string> {
  const name = `ringmaster_${randomBytes(6).toString("hex")}`;
  const connection = await createConnection(url);
  try {
    await connection.query(`CREATE DATABASE ${name}`);
  } finally {
    await connection.end();
  }
  return `${url}/${name}`;
}

/** Starts a private, empty MariaDB. Rejects when there is none and none can be provided. */
export async function startMariaDb(options: MariaDbOptions = {}): Promise<DatabaseServer> {
  const { flushLogAtCommit = 1, inMemory = false } = options;
  const located = await locateMariaDb();
  const password = randomBytes(12).toString("hex");
  const settings = [
    "--skip-name-resolve",
    "--skip-log-bin",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_unicode_ci",
    "--max-connections=300",
    "--performance-schema=OFF",
    "--innodb-buffer-pool-size=64M",
    `--innodb-log-file-size=${LOG_FILE_SIZE}`,
    `--innodb-flush-log-at-trx-commit=${flushLogAtCommit}`,
  ];
  const folder = options.folder ?? (inMemory ? folderInMemory() : undefined);
  return await onFreePort((port) => {
    const runner =
      located === "container"
        ? new ContainerRunner({ service: "mariadb", port, settings, password })
        : localMariaDb(located, temporaryDirectory("mariadb", folder), { port, settings, password });
    return { runner, server: new DatabaseServer(port, runner, password) };
  });
}

/** Where files lie in memory; `undefined` where that is not, or has less room than plenty. */
function folderInMemory(): string | undefined {
  try {
    accessSync(MEMORY, constants.W_OK);
    const { bavail, bsize } = statfsSync(MEMORY);
    return Math.min(bavail * bsize, freemem()) >= PLENTY_BYTES ? MEMORY : undefined;
  } catch {
    return undefined;
  }
}

interface Settings {
  port: number;
  settings: readonly string[];
  password: string;
}

function localMariaDb(programs: MariaDbPrograms, directory: string, { port, settings, password }: Settings): Runner {
  const data = join(directory, "data");
  const users = join(directory, "users.sql");
  writeFileSync(
    users,
    `CREATE USER IF NOT EXISTS 'root'@'%' IDENTIFIED BY '${password}';\nGRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;\n`,
    { mode: 0o600 },
  );
  const args = [
    "--no-defaults",
    ...AS_USER,
    `--datadir=${data}`,
    `--tmpdir=${directory}`,
    `--socket=${join(directory, "socket")}`,
    `--pid-file=${join(directory, "pid")}`,
    `--port=${port}`,
    "--bind-address=127.0.0.1",
    `--init-file=${users}`,
    ...settings,
  ];
  const launch = async (): Promise<Program> => {
    await copySystemTables(programs, data);
    return await Program.start({ name: "mariadbd", command: programs.server, args });
  };
  return new LocalRunner(directory, launch, /ready for connections/);
}
