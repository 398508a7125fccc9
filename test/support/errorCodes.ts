import { globSync } from "node:fs";
import { join } from "node:path";

const ENTITIES = join(import.meta.dirname, "../../src/entities");

// A client of the tests knows the codes of all domains, without loading these: an error of a code that nobody has defined reads as `internal`.
for (const file of globSync("*/errors.ts", { cwd: ENTITIES })) await import(join(ENTITIES, file));
