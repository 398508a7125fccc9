/**
 * Builds the web page into web/dist when it is missing or older than what it is made of. `npm start` preloads it
 * (`node --import`), so that the server stays one process that signals reach; it says one line when it builds.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../", import.meta.url));
const WEB = join(REPOSITORY, "web");
const DIST = join(WEB, "dist");
const PAGE = join(DIST, "index.html");
const MODULES = join(REPOSITORY, "node_modules");
const VITE = join(MODULES, "vite/bin/vite.js");
/** devDependencies; Vite alone can come along with Colyseus. */
const TOOLS = [VITE, join(MODULES, "@preact/preset-vite"), join(MODULES, "preact")];

if (isStale()) build();

function isStale(): boolean {
  if (!existsSync(PAGE)) return true;
  const builtAt = statSync(PAGE).mtimeMs;
  return changedAt(join(REPOSITORY, "package-lock.json")) > builtAt || changedAt(WEB) > builtAt;
}

/** When the newest file under `path` changed; the folder's own time tells of removed ones. */
function changedAt(path: string): number {
  const own = statSync(path);
  if (!own.isDirectory()) return own.mtimeMs;
  const children = readdirSync(path).map((name) => join(path, name));
  // Building touches `web` itself when it makes `dist`.
  const start = path === WEB ? 0 : own.mtimeMs;
  return Math.max(start, ...children.filter((child) => child !== DIST).map(changedAt));
}

function build(): void {
  if (!TOOLS.every(existsSync)) {
    const consequence = existsSync(PAGE) ? "it stays as it was" : "there is none; all the rest works";
    say(
      `web page: cannot be built without devDependencies (npm ci && npm run build, then npm prune), so ${consequence}`,
    );
    return;
  }
  const start = performance.now();
  // Vite builds for what NODE_ENV says when it is set, and a server in development serves the same page.
  const env = { ...process.env, NODE_ENV: "production" };
  const { status, stdout, stderr } = spawnSync(process.execPath, [VITE, "build", WEB], { encoding: "utf8", env });
  if (status !== 0) throw new Error(`the web page cannot be built:\n${stdout}${stderr}`);
  say(`web page: built in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
