import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { seededRng } from "../../src/clock.ts";
import type { AuditLine } from "../../src/entities/audit.ts";
import type { Role } from "../../src/http/auth/identity.ts";
import { OPERATOR_TOKEN_MS } from "../../src/http/auth/tokens.ts";
import { bind } from "../../src/operations/Operation.ts";
import { Operations } from "../../src/operations/Operations.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { ManualClock } from "../actors/simulation.ts";
import { aHunt } from "../http/edge.ts";
import { OPERATIONS } from "../support/api.ts";
import { openDatabase } from "../support/database.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { RingmasterNode, tokenOf, tokens } from "../support/RingmasterNode.ts";
import { muteSdk, Visitor } from "../support/Visitor.ts";

const HOUR_MS = 3_600_000;

interface Page {
  lines: AuditLine[];
  next: string | null;
}

describe("The audit", function () {
  this.timeout(120_000);
  muteSdk();
  let node: RingmasterNode;
  let token: string;

  before(async () => {
    node = await RingmasterNode.alone();
    token = await tokenOf("operator");
  });

  after(async () => {
    await node?.close();
  });

  const read = async (query = ""): Promise<Page> => (await node.get<Page>(`/api/audit?${query}`, { token })).body;
  const latest = async (): Promise<AuditLine> => (await read("limit=1")).lines[0]!;
  const hunt = () => ({ ...aHunt(), startsAt: Date.now() + HOUR_MS });
  const make = async (headers: Record<string, string> = {}, body: object = hunt()): Promise<string> =>
    (await node.post<{ id: string }>("/api/hunts", { token, body, headers })).body.id;
  const as = (role: Role, playerId: string): Promise<string> =>
    tokens.issue({ playerId, name: "N", role }, OPERATOR_TOKEN_MS);

  it("says who did what to what, with which arguments but no secrets, by which way, and when", async () => {
    const before = Date.now();
    const id = await make();
    const { at, id: _, args, node: asked, requestId, ...line } = await latest();
    assert.deepEqual(line, {
      ...{ operatorId: "operator", operator: "operator", role: "operator", command: "createHunt" },
      ...{ subject: `hunt:${id}`, outcome: "done", error: null, via: "http" },
    });
    assert.ok(at >= before - 1000 && at <= Date.now() + 1000);
    assert.equal(asked, "embedded");
    assert.match(requestId!, /^\S+$/);
    const { clues, name } = args as { clues: Array<{ answers: unknown; prompt: string }>; name: string };
    assert.equal(name, "Harbour lights");
    assert.deepEqual(clues, [{ type: "riddle", prompt: "It turns all night.", answers: "(secret)", points: 10 }]);
    assert.doesNotMatch(JSON.stringify(await read()), /lighthouse/i);
  });

  it("has what was refused: what is bad, comes too late or is none, and leaves secrets out of that too", async () => {
    const id = await make();
    const bad = { ...hunt(), winners: 0, clues: [{ answers: ["lighthouse"] }] };
    await node.post("/api/hunts", { token, body: bad });
    assert.deepEqual(pick(await latest()), ["createHunt", null, "refused", "invalid_payload"]);
    assert.doesNotMatch(JSON.stringify((await latest()).args), /lighthouse/);
    await node.post(`/api/hunts/${id}/resume`, { token, body: { reason: "no pause" } });
    assert.deepEqual(pick(await latest()), ["resumeHunt", `hunt:${id}`, "refused", "wrong_phase"]);
    await fetch(`${node.url}/api/hunts`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: "{",
    });
    assert.deepEqual(pick(await latest()).slice(0, 3), ["createHunt", null, "refused"]);
  });

  it("has what callers of another role were refused, and no queries", async () => {
    const [viewer, player] = [await as("viewer", "looker"), await as("player", "gamer")];
    await node.post("/api/popups/global/open", { token: viewer });
    assert.deepEqual(pick(await latest()), ["openPopup", null, "refused", "forbidden"]);
    assert.equal((await latest()).operatorId, "looker");
    await node.post("/api/popups/global/open", { token: player });
    assert.deepEqual([(await latest()).operatorId, (await latest()).role], ["gamer", "player"]);
    await node.get("/api/jobs/status", { token: viewer });
    assert.equal((await latest()).operatorId, "gamer");
    assert.equal((await node.get("/api/audit", { token: viewer })).status, 403);
    assert.equal((await node.get("/api/audit/export", { token: viewer })).status, 403);
  });

  it("has a command that is repeated by its request id once, over HTTP and in the room", async () => {
    const key = randomBytes(8).toString("hex");
    const body = hunt();
    const [first, again] = [await make({ "Idempotency-Key": key }, body), await make({ "Idempotency-Key": key }, body)];
    assert.equal(again, first);
    assert.equal((await read(`subject=hunt:${first}`)).lines.length, 1);
    assert.equal((await latest()).requestId, key);
    const room = await Visitor.join(node.client(token), "admin");
    const start = { name: "startHunt", args: { huntId: first }, requestId: key };
    for (let times = 0; times < 2; times += 1) await room.request("command", start);
    const { lines } = await read(`subject=hunt:${first}&command=startHunt`);
    assert.deepEqual(
      lines.map(({ via, requestId, outcome }) => [via, requestId, outcome]),
      [["room", key, "done"]],
    );
  });

  it("is read a page at a time, by operator, command, subject, outcome and time", async () => {
    const all: AuditLine[] = [];
    for (let next: string | null = ""; next !== null; ) {
      const page: Page = await read(`limit=3${next && `&after=${next}`}`);
      assert.ok(page.lines.length <= 3);
      all.push(...page.lines);
      next = page.next;
    }
    assert.deepEqual(all, (await read("limit=200")).lines);
    assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
    for (const [query, holds] of [
      ["operatorId=looker", (line) => line.operatorId === "looker"],
      ["command=createHunt", (line) => line.command === "createHunt"],
      [
        `subject=${all.find(({ subject }) => subject)!.subject}`,
        (line) => line.subject === all.find(({ subject }) => subject)!.subject,
      ],
      ["outcome=refused&command=createHunt", (line) => line.outcome === "refused" && line.command === "createHunt"],
      [`from=${all[3]!.at}&to=${all[1]!.at}`, (line) => line.at >= all[3]!.at && line.at <= all[1]!.at],
    ] as Array<[string, (line: AuditLine) => boolean]>) {
      const expected = all.filter(holds);
      assert.ok(expected.length > 0 && expected.length < all.length, query);
      assert.deepEqual((await read(`limit=200&${query}`)).lines, expected, query);
      const exported = await fetch(`${node.url}/api/audit/export?${query}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      assert.match(exported.headers.get("content-type")!, /^application\/x-ndjson/);
      const lines = (await exported.text())
        .trimEnd()
        .split("\n")
        .map((text) => JSON.parse(text) as AuditLine);
      assert.deepEqual(lines, expected, query);
    }
    for (const query of ["after=x", "outcome=none", "limit=0", "who=me", "from=soon"])
      assert.equal((await node.get(`/api/audit?${query}`, { token })).status, 400, query);
  });

  it("is on the timeline with what was done over HTTP too, and not with what was refused", async () => {
    const room = await Visitor.join(node.client(await tokenOf("viewer")), "admin");
    const id = await make();
    await node.post(`/api/hunts/${id}/resume`, { token, body: { reason: "no pause" } });
    await node.post(`/api/hunts/${id}/cancel`, { token, body: {} });
    const audits = () =>
      room.heard
        .map(({ payload }) => payload as { kind?: string; type: string; data: { huntId?: string } })
        .filter(({ kind }) => kind === "audit");
    await until(() => audits().some(({ type }) => type === "cancelHunt"), {
      what: "it is told",
      timeoutMs: DEADLINE_MS,
    });
    assert.deepEqual(
      audits().map(({ type }) => type),
      ["createHunt", "cancelHunt"],
    );
    assert.equal(audits().at(-1)!.data.huntId, id);
  });
});

const pick = ({ command, subject, outcome, error }: AuditLine) => [command, subject, outcome, error];

describe("Lines of callers who lack the role, who may be many,", () => {
  it("are as many as 100 at once and 5 a second; the log has the others", async () => {
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    const clock = new ManualClock();
    const logged: string[] = [];
    const log = createLogger("info", { write: (line: string) => logged.push(line) });
    const feed = { append: async () => assert.fail("nothing was done") };
    const operations = new Operations({ clock, rng: seededRng(1), log, feed, database, nodeId: "n" });
    operations.add(bind(OPERATIONS.filter(({ name }) => name === "openPopup") as never, {}));
    const ask = async (times: number): Promise<void> => {
      for (let at = 0; at < times; at += 1) {
        const caller = { playerId: `p${at}`, name: "N", role: "player" } as const;
        const asked = operations.run(operations.find("command", "openPopup"), {}, caller, { via: "http", scope: "s" });
        await assert.rejects(asked, { code: "forbidden" });
      }
      await clock.advance(0);
    };
    const lines = async (): Promise<number> => (await database.query("SELECT id FROM audit")).length;
    try {
      await ask(150);
      assert.equal(await lines(), 100);
      assert.equal(logged.filter((line) => line.includes("the audit has enough of these")).length, 50);
      await clock.advance(2000);
      await ask(30);
      assert.equal(await lines(), 110);
    } finally {
      await database.close();
    }
  });
});
