import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, renameSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { removeDirectory, temporaryDirectory } from "../processes/guard.ts";
import type { MariaDbPrograms } from "./locate.ts";

const run = promisify(execFile);

/** A server started with another size than its data were made with rewrites its log at each start. */
export const LOG_FILE_SIZE = "32M";

/** MariaDB refuses to run as root unless told so. */
export const AS_USER: readonly string[] = process.getuid?.() === 0 ? ["--user=root"] : [];

/**
 * Puts the system tables of a new server into `data`, unless something is there. Making them takes longer than starting
 * the server, so they are made once a version and unpacked from then on.
 */
export async function copySystemTables(programs: MariaDbPrograms, data: string): Promise<void> {
  if (existsSync(data)) return;
  const archive = await archiveOfSystemTables(programs);
  mkdirSync(data, { mode: 0o700 });
  await run("tar", ["-xf", archive, "-C", data]);
}

/** One file, since cleaners of temporary directories remove single old files. */
async function archiveOfSystemTables(programs: MariaDbPrograms): Promise<string> {
  const { stdout: version } = await run(programs.server, ["--no-defaults", "--version"]);
  const { username } = userInfo();
  const key = createHash("sha256").update([programs.server, version, username, LOG_FILE_SIZE].join("\n")).digest("hex");
  const archive = join(cacheFolder(username), `${key.slice(0, 16)}.tar`);
  if (existsSync(archive)) return archive;
  const work = temporaryDirectory("mariadb-template");
  const data = join(work, "data");
  await run(programs.install, [
    "--no-defaults",
    ...AS_USER,
    `--datadir=${data}`,
    "--skip-test-db",
    "--skip-name-resolve",
    `--innodb-log-file-size=${LOG_FILE_SIZE}`,
  ]);
  const unfinished = `${archive}.${randomBytes(6).toString("hex")}`;
  await run("tar", ["-cf", unfinished, "-C", data, "."]);
  // Two processes may have made it at once: either is whole, and the later one stays.
  renameSync(unfinished, archive);
  removeDirectory(work);
  return archive;
}

function cacheFolder(username: string): string {
  const folder = join(tmpdir(), `ringmaster-cache-${username}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (process.getuid !== undefined && lstatSync(folder).uid !== process.getuid()) {
    throw new Error(`${folder} belongs to somebody else; remove it`);
  }
  return folder;
}
