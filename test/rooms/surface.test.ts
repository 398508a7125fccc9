import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { Protocol } from "@colyseus/core";
import type { Client } from "@colyseus/sdk";
import { SignJWT } from "jose";
import { WebSocket } from "ws";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { systemClock } from "../../src/clock.ts";
import { type ErrorCode, RingmasterError } from "../../src/errors.ts";
import { Tokens } from "../../src/http/auth/tokens.ts";
import { documentedErrors } from "../docs/documents.ts";
import { someHunt } from "../hunts/someHunt.ts";
import { Mangler, NAMES, OUR_FAULT, VALUES } from "../support/mangling.ts";
import { JWT_SECRET, RingmasterNode, tokenOf, tokens } from "../support/RingmasterNode.ts";
import { Hunter, muteSdk, Visitor } from "../support/Visitor.ts";
import { someTournament } from "../tournaments/someTournament.ts";

const DOCUMENTED = documentedErrors();

/** `SEED=<seed> npx mocha test/rooms/surface.test.ts` sends the same again. */
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
/** What one connection may send at once; each vandal sends as much, so that all of it is looked at. */
const BURST = 40;
const VANDALS_A_ROOM = 25;
const JOINS = 900;
/** Fewer than keep out an address, at which well-behaved ones are, too. */
const BROKEN = 10;
const SOCKETS = 30;

const mangler = new Mangler(SEED);
const below = (bound: number): number => mangler.below(bound);
const pick = <T>(items: readonly T[]): T => mangler.pick(items);

/** The bits of a frame's first byte that hold its code. */
const CODE_MASK = 0x1f;

interface Surface {
  room: string;
  options: Record<string, unknown>;
  requests: [string, Record<string, unknown>][];
}

describe("bad input on all of the server's surface", function () {
  this.timeout(120_000);
  muteSdk();
  let directory: string;
  let node: RingmasterNode;
  let huntId: string;
  let decoy: string;
  let surfaces: Surface[];

  before(async () => {
    console.log(`      seed ${SEED} (SEED=${SEED} replays)`);
    directory = temporaryDirectory("surface");
    node = await RingmasterNode.start({
      DATABASE_URL: `sqlite:${join(directory, "ringmaster.sqlite")}`,
      RATE_LIMIT_PER_ADDRESS: "1000000",
    });
    const token = await tokenOf("operator");
    const clues = someHunt().clues.map((clue) => ({ ...clue, repeatable: true }));
    const create = async (): Promise<string> =>
      (await node.post<{ id: string }>("/api/hunts", { token, body: someHunt({ clues }) })).body.id;
    [huntId, decoy] = [await create(), await create()];
    const tournament = { ...someTournament(), series: { cron: "0 12 * * *", timezone: "UTC" } };
    const createTournament = async (): Promise<string> =>
      (await node.post<{ id: string }>("/api/tournaments", { token, body: someTournament() })).body.id;
    const [tournamentId, tournamentDecoy] = [await createTournament(), await createTournament()];
    const definition = someHunt() as unknown as Record<string, unknown>;
    surfaces = [
      {
        room: "hunt",
        options: { huntId },
        requests: [
          ["claim", {}],
          ["solve", { assignmentId: "0.1", answer: "x" }],
        ],
      },
      {
        room: "tournament",
        options: { tournamentId },
        requests: [
          ["submit", { submissionId: "s", score: 1, subscore: 1, proof: "p" }],
          ["standings", { limit: 5, around: "nobody" }],
        ],
      },
      { room: "lobby", options: { since: "1-1" }, requests: [["viewPopup", { windowId: "w" }]] },
      {
        room: "admin",
        options: {},
        requests: [
          ["command", { name: "createHunt", args: definition, requestId: "r" }],
          ["command", { name: "extendHunt", args: { huntId: decoy, ms: 1000 } }],
          ["command", { name: "createTournament", args: tournament, requestId: "r" }],
          ["command", { name: "extendTournament", args: { tournamentId: tournamentDecoy, ms: 1000 } }],
          ["command", { name: "createGame", args: { id: "golf", name: "Golf", minScore: 0, maxScore: 1 } }],
          ["command", { name: "createQuest", args: { id: "q", title: "Q", condition: {}, delayMs: 0, rewards: [] } }],
          ["command", { name: pick(NAMES), args: {} }],
          ["query", { name: "hunt", args: { huntId: decoy } }],
          ["query", { name: "tournamentStandings", args: { tournamentId: tournamentDecoy, limit: 1, offset: 0 } }],
          ["query", { name: pick(NAMES), args: {} }],
        ],
      },
    ];
  });

  after(async () => {
    await node.kill();
    removeDirectory(directory);
  });

  /** Somebody who may enter the room. */
  async function visitorOf(room: string): Promise<Client> {
    const isAdmin = room === "admin";
    return node.client(isAdmin ? await tokenOf(pick(["viewer", "operator"])) : (await node.signIn()).token);
  }

  /** Plays, watches and operates until it is told to stop, and has every request of its own right. */
  async function beginWellBehaved(): Promise<() => Promise<number>> {
    const hunter = await Hunter.join(node.client((await node.signIn()).token), huntId);
    const viewer = await Visitor.join(node.client(await tokenOf("viewer")), "admin");
    let isOver = false;
    const play = async (): Promise<number> => {
      let total = 0;
      let solved = 0;
      for (; !isOver; solved++) {
        const { assignmentId, clueId, points } = await hunter.clue();
        const answer = await hunter.solve(assignmentId, ["lighthouse", "twelve"][Number(clueId)]!);
        total += points;
        assert.deepEqual(answer, { correct: true, points, total, attemptsLeft: 2 });
        const { id } = await viewer.request<{ id: string }>("query", { name: "hunt", args: { huntId } });
        assert.equal(id, huntId);
        // Two requests a round, and no more than a player may send.
        await new Promise((resolve) => setTimeout(resolve, 110));
      }
      return solved;
    };
    const played = play();
    played.catch(() => {});
    return async () => {
      isOver = true;
      return await played;
    };
  }

  /** Does harm while somebody plays in the same rooms, and sees to it that they notice nothing. */
  async function beside(harm: () => Promise<void>): Promise<void> {
    const end = await beginWellBehaved();
    await harm();
    assert.ok((await end()) > 0);
    assert.equal((await node.get("/readyz")).status, 200);
    const faults = node.output.filter((line) => /"level":"(error|fatal)"/.test(line) || !line.startsWith("{"));
    assert.deepEqual(faults.slice(1), [], "nothing but that it is ready is written, and no error is logged");
  }

  it(`is refused with a typed error by each request of each room, ${4 * VANDALS_A_ROOM * BURST} times`, async () => {
    const codes = new Map<string, number>();
    const vandalise = async ({ room, options, requests }: Surface): Promise<void> => {
      const vandal = await Visitor.join(await visitorOf(room), room, options);
      const answers = Array.from({ length: BURST }, async () => {
        const [type, template] = pick(requests);
        const asked = below(8) === 0 ? pick([...NAMES, "CLAIM", "x".repeat(60), " "]) : type;
        const payload = mangler.mangled(template);
        const code = await vandal.request(asked, payload).then(
          () => "accepted",
          (error: unknown) => {
            assert.ok(error instanceof RingmasterError, `${asked}: ${error}`);
            assert.ok(!OUR_FAULT.has(error.code), `${asked} ${JSON.stringify(payload)}: ${error.code}`);
            return error.code;
          },
        );
        codes.set(code, (codes.get(code) ?? 0) + 1);
      });
      await Promise.all(answers);
      await vandal.room.leave();
    };
    await beside(async () => {
      for (let round = 0; round < VANDALS_A_ROOM; round++) await Promise.all(surfaces.map(vandalise));
    });
    assert.ok((codes.get("invalid_payload") ?? 0) > VANDALS_A_ROOM * BURST, JSON.stringify([...codes]));
    assert.ok((codes.get("unknown_request") ?? 0) > VANDALS_A_ROOM, JSON.stringify([...codes]));
  });

  it(`is refused with a typed error by matchmaking, ${JOINS} times`, async () => {
    const player = await tokenOf("player");
    const identity = { playerId: "mallory", name: "Mallory", role: "operator" } as const;
    const hour = 3_600_000;
    const forged = await new Tokens("another secret, of 32 characters or so", systemClock).issue(identity, hour);
    const expired = await tokens.issue(identity, -hour);
    const strange = await new SignJWT({ name: 7, role: "root" })
      .setProtectedHeader({ alg: "HS256" })
      .setIssuedAt()
      .setExpirationTime("1h")
      .sign(new TextEncoder().encode(JWT_SECRET));
    const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${player.split(".")[1]}.`;
    const bad = ["", "x", "x.y.z", forged, expired, strange, unsigned, player.slice(0, -2), "y".repeat(5000)];
    const unknown = ["market", "hunts", "HUNT", "%00", "%2e%2e", "a/b", "x".repeat(70), ...NAMES];

    const attempt = async (): Promise<void> => {
      const { room, options } = pick(surfaces);
      const kind = pick(["token", "options", "room", "method", "role", "body"] as const);
      const method = kind === "method" ? pick(["leave", "query", ...NAMES]) : pick(["joinOrCreate", "create", "join"]);
      const name = kind === "room" ? pick(unknown) : room;
      const token = kind === "token" ? pick(bad) : kind === "role" ? player : await tokenOf("operator");
      const [event, option] = pick([
        ["hunt", "huntId"],
        ["tournament", "tournamentId"],
      ] as const);
      const wrong = pick<unknown>([{ [option]: pick(VALUES) }, { [option]: "nowhere" }, {}, { [option]: "none " }]);
      const body = kind === "options" ? wrong : kind === "body" ? pick(["[]", "7", "{", '"x"', "null,"]) : options;
      const target = kind === "options" ? event : kind === "role" ? "admin" : name;
      const response = await fetch(`${node.url}/matchmake/${method}/${target}`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
      const text = await response.text();
      const what = `${kind} ${method} ${target} ${JSON.stringify(body)}: ${response.status} ${text}`;
      const { error } = JSON.parse(text) as { error?: { code: ErrorCode; message: string } };
      assert.ok(error && DOCUMENTED.has(error.code), what);
      assert.equal(response.status, DOCUMENTED.get(error.code), what);
      assert.ok(!OUR_FAULT.has(error.code), what);
      if (kind === "token") assert.equal(error.code, "unauthenticated", what);
      if (kind === "role") assert.equal(error.code, "forbidden", what);
    };
    await beside(async () => {
      for (let sent = 0; sent < JOINS; sent += 30) await Promise.all(Array.from({ length: 30 }, attempt));
    });
  });

  it("ends no connection but that which sends too large a frame", async () => {
    const sit = async (): Promise<WebSocket> => {
      const { room, options } = pick(surfaces);
      const token = room === "admin" ? await tokenOf("operator") : (await node.signIn()).token;
      const { body } = await node.post<{ processId: string; roomId: string; sessionId: string }>(
        `/matchmake/joinOrCreate/${room}`,
        { token, body: options },
      );
      const url = `ws://127.0.0.1:${node.port}/${body.processId}/${body.roomId}?sessionId=${body.sessionId}`;
      const socket = new WebSocket(url);
      await once(socket, "message");
      return socket;
    };
    const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => below(256)));
    await beside(async () => {
      for (let opened = 0; opened < SOCKETS; opened++) {
        const socket = await sit();
        for (let sent = 0; sent < BURST; sent++) {
          const frame = bytes(below(200));
          if (((frame[0] ?? 0) & CODE_MASK) !== Protocol.LEAVE_ROOM) socket.send(frame);
        }
        const pong = once(socket, "pong");
        socket.ping();
        await Promise.race([pong, once(socket, "close").then(([code]) => assert.fail(`closed with ${code}`))]);
        const closed = once(socket, "close");
        if (opened < BROKEN) socket.send(Buffer.alloc(20_000, 1));
        else socket.close(4000);
        assert.equal((await closed)[0], opened < BROKEN ? 1009 : 4000);
      }
    });
  });

  it("lets nobody in by a seat that was never given", async () => {
    const rooms = [huntId, "nowhere", ...NAMES];
    await beside(async () => {
      for (const room of rooms) {
        for (const query of [
          "",
          "?sessionId=x",
          "?sessionId=__proto__",
          "?sessionId=x&reconnectionToken=constructor",
        ]) {
          const socket = new WebSocket(`ws://127.0.0.1:${node.port}/x/${room}${query}`);
          socket.on("error", () => {});
          await once(socket, "close");
        }
      }
    });
  });
});
