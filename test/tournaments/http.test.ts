import assert from "node:assert/strict";
import type { TournamentDefinition } from "../../src/actors/tournaments/definition.ts";
import type { PrizePreview } from "../../src/actors/tournaments/settlement.ts";
import type {
  StandingsPage,
  TournamentDetails,
  TournamentSummary,
} from "../../src/actors/tournaments/TournamentOperations.ts";
import type { SubmitAnswer } from "../../src/actors/tournaments/TournamentService.ts";
import { OPERATOR_TOKEN_MS } from "../../src/http/auth/tokens.ts";
import type { FieldComplaint } from "../../src/validate.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { type Answer, RingmasterNode, tokenOf, tokens } from "../support/RingmasterNode.ts";
import { Visitor } from "../support/Visitor.ts";
import { someTournament } from "./someTournament.ts";

const TOURNAMENTS = "/api/tournaments";
const HOUR_MS = 3_600_000;

describe("the endpoints of tournaments and games", function () {
  this.timeout(120_000);
  let node: RingmasterNode;
  let operator: string;

  before(async () => {
    operator = await tokenOf("operator");
    node = await RingmasterNode.alone();
  });

  after(async () => {
    await node.close();
  });

  const create = (change: Partial<TournamentDefinition> = {}, headers = {}): Promise<Answer<{ id: string }>> =>
    node.post(TOURNAMENTS, { token: operator, body: someTournament(change), headers });

  const made = async (change: Partial<TournamentDefinition> = {}): Promise<string> => (await create(change)).body.id;

  const coming = (): Partial<TournamentDefinition> => ({
    startsAt: Date.now() + HOUR_MS,
    endsAt: Date.now() + 2 * HOUR_MS,
  });

  const act = <Body = TournamentSummary>(id: string, action: string, body: object = {}, headers = {}) =>
    node.post<Body>(`${TOURNAMENTS}/${id}/${action}`, { token: operator, body, headers });

  const get = async (id: string): Promise<TournamentDetails> =>
    (await node.get<TournamentDetails>(`${TOURNAMENTS}/${id}`)).body;

  const standings = async (id: string, query = ""): Promise<StandingsPage> =>
    (await node.get<StandingsPage>(`${TOURNAMENTS}/${id}/standings${query}`)).body;

  /** Has so many players submit one score each, the n-th `n`; resolves with their ids. */
  async function play(id: string, count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let score = 1; score <= count; score++) {
      const player = await node.signIn();
      const visitor = await Visitor.join(node.client(player.token), "tournament", { tournamentId: id });
      await visitor.request("submit", { submissionId: "s", score });
      await visitor.room.leave();
      ids.push(player.id);
    }
    return ids;
  }

  const isSettled = (id: string) =>
    until(async () => (await get(id)).phase === "settled", { timeoutMs: DEADLINE_MS, what: "settling" });

  it("make a tournament, say where it is, and show it to anybody", async () => {
    const definition = coming();
    const { status, headers, body } = await create(definition);
    assert.equal(status, 201);
    assert.equal(headers.get("location"), `${TOURNAMENTS}/${body.id}`);
    const { standings: top, ...details } = await get(body.id);
    assert.deepEqual(top, []);
    assert.deepEqual(details, {
      ...someTournament(definition),
      ...{ id: body.id, phase: "scheduled", phaseEndsAt: definition.startsAt, operator: "best", order: "desc" },
      ...{ maxEntries: 100_000, maxSubmissions: 5_000_000, precision: 0, minScore: 0, maxScore: 1e9 },
      graceFor: "joined",
      runs: "optional",
      review: false,
      submissionsPerMinute: 120,
      ...{ series: null, seriesId: null, players: 0, resultHash: null, prizesDistributed: false },
    });
    const list = await node.get<{ tournaments: TournamentSummary[] }>(TOURNAMENTS);
    const { id, name, game, phase, startsAt, endsAt, phaseEndsAt } = details;
    assert.deepEqual(
      list.body.tournaments.find((each) => each.id === id),
      { id, name, game, phase, startsAt, endsAt, phaseEndsAt },
    );
  });

  it("start, extend and end a tournament, and cancel another", async () => {
    const id = await made(coming());
    const before = Date.now();
    const started = (await act(id, "start")).body;
    assert.equal(started.phase, "open");
    assert.ok(started.startsAt >= before && started.startsAt <= Date.now());
    const extended = (await act(id, "extend", { ms: 5000 })).body;
    assert.equal((await act(id, "postpone", { ms: 5000 })).status, 409);
    assert.equal(extended.endsAt, started.endsAt + 5000);
    const ended = (await act(id, "end")).body;
    assert.deepEqual([ended.phase, ended.phaseEndsAt], ["grace", ended.endsAt + 60_000]);
    assert.equal((await act(id, "end")).body.phase, "settling");
    await isSettled(id);
    const refused = await act(id, "cancel");
    assert.deepEqual([refused.status, refused.body.error?.code], [409, "wrong_phase"]);
    const other = await made();
    assert.deepEqual((await act(other, "cancel")).body.phaseEndsAt, null);
    assert.deepEqual(await standings(other), { rows: [], total: 0 });
    assert.equal((await get(other)).players, null);
  });

  it("answer a repeated call as the first time", async () => {
    const headers = { "idempotency-key": "again" };
    const times = coming();
    const [first, second] = [await create(times, headers), await create(times, headers)];
    assert.equal(second.body.id, first.body.id);
    assert.equal((await create({ ...times, name: "Another" }, headers)).status, 409, "another body is another call");
    assert.equal((await create({ name: "" }, headers)).status, 400, "a bad body is read before the key");
    assert.equal((await create({ game: "chess" }, headers)).status, 404);
    const { id } = first.body;
    const started = await act(id, "start", {}, { "idempotency-key": "start" });
    assert.deepEqual((await act(id, "start", {}, { "idempotency-key": "start" })).body, started.body);
    assert.equal((await act(id, "start")).status, 409);
  });

  it("take the same key elsewhere for another call: of another endpoint, another tournament, another operator", async () => {
    const headers = { "idempotency-key": "elsewhere" };
    const { id } = (await create({}, headers)).body;
    const other = await made();
    const [extended, ended] = [await act(id, "extend", { ms: 5000 }, headers), await act(id, "end", {}, headers)];
    assert.deepEqual([extended.body.phase, ended.body.phase], ["open", "grace"]);
    assert.deepEqual((await act(id, "extend", { ms: 5000 }, headers)).body, extended.body, "a repeat of its own");
    assert.equal((await act(id, "extend", { ms: 9000 }, headers)).status, 409, "another body is another call");
    assert.deepEqual([(await act(other, "end", {}, headers)).body.id, (await get(other)).phase], [other, "grace"]);
    const another = await tokens.issue({ playerId: "op2", name: "Op", role: "operator" }, OPERATOR_TOKEN_MS);
    const theirs = await node.post<{ id: string }>(TOURNAMENTS, { token: another, body: someTournament(), headers });
    assert.equal(theirs.status, 201);
    assert.notEqual(theirs.body.id, id);
  });

  it("show standings by rank, live and settled, from any rank and about any player", async () => {
    const id = await made({ graceMs: 0 });
    const ids = await play(id, 7);
    for (const _ of ["live", "settled"]) {
      const all = await standings(id);
      assert.equal(all.total, 7);
      assert.deepEqual(
        all.rows.map(({ rank, playerId, score, subscore, entries }) => [rank, playerId, score, subscore, entries]),
        ids.toReversed().map((playerId, at) => [at + 1, playerId, 7 - at, 0, 1]),
      );
      const ranks = async (query: string): Promise<number[]> =>
        (await standings(id, query)).rows.map(({ rank }) => rank);
      assert.deepEqual(await ranks("?limit=2&offset=3"), [4, 5]);
      assert.deepEqual(await ranks("?offset=7"), []);
      assert.deepEqual(await ranks(`?limit=3&around=${ids[3]}`), [3, 4, 5]);
      assert.deepEqual(await ranks("?around=nobody"), []);
      assert.deepEqual((await get(id)).standings, all.rows);
      await act(id, "end");
      await isSettled(id);
    }
  });

  it("refuse ranges that are none", async () => {
    const id = await made();
    for (const query of ["limit=0", "limit=1001", "limit=x", "offset=-1", "around=a%20b", "offset=1&around=a", "x=1"]) {
      const { status, body } = await node.get<object>(`${TOURNAMENTS}/${id}/standings?${query}`);
      assert.deepEqual([status, body.error?.code], [400, "invalid_payload"], query);
    }
  });

  it("preview the prizes, before the end and after it, and change nothing", async () => {
    const id = await made({ graceMs: 0 });
    const [second, first] = await play(id, 2);
    const before = await get(id);
    const preview = await act<{ prizes: { playerId: string }[] }>(id, "preview");
    assert.deepEqual(await get(id), before);
    assert.deepEqual(
      preview.body.prizes.map(({ playerId }) => playerId),
      [first, second],
    );
    const totals = [
      { item: "PRIVATE_PASS", amount: "1" },
      { item: "TICO", amount: "100" },
    ];
    assert.deepEqual({ ...preview.body, prizes: [] }, { players: 2, prizes: [], totals });
    await act(id, "end");
    await isSettled(id);
    assert.deepEqual((await act(id, "preview")).body, preview.body);
  });

  it("end a series, whose coming tournament takes place all the same", async () => {
    const id = await made({ ...coming(), series: { cron: "0 12 * * *", timezone: "Europe/Berlin" } });
    const details = await get(id);
    assert.deepEqual([details.seriesId, details.series], [id, { cron: "0 12 * * *", timezone: "Europe/Berlin" }]);
    await until(async () => (await act(id, "endSeries")).status === 200, {
      timeoutMs: DEADLINE_MS,
      what: "the series",
    });
    assert.deepEqual((await act(id, "endSeries")).body, { seriesId: id, coming: id });
    assert.equal((await get(id)).phase, "scheduled");
    const single = await act(await made(), "endSeries");
    assert.deepEqual([single.status, single.body.error?.code], [409, "conflict"]);
  });

  it("name the fields of what is no tournament", async () => {
    const { status, body } = await create({ graceMs: -1, operator: "most" as never, prizes: [{}] as never });
    assert.equal(status, 400);
    const complaints = body.error!.details as FieldComplaint[];
    const paths = complaints.map(({ path }) => path);
    assert.deepEqual(paths, ["graceMs", "operator", "prizes.0.from", "prizes.0.to", "prizes.0.items"]);
  });

  it("refuse games and items that there are not", async () => {
    const items = (item: string) => [{ from: 1, to: 1, items: [{ item, amount: "1" }] }];
    for (const change of [{ game: "chess" }, { prizes: items("NO_SUCH_ITEM") }]) {
      const { status, body } = await create(change);
      assert.deepEqual([status, (body as { error?: { code: string } }).error?.code], [404, "not_found"]);
    }
  });

  it("know no other tournaments and no other actions", async () => {
    const id = await made();
    const answers = [
      await node.get<object>(`${TOURNAMENTS}/none`),
      await node.get<object>(`${TOURNAMENTS}/none/standings`),
      await node.get<object>(`${TOURNAMENTS}/__proto__`),
      await node.get<object>(`${TOURNAMENTS}/${"x".repeat(33)}`),
      await act<object>("none", "start"),
      await act<object>("none", "preview"),
      await act<object>("none", "endSeries"),
      await act<object>(id, "destroy"),
      await act<object>(id, "constructor"),
    ];
    for (const { status, body } of answers) assert.deepEqual([status, body.error?.code], [404, "not_found"]);
  });

  it("let nobody but operators change anything", async () => {
    const id = await made(coming());
    const calls: [string, unknown][] = [
      [TOURNAMENTS, someTournament()],
      ["/api/games", { id: "golf", name: "Golf", minScore: 0, maxScore: 1, submissionsPerMinute: 1 }],
      ...["start", "end", "extend", "cancel", "preview", "endSeries"].map((action): [string, unknown] => [
        `${TOURNAMENTS}/${id}/${action}`,
        {},
      ]),
    ];
    const before = await get(id);
    for (const [path, body] of calls) {
      assert.equal((await node.post(path, { body })).status, 401, path);
      for (const role of ["player", "viewer"] as const)
        assert.equal((await node.post(path, { token: await tokenOf(role), body })).status, 403, `${role} ${path}`);
    }
    assert.deepEqual(await get(id), before);
  });

  it("add games, whose bounds hold in tournaments that are made from then on", async () => {
    const golf = { id: "golf", name: "Golf", precision: 1, minScore: 18, maxScore: 300, submissionsPerMinute: 2 };
    const post = (body: object) => node.post<object>("/api/games", { token: operator, body });
    assert.deepEqual((await post(golf)).body, { id: "golf" });
    const again = await post(golf);
    assert.deepEqual([again.status, again.body.error?.code], [409, "conflict"]);
    const { body } = await node.get<{ games: { id: string }[] }>("/api/games");
    assert.deepEqual(
      body.games.map(({ id }) => id),
      ["breakout", "golf", "pong", "snake", "space_invaders", "tetris"],
    );
    const id = await made({ game: "golf", order: "asc" });
    const visitor = await Visitor.join(node.client((await node.signIn()).token), "tournament", { tournamentId: id });
    const submit = (submissionId: string, score: number) =>
      visitor.request<SubmitAnswer>("submit", { submissionId, score });
    await assert.rejects(submit("a", 17), { code: "score_refused", details: { min: 18, max: 300 } });
    await assert.rejects(submit("a", 71.25), { code: "invalid_payload", message: /no more digits .* than 1/ });
    await submit("b", 72.5);
    assert.equal((await submit("c", 71.3)).best, 71.3);
    await assert.rejects(submit("d", 70), { code: "rate_limited" });
    await until(() => visitor.room.state.top[0]?.score === 71.3, { what: "the room shows it", timeoutMs: DEADLINE_MS });
    await visitor.room.leave();
    assert.equal((await get(id)).standings[0]?.score, 71.3);
    const { body: preview } = await node.post<PrizePreview>(`${TOURNAMENTS}/${id}/preview`, { token: operator });
    assert.equal(preview.prizes[0]?.score, 71.3);
    for (const bad of [
      { id: "Golf" },
      { id: "" },
      { name: " " },
      { minScore: 301 },
      { maxScore: 1e16 },
      { maxScore: 299.99 },
      { precision: 6, maxScore: 1e10 },
      { precision: 7 },
      { precision: 0.5 },
      { submissionsPerMinute: 0 },
      { runs: "sometimes" },
      { colour: 1 },
    ])
      assert.equal((await post({ ...golf, id: "golf2", ...bad })).status, 400, JSON.stringify(bad));
  });
});
