import assert from "node:assert/strict";
import { join } from "node:path";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { RINGMASTER } from "../../src/app.config.ts";
import { systemClock } from "../../src/clock.ts";
import { declaredBy } from "../../src/domains/runtime/declared.ts";
import type { WireError } from "../../src/errors.ts";
import type { Role } from "../../src/http/auth/identity.ts";
import { Tokens } from "../../src/http/auth/tokens.ts";
import { eventOption } from "../../src/rooms/runtime/EventRoom.ts";
import { endpointsOf, protocolPages, sectionOf } from "../docs/documents.ts";
import { aHunt } from "../http/edge.ts";
import { OPERATIONS } from "../support/api.ts";
import { RingmasterNode, tokens } from "../support/RingmasterNode.ts";
import { someTournament } from "../tournaments/someTournament.ts";

const HOUR_MS = 3_600_000;
/** Less than a connection to the room `admin` may send without a pause. */
const AT_ONCE = 30;

const CALLERS = ["nobody", "forged", "expired", "player", "another player", "viewer", "operator"] as const;
type Caller = (typeof CALLERS)[number];

/** Who may, of those that the column `who` of a table names. */
const MAY: Record<string, readonly Caller[]> = {
  all: ["nobody", "player", "another player", "viewer", "operator"],
  players: ["player", "another player", "viewer", "operator"],
  viewers: ["viewer", "operator"],
  operators: ["operator"],
};

/** What has no bearer tokens of players: it takes others, or none. */
const OWN_WAYS = /^\w+ \/(healthz|readyz|metrics|monitor|playground|auth\/anonymous|matchmake\/.*|)$/;

async function tokenOf(caller: Caller): Promise<string | undefined> {
  if (caller === "nobody") return undefined;
  const another = new Tokens("another secret that is as long as the tests'", systemClock);
  const role: Role =
    caller === "forged" || caller === "expired" ? "operator" : caller === "another player" ? "player" : caller;
  const issuer = caller === "forged" ? another : tokens;
  return await issuer.issue(
    { playerId: idOf(caller), name: "Matrix", role },
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

  const endpoints = protocolPages()
    .flatMap(endpointsOf)
    .filter(({ endpoint }) => !OWN_WAYS.test(endpoint));

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

  it("is said of every endpoint of a command or query as its list says it", () => {
    const said = new Map(endpoints.map(({ endpoint, who }) => [endpoint, who]));
    for (const { endpoint, role } of OPERATIONS)
      if (endpoint) {
        const named = `${endpoint.method} /api${endpoint.path}`;
        assert.equal(said.get(named), `${endpoint.role ?? role}s`, named);
      }
  });

  it("keeps a player's own things from another player", async () => {
    const [{ token }, { token: other }] = [await node.signIn(), await node.signIn()];
    await node.post("/api/me/exchange", { token, body: { exchange: "secret" } });
    const exchangeOf = async (token: string) =>
      (await node.get<{ exchange: string | null }>("/api/me/wallet", { token })).body.exchange;
    assert.equal(await exchangeOf(token), "secret");
    assert.equal(await exchangeOf(other), null);
  });

  // A domain's page that adds to a room of another one says no role: that room has one.
  const rooms = protocolPages().flatMap((page) =>
    [...page.matchAll(/^## Room `(\w+)`$/gm)].flatMap(([heading, name]) => {
      const [, role] = /role `(\w+)`/.exec(sectionOf(page, heading)) ?? [];
      return role === undefined ? [] : [{ name: name!, role }];
    }),
  );

  it("is said of every room", () => {
    assert.deepEqual(rooms.map(({ name }) => name).sort(), [...declaredBy(RINGMASTER.domains).rooms.keys()].sort());
  });

  for (const { name, role } of rooms) {
    it(`holds at the room ${name}, which is for ${role}s`, async () => {
      for (const caller of CALLERS) {
        const got = await node
          .client(tokenBy.get(caller) ?? "")
          .joinOrCreate(name, { [eventOption(name)]: "none", ...options })
          .then(
            async (room) => {
              room.onMessage("*", () => {});
              await room.leave();
              return "admitted";
            },
            // Who hears that there is no such event may join one.
            ({ code }: { code: number }) =>
              ({ 401: "unauthenticated", 403: "forbidden", 404: "admitted" })[code] ?? code,
          );
        assert.equal(got, outcomeFor(caller, `${role}s`), caller);
      }
    });
  }

  for (const caller of ["viewer", "operator"] as const) {
    it(`holds for each command and query of the room admin, asked by ${caller === "viewer" ? "a viewer" : "an operator"}`, async () => {
      assert.ok(OPERATIONS.length > 50, "the lists were not found");
      for (let from = 0; from < OPERATIONS.length; from += AT_ONCE) {
        const room = await node.client(tokenBy.get(caller)!).joinOrCreate("admin");
        room.onMessage("*", () => {});
        for (const { kind, name, role } of OPERATIONS.slice(from, from + AT_ONCE)) {
          const refused = await room.request(kind, { name, args: {} }).then(
            () => undefined,
            ({ reason }: { reason: WireError }) => reason.code,
          );
          const isForbidden = outcomeFor(caller, `${role}s`) === "forbidden";
          assert.equal(refused === "forbidden", isForbidden, `${kind} ${name}: ${refused}`);
        }
        await room.leave();
      }
    });
  }

  it("lets viewers change nothing: every command is for operators", () => {
    for (const { kind, name, role } of OPERATIONS) if (kind === "command") assert.equal(role, "operator", name);
  });
});

const idOf = (caller: Caller): string => `matrix-${caller.replace(" ", "-")}`;

/** What becomes of who asks for what is for `who`. */
function outcomeFor(caller: Caller, who: string): "admitted" | "forbidden" | "unauthenticated" {
  if (MAY[who]!.includes(caller)) return "admitted";
  return ["player", "another player", "viewer"].includes(caller) ? "forbidden" : "unauthenticated";
}
