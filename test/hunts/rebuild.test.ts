import assert from "node:assert/strict";
import { Hunts } from "../../src/entities/hunts/Hunt.ts";
import type { AssignmentRow, HuntKey, LedgerSnapshot } from "../../src/stores/hunts/ClueLedger.ts";
import { MemoryClueLedger } from "../../src/stores/hunts/MemoryClueLedger.ts";
import { type Service, ServiceCluster } from "./ServiceCluster.ts";

/** A ledger whose loads wait for something, one after the other, before they take what they have read. */
class SlowLedger extends MemoryClueLedger {
  readonly waits: Promise<void>[] = [];
  loads = 0;

  override async load(hunt: HuntKey, { rows, ...snapshot }: LedgerSnapshot): Promise<boolean> {
    this.loads += 1;
    const read: AssignmentRow[] = [];
    for await (const row of rows) read.push(row);
    await this.waits.shift();
    return super.load(hunt, { ...snapshot, rows: read });
  }
}

describe("a hunt's ledger that takes long to load", () => {
  let cluster: ServiceCluster;
  let ledger: SlowLedger;
  let a: Service;
  let b: Service;

  beforeEach(async () => {
    ledger = new SlowLedger();
    cluster = await ServiceCluster.open(ledger);
    a = await cluster.join("a");
    b = await cluster.join("b");
    await a.claim("ann");
    // Longer than the first load is waited for.
    await cluster.clock.advance(3000);
    await cluster.lose();
    ledger.loads = 0;
  });
  afterEach(() => cluster.database.close());

  const epoch = async (): Promise<number> => (await new Hunts(cluster.database).get("h"))!.ledgerEpoch;

  it("is loaded once, and gives out afterwards what was asked of it meanwhile on every node", async () => {
    ledger.waits.push(new Promise((resolve) => void cluster.clock.schedule(resolve, 12_000)));
    const before = await epoch();
    const cards = await Promise.all([a.claim("bob"), b.claim("cid"), b.claim("ann")]);
    assert.ok(cards.every((card) => "assignmentId" in card));
    assert.deepEqual([await epoch(), ledger.loads], [before + 1, 1]);
  });

  it("is loaded by another as soon as the loader is known to have died", async () => {
    const c = await cluster.join("c");
    ledger.waits.push(new Promise(() => {}));
    const before = await epoch();
    c.claim("cid").catch(() => {});
    await cluster.clock.advance(10_000);
    assert.equal(await epoch(), before + 1, "while it lives, the load may go on");
    await c.node.crash();
    const diedAt = cluster.clock.now();
    assert.ok("assignmentId" in (await b.claim("bob")));
    assert.ok(cluster.clock.now() - diedAt < 4500, `${cluster.clock.now() - diedAt} ms after its death`);
    assert.equal(await epoch(), before + 2);
  });
});
