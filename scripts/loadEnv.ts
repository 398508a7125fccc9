/**
 * Preloaded by npm's scripts (`node --import`): reads the variables of a file `.env`, where there is one. What the
 * environment itself says wins. (Node's own --env-file-if-exists says on every start that the file is not there.)
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const file = fileURLToPath(new URL("../.env", import.meta.url));
if (existsSync(file)) process.loadEnvFile(file);
