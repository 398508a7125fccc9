import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** How many lines of apt-get an error quotes. */
const QUOTED_LINES = 15;

/** Whether this is Debian (or made from it) and the user may install packages. */
export function canInstallPackages(): boolean {
  return process.getuid?.() === 0 && existsSync("/etc/debian_version") && existsSync("/usr/bin/apt-get");
}

/**
 * Installs Debian packages without starting their services, telling of it on stderr. Processes that want to install at
 * the same time take turns. Rejects with the last lines of apt-get.
 */
export async function installPackages(packages: readonly string[]): Promise<void> {
  report(`installing Debian packages: ${packages.join(" ")} (once on this machine; it can take some minutes)`);
  // No `Program`: what ends this process may not SIGKILL dpkg in the middle of its work.
  const child = spawn("/bin/sh", [fileURLToPath(new URL("installPackages.sh", import.meta.url)), ...packages], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const told = [/^Need to get /, /^E: /, ...packages.map((name) => new RegExp(`^Setting up ${name} `))];
  for (const output of [child.stdout, child.stderr]) {
    createInterface({ input: output }).on("line", (line) => {
      lines.push(line);
      if (told.some((pattern) => pattern.test(line))) report(line);
    });
  }
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  if (code !== 0) {
    throw new Error(`apt-get ended with ${signal ?? `exit code ${code}`}:\n${lines.slice(-QUOTED_LINES).join("\n")}`);
  }
}

function report(line: string): void {
  process.stderr.write(`[servers] ${line}\n`);
}
