import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * What must not outlive this process: a process group by its leader, a directory, or anything that a command undoes.
 */
export type Guarded =
  | { kind: "group"; pid: number }
  | { kind: "directory"; path: string }
  | { kind: "undo"; command: string; args: string[] };

let watchdog: ChildProcess | undefined;

/** Has the watchdog end `guarded` when this process ends without having called `release`. */
export function guard(guarded: Guarded): void {
  tell({ add: true, guarded });
}

/** Takes back `guard`, once the thing is gone. */
export function release(guarded: Guarded): void {
  tell({ add: false, guarded });
}

/**
 * Makes an empty directory `ringmaster-<name>-…` in `parent`, the system's temporary one unless given; it is removed at the
 * latest with this process.
 */
export function temporaryDirectory(name: string, parent = tmpdir()): string {
  const path = mkdtempSync(join(parent, `ringmaster-${name}-`));
  guard({ kind: "directory", path });
  return path;
}

export function removeDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  release({ kind: "directory", path });
}

function tell(message: { add: boolean; guarded: Guarded }): void {
  watchdog ??= startWatchdog();
  watchdog.stdin!.write(`${JSON.stringify(message)}\n`);
}

function startWatchdog(): ChildProcess {
  // In a process group of its own, so that a Ctrl-C at the terminal does not take it along.
  const child = spawn(process.execPath, [fileURLToPath(new URL("watchdog.ts", import.meta.url))], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  child.unref();
  const pipe = child.stdin as Socket;
  pipe.unref();
  pipe.on("error", () => {
    // Somebody killed the watchdog: the next thing to guard starts another.
    watchdog = undefined;
  });
  return child;
}
