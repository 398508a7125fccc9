import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync } from "node:crypto";
import { Client } from "@colyseus/sdk";
import { SignJWT } from "jose";
import { type Clock, systemClock } from "../../src/clock.ts";
import { FlowQueue } from "../../src/edge/FlowQueue.ts";
import { RingmasterError } from "../../src/errors.ts";
import { operatorToken } from "../../src/http/auth/roles.ts";
import { OPERATOR_TOKEN_MS, PLAYER_TOKEN_MS, Tokens } from "../../src/http/auth/tokens.ts";
import { aHunt, bearer, Edge, SECRET } from "./edge.ts";

/** A clock that stands still until it is moved. */
function standingClock(now: number): Clock & { now: () => number; moveTo: (now: number) => void } {
  let at = now;
  const moveTo = (to: number): void => {
    at = to;
  };
  return { ...systemClock, now: () => at, moveTo };
}

const START = 1_800_000_000_000;
const IDENTITY = { playerId: "p1", name: "Brave Otter 42", role: "player" } as const;

async function isRefused(tokens: Tokens, token: string): Promise<void> {
  await assert.rejects(
    tokens.verify(token),
    (error) => error instanceof RingmasterError && error.code === "unauthenticated",
  );
}

function printable(value: unknown): string {
  return JSON.stringify(value)
    .replace(/[^ -~]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
    .slice(0, 40);
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}

describe("Tokens", () => {
  const clock = standingClock(START);
  const tokens = new Tokens(SECRET, clock);
  const claims = { sub: "p1", name: "x", role: "operator", iss: "ringmaster", aud: "ringmaster" };
  const times = { iat: START / 1000, exp: START / 1000 + 60 };

  /** A token that is right in all but what is passed in. */
  function forge(changes: object, header: object = { alg: "HS256" }, secret = SECRET): string {
    const signed = `${encode(header)}.${encode({ ...claims, ...times, ...changes })}`;
    return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
  }

  it("speak for whom they were issued to", async () => {
    const { expiresAt, ...identity } = await tokens.verify(await tokens.issue(IDENTITY, 60_000));
    assert.deepEqual(identity, IDENTITY);
    assert.equal(typeof expiresAt, "number");
    assert.equal((await tokens.verify(forge({}))).role, "operator");
  });

  it("expire by the clock that is injected", async () => {
    const token = await tokens.issue(IDENTITY, PLAYER_TOKEN_MS);
    clock.moveTo(START + PLAYER_TOKEN_MS - 1000);
    await tokens.verify(token);
    clock.moveTo(START + PLAYER_TOKEN_MS + 1000);
    await isRefused(tokens, token);
    clock.moveTo(START);
  });

  it("are refused when another secret, algorithm or none signed them", async () => {
    await isRefused(tokens, forge({}, { alg: "HS256" }, `${SECRET}!`));
    await isRefused(tokens, `${encode({ alg: "none" })}.${encode({ ...claims, ...times })}.`);
    await isRefused(tokens, forge({}, { alg: "none" }));
    await isRefused(tokens, forge({}, { alg: "HS512" }));
    const { privateKey } = generateKeyPairSync("ed25519");
    const other = new SignJWT({ ...claims, ...times }).setProtectedHeader({ alg: "EdDSA" });
    await isRefused(tokens, await other.sign(privateKey));
  });

  it("are refused when anything that they must say is missing or wrong", async () => {
    const wrong = [
      { iss: "somebody" },
      { aud: "somebody" },
      { sub: undefined },
      { sub: "" },
      { sub: "x".repeat(33) },
      { name: "x".repeat(65) },
      { exp: undefined },
      { exp: "never" },
      { iat: undefined },
      { role: "emperor" },
      { role: undefined },
      { name: 5 },
      { nbf: START / 1000 + 30 },
    ];
    for (const changes of wrong) await isRefused(tokens, forge(changes));
  });

  it("are refused when they are not tokens at all", async () => {
    for (const token of ["", "a", "a.b", "a.b.c", "....", "\u0000", "e30.e30.", "x".repeat(3000)]) {
      await isRefused(tokens, token);
    }
  });

  it("of an operator last twelve hours", async () => {
    const token = await operatorToken(tokens);
    assert.equal((await tokens.verify(token)).role, "operator");
    clock.moveTo(START + OPERATOR_TOKEN_MS + 1000);
    await isRefused(tokens, token);
    clock.moveTo(START);
  });
});

describe("Signing in", () => {
  let edge: Edge;
  before(async () => {
    edge = await Edge.open();
  });
  after(() => edge.close());

  it("gives a player, stores them, and signs a token for them", async () => {
    const { status, body } = await edge.post("/auth/anonymous", { name: "  Ada   Lovelace " });
    assert.equal(status, 200);
    const { token, player } = body as { token: string; player: { id: string; name: string } };
    assert.match(player.id, /^[0-9A-Za-z]{16}$/);
    assert.equal(player.name, "Ada Lovelace");
    const stored = edge.players.find(({ id }) => id === player.id);
    assert.equal(stored?.name, "Ada Lovelace");
    assert.ok(Number.isInteger(stored?.createdAt));
    const { expiresAt, ...identity } = await edge.services.tokens.verify(token);
    assert.equal(typeof expiresAt, "number");
    assert.deepEqual(identity, { playerId: player.id, name: "Ada Lovelace", role: "player" });
  });

  it("gives a friendly name to who has none, with or without a body", async () => {
    for (const body of [undefined, {}, ""]) {
      const answer = await edge.post("/auth/anonymous", body);
      assert.match((answer.body.player as { name: string }).name, /^[A-Z][a-z]+ [A-Z][a-z]+ \d{1,2}$/);
    }
  });

  it("takes any name that a person can read", async () => {
    for (const name of ["Åsa", "李小龙", "👨‍👩‍👧‍👦 home", "می‌خواهم", "x".repeat(24), "O'Neil-3 <b>"]) {
      const { body } = await edge.post("/auth/anonymous", { name });
      assert.equal((body.player as { name: string }).name, name.normalize("NFC"));
    }
  });

  const unreadable = [
    "",
    "   ",
    "x".repeat(25),
    "a\u202Eb",
    "a\u0000b",
    "a\nb",
    "\u200B",
    "\u3164",
    "\uD800",
    "e\u0301\u0301\u0301\u0301".repeat(20),
  ];
  for (const name of [...unreadable, 5, null, ["Ada"], { first: "Ada" }]) {
    it(`refuses the name ${printable(name)} and names the field`, async () => {
      const { status, error } = await edge.post("/auth/anonymous", { name });
      assert.equal(status, 400);
      assert.equal(error?.code, "invalid_payload");
      assert.match(JSON.stringify(error?.details), /"path":"name"/);
    });
  }

  it("works with the SDK's own call, and despite the expired token that a client still sends", async () => {
    const client = new Client(edge.url);
    client.auth.token = "eyJ.expired.token";
    const { token } = await client.auth.signInAnonymously();
    assert.equal((await edge.services.tokens.verify(token)).role, "player");
    // It keeps the token for every client of the process, whichever server it is for.
    client.auth.signOut();
  });

  it("is answered a little in each turn of the event loop where many were stored together", async () => {
    const stored = Promise.withResolvers<void>();
    const waiting = Promise.withResolvers<void>();
    const SIGN_INS = 10;
    let created = 0;
    let turn = 0;
    let now = 0;
    // Each look at this clock uses up the time of a turn.
    const flows = new FlowQueue({ monotonic: () => now++ });
    const own = await Edge.open({
      flows,
      players: {
        create: () => {
          created += 1;
          if (created === SIGN_INS) waiting.resolve();
          return stored.promise;
        },
      },
    });
    const issuedIn: number[] = [];
    const { tokens } = own.services;
    const issue = tokens.issue.bind(tokens);
    tokens.issue = (...args) => {
      issuedIn.push(turn);
      return issue(...args);
    };
    let counting = setImmediate(function count() {
      turn += 1;
      counting = setImmediate(count);
    });
    try {
      const answers = Array.from({ length: SIGN_INS }, () => own.post("/auth/anonymous"));
      await waiting.promise;
      stored.resolve();
      for (const { status } of await Promise.all(answers)) assert.equal(status, 200);
      // The first goes on in the turn in which all of them were stored, and the second may in what is left of that.
      assert.ok(new Set(issuedIn).size >= SIGN_INS - 1, `in turns ${issuedIn}`);
    } finally {
      clearImmediate(counting);
      await own.close();
    }
  });

  it("is unavailable while the database is out of reach", async () => {
    const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:3306"), { code: "ECONNREFUSED" });
    const away = await Edge.open({ players: { create: () => Promise.reject(refused) } });
    try {
      const { status, error, text } = await away.post("/auth/anonymous", {});
      assert.deepEqual([status, error?.code], [503, "unavailable"]);
      assert.doesNotMatch(text, /127\.0\.0\.1/);
      assert.deepEqual(away.logged, []);
    } finally {
      await away.close();
    }
  });

  it("fails as internal when the player cannot be stored, and says no more than that", async () => {
    const failing = await Edge.open({ players: { create: () => Promise.reject(new Error("ER_DUP at 10.0.0.7")) } });
    try {
      const { status, error, text } = await failing.post("/auth/anonymous", {});
      assert.equal(status, 500);
      assert.equal(error?.code, "internal");
      assert.doesNotMatch(text, /ER_DUP/);
      assert.match(failing.logged.join(""), /ER_DUP/);
    } finally {
      await failing.close();
    }
  });
});

describe("Roles", () => {
  let edge: Edge;
  before(async () => {
    edge = await Edge.open();
  });
  after(() => edge.close());

  it("let operators do what players and viewers may not", async () => {
    const expected = { player: 403, viewer: 403, operator: 201 } as const;
    for (const role of ["player", "viewer", "operator"] as const) {
      const { status } = await edge.post("/api/hunts", aHunt(), bearer(await edge.token(role)));
      assert.equal(status, expected[role], role);
    }
  });

  it("are asked for before a body is read", async () => {
    const { status, error } = await edge.post("/api/hunts", "{ this is no JSON");
    assert.equal(status, 401);
    assert.equal(error?.code, "unauthenticated");
  });

  it("come from a bearer token only, and a bad one is refused even where none is needed", async () => {
    const token = await edge.token("operator");
    for (const authorization of [`Basic ${btoa(`x:${token}`)}`, token, `Token ${token}`]) {
      assert.equal((await edge.post("/api/hunts", aHunt(), { authorization })).status, 401);
      assert.equal((await edge.get("/api/hunts", { authorization })).status, 200);
    }
    for (const authorization of ["Bearer", "Bearer ", `Bearer ${token}x`, `Bearer ${token} ${token}`]) {
      assert.equal((await edge.get("/api/hunts", { authorization })).status, 401, authorization);
    }
    assert.equal((await edge.get("/api/hunts", { authorization: `bearer  ${token}` })).status, 200);
  });
});
