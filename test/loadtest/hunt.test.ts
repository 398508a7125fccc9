import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HUNT_EVENTS, HUNT_TIMES } from "../../loadtest/hunts/HuntBot.ts";
import type { Report } from "../../loadtest/runtime/LoadTest.ts";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import type { HuntDefinition } from "../../src/actors/hunts/definition.ts";
import type { HuntDetails } from "../../src/actors/hunts/HuntOperations.ts";
import { systemClock } from "../../src/clock.ts";
import type { Database } from "../../src/entities/sql.ts";
import { operatorToken } from "../../src/http/auth/roles.ts";
import { Tokens } from "../../src/http/auth/tokens.ts";
import { openDatabase } from "../support/database.ts";
import { beginDemoHunt } from "../support/demo.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { type Exit, type Program, startProcess } from "../support/processes.ts";
import { freshRedisUrl } from "../support/servers.ts";
import { endOnce } from "./counts.ts";

type HuntReport = Report<(typeof HUNT_EVENTS)[number], (typeof HUNT_TIMES)[number]>;

/** What became of a load test. */
interface Played {
  exit: Exit;
  report: HuntReport;
  output: string;
}

/** For a node that migrates its database, on a machine with other work. */
const READY_MS = 60_000;
const SECRET = "a secret of the tests, 32 characters long";
const SOLUTIONS = { "It turns all night.": "Lighthouse", "It has hands.": "Clock" };
/** Every player can have a few, and all are solved long before the load test ends. */
const INSTANCES = 60;

function aHunt(): HuntDefinition {
  return {
    ...{ name: "Harbour lights", startsAt: systemClock.now(), discoveryMs: 0, solvingMs: 600_000, revealMs: 0 },
    ...{ clueTtlMs: 60_000, attempts: 2, winners: 3, repeat: INSTANCES / 2 },
    clues: Object.entries(SOLUTIONS).map(([prompt, answer], at) => ({
      ...{ type: "riddle", prompt, answers: [answer], points: 5 + at, repeatable: true },
    })),
  };
}

describe("the load test of hunts", function () {
  this.timeout(120_000);
  let server: Program;
  let address: string;
  let database: Database;
  let folder: string;
  let plays = 0;
  /** Connections break once a second: this one goes by during the first test. */
  let broken: Promise<Played & { huntId: string }>;

  before(async () => {
    folder = temporaryDirectory("loadtest");
    writeFileSync(join(folder, "answers.json"), JSON.stringify(SOLUTIONS));
    const [redisUrl, databaseUrl] = await Promise.all([freshRedisUrl(), migratedDatabaseUrl()]);
    server = await startProcess("src/index.ts", {
      env: {
        ...{ PORT: "0", REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, JWT_SECRET: SECRET, DEMO: "false" },
        ...{ RATE_LIMIT_PER_ADDRESS: "100000", LOG_LEVEL: "warn" },
      },
    });
    address = await server.line("being ready", (line) => /is ready: (http:\S+)/.exec(line)?.[1], READY_MS);
    database = await openDatabase({ kind: "mysql", url: databaseUrl, pool: 32 });
    broken = playWithBreaks();
    broken.catch(() => {});
  });

  after(async () => {
    await database.close();
    await server.stop(10_000);
    removeDirectory(folder);
  });

  async function createHunt(): Promise<string> {
    const token = await operatorToken(new Tokens(SECRET, systemClock));
    const response = await fetch(`${address}/api/hunts`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(aHunt()),
    });
    assert.equal(response.status, 201);
    return ((await response.json()) as { id: string }).id;
  }

  /** Plays until so much has happened; without `least`, until the test ends by itself. */
  async function play(least: Record<string, number> | undefined, ...flags: string[]): Promise<Played> {
    plays += 1;
    const file = join(folder, `report-${plays}.json`);
    const common = ["--endpoint", address, "--room", "hunt", "--report", file, "--think", "40", "--seed", "7"];
    const program = await startProcess("loadtest/hunt.ts", {
      args: [...common, "--answers", join(folder, "answers.json"), ...flags],
      env: { CI: "true" },
    });
    const exit = await (least === undefined ? program.exited : endOnce(program, least));
    return { exit, output: program.tail(), report: JSON.parse(readFileSync(file, "utf8")) as HuntReport };
  }

  /** What the database holds of a hunt. */
  async function stored(huntId: string): Promise<Record<string, number>> {
    const [row] = await database.query<Record<string, unknown>>(
      `SELECT COUNT(*) AS assignments, COUNT(DISTINCT player_id) AS players, SUM(outcome = 1) AS solved,
        SUM(attempts_used) - SUM(outcome = 1) AS wrong, SUM(points) AS points
      FROM hunt_assignments WHERE hunt_id = ?`,
      [huntId],
    );
    return Object.fromEntries(Object.entries(row!).map(([name, value]) => [name, Number(value)]));
  }

  it("reports what the database holds", async () => {
    const huntId = await createHunt();
    const { exit, report, output } = await play({ solvesRight: INSTANCES }, "--hunt", huntId, "--numClients", "8");
    assert.deepEqual(exit, { code: 0, signal: null }, output);

    assert.equal(report.joined, 8);
    assert.deepEqual([report.joinsFailed, report.disconnects, report.protocolErrors], [0, 0, 0]);
    assert.deepEqual(report.errors, {});
    assert.ok(report.waits > 0 && report.solvesWrong > 0, output);
    const { claims, served, solvesRight, solvesWrong, points } = report;
    assert.deepEqual(
      { assignments: claims + served, players: 8, solved: solvesRight, wrong: solvesWrong, points },
      await stored(huntId),
    );
    assert.equal(solvesRight, INSTANCES);

    const details = (await (await fetch(`${address}/api/hunts/${huntId}`)).json()) as HuntDetails;
    assert.equal(details.solved, solvesRight);
    assert.equal(
      details.standings.reduce((sum, row) => sum + row.points, 0),
      points,
    );
    const { claim, solve } = report.latencyMs;
    assert.deepEqual([claim.count, solve.count], [claims + report.waits + report.exhausted, solvesRight + solvesWrong]);
    for (const { p50, p90, p99, max } of [claim, solve]) {
      assert.ok(p50 > 0 && p50 <= p90 && p90 <= p99 && p99 <= max, JSON.stringify(report.latencyMs));
    }
  });

  async function playWithBreaks(): Promise<Played & { huntId: string }> {
    const huntId = await createHunt();
    const breaking = ["--reestablishAllDelay", "1000", "--think", "100"];
    const enough = { disconnects: 6, returns: 6, solvesRight: INSTANCES };
    const played = await play(enough, "--hunt", huntId, "--numClients", "6", ...breaking);
    return { ...played, huntId };
  }

  it("brings its players back when their connections break, and counts nothing twice", async () => {
    const { huntId, exit, report, output } = await broken;
    assert.deepEqual(exit, { code: 0, signal: null }, output);

    assert.equal(report.joined, 6);
    const { solved, points } = await stored(huntId);
    assert.deepEqual({ solved: report.solvesRight, points: report.points }, { solved, points });
    assert.equal(solved, INSTANCES);
  });

  it("plays the first hunt in solving when none is named, until it is told to stop", async () => {
    const program = await startProcess("loadtest/hunt.ts", { args: ["--endpoint", address], env: { CI: "true" } });
    await program.line("claiming a clue", (line) => /joined 1, (claims|waits|exhausted)/.test(line) || undefined);
    assert.deepEqual(await program.stop(20_000), { code: 0, signal: null }, program.tail());
  });

  it("fails when the server dies under it, and counts what was lost", async () => {
    const folderOfNode = join(folder, "dying");
    const dying = await startProcess("src/index.ts", {
      env: { PORT: "0", DATABASE_URL: `sqlite:${folderOfNode}`, JWT_SECRET: SECRET, DEMO: "true", LOG_LEVEL: "warn" },
    });
    const url = await dying.line("being ready", (line) => /is ready: (http:\S+)/.exec(line)?.[1], READY_MS);
    await beginDemoHunt(url, await operatorToken(new Tokens(SECRET, systemClock)));
    const file = join(folder, "dying.json");
    const test = await startProcess("loadtest/hunt.ts", {
      args: ["--endpoint", url, "--numClients", "3", "--think", "40", "--report", file],
      env: { CI: "true" },
    });
    await test.line("playing", (line) => /joined 3, /.test(line) || undefined);
    await dying.kill();
    await test.line("losing its connections", (line) => /disconnects 3/.test(line) || undefined);
    test.signal("SIGTERM");
    assert.deepEqual(await test.exited, { code: 1, signal: null }, test.tail());
    const report = JSON.parse(readFileSync(file, "utf8")) as HuntReport;
    assert.deepEqual([report.joined, report.disconnects, report.lost], [3, 3, 3]);
    assert.ok(!/Colyseus reconnection/.test(test.tail()), "the SDK's chatter is summed up");
  });

  it("ends by itself after the time that it was given", async () => {
    const { exit, report } = await play(undefined, "--hunt", await createHunt(), "--duration", "1");
    assert.equal(exit.signal, null);
    assert.ok(report.seconds >= 1);
  });

  it("fails when players cannot join", async () => {
    const { exit, report, output } = await play(undefined, "--hunt", "nosuchhunt", "--numClients", "2");
    assert.deepEqual(exit, { code: 1, signal: null });
    assert.deepEqual([report.joined, report.joinsFailed], [0, 2]);
    assert.match(output, /player 0 could not join: not_found: /);
  });

  it("names a bad flag", async () => {
    for (const [flags, message] of [
      [["--numClients", "many"], /--numClients: must be a whole number/],
      [["--endpoint", "localhost"], /--endpoint: must be ws:/],
      [["--nosuchflag"], /nosuchflag/],
    ] as const) {
      const program = await startProcess("loadtest/hunt.ts", { args: flags });
      assert.deepEqual(await program.exited, { code: 2, signal: null });
      assert.match(program.tail(), message);
    }
  });
});
