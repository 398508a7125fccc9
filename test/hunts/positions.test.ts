import assert from "node:assert/strict";
import { MOST_POSITIONS } from "../../src/stores/hunts/ledgerRules.ts";
import { MemoryClueLedger } from "../../src/stores/hunts/MemoryClueLedger.ts";
import { type Service, ServiceCluster } from "./ServiceCluster.ts";

/** Of many who wait, each is asked for after so many calls at most; one that was already due before a change counts too. */
const rounds = (waiting: number): number => 2 * Math.ceil(waiting / MOST_POSITIONS);

/** Notes of how many players each call asks, and fails while it is away. */
class CountingLedger extends MemoryClueLedger {
  readonly asked: number[] = [];
  isAway = false;

  override async positions(...[hunt, playerIds]: Parameters<MemoryClueLedger["positions"]>) {
    this.asked.push(playerIds.length);
    if (this.isAway) throw new Error("away");
    return super.positions(hunt, playerIds);
  }
}

describe("players who wait for a clue are told their place as it changes", () => {
  let cluster: ServiceCluster;
  let ledger: CountingLedger;
  let a: Service;
  let b: Service;

  // One clue, which ann has.
  beforeEach(async () => {
    ledger = new CountingLedger();
    cluster = await ServiceCluster.open(ledger);
    cluster.plan = { repeat: 1, attempts: 1, clues: [{ type: "riddle", prompt: "?", answers: ["yes"], points: 10 }] };
    a = await cluster.join("a");
    b = await cluster.join("b");
    await cluster.clock.advance(1000);
    assert.ok("assignmentId" in (await a.claim("ann")));
  });
  afterEach(() => cluster.database.close());

  const playerOf = (playerId: string) => ({ playerId, name: playerId.toUpperCase() });
  const quit = (service: Service, playerId: string) =>
    cluster.within(service.service.queue.quit(service.hunt, playerId));

  it("also on their other connections to the node on which they have claimed, and not where that is the only one", async () => {
    a.row.tabs.set("bob", 2);
    assert.deepEqual(await a.claim("bob"), { waiting: true, position: 1 });
    assert.deepEqual(await a.claim("cid"), { waiting: true, position: 2 });
    await cluster.clock.advance(2000);
    assert.deepEqual(a.row.positions, [["bob", 1]]);
    await a.claim("bob");
    await cluster.clock.advance(2000);
    assert.deepEqual(a.row.positions, [["bob", 1]], "they know it");
  });

  it("on every node on which they are, and only those whose place is another one", async () => {
    for (const [service, player] of [
      [a, "bob"],
      [b, "cid"],
      [a, "dot"],
      [b, "eve"],
    ] as const)
      await service.claim(player);
    b.row.players.add("dot");
    await cluster.within(b.service.queue.attend(b.hunt, playerOf("dot")));
    await cluster.clock.advance(2000);
    b.row.positions.length = 0;
    await quit(b, "cid");
    await cluster.clock.advance(2000);
    assert.deepEqual(a.row.positions, [["dot", 2]]);
    assert.deepEqual(b.row.positions, [
      ["eve", 3],
      ["dot", 2],
    ]);
  });

  it("also when who was before them has got a clue", async () => {
    await a.claim("bob");
    await b.claim("cid");
    await cluster.within(a.service.giveBack(a.hunt, "ann", "0.1"));
    await cluster.clock.advance(2000);
    assert.deepEqual(
      a.row.clues.map(([player]) => player),
      ["bob"],
    );
    assert.deepEqual([a.row.positions, b.row.positions], [[], [["cid", 1]]]);
  });

  it("once for all that changes within a second", async () => {
    const first = ["bob", "cid", "dot"];
    for (const player of [...first, "eve"]) await a.claim(player);
    await cluster.clock.advance(2000);
    const before = ledger.asked.length;
    await quit(a, "bob");
    await cluster.clock.advance(1100);
    await Promise.all(first.slice(1).map((player) => quit(a, player)));
    await cluster.clock.advance(1100);
    assert.deepEqual(
      a.row.positions.filter(([player]) => player === "eve"),
      [
        ["eve", 3],
        ["eve", 1],
      ],
    );
    assert.ok(ledger.asked.length - before <= 2 * 3, `${ledger.asked.length - before} calls`);
  });

  it("and nobody asks while nothing changes", async () => {
    await a.claim("bob");
    await cluster.clock.advance(3000);
    const before = ledger.asked.length;
    await cluster.clock.advance(10_000);
    assert.equal(ledger.asked.length, before);
  });

  it("on a connection that they have opened beside another one, and when they are back from a drop", async () => {
    await a.claim("bob");
    await a.claim("cid");
    await cluster.clock.advance(2000);
    await cluster.within(a.service.queue.attend(a.hunt, playerOf("cid")));
    await cluster.clock.advance(2000);
    assert.deepEqual(a.row.positions, [["cid", 2]]);
    a.row.players.delete("cid");
    a.service.queue.away(a.hunt, "cid");
    await quit(a, "bob");
    await cluster.clock.advance(2000);
    assert.deepEqual(a.row.positions, [["cid", 2]], "nobody is there to hear");
    a.row.players.add("cid");
    a.service.queue.back(a.hunt, playerOf("cid"));
    await cluster.clock.advance(2000);
    assert.deepEqual(a.row.positions, [
      ["cid", 2],
      ["cid", 1],
    ]);
  });

  it("also when the places could not be read at first, and after the ledger was lost with its queue", async () => {
    await a.claim("bob");
    await b.claim("cid");
    await cluster.clock.advance(2000);
    ledger.isAway = true;
    await quit(a, "bob");
    await cluster.clock.advance(3000);
    assert.deepEqual(b.row.positions, []);
    ledger.isAway = false;
    await cluster.clock.advance(2000);
    assert.deepEqual(b.row.positions, [["cid", 1]]);
    await cluster.lose();
    const dot = await a.claim("dot");
    assert.ok("waiting" in dot && dot.position > 0);
    await cluster.clock.advance(2000);
    assert.deepEqual(b.row.positions.at(-1), ["cid", 3 - dot.position]);
  });

  it("so many at a time, by turns, when many wait", async () => {
    const many = Array.from({ length: 2 * MOST_POSITIONS + 1 }, (_, n) => `p${n}`);
    for (const player of many) a.row.players.add(player);
    const claims = many.map((playerId) => a.service.claim(a.hunt, playerOf(playerId)));
    await cluster.within(Promise.all(claims));
    await cluster.clock.advance(10_000);
    a.row.positions.length = ledger.asked.length = 0;
    await quit(a, "p0");
    await cluster.clock.advance(1000 * rounds(many.length));
    assert.ok(Math.max(...ledger.asked) <= MOST_POSITIONS);
    assert.ok(ledger.asked.length <= rounds(many.length) + 1);
    assert.deepEqual(
      a.row.positions,
      many.slice(1).map((player, at) => [player, at + 1]),
    );
  });
});
