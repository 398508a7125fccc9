import assert from "node:assert/strict";
import { HuntActor } from "../../src/actors/hunts/HuntActor.ts";
import { HuntView } from "../../src/actors/hunts/HuntView.ts";
import { Hunts } from "../../src/entities/hunts/Hunt.ts";
import { RingmasterError } from "../../src/errors.ts";
import type { AssignmentRow, HuntKey, LedgerSnapshot } from "../../src/stores/hunts/ClueLedger.ts";
import { MemoryClueLedger } from "../../src/stores/hunts/MemoryClueLedger.ts";
import { type Service, ServiceCluster } from "./ServiceCluster.ts";

/** A ledger whose next drops fail, and whose next loads end when a test says so. */
class StickyLedger extends MemoryClueLedger {
  failingDrops = 0;
  readonly held: Promise<void>[] = [];

  override async drop(hunt: Pick<HuntKey, "id">): Promise<void> {
    if (this.failingDrops > 0) {
      this.failingDrops -= 1;
      throw new RingmasterError("unavailable");
    }
    await super.drop(hunt);
  }

  override async load(hunt: HuntKey, { rows, ...snapshot }: LedgerSnapshot): Promise<boolean> {
    const read: AssignmentRow[] = [];
    for await (const row of rows) read.push(row);
    await this.held.shift();
    return super.load(hunt, { ...snapshot, rows: read });
  }
}

describe("a hunt's hot state ends with its solving", () => {
  let cluster: ServiceCluster;
  let ledger: StickyLedger;
  let a: Service;
  let b: Service;
  let key: HuntKey;

  beforeEach(async () => {
    ledger = new StickyLedger();
    cluster = await ServiceCluster.open(ledger);
    a = await cluster.join("a");
    b = await cluster.join("b");
    await a.claim("ann");
    await cluster.clock.advance(3000);
    key = new HuntView((await new Hunts(cluster.database).get("h"))!).key;
  });
  afterEach(() => cluster.database.close());

  const isThere = async (): Promise<boolean> => (await ledger.read(key, 1)) !== undefined;
  const actor = () => b.node.actors.ref(HuntActor, "h");

  for (const way of ["end", "cancel"] as const)
    it(`also where it has no rooms any more: ${way}`, async () => {
      a.leave();
      b.leave();
      assert.ok(await isThere());
      await cluster.within(actor()[way]());
      await cluster.clock.advance(10);
      assert.equal(await isThere(), false);
    });

  it("or with its reveal, where it could not be dropped before", async () => {
    ledger.failingDrops = 1;
    await cluster.within(actor().end());
    await cluster.clock.advance(10);
    assert.ok(await isThere());
    await cluster.within(actor().end());
    await cluster.clock.advance(10);
    assert.equal(await isThere(), false);
  });

  it("where a load comes to its end only after that", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    ledger.held.push(promise);
    await cluster.lose();
    const claim = assert.rejects(b.claim("bob"), { code: "wrong_phase" });
    while (ledger.held.length > 0) await cluster.clock.advance(5);
    await cluster.within(actor().end());
    await cluster.clock.advance(5000);
    await claim;
    resolve();
    await cluster.clock.advance(100);
    assert.equal(await isThere(), false);
  });
});
