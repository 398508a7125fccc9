import assert from "node:assert/strict";
import type { FieldComplaint } from "../../src/validate.ts";
import { type Answer, aHunt, bearer, Edge } from "./edge.ts";

describe("The endpoints of hunts", () => {
  let edge: Edge;
  let operator: Record<string, string>;

  before(async () => {
    edge = await Edge.open();
    operator = bearer(await edge.token("operator", "op7"));
  });
  after(() => edge.close());

  async function made(): Promise<string> {
    return String((await edge.post("/api/hunts", aHunt(), operator)).body.id);
  }

  function act(id: string, action: string, body?: unknown, headers = {}): Promise<Answer> {
    return edge.post(`/api/hunts/${id}/${action}`, body, { ...operator, ...headers });
  }

  it("make a hunt and say where it is", async () => {
    const answer = await edge.post("/api/hunts", aHunt(), operator);
    assert.equal(answer.status, 201);
    assert.equal(answer.headers.get("location"), `/api/hunts/${answer.body.id}`);
    assert.deepEqual(edge.hunts.hunts.get(String(answer.body.id))!.definition, aHunt());
    assert.deepEqual(edge.hunts.calls.at(-1), { operatorId: "op7", requestId: undefined });
  });

  it("are read by anybody, without prompts and answers", async () => {
    const id = await made();
    const list = (await edge.get("/api/hunts")).body.hunts as { id: string }[];
    assert.ok(list.some((hunt) => hunt.id === id));
    const { status, text, body } = await edge.get(`/api/hunts/${id}`);
    assert.equal(status, 200);
    assert.equal(body.phase, "scheduled");
    assert.doesNotMatch(text, /lighthouse|turns all night/);
  });

  it("start, extend, end and cancel a hunt", async () => {
    const id = await made();
    assert.equal((await act(id, "start")).body.phase, "solving");
    assert.equal((await act(id, "extend", { ms: 60_000 })).body.phaseEndsAt, aHunt().startsAt + 60_000);
    assert.equal((await act(id, "end", {})).body.phase, "finished");
    assert.equal((await act(await made(), "cancel")).body.phase, "cancelled");
  });

  it("pass a caller's Idempotency-Key on as the request id, which is the endpoint's and the hunt's own", async () => {
    const headers = { "idempotency-key": "3f0c-77/a" };
    const created = await edge.post("/api/hunts", aHunt(), { ...operator, ...headers });
    const ids = [edge.hunts.calls.at(-1)!.requestId];
    const other = await made();
    for (const [id, action] of [
      [String(created.body.id), "start"],
      [String(created.body.id), "end"],
      [other, "end"],
    ] as const) {
      await act(id, action, {}, headers);
      const once = edge.hunts.calls.at(-1)!;
      await act(id, action, {}, headers);
      assert.deepEqual(edge.hunts.calls.at(-1), once);
      assert.equal(once.operatorId, "op7");
      ids.push(once.requestId);
    }
    assert.equal(new Set(ids).size, 4, "the same key elsewhere is another request");
    for (const bad of ["x".repeat(65), "two words", ""]) {
      const { status, error } = await act(String(created.body.id), "end", {}, { "idempotency-key": bad });
      assert.equal(status, 400, JSON.stringify(bad));
      assert.match(error!.message, /^Idempotency-Key: /);
    }
  });

  it("pass on what the hunt itself refuses", async () => {
    const id = await made();
    await act(id, "start");
    const { status, error } = await act(id, "start");
    assert.equal(status, 409);
    assert.equal(error!.code, "wrong_phase");
  });

  it("know no other hunts and no other actions", async () => {
    const id = await made();
    const unknown = [
      await edge.get("/api/hunts/none"),
      await edge.get("/api/hunts/__proto__"),
      await edge.get(`/api/hunts/${"x".repeat(65)}`),
      await edge.get("/api/hunts/a%2Fb"),
      await act("none", "start"),
      await act(id, "destroy"),
      await act(id, "constructor"),
      await act(id, "Start"),
      await act(id, "start/now"),
    ];
    for (const answer of unknown) assert.deepEqual([answer.status, answer.error?.code], [404, "not_found"]);
  });

  it("name the fields of a bad definition", async () => {
    const { status, error } = await edge.post(
      "/api/hunts",
      { ...aHunt(), attempts: 0, clues: [{ type: "x" }] },
      operator,
    );
    assert.equal(status, 400);
    const paths = (error!.details as FieldComplaint[]).map(({ path }) => path);
    assert.deepEqual(paths, ["attempts", "clues.0.prompt", "clues.0.answers", "clues.0.points"]);
    assert.match(error!.message, /^attempts: /);
  });

  it("name the fields of a bad action", async () => {
    const id = await made();
    for (const body of [undefined, {}, { ms: 999 }, { ms: "1000" }, { ms: 604_800_001 }, { ms: 1000.5 }]) {
      const { status, error } = await act(id, "extend", body);
      assert.equal(status, 400);
      assert.match(error!.message, /^ms: /);
    }
    for (const body of [{ now: true }, [], 5]) assert.equal((await act(id, "end", body)).status, 400);
  });

  it("take a definition far larger than other bodies may be, from an operator", async () => {
    const clue = { type: "riddle", prompt: "p".repeat(500), answers: ["a".repeat(100)], points: 1 };
    const large = { ...aHunt(), repeat: 1, clues: new Array(500).fill(clue) };
    assert.equal((await edge.post("/api/hunts", large, operator)).status, 201);
    const { status, error } = await edge.post("/api/hunts", { ...large, name: "x".repeat(2 * 1024 * 1024) }, operator);
    assert.deepEqual([status, error?.code], [413, "payload_too_large"]);
  });
});
