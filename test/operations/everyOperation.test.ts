import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { join } from "node:path";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import type { Database } from "../../src/entities/sql.ts";
import { description } from "../../src/operations/describe.ts";
import { aHunt } from "../http/edge.ts";
import type { TaskOrder } from "../http/nodeWithTasks.ts";
import { OPERATIONS } from "../support/api.ts";
import { openDatabase } from "../support/database.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { muteSdk, Visitor } from "../support/Visitor.ts";
import { someTournament } from "../tournaments/someTournament.ts";

const HOUR_MS = 3_600_000;
/** Requests of one connection. */
const A_CONNECTION = 25;
const letter = (index: number) => ({ kind: "tournament", id: "t1", version: 3, index });

/** What a node finds: two dead letters, a timer that fails, and something that popups may say. */
async function prepare(database: Database): Promise<void> {
  for (const index of [0, 1])
    await database.write(
      `INSERT INTO actor_dead_letters (kind, id, version, idx, target_kind, target_id, message, created_at, attempts, error, died_at)
       VALUES ('tournament', 't1', 3, ?, 'popup', 'global', ?, 1, 18, 'internal: x', 100)`,
      [index, JSON.stringify({ method: "nothing", args: [] })],
    );
  const failed = { attempts: 1, at: Date.now(), waitMs: HOUR_MS, error: "x" };
  await database.write(
    `INSERT INTO actors (kind, id, owner, epoch, version, state, timers, due_at, crashes, created_at, updated_at, failing_at)
     VALUES ('popup', 'global', NULL, 1, 0, ?, ?, ?, 0, 0, 0, ?)`,
    [
      JSON.stringify({ armed: true, count: 0, window: null }),
      JSON.stringify([{ name: "close", due: failed.at, seq: 1, failed }]),
      ...[failed.at + HOUR_MS, failed.at],
    ],
  );
  await database.write("INSERT INTO popup_contents (id, title, body, weight) VALUES ('c', 'T', 'B', 1)");
}

/** Asks as an operator. */
export type Ask = <T>(type: "command" | "query", name: string, args?: object) => Promise<T>;
/** Arguments with which a command or query is tried, which may take what others have answered. */
export type ArgsOf = (ask: Ask) => object | Promise<object>;

/** Those of `test/<domain>/operations.ts`. */
const brought: Array<{ COMMANDS: Record<string, ArgsOf>; QUERIES: Record<string, ArgsOf> }> = await Promise.all(
  globSync("../*/operations.ts", { cwd: import.meta.dirname }).map((file) => import(join(import.meta.dirname, file))),
);

describe("Every command and query", function () {
  this.timeout(180_000);
  muteSdk();
  let directory: string;
  let database: Database;
  let node: RingmasterNode;
  let operator: Visitor;
  let asked = 0;
  const { commands, queries } = description(OPERATIONS);
  /** What came of earlier commands, for the arguments of later ones. */
  const known = { hunt: "", tournament: "", series: "", player: "" };

  before(async () => {
    directory = temporaryDirectory("every-operation");
    const path = join(directory, "ringmaster.sqlite");
    const prepared = await openDatabase({ kind: "sqlite", path });
    await prepare(prepared);
    await prepared.close();
    node = await RingmasterNode.start({ DATABASE_URL: `sqlite:${path}` }, "test/http/nodeWithTasks.ts");
    database = await openDatabase({ kind: "sqlite", path });
    operator = await Visitor.join(node.client(await tokenOf("operator")), "admin");
    known.player = (await node.signIn()).id;
    for (const [at, key] of ["parcel", "letter"].entries()) {
      node.program.send({ enqueue: key } satisfies TaskOrder);
      await until(async () => (await ask<{ tasks: object[] }>("query", "deadLetters")).tasks.length === at + 1, {
        ...{ what: `${key} is dead`, timeoutMs: DEADLINE_MS },
      });
    }
  });

  after(async () => {
    await database?.close();
    await node?.kill();
    removeDirectory(directory);
  });

  /** A connection may ask so often at once, and there are more to try than that. */
  const ask: Ask = async (type, name, args = {}) => {
    if (asked++ % A_CONNECTION === A_CONNECTION - 1) {
      await operator.room.leave();
      operator = await Visitor.join(node.client(await tokenOf("operator")), "admin");
    }
    return await operator.request(type, { name, args });
  };

  const hunt = () => ({ ...aHunt(), startsAt: Date.now() + HOUR_MS });
  const tournament = (more: object = {}) => {
    const startsAt = Date.now() + HOUR_MS;
    return { ...someTournament({ startsAt, endsAt: startsAt + HOUR_MS, graceMs: 0 }), ...more };
  };
  const item = () => ({ playerId: known.player, item: "TICO", amount: "2", reason: "asked for" });
  const quest = { id: "q", title: "Q", condition: { check: "walletConnected", args: {} }, delayMs: 0, rewards: [] };
  const game = { id: "g", name: "G", minScore: 0, maxScore: 1, submissionsPerMinute: 1 };
  const huntId = () => ({ huntId: known.hunt });
  const tournamentId = () => ({ tournamentId: known.tournament });
  const seriesId = () => ({ tournamentId: known.series });
  const reason = "because";

  /** Another one of its kind, of which the next commands are. */
  const another = async (name: "hunt" | "tournament" | "series"): Promise<void> => {
    const [command, definition] =
      name === "hunt"
        ? ["createHunt", hunt()]
        : ["createTournament", tournament(name === "series" ? { series: { cron: "0 12 * * *" } } : {})];
    known[name] = (await ask<{ id: string }>("command", command, definition)).id;
  };

  /**
   * Arguments for each command, in an order in which all of them take effect. A command that is missing here, and in the `operations.ts` of
   * each domain's tests, fails the first test.
   */
  const COMMANDS: Record<string, ArgsOf> = {
    createHunt: hunt,
    correctHunt: async () => {
      await another("hunt");
      return { ...huntId(), reason, definition: hunt() };
    },
    extendHunt: () => ({ ...huntId(), ms: 1000 }),
    postponeHunt: () => ({ ...huntId(), ms: 1000 }),
    startHunt: huntId,
    pauseHunt: () => ({ ...huntId(), reason }),
    resumeHunt: () => ({ ...huntId(), reason }),
    holdHunt: () => ({ ...huntId(), reason }),
    releaseHunt: () => ({ ...huntId(), reason }),
    endHunt: huntId,
    cancelHunt: async () => {
      await another("hunt");
      return huntId();
    },
    createTournament: tournament,
    correctTournament: async () => {
      await another("tournament");
      return { ...tournamentId(), reason, definition: tournament() };
    },
    extendTournament: () => ({ ...tournamentId(), ms: 1000 }),
    postponeTournament: () => ({ ...tournamentId(), ms: 1000 }),
    startTournament: tournamentId,
    pauseTournament: () => ({ ...tournamentId(), reason }),
    resumeTournament: () => ({ ...tournamentId(), reason }),
    previewTournament: tournamentId,
    holdTournament: () => ({ ...tournamentId(), reason }),
    releaseTournament: () => ({ ...tournamentId(), reason }),
    endTournament: tournamentId,
    cancelTournament: async () => {
      await another("tournament");
      return tournamentId();
    },
    endSeries: async () => {
      await another("series");
      return seriesId();
    },
    createGame: () => game,
    contributeToPool: () => ({ game: "snake", period: "daily", item: "TICO", amount: "5" }),
    grantItem: item,
    takeItem: () => ({ ...item(), amount: "1" }),
    redeemItem: () => ({ ...item(), amount: "1" }),
    createQuest: () => ({ ...quest, repeatable: false }),
    retireQuest: () => ({ questId: "q" }),
    retryTimer: () => ({ actor: { kind: "popup", id: "global" }, timer: "close" }),
    openPopup: () => ({}),
    closePopup: () => ({}),
    pauseJob: () => ({ job: "retention" }),
    skipJob: () => ({ job: "sessions" }),
    resumeJob: () => ({ job: "retention" }),
    triggerJob: () => ({ job: "retention" }),
    replayDeadLetter: () => ({ from: letter(0) }),
    discardDeadLetter: () => ({ from: letter(1) }),
    replayTask: () => ({ name: "courier", key: "parcel" }),
    discardTask: () => ({ name: "courier", key: "letter" }),
  };

  const QUERIES: Record<string, ArgsOf> = {
    hunt: huntId,
    huntChanges: huntId,
    huntReview: huntId,
    tournament: tournamentId,
    tournamentStandings: tournamentId,
    tournamentChanges: tournamentId,
    tournamentReview: tournamentId,
    poolHistory: () => ({ game: "snake", period: "daily" }),
    rankings: () => ({ game: "snake", period: "all" }),
    inventory: () => ({ playerId: known.player }),
  };

  for (const { COMMANDS: commands, QUERIES: queries } of brought) {
    Object.assign(COMMANDS, commands);
    Object.assign(QUERIES, queries);
  }

  const answerOf = (kind: string, name: string) =>
    OPERATIONS.find((each) => each.kind === kind && each.name === name)!.answer;

  it("that there is is tried here", () => {
    assert.deepEqual(Object.keys(COMMANDS).sort(), commands.map(({ name }) => name).sort());
  });

  for (const [name, argsOf] of Object.entries(COMMANDS)) {
    it(`${name} answers what it says, and its line is written by the transaction of its effect`, async () => {
      const args = await argsOf(ask);
      const [before] = await database.query<{ lines: number }>("SELECT COUNT(*) AS 'lines' FROM audit");
      const answer = await ask("command", name, args);
      answerOf("command", name).parse(answer ?? undefined);
      const lines = await database.query<Record<string, unknown>>("SELECT * FROM audit");
      assert.equal(lines.length, Number(before!.lines) + 1);
      const [line] = await database.query<Record<string, unknown>>(
        "SELECT * FROM audit WHERE command = ? ORDER BY at DESC, id DESC LIMIT 1",
        [name],
      );
      assert.deepEqual([line!.outcome, line!.operator_id, line!.error], ["done", "operator", null]);
      const late = node.output.filter((each) => each.includes("has no line of the audit"));
      assert.deepEqual(late, []);
    });
  }

  for (const { name } of queries)
    it(`${name} answers what it says`, async () => {
      answerOf("query", name).parse(await ask("query", name, await QUERIES[name]?.(ask)));
    });

  /** What an argument is named that says which actor is meant; there is none by this id. */
  const UNMADE: Record<string, unknown> = {
    ...{ huntId: "none1", tournamentId: "none1", job: "none1", questId: "none1", name: "none1" },
    actor: { kind: "hunt", id: "none1" },
    from: { ...letter(9), id: "none1" },
  };
  const named = [
    ...commands.map((each) => ({ type: "command" as const, argsOf: COMMANDS[each.name], ...each })),
    ...queries.map((each) => ({ type: "query" as const, argsOf: QUERIES[each.name], ...each })),
  ]
    .filter(({ args }) => (args as { required?: string[] }).required?.some((key) => key in UNMADE && key !== "name"))
    // What was done to an event outlives it: of one that never was there is nothing.
    .filter(({ name }) => !name.endsWith("Changes"));

  for (const { type, name, argsOf } of named)
    it(`${name} of what nobody has made is told so, and leaves no actor`, async () => {
      const args = Object.entries({ ...(await argsOf!(ask)) }).map(([key, value]) => [key, UNMADE[key] ?? value]);
      await assert.rejects(ask(type, name, Object.fromEntries(args)), { code: "not_found" });
      assert.deepEqual(await database.query("SELECT kind, id FROM actors WHERE id LIKE 'none1%'"), []);
    });

  it("that names what somebody makes is among those", () => {
    for (const name of ["startHunt", "huntReview", "cancelTournament", "endSeries", "tournamentReview", "retryTimer"])
      assert.ok(
        named.some((each) => each.name === name),
        name,
      );
  });
});
