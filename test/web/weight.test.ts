import { ok } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { startProcess } from "../support/processes.ts";

const ASSETS = new URL("../../web/dist/assets/", import.meta.url);

/** What a phone on a slow line loads in about two seconds, in bytes compressed; four fifths of it is the SDK. */
const MOST_BYTES = 100_000;

describe("the player page's weight", function () {
  this.timeout(120_000);

  before(() => startProcess("scripts/buildWeb.ts").then(({ exited }) => exited));

  it(`is at most ${MOST_BYTES / 1000} kB, scripts, styles and pictures together`, () => {
    const sizes = readdirSync(ASSETS).map((name) => gzipSync(readFileSync(new URL(name, ASSETS))).length);
    const sum = sizes.reduce((total, size) => total + size, 0);
    ok(sum > 0 && sum <= MOST_BYTES, `${sum} bytes`);
  });
});
