import assert from "node:assert/strict";
import { join } from "node:path";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { systemClock } from "../../src/clock.ts";
import type { WireError } from "../../src/errors.ts";
import type { Role } from "../../src/http/auth/identity.ts";
import { Tokens } from "../../src/http/auth/tokens.ts";
import { codesOf, documentOf, endpointsOf, sectionOf, tableOf } from "../docs/documents.ts";
import { aHunt } from "../http/edge.ts";
import { RingmasterNode, tokens } from "../support/RingmasterNode.ts";
import { someTournament } from "../tournaments/someTournament.ts";

const PROTOCOL = documentOf("docs/protocol.md");
const HOUR_MS = 3_600_000;
/** Less than a connection to the room `admin` may send without a pause. */
const AT_ONCE = 30;

const CALLERS = ["nobody", "forged", "expired", "player", "viewer", "operator"] as const;
type Caller = (typeof CALLERS)[number];

/** Who may, of those that the column `who` of a table names. */
const MAY: Record<string, readonly Caller[]> = {
  all: ["nobody", "player", "viewer", "operator"],
  players: ["player", "viewer", "operator"],
  viewers: ["viewer", "operator"],
  operators: ["operator"],
};

/** What has no bearer tokens of players: it takes others, or none. */
const OWN_WAYS = /^\w+ \/(healthz|readyz|metrics|monitor|playground|auth\/anonymous|matchmake\/.*|)$/;

async function tokenOf(caller: Caller): Promise<string | undefined> {
  if (caller === "nobody") return undefined;
  const another = new Tokens("another secret that is as long as the tests'", systemClock);
  const role: Role = caller === "forged" || caller === "expired" ? "operator" : caller;
  const issuer = caller === "forged" ? another : tokens;
  return await issuer.issue(
    { playerId: `matrix-${caller}`, name: "Matrix", role },
    caller === "expired" ? -HOUR_MS : HOUR_MS,
  );
}

describe("Who may do what", function () {
  this.timeout(120_000);
  let directory: string;
  let node: RingmasterNode;
  /** What joining a room takes beside a token. */
  let options: Record<string, string>;
  const tokenBy = new Map<Caller, string | undefined>();

  before(async () => {
    directory = temporaryDirectory("authorisation");
    node = await RingmasterNode.start({
      DATABASE_URL: `sqlite:${join(directory, "ringmaster.sqlite")}`,
      RATE_LIMIT_PER_ADDRESS: "100000",
    });
    for (const caller of CALLERS) tokenBy.set(caller, await tokenOf(caller));
    const token = tokenBy.get("operator")!;
    const [hunt, tournament] = await Promise.all([
      node.post<{ id: string }>("/api/hunts", { token, body: aHunt() }),
      node.post<{ id: string }>("/api/tournaments", { token, body: someTournament({ graceMs: 0 }) }),
    ]);
    options = { huntId: hunt.body.id, tournamentId: tournament.body.id };
  });

  after(async () => {
    await node.kill();
    removeDirectory(directory);
  });

  const endpoints = endpointsOf(PROTOCOL).filter(({ endpoint }) => !OWN_WAYS.test(endpoint));

  it("is said of every endpoint", () => {
    assert.ok(endpoints.length > 40, "the table was not found");
    for (const { endpoint, who } of endpoints) assert.ok(Object.hasOwn(MAY, who), `${endpoint}: ${who}`);
  });

  for (const { endpoint, who } of endpoints) {
    it(`holds at ${endpoint}, which is for ${who}`, async () => {
      const [method = "", path = ""] = endpoint.split(" ");
      const url = `${node.url}${path.replace(/:\w+/g, "none")}`;
      for (const caller of CALLERS) {
        const token = tokenBy.get(caller);
        const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
        const { status } = await fetch(url, { method, headers, ...(method === "POST" && { body: "{}" }) });
        const got = status === 401 ? "unauthenticated" : status === 403 ? "forbidden" : "admitted";
        assert.equal(got, outcomeFor(caller, who), `${caller}: ${status}`);
        assert.ok(status < 500, `${caller}: ${status}`);
      }
    });
  }

  const rooms = [...PROTOCOL.matchAll(/^## Room `(\w+)`$/gm)].map(([heading, name]) => ({
    name: name!,
    role: /role `(\w+)`/.exec(sectionOf(PROTOCOL, heading))![1]!,
  }));

  it("is said of every room", () => {
    assert.deepEqual(rooms.map(({ name }) => name).sort(), ["admin", "hunt", "lobby", "tournament"]);
  });

  for (const { name, role } of rooms) {
    it(`holds at the room ${name}, which is for ${role}s`, async () => {
      for (const caller of CALLERS) {
        const got = await node
          .client(tokenBy.get(caller) ?? "")
          .joinOrCreate(name, options)
          .then(
            async (room) => {
              room.onMessage("*", () => {});
              await room.leave();
              return "admitted";
            },
            ({ code }: { code: number }) => (code === 401 ? "unauthenticated" : code === 403 ? "forbidden" : code),
          );
        assert.equal(got, outcomeFor(caller, `${role}s`), caller);
      }
    });
  }

  it("holds for each command and query of the room admin: viewers read, and change nothing", async () => {
    for (const [type, first, code] of [
      ["command", "command", "forbidden"],
      ["query", "query", undefined],
    ] as const) {
      const names = tableOf(sectionOf(PROTOCOL, "## Room `admin`"), first).flatMap(([cell]) => codesOf(cell!));
      assert.ok(names.length > 10, "the table was not found");
      for (let from = 0; from < names.length; from += AT_ONCE) {
        const room = await node.client(tokenBy.get("viewer")!).joinOrCreate("admin");
        room.onMessage("*", () => {});
        for (const name of names.slice(from, from + AT_ONCE)) {
          const refused = await room.request(type, { name, args: {} }).then(
            () => undefined,
            ({ reason }: { reason: WireError }) => reason.code,
          );
          if (code === undefined) assert.notEqual(refused, "forbidden", name);
          else assert.equal(refused, code, name);
        }
        await room.leave();
      }
    }
  });
});

/** What becomes of who asks for what is for `who`. */
function outcomeFor(caller: Caller, who: string): "admitted" | "forbidden" | "unauthenticated" {
  if (MAY[who]!.includes(caller)) return "admitted";
  return caller === "player" || caller === "viewer" ? "forbidden" : "unauthenticated";
}
