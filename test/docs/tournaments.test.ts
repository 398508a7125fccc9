import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Client, Room } from "@colyseus/sdk";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { tournamentFields } from "../../src/actors/tournaments/definition.ts";
import type { WireError } from "../../src/errors.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { someTournament } from "../tournaments/someTournament.ts";
import { codesOf, documentedErrors, documentOf, sectionOf, tableOf } from "./documents.ts";

const PROTOCOL = documentOf("docs/protocol.md");
const ROOM = sectionOf(PROTOCOL, "## Room `tournament`");
const IN_JSON = sectionOf(PROTOCOL, "### A tournament in JSON");

/** The first words in backquotes of the first cells of a table: `submit {…}` is submit, and a cell may have several. */
function namesIn(section: string, first: string): string[] {
  return tableOf(section, first).flatMap(([cell]) => codesOf(cell!).map((code) => code.split(" ", 1)[0]!));
}

describe("docs/protocol.md, of tournaments", function () {
  this.timeout(120_000);
  let directory: string;
  let node: RingmasterNode;
  let client: Client;
  let tournamentId: string;

  before(async () => {
    directory = temporaryDirectory("protocol-tournaments");
    node = await RingmasterNode.start({ DATABASE_URL: `sqlite:${join(directory, "ringmaster.sqlite")}` });
    client = node.client((await node.signIn()).token);
    const { body } = await node.post<{ id: string }>("/api/tournaments", {
      token: await tokenOf("operator"),
      body: someTournament({ graceMs: 0 }),
    });
    tournamentId = body.id;
  });

  after(async () => {
    await node.kill();
    removeDirectory(directory);
  });

  async function enter(by = client): Promise<Room> {
    const room = await by.joinOrCreate("tournament", { tournamentId });
    room.onMessage("*", () => {});
    return room;
  }

  it("names requests that the room takes, and no other", async () => {
    const room = await enter();
    const codeOf = (type: string): Promise<string | undefined> =>
      room.request(type, 5).then(
        () => undefined,
        (error: { reason: WireError }) => error.reason.code,
      );
    const requests = namesIn(ROOM, "request");
    assert.deepEqual(requests, ["begin", "submit", "standings"]);
    for (const type of requests) assert.equal(await codeOf(type), "invalid_payload", type);
    assert.equal(await codeOf("claim"), "unknown_request");
    await room.leave();
  });

  it("lists the fields of the room's state, and nothing else", async () => {
    const room = await enter();
    const state = await new Promise<object>((resolve) => room.onStateChange.once((each) => resolve(each.toJSON())));
    assert.deepEqual(namesIn(ROOM, "field").sort(), Object.keys(state).sort());
    await room.leave();
  });

  it("lists the fields of a definition, and nothing else", () => {
    assert.deepEqual(namesIn(IN_JSON, "field").sort(), Object.keys(tournamentFields.shape).sort());
  });

  it("tells what a summary and the details hold", async () => {
    const [, summary] = /\*\*Summary\*\*:\s`\{([^}]+)\}`/.exec(IN_JSON)!;
    const [, more] = /\*\*Details\*\*\sadd\s`\{([^}]+)\}`/.exec(IN_JSON)!;
    const namesOf = (text: string): string[] => text.split(/,\s+/).sort();
    const { body: list } = await node.get<{ tournaments: object[] }>("/api/tournaments");
    assert.deepEqual(namesOf(summary!), Object.keys(list.tournaments[0]!).sort());
    const { body: details } = await node.get<object>(`/api/tournaments/${tournamentId}`);
    assert.deepEqual(namesOf(`${summary}, ${more}`), Object.keys(details).sort());
  });

  it("tells what a game is, and which there are", async () => {
    const section = sectionOf(PROTOCOL, "### Games");
    const { body } = await node.get<{ games: { id: string }[] }>("/api/games");
    const [fields, ids] = codesOf(section).filter((code) => code.includes(", "));
    assert.deepEqual(fields!.slice(1, -1).split(/,\s+/), Object.keys(body.games[0]!));
    assert.deepEqual(
      ids!.split(/,\s+/).sort(),
      body.games.map(({ id }) => id),
    );
  });

  it("names errors that there are", () => {
    const codes = codesOf(ROOM).filter((code) => /^[a-z]+(_[a-z]+)+$/.test(code));
    assert.ok(codes.length >= 4);
    for (const code of codes) assert.ok(documentedErrors().has(code), code);
  });

  it("shows how to recompute the hash of a result", async () => {
    for (const score of [3, 1, 2, 2]) {
      const room = await enter(node.client((await node.signIn("Zoë")).token));
      await room.request("submit", { submissionId: "s", score, subscore: -1 });
      await room.leave();
    }
    await node.post(`/api/tournaments/${tournamentId}/end`, { token: await tokenOf("operator") });
    const get = async (path: string): Promise<Record<string, unknown>> => (await node.get<object>(path)).body as never;
    const isSettled = async (): Promise<boolean> => (await get(`/api/tournaments/${tournamentId}`)).phase === "settled";
    await until(isSettled, { timeoutMs: DEADLINE_MS, what: "settling" });

    const [, example] = /```js\n([\s\S]*?)```/.exec(sectionOf(PROTOCOL, "### The result and its hash"))!;
    const file = join(directory, "recompute.mjs");
    writeFileSync(file, example!);
    const { recomputeHash } = await import(pathToFileURL(file).href);
    const { resultHash } = await get(`/api/tournaments/${tournamentId}`);
    assert.match(String(resultHash), /^[0-9a-f]{64}$/);
    assert.equal(await recomputeHash(get, tournamentId), resultHash);
    const other = async (path: string): Promise<object> => ({ ...(await get(path)), endsAt: 1 });
    assert.notEqual(await recomputeHash(other, tournamentId), resultHash);
  });
});
