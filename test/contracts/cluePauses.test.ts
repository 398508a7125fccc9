import assert from "node:assert/strict";
import { assignmentIdOf } from "../../src/stores/hunts/assignments.ts";
import type { ClaimDecision, ClueLedger, HuntKey } from "../../src/stores/hunts/ClueLedger.ts";
import { freshHunt, LEDGERS, type OpenLedger } from "./ledgers.ts";

const NOW = 1_700_000_000_000;
const MUCH_LATER = NOW + 1_000_000_000;

for (const { name, open } of LEDGERS) {
  describe(`${name}, of a hunt that is paused and resumed`, () => {
    let opened: OpenLedger;
    let ledger: ClueLedger;
    let hunt: HuntKey;

    before(async () => {
      opened = await open();
      ledger = opened.ledger;
    });
    after(() => opened.close());
    beforeEach(async () => {
      hunt = freshHunt();
      await ledger.load(hunt, { epoch: 1, issued: 9, rows: [] });
    });
    afterEach(() => ledger.drop(hunt));

    const claim = (key: HuntKey, playerId: string): Promise<ClaimDecision> =>
      ledger.claim(key, { playerId, playerName: playerId, nodeId: "n1", now: NOW });
    const knowing = (pauses: number): HuntKey => ({ ...hunt, pauses });

    it("decides nothing for who knows of fewer pauses and resumptions, and leaves all as it was", async () => {
      const given = await claim(hunt, "ann");
      assert.ok(given.kind === "assigned");
      const before = await ledger.read(hunt, 10);
      await ledger.pause(hunt, 1);
      const assignmentId = assignmentIdOf(given.row);
      const undecided = [
        await claim(hunt, "bob"),
        await ledger.solve(hunt, { playerId: "ann", assignmentId, correct: true, now: NOW }),
        await ledger.giveBack(hunt, { playerId: "ann", assignmentId, now: NOW }),
        await ledger.expire(hunt, MUCH_LATER),
        await ledger.issue(hunt, 20, NOW),
      ];
      for (const decision of undecided) assert.deepEqual(decision, { kind: "paused" });
      assert.deepEqual(await ledger.read(hunt, 10), before);
    });

    it("hears of a resumption from who knows of it, and then decides nothing for the others", async () => {
      await ledger.pause(hunt, 1);
      assert.equal((await claim(knowing(2), "ann")).kind, "assigned");
      for (const pauses of [0, 1]) assert.equal((await claim(knowing(pauses), "bob")).kind, "paused");
      await ledger.pause(hunt, 1);
      assert.equal((await claim(knowing(2), "bob")).kind, "assigned", "late news change nothing");
    });

    it("knows after a load what the load knew, and of a hunt that it does not hold nothing", async () => {
      await ledger.load(knowing(2), { epoch: 2, issued: 9, rows: [] });
      assert.equal((await claim(knowing(1), "ann")).kind, "paused");
      assert.equal((await claim(knowing(2), "ann")).kind, "assigned");
      await ledger.drop(hunt);
      await ledger.pause(hunt, 3);
      assert.equal((await claim(knowing(2), "ann")).kind, "missing");
    });
  });
}
