import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { RINGMASTER } from "../../src/app.config.ts";
import { readConfig, variablesOf } from "../../src/config.ts";

const { domains } = RINGMASTER;
const VARIABLES = variablesOf(domains);

describe("The file .env.example", () => {
  const text = readFileSync(new URL("../../.env.example", import.meta.url), "utf8");

  it("names every variable that is read, and no other", () => {
    assert.deepEqual(Object.keys(parseEnv(text)).sort(), [...VARIABLES].sort());
  });

  it("says of each what it is for", () => {
    for (const name of VARIABLES) {
      const [, comment] = new RegExp(`\\n\\n((?:# .+\\n)+)${name}=.*\\n`).exec(text) ?? [];
      assert.ok(comment !== undefined, `${name} has no comment of its own`);
    }
  });

  it("holds the defaults", () => {
    const { jwtSecret: _, ...written } = readConfig(parseEnv(text), domains);
    const { jwtSecret: __, ...unset } = readConfig({}, domains);
    assert.deepEqual(written, unset);
  });
});
