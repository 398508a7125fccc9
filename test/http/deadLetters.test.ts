import assert from "node:assert/strict";
import { join } from "node:path";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { LEAST_UNREACHED, LONGEST_UNREACHED_MS } from "../../src/actors/runtime/MessagePump.ts";
import type { WireError } from "../../src/errors.ts";
import { openDatabase } from "../support/database.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";

describe("dead letters, as operators have them", function () {
  this.timeout(120_000);
  let directory: string;
  let node: RingmasterNode;

  const from = (index: number) => ({ kind: "tournament", id: "t1", version: 3, index });

  before(async () => {
    directory = temporaryDirectory("dead-letters-test");
    const path = join(directory, "ringmaster.sqlite");
    const database = await openDatabase({ kind: "sqlite", path });
    for (const [index, method] of ["goOn", "nothing", "nothing"].entries())
      await database.write(
        `INSERT INTO actor_dead_letters (kind, id, version, idx, target_kind, target_id, message, created_at, attempts, error, died_at)
         VALUES ('tournament', 't1', 3, ?, 'popup', 'global', ?, 1, 18, 'internal: x', ?)`,
        [index, JSON.stringify({ method, args: ["secret"] }), 100 + index],
      );
    await database.write(
      `INSERT INTO actor_marks (kind, id, from_kind, from_id, version, idx, gaps, updated_at)
       VALUES ('popup', 'global', 'tournament', 't1', 3, 2, ?, 100)`,
      [JSON.stringify([0, 1, 2].map((index) => ({ version: 3, index })))],
    );
    await database.close();
    node = await RingmasterNode.start({ DATABASE_URL: `sqlite:${path}` });
  });

  after(async () => {
    await node.kill();
    removeDirectory(directory);
  });

  it("are listed for viewers, newest first, without what they carry", async () => {
    const { body } = await node.get<{ letters: object[] }>("/api/dead-letters?limit=2", {
      token: await tokenOf("viewer"),
    });
    const letter = {
      to: { kind: "popup", id: "global" },
      ...{ method: "nothing", createdAt: 1, attempts: 18, unreached: 0, error: "internal: x" },
    };
    assert.deepEqual(body.letters, [
      { ...letter, from: from(2), diedAt: 102 },
      { ...letter, from: from(1), diedAt: 101 },
    ]);
    assert.equal((await node.get("/api/dead-letters", { token: (await node.signIn()).token })).status, 403);
  });

  it("are closed by operators alone, once each, and by a name that is one", async () => {
    const [operator, viewer] = [await tokenOf("operator"), await tokenOf("viewer")];
    const post = (verb: string, body: unknown, token = operator) =>
      node.post<{ error: WireError }>(`/api/dead-letters/${verb}`, { token, body });
    assert.equal((await post("discard", { from: from(1) }, viewer)).status, 403);
    assert.equal((await post("discard", { from: from(1) })).status, 200);
    assert.equal((await post("discard", { from: from(1) })).status, 404);
    assert.equal((await post("replay", { from: { ...from(2), index: -1 } })).body.error.code, "invalid_payload");
    assert.equal((await post("replay", { from: from(2) })).status, 200);
  });

  it("are listed and closed in the room admin, too", async () => {
    const room = await node.client(await tokenOf("operator")).joinOrCreate("admin", {});
    room.onMessage("*", () => {});
    const listed = async () =>
      ((await room.request("query", { name: "deadLetters" })) as { letters: { from: object }[] }).letters.map(
        (letter) => letter.from,
      );
    assert.deepEqual(await listed(), [from(0)]);
    await room.request("command", { name: "discardDeadLetter", args: { from: from(0) } });
    assert.deepEqual(await listed(), []);
    await room.leave();
  });
});

describe("the metric of dead letters", function () {
  this.timeout(120_000);
  let directory: string;
  let node: RingmasterNode;

  before(async () => {
    directory = temporaryDirectory("dead-letters-test");
    const path = join(directory, "ringmaster.sqlite");
    const database = await openDatabase({ kind: "sqlite", path });
    // What a turn has told actors of a kind that no node has, tried in vain for a day.
    for (const index of [0, 1])
      await database.write(
        `INSERT INTO actor_tells (kind, id, version, idx, owner, target_kind, target_id, message, created_at, attempts, unreached)
         VALUES ('tournament', 't1', 3, ?, 'embedded', 'nobody', ?, ?, ?, 0, ?)`,
        [
          ...[index, `n${index}`, JSON.stringify({ method: "x", args: [] })],
          ...[Date.now() - LONGEST_UNREACHED_MS, LEAST_UNREACHED - 1],
        ],
      );
    await database.close();
    node = await RingmasterNode.start({ DATABASE_URL: `sqlite:${path}` });
  });

  after(async () => {
    await node?.kill();
    removeDirectory(directory);
  });

  const counted = async (): Promise<number> => {
    const text = await (await fetch(`${node.url}/metrics`)).text();
    return Number(/^dead_letters_total\{kind="nobody"\} (\d+)$/m.exec(text)?.[1] ?? 0);
  };

  it("counts each that dies, while the list has those that nobody has replayed or discarded yet", async () => {
    const token = await tokenOf("operator");
    const listed = async () =>
      (await node.get<{ letters: { from: object }[] }>("/api/dead-letters", { token })).body.letters;
    await until(async () => (await counted()) === 2, { what: "both are counted", timeoutMs: DEADLINE_MS });
    const [first, second] = await listed();
    for (const [verb, from, left] of [
      ["replay", first!.from, 1],
      ["discard", second!.from, 0],
    ] as const) {
      assert.equal((await node.post(`/api/dead-letters/${verb}`, { token, body: { from } })).status, 200);
      assert.equal((await listed()).length, left);
    }
    assert.equal(await counted(), 2);
  });
});
