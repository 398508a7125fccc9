import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Report } from "../../loadtest/runtime/LoadTest.ts";
import type { TOURNAMENT_EVENTS, TOURNAMENT_TIMES } from "../../loadtest/tournaments/TournamentBot.ts";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { DEADLINE_MS, type Exit, type Program, startProcess, until } from "../support/processes.ts";
import { RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { freshRedisUrl } from "../support/servers.ts";
import { endOnce } from "./counts.ts";

type TournamentReport = Report<(typeof TOURNAMENT_EVENTS)[number], (typeof TOURNAMENT_TIMES)[number]>;

/** What became of a load test. */
interface Played {
  exit: Exit;
  report: TournamentReport;
  output: string;
}

describe("the load test of tournaments", function () {
  this.timeout(120_000);
  let node: RingmasterNode;
  let database: Database;
  let folder: string;
  let operator: string;
  let plays = 0;
  /** Connections break at their times: this one goes by during the first test. */
  let broken: Promise<Played & { id: string }>;

  before(async () => {
    folder = temporaryDirectory("loadtest");
    operator = await tokenOf("operator");
    const [redisUrl, databaseUrl] = await Promise.all([freshRedisUrl(), migratedDatabaseUrl()]);
    node = await RingmasterNode.start({
      ...{ REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, RATE_LIMIT_PER_ADDRESS: "100000", LOG_LEVEL: "warn" },
    });
    database = await openDatabase({ kind: "mysql", url: databaseUrl, pool: 32 });
    await database.write("UPDATE games SET submissions_per_minute = 6000 WHERE id = 'tetris'");
    broken = playWithBreaks();
    broken.catch(() => {});
  });

  after(async () => {
    await database?.close();
    await node?.kill();
    removeDirectory(folder);
  });

  function begin(...flags: string[]): Promise<Program> {
    const common = ["--endpoint", node.url, "--seed", "7"];
    return startProcess("loadtest/tournament.ts", { args: [...common, ...flags], env: { CI: "true" } });
  }

  const reportOf = (file: string): TournamentReport => JSON.parse(readFileSync(file, "utf8")) as TournamentReport;

  /** Plays until so much has happened. */
  async function play(least: Record<string, number>, ...flags: string[]): Promise<Played> {
    plays += 1;
    const file = join(folder, `report-${plays}.json`);
    const program = await begin("--report", file, ...flags);
    const exit = await endOnce(program, least);
    return { exit, output: program.tail(), report: reportOf(file) };
  }

  async function createTournament(change: object = {}): Promise<string> {
    const startsAt = Date.now();
    const body = { name: "Snakes", game: "tetris", startsAt, endsAt: startsAt + 600_000, graceMs: 0, ...change };
    const { status, body: made } = await node.post<{ id: string }>("/api/tournaments", { token: operator, body });
    assert.equal(status, 201, JSON.stringify(made));
    return made.id;
  }

  async function entriesOf(tournamentId: string): Promise<{ entries: number; players: number }> {
    const [row] = await database.query<{ entries: unknown; players: unknown }>(
      "SELECT COUNT(*) AS entries, COUNT(DISTINCT player_id) AS players FROM score_entries WHERE tournament_id = ?",
      [tournamentId],
    );
    return { entries: Number(row!.entries), players: Number(row!.players) };
  }

  it("makes a tournament, and reports what the database holds of it", async () => {
    const { exit, report, output } = await play(
      ...[{ answered: 100, firstRanks: 1, standings: 1 }, "--operator", operator, "--numClients", "8", "--rate", "10"],
    );
    assert.deepEqual(exit, { code: 0, signal: null }, output);
    assert.deepEqual([report.joined, report.joinsFailed, report.disconnects, report.protocolErrors], [8, 0, 0, 0]);
    const stored = await entriesOf(String(report.parameters.tournament));
    assert.deepEqual(stored, { entries: report.answered, players: 8 });
    const { count, p50, p99, max } = report.latencyMs.submit;
    assert.equal(count, report.answered);
    assert.ok(p50 > 0 && p50 <= p99 && p99 <= max, JSON.stringify(report.latencyMs));
    assert.match(output, /submit p50 [\d.]+ p99 [\d.]+ ms/);
  });

  async function playWithBreaks(): Promise<Played & { id: string }> {
    const id = await createTournament({ operator: "sum", order: "asc" });
    const breaking = ["--reestablishAllDelay", "1000", "--rate", "10"];
    const played = await play({ disconnects: 6, returns: 6 }, "--tournament", id, "--numClients", "6", ...breaking);
    return { ...played, id };
  }

  it("brings its players back when their connections break, and has nothing counted twice", async () => {
    const { id, exit, report, output } = await broken;
    assert.deepEqual(exit, { code: 0, signal: null }, output);
    // What was under way as the test ended may have been stored unheard.
    const { entries, players } = await entriesOf(id);
    assert.equal(players, 6);
    assert.ok(entries >= report.answered && entries <= report.answered + 6, output);
  });

  it("counts refusals by their code: a player's entries are used up", async () => {
    const id = await createTournament({ maxEntries: 2 });
    const { exit, report, output } = await play(
      ...[{ entries_used_up: 3 }, "--tournament", id, "--numClients", "3", "--rate", "5"],
    );
    assert.deepEqual(exit, { code: 0, signal: null }, output);
    assert.deepEqual([report.answered, report.errors], [6, { entries_used_up: 3 }]);
  });

  it("plays the first tournament that is open when none is named, hears how it ends, and stops when told", async () => {
    const { body } = await node.get<{ tournaments: { id: string; phase: string }[] }>("/api/tournaments");
    const { id } = body.tournaments.find(({ phase }) => phase === "open")!;
    const program = await begin("--rate", "5");
    await program.line("submitting", (line) => /joined 1, answered/.test(line) || undefined);
    const { status } = await node.post(`/api/tournaments/${id}/cancel`, { token: operator, body: {} });
    assert.equal(status, 200);
    assert.deepEqual(await program.stop(20_000), { code: 0, signal: null }, program.tail());
  });

  it("tells what a settled tournament gives", async () => {
    const id = await createTournament({ prizes: [{ from: 1, to: 1, items: [{ item: "TICO", amount: "5" }] }] });
    const file = join(folder, "settled.json");
    const program = await begin("--tournament", id, "--numClients", "3", "--rate", "5", "--report", file);
    await until(async () => (await entriesOf(id)).players === 3, {
      timeoutMs: DEADLINE_MS,
      what: "all have submitted",
    });
    await node.post(`/api/tournaments/${id}/end`, { token: operator, body: {} });
    await program.line("being told", (line) => /settled 3/.test(line) || undefined);
    assert.deepEqual(await program.stop(20_000), { code: 0, signal: null }, program.tail());
    assert.equal(reportOf(file).prizes, 1);
  });

  it("fails when players cannot join, and names a bad flag", async () => {
    const missing = await begin("--tournament", "nosuch");
    assert.equal((await missing.exited).code, 1);
    assert.match(missing.tail(), /answered 404/);
    const bad = await begin("--rate", "fast");
    assert.deepEqual(await bad.exited, { code: 2, signal: null });
    assert.match(bad.tail(), /--rate: must be a number/);
  });
});
