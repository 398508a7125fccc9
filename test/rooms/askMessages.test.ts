import assert from "node:assert/strict";
import { join } from "node:path";
import type { Room } from "@colyseus/sdk";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import type { WireError } from "../../src/errors.ts";
import { someHunt } from "../hunts/someHunt.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { RawClient } from "../support/RawClient.ts";
import { RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { muteSdk } from "../support/Visitor.ts";
import { someTournament } from "../tournaments/someTournament.ts";

interface Response {
  id: string | number;
  ok: boolean;
  value?: unknown;
  error?: WireError;
}

type Ask = [type: string, payload: object];

describe("the message `request`, for clients whose SDK has no requests", function () {
  this.timeout(120_000);
  muteSdk();
  let directory: string;
  let node: RingmasterNode;
  let operator: string;
  let huntId: string;
  let tournamentId: string;

  before(async () => {
    directory = temporaryDirectory("asks");
    node = await RingmasterNode.start({
      DATABASE_URL: `sqlite:${join(directory, "ringmaster.sqlite")}`,
      RATE_LIMIT_PER_ADDRESS: "1000000",
    });
    operator = await tokenOf("operator");
    const create = async (what: string, body: object): Promise<string> =>
      (await node.post<{ id: string }>(`/api/${what}`, { token: operator, body })).body.id;
    huntId = await create("hunts", someHunt({ startsAt: Date.now() - 1000, discoveryMs: 0 }));
    tournamentId = await create("tournaments", someTournament());
    await until(async () => (await node.get<{ phase: string }>(`/api/hunts/${huntId}`)).body.phase === "solving", {
      what: "the hunt is being solved",
      timeoutMs: DEADLINE_MS,
    });
    await node.post(`/api/tournaments/${tournamentId}/start`, { token: operator, body: {} });
  });

  after(async () => {
    await node.kill();
    removeDirectory(directory);
  });

  /** Of each room, what gets an answer and what is rejected; asking again gives the same. */
  const rooms = (): [room: string, options: object, asks: Ask[]][] => [
    [
      "hunt",
      { huntId },
      [
        ["claim", {}],
        ["solve", { assignmentId: "none", answer: "x" }],
      ],
    ],
    [
      "tournament",
      { tournamentId },
      [
        ["submit", { submissionId: "s", score: 7 }],
        ["standings", { limit: 1000 }],
      ],
    ],
    [
      "lobby",
      {},
      [
        ["viewPopup", { windowId: "none" }],
        ["viewPopup", { window: 5 }],
      ],
    ],
    [
      "admin",
      {},
      [
        ["query", { name: "nodes" }],
        ["command", { name: "cancelHunt", args: { huntId: "none" } }],
      ],
    ],
  ];

  async function tokenFor(room: string): Promise<string> {
    return room === "admin" ? operator : (await node.signIn()).token;
  }

  /** What the SDK's own request comes to, in the shape of the message. */
  async function byRequest(room: Room, id: string | number, [type, payload]: Ask): Promise<Response> {
    try {
      return { id, ok: true, value: (await room.request(type, payload)) ?? null };
    } catch (error) {
      return { id, ok: false, error: (error as { reason: WireError }).reason };
    }
  }

  for (const name of ["hunt", "tournament", "lobby", "admin"]) {
    it(`is answered in the room ${name} as a request is, through the SDK's send and on a raw websocket`, async () => {
      const [, options, asks] = rooms().find(([room]) => room === name)!;
      const token = await tokenFor(name);
      const room: Room = await node.client(token).joinOrCreate(name, options);
      room.onMessage("*", () => {});
      const raw = await RawClient.join({ url: node.url, token, room: name, options });
      for (const [at, ask] of asks.entries()) {
        const [type, payload] = ask;
        const expected = await byRequest(room, `ask ${at}`, ask);
        const heard = new Promise<Response>((resolve) => {
          const stop = room.onMessage("response", (response: Response) => {
            stop();
            resolve(response);
          });
        });
        room.send("request", { id: `ask ${at}`, type, payload });
        assert.deepEqual(await heard, expected);
        raw.send("request", { id: at, type, payload });
        assert.deepEqual(await raw.message<Response>("response"), { ...expected, id: at });
      }
      await room.leave();
      raw.socket.close();
    });
  }

  it("is durable when it is answered, and known again by its id, whichever way it is repeated", async () => {
    const token = await tokenFor("tournament");
    const options = { tournamentId };
    const raw = await RawClient.join({ url: node.url, token, room: "tournament", options });
    const submission = { submissionId: "mine", score: 41 };
    raw.send("request", { id: 1, type: "submit", payload: submission });
    const first = await raw.message<Response>("response");
    assert.equal(first.ok, true);
    const room: Room = await node.client(token).joinOrCreate("tournament", options);
    room.onMessage("*", () => {});
    assert.deepEqual(await room.request("submit", submission), first.value);
    await room.leave();
    raw.socket.close();
  });

  it("is answered in the order of asking, and limited as requests are", async () => {
    const raw = await RawClient.join({ url: node.url, token: await tokenFor("lobby"), room: "lobby" });
    const asked = 60;
    for (let id = 0; id < asked; id++) raw.send("request", { id, type: "nothing of ours" });
    const responses: Response[] = [];
    while (responses.length < asked) responses.push(await raw.message<Response>("response"));
    const of = (code: string): number[] =>
      responses.filter(({ error }) => error?.code === code).map(({ id }) => id as number);
    for (const code of ["unknown_request", "rate_limited"]) {
      assert.ok(of(code).length > 0, code);
      assert.deepEqual(
        of(code),
        of(code).toSorted((a, b) => a - b),
      );
    }
    assert.equal(of("unknown_request").length + of("rate_limited").length, asked);
    raw.socket.close();
  });

  it("is rejected when it is none, with its id where it has one, and the connection stays", async () => {
    const raw = await RawClient.join({ url: node.url, token: await tokenFor("lobby"), room: "lobby" });
    raw.send("request", { id: 5, type: "viewPopup", payload: { windowId: "x" }, more: 1 });
    raw.send("request", { id: "six", type: 7 });
    const [five, six] = [await raw.message<Response>("response"), await raw.message<Response>("response")];
    assert.deepEqual(
      [five.id, five.error?.code, six.id, six.error?.code],
      [5, "invalid_payload", "six", "unknown_request"],
    );
    raw.send("request", { type: "viewPopup" });
    const told = await raw.message<{ status: number; message: string }>("error");
    assert.equal(told.status, 400);
    assert.match(told.message, /^invalid_payload: id: /);
    raw.send("request", { id: 7, type: "viewPopup", payload: { windowId: "x" } });
    assert.equal((await raw.message<Response>("response")).error?.code, "conflict");
    raw.socket.close();
  });

  it("is answered to a player who comes back while the old connection seems to be up, also when asked before the room has taken them back", async () => {
    const token = await tokenFor("hunt");
    const raw = await RawClient.join({ url: node.url, token, room: "hunt", options: { huntId } });
    raw.send("request", { id: 1, type: "claim", payload: {} });
    const first = await raw.message<Response>("response");
    const back = raw.back(token);
    back.socket.on("open", () => back.send("request", { id: 2, type: "claim", payload: {} }));
    assert.deepEqual(await back.message<Response>("response"), { ...first, id: 2 });
    assert.equal(await raw.closed, 1006, "the old connection has ended");
    assert.notEqual(back.reconnectionToken, raw.reconnectionToken);
    back.socket.close();
  });

  it("is answered on a websocket that carries no token, as the native SDK's; after a drop that joins again, and has what it had", async () => {
    const token = await tokenFor("hunt");
    const seat = { url: node.url, token, room: "hunt", options: { huntId }, carriesToken: false };
    const raw = await RawClient.join(seat);
    raw.send("request", { id: 1, type: "claim", payload: {} });
    const first = await raw.message<Response>("response");
    assert.equal(first.ok, true);
    raw.socket.terminate();
    assert.equal(await raw.back().closed, 4003, "its seat is for whoever has its player's token, too");
    const again = await RawClient.join(seat);
    again.send("request", { id: 1, type: "claim", payload: {} });
    assert.deepEqual(await again.message<Response>("response"), first);
    again.socket.close();
  });
});
