/** Runs a load test by name, that of hunts unless one is named: `npm run loadtest -- tournament --numClients 1000`. */
import { readdirSync } from "node:fs";

/** Every load test: a file beside this one each. */
const TESTS = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith(".ts") && file !== "index.ts")
  .map((file) => file.replace(/\.ts$/, ""))
  .sort();

const [named] = process.argv.slice(2);
const isNamed = named !== undefined && !named.startsWith("-");
if (isNamed && !TESTS.includes(named)) {
  process.stderr.write(`there is no load test ${named}; there are: ${TESTS.join(", ")}\n`);
  process.exit(2);
}
if (isNamed) process.argv.splice(2, 1);
await import(`./${isNamed ? named : "hunt"}.ts`);
