import assert from "node:assert/strict";
import { type Service, ServiceCluster } from "./ServiceCluster.ts";

/** Within this, every node has answered or has been given up. */
const ANSWERED_MS = 4000;

describe("the clue of a player who has left a hunt for good", () => {
  let cluster: ServiceCluster;
  let a: Service;
  let b: Service;

  // One clue, which ann has, on node a.
  beforeEach(async () => {
    cluster = await ServiceCluster.open();
    cluster.plan = { repeat: 1, attempts: 2, clues: [{ type: "riddle", prompt: "?", answers: ["yes"], points: 10 }] };
    a = await cluster.join("a");
    b = await cluster.join("b");
    await cluster.clock.advance(1000);
    assert.ok("assignmentId" in (await a.claim("ann")));
    await b.claim("bob");
  });
  afterEach(() => cluster.database.close());

  const given = ({ row }: Service): [string, string][] =>
    row.clues.map(([playerId, { assignmentId }]) => [playerId, assignmentId]);
  const leave = (service: Service, playerId: string): Promise<void> => {
    service.row.players.delete(playerId);
    return cluster.within(service.service.departures.left(service.hunt, playerId));
  };
  const comeIn = ({ row, service, hunt }: Service, playerId: string): Promise<void> => {
    row.players.add(playerId);
    return service.queue.attend(hunt, { playerId, name: playerId });
  };
  /** Nobody has the clue but ann. */
  async function stays(): Promise<void> {
    await cluster.clock.advance(ANSWERED_MS);
    assert.deepEqual([given(a), given(b)], [[], []]);
    await cluster.lose();
    const card = await b.claim("ann");
    assert.equal("assignmentId" in card && card.assignmentId, "0.1");
  }

  it("goes to who waits at once, and is committed", async () => {
    await leave(a, "ann");
    await cluster.clock.advance(100);
    assert.deepEqual(given(b), [["bob", "0.2"]]);
    await cluster.lose();
    assert.deepEqual(await a.claim("ann"), { waiting: true, position: 1 });
  });

  it("goes back into the pool with the wrong answers to it counted", async () => {
    await b.service.queue.quit(b.hunt, "bob");
    const wrong = { assignmentId: "0.1", answer: "no idea" };
    await cluster.within(a.service.solve(a.hunt, { playerId: "ann", name: "Ann" }, wrong));
    await leave(a, "ann");
    assert.deepEqual(await a.claim("ann"), { waiting: true, position: 0, exhausted: true });
    const card = await b.claim("bob");
    assert.equal("assignmentId" in card && card.assignmentId, "0.2");
  });

  it("stays while another connection of theirs is there: to this node", async () => {
    await cluster.within(a.service.departures.left(a.hunt, "ann"));
    await stays();
  });

  it("stays while another connection of theirs is there: to another node", async () => {
    b.row.players.add("ann");
    await leave(a, "ann");
    await stays();
  });

  it("stays where a node that may have them does not answer, until its time is over", async () => {
    b.node.bus.cut = true;
    const left = leave(a, "ann");
    await cluster.clock.advance(ANSWERED_MS);
    await left;
    b.node.bus.cut = false;
    await stays();
  });

  it("stays when they are back before everybody has answered", async () => {
    a.row.players.delete("ann");
    const left = a.service.departures.left(a.hunt, "ann");
    a.row.players.add("ann");
    await cluster.within(left);
    await stays();
  });

  it("stays where they come in at another node before the slowest one has answered", async () => {
    const c = await cluster.join("c");
    await cluster.clock.advance(1000);
    const { peers } = c.node.actors;
    const signal = peers.signal.bind(peers);
    peers.signal = (...said) => void cluster.clock.schedule(() => signal(...said), 2000);
    a.row.players.delete("ann");
    const left = a.service.departures.left(a.hunt, "ann");
    await cluster.clock.advance(500);
    await comeIn(b, "ann");
    await cluster.clock.advance(ANSWERED_MS);
    await left;
    await stays();
  });

  for (const at of ["this node", "another node"]) {
    it(`stays where they come in at ${at} when all have answered and the revocation is on its way`, async () => {
      const { ledger } = cluster;
      const giveUp = ledger.giveUp.bind(ledger);
      let asked = 0;
      ledger.giveUp = async (...request) => {
        asked += 1;
        await comeIn(at === "this node" ? a : b, "ann");
        return await giveUp(...request);
      };
      await leave(a, "ann");
      assert.equal(asked, 1);
      await stays();
      assert.deepEqual([a.row.revoked, b.row.revoked], [[], []]);
    });
  }

  it("goes to others when they come in and leave again, though the first leaving was not settled yet", async () => {
    const { ledger } = cluster;
    const giveUp = ledger.giveUp.bind(ledger);
    let again: Promise<void> | undefined;
    ledger.giveUp = async (...request) => {
      if (!again) {
        await comeIn(b, "ann");
        b.row.players.delete("ann");
        again = b.service.departures.left(b.hunt, "ann");
      }
      return await giveUp(...request);
    };
    await leave(a, "ann");
    await cluster.within(again!);
    await cluster.clock.advance(100);
    assert.deepEqual(given(b), [["bob", "0.2"]]);
  });

  it("stays where the ledger, and with it the mark of their leaving, was lost meanwhile", async () => {
    const { ledger } = cluster;
    const giveUp = ledger.giveUp.bind(ledger);
    let asked = 0;
    ledger.giveUp = async (...request) => {
      asked += 1;
      if (asked === 1) await cluster.lose();
      return await giveUp(...request);
    };
    await leave(a, "ann");
    assert.ok(asked > 1);
    await stays();
  });

  it("asks no node about somebody who holds none", async () => {
    const asked: string[] = [];
    const signal = b.node.actors.peers.signal.bind(b.node.actors.peers);
    b.node.actors.peers.signal = (nodeId, topic, payload) => {
      asked.push(topic);
      signal(nodeId, topic, payload);
    };
    await leave(b, "bob");
    assert.ok(!asked.includes("hunts.left"));
  });

  it("stays where they come in at another node while the ledger is loaded anew", async () => {
    const { ledger } = cluster;
    const depart = ledger.depart.bind(ledger);
    ledger.depart = async (...asked) => {
      const decision = await depart(...asked);
      if (decision.kind === "departed") await cluster.lose();
      return decision;
    };
    const giveUp = ledger.giveUp.bind(ledger);
    ledger.giveUp = async (...asked) => {
      const decision = await giveUp(...asked);
      if (decision.kind === "missing") await comeIn(b, "ann");
      return decision;
    };
    await leave(a, "ann");
    await stays();
  });

  it("stays while a seat is kept for another connection of theirs that dropped: on this node", async () => {
    a.row.dropped.add("ann");
    await leave(a, "ann");
    await stays();
  });

  it("stays while a seat is kept for another connection of theirs that dropped: on another node", async () => {
    b.row.dropped.add("ann");
    await leave(a, "ann");
    await stays();
  });

  it("goes on also when their room was the last one of their node", async () => {
    a.row.players.delete("ann");
    const left = a.service.departures.left(a.hunt, "ann");
    a.leave();
    await cluster.within(left);
    await cluster.clock.advance(100);
    assert.deepEqual(given(b), [["bob", "0.2"]]);
  });

  it("goes to others with those of all who leave at that moment, for one question to each node", async () => {
    await cluster.database.close();
    cluster = await ServiceCluster.open();
    a = await cluster.join("a");
    b = await cluster.join("b");
    const many = Array.from({ length: 6 }, (_, n) => `p${n}`);
    for (const player of many) assert.ok("assignmentId" in (await a.claim(player)));
    await cluster.clock.advance(1000);
    let questions = 0;
    const signal = a.node.actors.peers.signal.bind(a.node.actors.peers);
    a.node.actors.peers.signal = (nodeId, topic, payload) => {
      if (topic === "hunts.left") questions += 1;
      signal(nodeId, topic, payload);
    };
    a.row.players.clear();
    await cluster.within(Promise.all(many.map((player) => a.service.departures.left(a.hunt, player))));
    assert.equal(questions, 1);
    await cluster.clock.advance(1000);
    assert.equal(b.row.open, 0);
  });
});
