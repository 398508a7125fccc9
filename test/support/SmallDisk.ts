import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const TRIES = 100;

/** A file system of its own, in memory, that can be filled. Only root may mount one. */
export class SmallDisk {
  readonly folder: string;

  static isPossible(): boolean {
    return process.platform === "linux" && process.getuid?.() === 0;
  }

  constructor(name: string, megabytes: number) {
    this.folder = join(tmpdir(), `ringmaster-${name}-${process.pid}`);
    mkdirSync(this.folder);
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", this.folder]);
  }

  /** Takes all room that is left, also beside somebody who takes some meanwhile. */
  async fill(): Promise<void> {
    for (let left = TRIES; ; left -= 1) {
      const { bavail, bsize } = statfsSync(this.folder);
      try {
        return void (await promisify(execFile)("fallocate", ["-l", String(bavail * bsize), this.#ballast]));
      } catch (error) {
        if (left === 0) throw error;
      }
    }
  }

  /** Gives it back. */
  clear(): void {
    rmSync(this.#ballast, { force: true });
  }

  /** To be called once nobody has a file there any more. */
  remove(): void {
    execFileSync("umount", [this.folder]);
    rmSync(this.folder, { recursive: true });
  }

  get #ballast(): string {
    return join(this.folder, "ballast");
  }
}
