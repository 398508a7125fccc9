import assert from "node:assert/strict";
import type { Database } from "../../src/entities/sql.ts";
import { endpointsOf, firstWordsOf, protocolPages, sectionsOf } from "../docs/documents.ts";
import { someHunt } from "../hunts/someHunt.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { type Player, RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { Hunter, Visitor } from "../support/Visitor.ts";
import { someTournament } from "../tournaments/someTournament.ts";
import { faultsOf, filledDatabase, type Plan, ROWS } from "./filledTables.ts";

/** What everybody may read, with `hunt`, `tournament` and `player` in place of ids. */
const READS = [
  ...["hunts", "hunts/:hunt", "tournaments", "tournaments/:tournament", "tournaments/:tournament/standings"],
  ...["tournaments/:tournament/standings?offset=50000", "tournaments/:tournament/standings?around=:player"],
  ...["quests", "games", "pools", "pools/snake/daily", "draws", "draws/604800000?offset=50000", "popups/global"],
  ...["rankings/snake/all", `rankings/snake/all?offset=${ROWS - 100}`, "rankings/snake/all?around=p777"],
  ...["hunts/h1", "tournaments/t1", "tournaments/t1/standings", "tournaments/t1/standings?around=p1"],
  ...["me/inventory", "me/sessions", "me/quests", "me/wallet"],
];
/** What is read of events that are over, or whose result is held. */
const READS_LATER = [
  ...["hunts", "hunts/:hunt", "tournaments", "tournaments/:tournament", "tournaments/:tournament/standings"],
  ...["tournaments/:tournament/standings?offset=50000", "tournaments/:tournament/standings?around=p777"],
];
/** What operators read of them, and of each other. */
const OPERATORS_READS = [
  ...[
    "hunts/:hunt/review",
    "tournaments/:tournament/review",
    "audit",
    "audit?operatorId=op3",
    "audit?subject=hunt:h77",
  ],
  ...["audit?command=pauseHunt", "audit?outcome=refused"],
];

/** Tables that some of the statements must be about: else they were not heard. */
const ASKED_OF = [
  ...["hunts", "hunt_assignments", "hunt_results", "tournaments", "score_entries", "rankings", "pools", "draws"],
  ...["players", "player_sessions", "inventories", "quest_progress", "wallet_challenges", "popup_windows"],
];

// What the list of reads beside this leaves out is found here: the node is asked for everything that players and strangers can
// ask for, and the database for the plan of every statement that this has brought it.
describe("every statement that a node sends for players and strangers (MariaDB, 100,000 rows)", function () {
  this.timeout(300_000);
  let database: Database;
  let node: RingmasterNode;
  let ids: { hunt: string; tournament: string };
  /** What the protocol has for players and strangers, and what of it was asked for, requests of rooms as well. */
  const endpoints = protocolPages()
    .flatMap(endpointsOf)
    .filter(({ endpoint, who }) => (who === "all" || who === "players") && endpoint.includes(" /api/"))
    .map(({ endpoint }) => endpoint);
  const asked = new Set<string>();
  const { request } = Visitor.prototype;

  function noteAsked(method: string, path: string): void {
    const [plain] = `${method} /api/${path}`.split("?", 1);
    for (const endpoint of endpoints)
      if (new RegExp(`^${endpoint.replace(/:\w+/g, "[^/]+")}$`).test(plain!)) asked.add(endpoint);
  }

  before(async () => {
    Visitor.prototype.request = function <T>(this: Visitor, type: string, payload?: unknown): Promise<T> {
      asked.add(type);
      return request.call(this, type, payload) as Promise<T>;
    };
    const filled = await filledDatabase();
    database = filled.database;
    node = await RingmasterNode.start({ DATABASE_URL: filled.url });
    const create = async (path: string, body: object): Promise<string> =>
      (await node.post<{ id: string }>(path, { token: await tokenOf("operator"), body })).body.id;
    const hunt = await create("/api/hunts", someHunt({ revealMs: 600_000 }));
    const tournament = await create("/api/tournaments", someTournament());
    ids = { hunt, tournament };
    await database.write(
      `INSERT INTO score_entries (tournament_id, player_id, entry_no, submission_id, player_name, game, score, subscore, best,
         best_subscore, seq, reached_seq, told_rank, stored_at)
       SELECT ?, CONCAT('p', seq), 1, 's', 'n', 'snake', seq % 9973, 0, seq % 9973, 0, seq, seq, 1, 1 FROM seq_1_to_${ROWS}`,
      [tournament],
    );
    await database.query("ANALYZE TABLE score_entries");
    // What loads an event's hot state reads all of the event, once for everybody.
    const isLoaded = async () => (await node.get(`/api/tournaments/${tournament}/standings`)).status === 200;
    await until(isLoaded, { timeoutMs: 2 * DEADLINE_MS, what: "the board is loaded" });
  });
  after(async () => {
    Visitor.prototype.request = request;
    await node?.kill();
  });

  it("reads no table through, sorts no more than a page and joins no history", async () => {
    const player = await node.signIn("Ann");
    const statements = await said(async () => {
      await readAll(await node.signIn("Bob"), READS);
      await hunt(player);
      await compete(player);
      await goAbout(player);
    });
    assert.deepEqual(await faultsIn(statements), []);
    for (const table of ASKED_OF)
      assert.ok(
        [...statements.keys()].some((statement) => statement.includes(table)),
        `nothing was asked of ${table}`,
      );
    const requests = ["hunt", "tournament", "lobby"].flatMap((room) =>
      sectionsOf(`## Room \`${room}\``).flatMap((section) => firstWordsOf(section, "request")),
    );
    assert.deepEqual(
      [...requests, ...endpoints].filter((each) => !asked.has(each)),
      [],
      "not asked",
    );
  });

  it("does so neither of events whose result is held, nor once those are cancelled, however many have taken part", async () => {
    const [player, token] = [await node.signIn("Cid"), await tokenOf("operator")];
    const command = async (path: string, body: object = {}): Promise<void> =>
      assert.equal((await node.post(`/api/${path}`, { token, body })).status, 200, path);
    ids.hunt = await bigHunt({ review: true });
    await command(`tournaments/${ids.tournament}/hold`, { reason: "to be sure" });
    await command(`hunts/${ids.hunt}/end`);
    // The open phase, and grace.
    for (let phase = 0; phase < 2; phase += 1) await command(`tournaments/${ids.tournament}/end`);
    for (const domain of ["hunts", "tournaments"] as const)
      await untilIn(domain, ({ reviewSince }) => reviewSince !== undefined);
    const held = await said(() => lookBack(player, [...READS_LATER, ...OPERATORS_READS]));
    assert.ok([...held.keys()].some((statement) => statement.includes("FROM standings")));
    assert.deepEqual(await faultsIn(held), []);

    await command(`tournaments/${ids.tournament}/cancel`);
    // Another one, which nobody has counted before that.
    ids.hunt = await bigHunt();
    await command(`hunts/${ids.hunt}/cancel`);
    const isCounted = async (): Promise<boolean> =>
      (await database.query("SELECT 1 FROM hunts WHERE id = ? AND figures IS NOT NULL", [ids.hunt])).length === 1;
    await until(isCounted, { timeoutMs: 2 * DEADLINE_MS, what: "what it came to is stored" });
    const cancelled = await said(() => lookBack(player, READS_LATER));
    assert.deepEqual(await faultsIn(cancelled), []);
  });

  async function faultsIn(statements: ReadonlyMap<string, string>): Promise<string[]> {
    const faults: string[] = [];
    for (const [statement, example] of statements) {
      const plan = await database.query<Plan>(`EXPLAIN ${example}`);
      faults.push(...faultsOf(plan).map((fault) => `${statement}\n  ${fault}`));
    }
    return faults;
  }

  /** A hunt in solving, of which each of many players has solved a clue. */
  async function bigHunt(change: object = {}): Promise<string> {
    const token = await tokenOf("operator");
    const body = someHunt({ startsAt: Date.now() + 3_600_000, ...change });
    const { id } = (await node.post<{ id: string }>("/api/hunts", { token, body })).body;
    await node.post(`/api/hunts/${id}/start`, { token, body: {} });
    await database.write(
      `INSERT INTO hunt_assignments (hunt_id, instance, generation, player_id, player_name, opened_at, expires_at, attempts_used, outcome,
         closed_at, points, solve_seq) SELECT ?, seq, 1, CONCAT('p', seq), 'n', 1, 2, 1, 1, 2, 10, seq FROM seq_1_to_${ROWS}`,
      [id],
    );
    return id;
  }

  const idIn = (domain: "hunts" | "tournaments"): string => (domain === "hunts" ? ids.hunt : ids.tournament);

  function untilIn(
    domain: "hunts" | "tournaments",
    holds: (details: { reviewSince?: number }) => boolean,
  ): Promise<boolean> {
    const isSo = async (): Promise<boolean> => holds((await node.get<never>(`/api/${domain}/${idIn(domain)}`)).body);
    return until(isSo, { timeoutMs: 2 * DEADLINE_MS, what: `${domain} come to that` });
  }

  async function lookBack(player: Player, reads: readonly string[]): Promise<void> {
    await readAll(player, reads);
    const hunter = await Hunter.join(node.client(player.token), ids.hunt);
    await hunter.request("standing", {});
    const visitor = await Visitor.join(node.client(player.token), "tournament", { tournamentId: ids.tournament });
    await visitor.request("standings", { limit: 100 });
    await visitor.request("standings", { around: "p777", limit: 5 });
  }

  /** Each statement that the node's connections sent meanwhile, without its values, and one example with them. */
  async function said(work: () => Promise<void>): Promise<Map<string, string>> {
    const threads = new Set<number>();
    const note = async (): Promise<void> => {
      const rows = await database.query<{ id: unknown }>(
        "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
      );
      for (const { id } of rows) threads.add(Number(id));
    };
    await database.write("SET GLOBAL log_output = 'TABLE'");
    await database.write("TRUNCATE mysql.general_log");
    await database.write("SET GLOBAL general_log = ON");
    try {
      await note();
      await work();
      await note();
    } finally {
      await database.write("SET GLOBAL general_log = OFF");
    }
    const rows = await database.query<{ thread: unknown; text: Buffer | string }>(
      "SELECT thread_id AS thread, argument AS text FROM mysql.general_log WHERE command_type IN ('Query', 'Execute')",
    );
    const statements = new Map<string, string>();
    for (const { thread, text } of rows) {
      const example = String(text).replace(/\s+/g, " ").trim();
      if (!threads.has(Number(thread)) || !/^(SELECT|INSERT|UPDATE|DELETE)\b/i.test(example)) continue;
      statements.set(withoutValues(example), example);
    }
    return statements;
  }

  async function readAll(player: Player, reads: readonly string[]): Promise<void> {
    for (const read of reads) {
      const path = read.replace(":hunt", ids.hunt).replace(":tournament", ids.tournament).replace(":player", player.id);
      const token = OPERATORS_READS.includes(read) ? await tokenOf("operator") : player.token;
      noteAsked("GET", path);
      const { status, body } = await node.get(`/api/${path}`, { token });
      assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`);
    }
  }

  async function hunt(player: Player): Promise<void> {
    const hunter = await Hunter.join(node.client(player.token), ids.hunt);
    const first = await hunter.clue();
    await hunter.solve(first.assignmentId, "no idea");
    await hunter.request("giveBack", { assignmentId: first.assignmentId });
    const { assignmentId, prompt } = await hunter.clue();
    await hunter.solve(assignmentId, prompt === "It turns all night." ? "lighthouse" : "twelve");
    await hunter.request("standing", {});
    await hunter.request("leaveQueue", {});
    await node.post(`/api/hunts/${ids.hunt}/end`, { token: await tokenOf("operator"), body: {} });
    await hunter.message("chest");
    await hunter.request("standing", {});
    await node.get(`/api/hunts/${ids.hunt}`);
  }

  async function compete(player: Player): Promise<void> {
    const visitor = await Visitor.join(node.client(player.token), "tournament", { tournamentId: ids.tournament });
    // Whether the game takes the score is not asked here: what it asks of the database is.
    await visitor.request("begin", { requestId: "one" });
    await visitor.request("submit", { submissionId: "one", score: 40 }).catch(() => undefined);
    await visitor.request("standings", { limit: 100 });
    await visitor.request("standings", { around: "p777", limit: 5 });
  }

  async function goAbout({ token, id }: Player): Promise<void> {
    const lobby = await Visitor.join(node.client(token), "lobby");
    const post = (path: string, body: object = {}) => {
      noteAsked("POST", path);
      return node.post(`/api/${path}`, { token, body });
    };
    await post("me/quests/q20/start");
    await post("me/wallet/challenge");
    await post("me/wallet", { address: "a".repeat(64), signature: "a".repeat(128) });
    await post("me/wallet/disconnect");
    await post("me/exchange", { exchange: "kraken" });
    await lobby.request("viewPopup", { windowId: `w${ROWS}` }).catch(() => undefined);
    await node.get("/api/me/sessions", { token });
    assert.ok(id);
  }
});

/** The statement without its values, and with one of each list of them. */
function withoutValues(statement: string): string {
  return statement
    .replace(/'(?:[^'\\]|\\.|'')*'/g, "?")
    .replace(/\b-?\d+(\.\d+)?(e[+-]?\d+)?\b/gi, "?")
    .replace(/\((\?(, ?)?)+\)/g, "(?)")
    .replace(/(\(\?\)(, ?)?)+/g, "(?)");
}
