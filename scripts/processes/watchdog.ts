/**
 * Outlives the process that started it by a moment, to end what that process left: its children, its temporary
 * directories, its containers. It is told of them line by line on its standard input, whose end means that the
 * process is gone, however it went (a SIGKILL runs no exit handler). Started by `guard.ts` alone.
 */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Guarded } from "./guard.ts";

const left = new Map<string, Guarded>();

for await (const line of createInterface({ input: process.stdin })) {
  const { add, guarded } = JSON.parse(line) as { add: boolean; guarded: Guarded };
  const key = JSON.stringify(guarded);
  if (add) left.set(key, guarded);
  else left.delete(key);
}

// What was started last goes first, and directories go when nobody writes to them any more.
const all = [...left.values()].reverse();
for (const guarded of all) if (guarded.kind === "group") killGroup(guarded.pid);
for (const guarded of all) if (guarded.kind === "undo") spawnSync(guarded.command, guarded.args, { stdio: "ignore" });
for (const guarded of all) {
  if (guarded.kind === "directory") rmSync(guarded.path, { recursive: true, force: true, maxRetries: 5 });
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}
