/**
 * `npm run token -s`: prints a token for 12 hours, signed with the JWT_SECRET of the environment or `.env`.
 * `npm run token -s -- --role viewer --id anna --name Anna`
 */
import { systemClock } from "../src/clock.ts";
import { readConfig } from "../src/config.ts";
import { IDENTITY_BOUNDS, ROLES, type Role } from "../src/http/auth/identity.ts";
import { OPERATOR_TOKEN_MS, Tokens } from "../src/http/auth/tokens.ts";
import { flags } from "./flags.ts";

const values = flags("npm run token -s -- [--role operator|viewer|player] [--id ID] [--name NAME]", {
  role: { type: "string", default: "operator" },
  id: { type: "string", default: "operator" },
  name: { type: "string", default: "Operator" },
});
if (!ROLES.includes(values.role as Role)) fail(`--role: must be one of ${ROLES.join(", ")}`);
requireLength("id", values.id, IDENTITY_BOUNDS.id);
requireLength("name", values.name, IDENTITY_BOUNDS.name);
const { jwtSecret, jwtSecretIsMade } = readConfig(process.env);
if (jwtSecretIsMade) fail("JWT_SECRET: set the one of the nodes; without it they make their own at each start");
const identity = { playerId: values.id, name: values.name, role: values.role as Role };
console.log(await new Tokens(jwtSecret, systemClock).issue(identity, OPERATOR_TOKEN_MS));

function requireLength(flag: string, text: string, most: number): void {
  if (text === "" || text.length > most) fail(`--${flag}: must have 1 to ${most} characters`);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
