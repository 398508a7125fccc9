import assert from "node:assert/strict";
import type { Client, Room } from "@colyseus/sdk";
import type { WireError } from "../../src/errors.ts";
import { RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { codesOf, documentOf, sectionOf, sectionsOf, tableOf } from "./documents.ts";

const PROTOCOL = documentOf("docs/protocol.md");
const HUNT = {
  name: "Documented",
  startsAt: 4_000_000_000_000,
  discoveryMs: 0,
  solvingMs: 60_000,
  revealMs: 0,
  clueTtlMs: 60_000,
  attempts: 1,
  winners: 1,
  repeat: 1,
  clues: [{ type: "sum", prompt: "1 + 1?", answers: ["2"], points: 1 }],
};

/** The first words in backquotes of the first cell of a room's table: `claim {}` is claim, and a cell may have several. */
function namesIn(room: string, first: string): string[] {
  const cells = sectionsOf(`## Room \`${room}\``).flatMap((section) => tableOf(section, first).map(([cell]) => cell!));
  return cells.flatMap(codesOf).map((code) => code.split(" ", 1)[0]!);
}

describe("docs/protocol.md", function () {
  this.timeout(120_000);
  let node: RingmasterNode;
  let player: Client;
  let operator: Client;
  let huntId: string;

  before(async () => {
    node = await RingmasterNode.alone();
    player = node.client((await node.signIn()).token);
    operator = node.client(await tokenOf("operator"));
    const { body } = await node.post<{ id: string }>("/api/hunts", { token: await tokenOf("operator"), body: HUNT });
    huntId = body.id;
  });

  after(async () => {
    await node.close();
  });

  async function enter(client: Client, name: string): Promise<Room> {
    const room = await client.joinOrCreate(name, name === "hunt" ? { huntId } : {});
    room.onMessage("*", () => {});
    return room;
  }

  async function refusal(room: Room, type: string, payload: unknown): Promise<WireError | undefined> {
    return await room.request(type, payload).then(
      () => undefined,
      (error: { reason: WireError }) => error.reason,
    );
  }

  it("tells of /readyz what it answers", async () => {
    const { body } = await node.get<{ ready: boolean; parts: object }>("/readyz");
    const documented = /`\{ready, parts: \{([\w, ]+)\}\}`/.exec(PROTOCOL)![1]!.split(/,\s+/);
    assert.deepEqual(Object.keys(body.parts).sort(), documented.sort());
  });

  for (const [name, clientOf] of [
    ["hunt", () => player],
    ["lobby", () => player],
    ["admin", () => operator],
  ] as const) {
    it(`names requests that ${name} takes`, async () => {
      const room = await enter(clientOf(), name);
      const requests = namesIn(name, "request");
      assert.ok(requests.length > 0);
      for (const type of requests) assert.notEqual((await refusal(room, type, 5))?.code, "unknown_request", type);
      assert.equal((await refusal(room, "noSuchRequest", {}))?.code, "unknown_request");
      await room.leave();
    });
  }

  for (const [type, first] of [
    ["command", "command"],
    ["query", "query"],
  ] as const) {
    it(`lists what the admin room takes as ${type}, and nothing else`, async () => {
      const room = await enter(operator, "admin");
      const { message } = (await refusal(room, type, { name: "none" }))!;
      const taken = /there are (.+)\.$/.exec(message)![1]!.split(/,\s+/);
      assert.deepEqual(namesIn("admin", first).sort(), taken.sort());
      await room.leave();
    });
  }

  it("lists the fields of a hunt room's state, and nothing else", async () => {
    const room = await enter(player, "hunt");
    const state = await new Promise<object>((resolve) => room.onStateChange.once((each) => resolve(each.toJSON())));
    assert.deepEqual(namesIn("hunt", "field").sort(), Object.keys(state).sort());
    await room.leave();
  });

  it("lists the fields of the lobby's state, and those of its rows, and nothing else", async () => {
    const room = await enter(player, "lobby");
    const state = await new Promise<{ coming: object[] }>((resolve) => {
      room.onStateChange((each) => {
        if (each.coming.length > 0) resolve(each.toJSON());
      });
    });
    assert.deepEqual(namesIn("lobby", "field").sort(), Object.keys(state).sort());
    const [[, rows] = []] = tableOf(sectionOf(PROTOCOL, "## Room `lobby`"), "field");
    assert.deepEqual(/\{(.+)\}/.exec(rows!)![1]!.split(/,\s+/), Object.keys(state.coming[0]!));
    await room.leave();
  });

  it("lists the fields of a hunt's definition, and nothing else", async () => {
    const fields = tableOf(sectionOf(PROTOCOL, "### A hunt in JSON"), "field").flatMap(([cell]) => codesOf(cell!));
    assert.deepEqual(
      fields.sort(),
      [...Object.keys(HUNT), "prizes", "perPlayer", "cooldownMs", "endWhenExhausted", "review"].sort(),
    );
  });

  it("tells what a summary and the details of a hunt hold", async () => {
    const section = sectionOf(PROTOCOL, "### A hunt in JSON");
    const [, summary] = /\*\*Summary\*\*:\s`\{([^}]+)\}`/.exec(section)!;
    const [, more] = /\*\*Details\*\*\sadd\s`\{([^:]+): /.exec(section)!;
    const list = await node.get<{ hunts: object[] }>("/api/hunts");
    assert.deepEqual(summary!.split(/,\s+/).sort(), Object.keys(list.body.hunts[0]!).sort());
    const { body } = await node.get<object>(`/api/hunts/${huntId}`);
    const documented = `${summary}, ${more}`.replaceAll("\n", " ").split(/,\s+/);
    assert.deepEqual(documented.sort(), Object.keys(body).sort());
  });
});
