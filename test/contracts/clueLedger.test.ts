import assert from "node:assert/strict";
import { assignmentIdOf } from "../../src/stores/hunts/assignments.ts";
import {
  type AssignmentRow,
  type ClaimDecision,
  type ClueLedger,
  type HuntKey,
  type LedgerRules,
  OUTCOME,
  type SolveDecision,
} from "../../src/stores/hunts/ClueLedger.ts";
import { MAX_INSTANCES, MAX_TOTAL_POINTS } from "../../src/stores/hunts/ledgerRules.ts";
import { freshHunt, LEDGERS, type OpenLedger } from "./ledgers.ts";

const NOW = 1_700_000_000_000;
const LIVE = ["n1", "n2", "n3"];

for (const { name, open } of LEDGERS) {
  describe(name, () => {
    let opened: OpenLedger;
    let ledger: ClueLedger;
    let hunt: HuntKey;

    before(async () => {
      opened = await open();
      ledger = opened.ledger;
    });
    after(() => opened.close());
    afterEach(() => ledger.drop(hunt));

    async function begin(issued: number, rules: Partial<LedgerRules> = {}): Promise<void> {
      hunt = freshHunt(rules);
      assert.equal(await ledger.load(hunt, { epoch: 1, issued, rows: [] }), true);
    }

    const claim = (playerId: string, { nodeId = "n1", now = NOW } = {}): Promise<ClaimDecision> =>
      ledger.claim(hunt, { playerId, playerName: playerId.toUpperCase(), nodeId, now });

    const solve = (playerId: string, assignmentId: string, correct: boolean, now = NOW): Promise<SolveDecision> =>
      ledger.solve(hunt, { playerId, assignmentId, correct, now });

    async function claimRow(playerId: string, now = NOW): Promise<AssignmentRow> {
      const decision = await claim(playerId, { now });
      assert.equal(decision.kind, "assigned");
      return (decision as Extract<ClaimDecision, { kind: "assigned" }>).row;
    }

    const positionOf = async (playerId: string, nodeId?: string): Promise<number> => {
      const decision = await claim(playerId, { nodeId });
      assert.equal(decision.kind, "waiting");
      return (decision as Extract<ClaimDecision, { kind: "waiting" }>).position;
    };

    async function view(top = 10) {
      const seen = await ledger.read(hunt, top);
      assert.ok(seen);
      return seen;
    }

    it("is missing until it is loaded, and again once dropped", async () => {
      hunt = freshHunt();
      const isMissing = async (): Promise<void> => {
        assert.deepEqual(await claim("ann"), { kind: "missing" });
        assert.deepEqual(await solve("ann", "0.1", true), { kind: "missing" });
        assert.deepEqual(await ledger.issue(hunt, 3, NOW), { kind: "missing" });
        assert.deepEqual(await ledger.expire(hunt, NOW), { kind: "missing" });
        assert.equal(await ledger.read(hunt, 3), undefined);
        await ledger.forget(hunt, "ann", "n1", LIVE);
      };
      await isMissing();
      await ledger.load(hunt, { epoch: 1, issued: 3, rows: [] });
      assert.equal((await view()).pool, 3);
      await ledger.drop(hunt);
      await isMissing();
    });

    it("gives each instance to one player, in order, also to a thousand at once", async () => {
      await begin(1000, { total: 1000 });
      const decisions = await Promise.all(Array.from({ length: 1000 }, (_, n) => claim(`player-${n}`)));
      const rows = decisions.map((decision) => (decision.kind === "assigned" ? decision.row : undefined));
      assert.deepEqual(
        rows.map((row) => row?.instance),
        Array.from({ length: 1000 }, (_, n) => n),
      );
      assert.ok(rows.every((row) => row?.generation === 1));
      assert.equal((await view()).pool, 0);
    });

    it("gives a player with an open assignment the same again", async () => {
      await begin(5);
      const first = await claim("ann");
      assert.deepEqual(await claim("ann", { nodeId: "n2", now: NOW + 59_999 }), first);
      assert.deepEqual(first, {
        kind: "assigned",
        row: {
          ...{ instance: 0, generation: 1, playerId: "ann", playerName: "ANN", openedAt: NOW, expiresAt: NOW + 60_000 },
          ...{
            attemptsBefore: 0,
            requestMarks: "",
            attemptsUsed: 0,
            outcome: OUTCOME.open,
            closedAt: 0,
            points: 0,
            solveSeq: 0,
          },
        },
        ...{ epoch: 1, pool: 4, waiting: 0, issued: 5 },
      });
    });

    it("queues claims on an empty pool first in first out; asking again keeps the place, and who has left one node keeps it while they are on another that lives", async () => {
      await begin(0);
      for (const [index, player] of ["ann", "bob", "cy", "dee"].entries()) {
        assert.equal(await positionOf(player, "n1"), index + 1);
      }
      assert.equal(await positionOf("bob", "n2"), 2);
      await ledger.forget(hunt, "ann", "n1", LIVE);
      await ledger.forget(hunt, "nobody", "n1", LIVE);
      await ledger.forget(hunt, "bob", "n1", LIVE);
      assert.equal(await positionOf("bob", "n3"), 1);
      assert.deepEqual([await ledger.attend(hunt, "cy", "n2"), await ledger.attend(hunt, "ann", "n2")], [true, false]);
      await ledger.forget(hunt, "cy", "n1", LIVE);
      await ledger.forget(hunt, "bob", "n2", LIVE);
      assert.equal((await view()).waiting, 3);

      const issued = await ledger.issue(hunt, 2, NOW);
      assert.ok(issued.kind === "issued");
      assert.deepEqual(
        issued.served.map(({ row }) => [row.playerId, row.instance]),
        [
          ["bob", 0],
          ["cy", 1],
        ],
      );
      assert.equal(await positionOf("dee"), 1);
      await ledger.attend(hunt, "dee", "n2");
      await ledger.forget(hunt, "dee", "n1", ["n1"]);
      assert.equal((await view()).waiting, 0, "the other node is dead");
      assert.equal((await claimRow("bob")).instance, 0);
    });

    it("passes over who is on no node that lives, keeps their place, and takes it where it is to be dropped", async () => {
      await begin(0, { total: 2000 });
      const crowd = Array.from({ length: 600 }, (_, n) => `player-${n}`);
      await Promise.all(crowd.map((player) => claim(player, { nodeId: "n1" })));
      await claim("zoe", { nodeId: "n2" });
      const sweep = async (live: string[], drop: boolean): Promise<void> => {
        let after: number | undefined = 0;
        while (after !== undefined) after = await ledger.sweep(hunt, live, { after, drop });
      };
      await sweep(["n2"], false);
      let issued = await ledger.issue(hunt, 1, NOW);
      assert.ok(issued.kind === "issued");
      let served = issued.served;
      while (issued.unserved) {
        issued = await ledger.issue(hunt, 1, NOW);
        assert.ok(issued.kind === "issued");
        served = [...served, ...issued.served];
      }
      assert.deepEqual(
        served.map(({ row }) => row.playerId),
        ["zoe"],
      );
      assert.equal(await ledger.attend(hunt, "player-7", "n2"), false);
      assert.equal(await positionOf("player-7", "n2"), 8);
      await sweep(["n2"], true);
      assert.deepEqual([await positionOf("player-7", "n2"), (await view()).waiting], [1, 1]);
    });

    describe("asked to give up what a player holds who has left", () => {
      const giveUp = async (token: string, now = NOW): Promise<string> =>
        (await ledger.giveUp(hunt, { playerId: "ann", token, now })).kind;
      const depart = async (token: string): Promise<boolean> => {
        const decision = await ledger.depart(hunt, "ann", token);
        return decision.kind === "departed" && decision.isMarked;
      };
      const holds = async (assignmentId: string): Promise<void> =>
        assert.equal(assignmentIdOf(await claimRow("ann")), assignmentId);

      it("does so by the departure that stands, once, and serves who waits", async () => {
        await begin(1);
        await claimRow("ann");
        await positionOf("bob");
        assert.equal(await giveUp("first"), "unknown", "there was no departure");
        assert.equal(await depart("first"), true);
        assert.equal(await depart("second"), true);
        assert.equal(await giveUp("first"), "unknown", "a later one stands");
        const decision = await ledger.giveUp(hunt, { playerId: "ann", token: "second", now: NOW });
        assert.ok(decision.kind === "revoked" && decision.row.outcome === OUTCOME.returned);
        assert.deepEqual(
          decision.served.map(({ row }) => [row.playerId, assignmentIdOf(row)]),
          [["bob", "0.2"]],
        );
        assert.equal(await giveUp("second"), "unknown");
        assert.equal(await depart("third"), false, "nothing is left to give up");
      });

      it("leaves it to who has come in on whatever node, claimed or answered since", async () => {
        await begin(2);
        await claimRow("ann");
        const heardOf: (() => Promise<unknown>)[] = [
          () => ledger.attend(hunt, "ann", "n2"),
          () => claim("ann", { nodeId: "n2" }),
          () => solve("ann", "0.1", false),
        ];
        for (const hear of heardOf) {
          assert.equal(await depart("token"), true);
          await hear();
          assert.equal(await giveUp("token"), "unknown");
          await holds("0.1");
        }
        const bobs = await claimRow("bob");
        assert.equal(await depart("token"), true);
        await ledger.attend(hunt, "bob", "n2");
        assert.equal(await giveUp("token"), "revoked", "another player came in");
        assert.deepEqual(await claimRow("bob"), bobs);
      });

      it("leaves them what they were given after the one that they held then", async () => {
        await begin(2, { attempts: 1, points: [10, 20], total: 2 });
        await claimRow("ann");
        assert.equal(await depart("token"), true);
        assert.equal((await ledger.expire(hunt, NOW + 60_000)).kind, "expired");
        await claimRow("ann", NOW + 60_000);
        assert.equal(await giveUp("token", NOW + 60_000), "unknown");
      });

      it("knows of no departure after it was loaded anew", async () => {
        await begin(1);
        const row = await claimRow("ann");
        assert.equal(await depart("token"), true);
        await ledger.load(hunt, { epoch: 2, issued: 1, rows: [row] });
        assert.equal(await giveUp("token"), "unknown");
        await holds("0.1");
      });
    });

    it("serves more waiting claims by one issue than a step of the store takes", async () => {
      await begin(0, { total: 2000 });
      await Promise.all(Array.from({ length: 1300 }, (_, n) => claim(`player-${n}`)));
      const issued = await ledger.issue(hunt, 1299, NOW);
      assert.ok(issued.kind === "issued");
      assert.deepEqual(
        issued.served.map(({ row }) => `${row.playerId} ${row.instance}`),
        Array.from({ length: 1299 }, (_, n) => `player-${n} ${n}`),
      );
      assert.deepEqual([issued.issued, issued.pool, issued.waiting], [1299, 0, 1]);
    });

    it("issues no instance twice and none beyond the total", async () => {
      await begin(3, { total: 10 });
      await ledger.issue(hunt, 5, NOW);
      await ledger.issue(hunt, 4, NOW);
      assert.equal((await view()).issued, 5);
      await ledger.issue(hunt, 99, NOW);
      assert.deepEqual([(await view()).issued, (await view()).pool], [10, 10]);
    });

    it("adds up the points of right answers, and lets the player claim the next", async () => {
      await begin(5);
      const first = await claimRow("ann");
      const solved = await solve("ann", assignmentIdOf(first), true, NOW + 5);
      assert.ok(solved.kind === "solved");
      const closed = { attemptsUsed: 1, outcome: OUTCOME.solved, closedAt: NOW + 5, points: 10, solveSeq: 1 };
      assert.deepEqual(solved.row, { ...first, ...closed });
      assert.equal(solved.total, 10);
      const next = await claim("ann");
      assert.ok(next.kind === "assigned");
      assert.equal(next.row.instance, 1);
      assert.deepEqual(next.previous, solved.row);
      const again = await solve("ann", assignmentIdOf(next.row), true);
      assert.ok(again.kind === "solved" && again.total === 30 && again.row.solveSeq === 2);
    });

    it("counts wrong answers, and revokes with the last one: the next in the queue gets the clue", async () => {
      await begin(1);
      const row = await claimRow("ann");
      await claim("bob", { nodeId: "n2" });
      const id = assignmentIdOf(row);
      for (const attemptsLeft of [2, 1]) {
        const wrong = await solve("ann", id, false);
        assert.ok(wrong.kind === "wrong");
        assert.equal(wrong.attemptsLeft, attemptsLeft);
      }
      const revoked = await solve("ann", id, false);
      assert.ok(revoked.kind === "revoked");
      assert.equal(revoked.row.outcome, OUTCOME.exhausted);
      assert.deepEqual(
        revoked.served.map(({ row }) => [row.playerId, assignmentIdOf(row)]),
        [["bob", "0.2"]],
      );
      assert.deepEqual([revoked.pool, revoked.waiting], [0, 0]);
    });

    it("revokes an assignment whose answer comes too late, right or wrong", async () => {
      await begin(1);
      const row = await claimRow("ann");
      const late = await solve("ann", assignmentIdOf(row), true, row.expiresAt);
      assert.ok(late.kind === "revoked");
      assert.deepEqual(late.row, { ...row, outcome: OUTCOME.expired, closedAt: row.expiresAt });
      assert.equal(late.total, 0);
    });

    it("puts a revoked clue in front of the pool", async () => {
      await begin(9);
      const players = ["ann", "bob", "cy"];
      const rows = await Promise.all(players.map((player) => claimRow(player)));
      for (const index of [1, 0]) {
        for (let n = 0; n < 3; n += 1) await solve(players[index]!, assignmentIdOf(rows[index]!), false);
      }
      assert.equal(assignmentIdOf(await claimRow("dee")), "0.2");
      assert.equal(assignmentIdOf(await claimRow("eve")), "1.2");
      assert.equal(assignmentIdOf(await claimRow("fay")), "3.1");
    });

    it("revokes the claimer's own expired assignment first, and lets who waits go first", async () => {
      await begin(1);
      const row = await claimRow("ann");
      await claim("bob");
      const decision = await claim("ann", { now: row.expiresAt });
      assert.ok(decision.kind === "waiting");
      assert.equal(decision.revoked?.outcome, OUTCOME.expired);
      assert.deepEqual(
        decision.served?.map((served) => served.row.playerId),
        ["bob"],
      );
      assert.equal(decision.position, 1);
    });

    it("expires at most 512 assignments a call, says whether some are left, and serves who waits", async () => {
      await begin(600, { total: 600 });
      await Promise.all(Array.from({ length: 600 }, (_, n) => claim(`player-${n}`)));
      await claim("late", { nodeId: "n2" });
      assert.equal((await view()).nextExpiry, NOW + 60_000);
      const early = await ledger.expire(hunt, NOW + 59_999);
      assert.ok(early.kind === "expired" && early.revoked.length === 0 && !early.more);

      const first = await ledger.expire(hunt, NOW + 60_000);
      assert.ok(first.kind === "expired");
      assert.deepEqual([first.revoked.length, first.more], [512, true]);
      assert.deepEqual(
        first.served.map(({ row }) => [row.playerId, row.generation]),
        [["late", 2]],
      );
      const second = await ledger.expire(hunt, NOW + 60_000);
      assert.ok(second.kind === "expired");
      assert.deepEqual([second.revoked.length, second.more], [88, false]);
      const { open, pool, nextExpiry } = await view();
      assert.deepEqual([open, pool, nextExpiry], [1, 599, NOW + 120_000]);
    });

    it("gives the first decision again when a closed assignment is solved again", async () => {
      await begin(2);
      const solvedRow = await claimRow("ann");
      const solved = await solve("ann", assignmentIdOf(solvedRow), true);
      assert.deepEqual(await solve("ann", assignmentIdOf(solvedRow), false, NOW + 99_999), solved);
      const lostRow = await claimRow("ann");
      await ledger.expire(hunt, lostRow.expiresAt);
      const late = await solve("ann", assignmentIdOf(lostRow), true, lostRow.expiresAt);
      assert.ok(late.kind === "revoked" && late.row.outcome === OUTCOME.expired && late.served.length === 0);
      assert.deepEqual(await solve("ann", assignmentIdOf(solvedRow), true), { kind: "unknown" });
    });

    it("knows no assignment of others, nor one that nobody was given", async () => {
      await begin(2);
      const row = await claimRow("ann");
      for (const id of ["", "1.1", "0.2", "0", "00.1", "-1.0", "0.1 ", "__proto__", "9".repeat(400)]) {
        assert.deepEqual(await solve("ann", id, true), { kind: "unknown" });
      }
      assert.deepEqual(await solve("bob", assignmentIdOf(row), true), { kind: "unknown" });
      assert.equal((await view()).open, 1);
    });

    it("revokes nothing by a clock that is behind, and keeps a player's closings in order all the same", async () => {
      await begin(2);
      const first = await claimRow("ann", NOW + 5000);
      const solved = await solve("ann", assignmentIdOf(first), true, NOW);
      assert.ok(solved.kind === "solved");
      assert.equal(solved.row.closedAt, NOW + 5000);
      const second = await claimRow("ann", NOW);
      assert.equal(second.expiresAt, NOW + 60_000);
      const next = await solve("ann", assignmentIdOf(second), true, NOW);
      assert.ok(next.kind === "solved");
      assert.equal(next.row.closedAt, NOW + 5001);
    });

    it("ranks equal points by who reached them first", async () => {
      await begin(6, { points: [10], repeatable: [true] });
      for (const player of ["ann", "bob", "cy", "bob"]) {
        await solve(player, assignmentIdOf(await claimRow(player)), true);
      }
      await solve("ann", assignmentIdOf(await claimRow("ann")), true);
      const { top, players, solved } = await view(2);
      assert.deepEqual(top, [
        { rank: 1, playerId: "bob", name: "BOB", points: 20 },
        { rank: 2, playerId: "ann", name: "ANN", points: 20 },
      ]);
      assert.deepEqual([players, solved], [3, 5]);
      assert.deepEqual((await view(0)).top, []);
    });

    it("tells players their own rank and points, however many are before them", async () => {
      await begin(100, { points: [10], repeatable: [true], total: 100 });
      const standing = async (playerId: string) => {
        const { kind, ...own } = await ledger.standing(hunt, playerId);
        return kind === "missing" ? kind : own;
      };
      assert.deepEqual(await standing("p0"), { rank: null, points: 0 });
      const players = Array.from({ length: 30 }, (_, at) => `p${at}`);
      for (const player of [...players, "p29"]) await solve(player, assignmentIdOf(await claimRow(player)), true);
      assert.deepEqual(await Promise.all(["p29", "p0", "p28", "nobody"].map(standing)), [
        { rank: 1, points: 20 },
        { rank: 2, points: 10 },
        { rank: 30, points: 10 },
        { rank: null, points: 0 },
      ]);
      const rows = players.map((playerId, at) => solvedRow(at, playerId, { points: 30 - at, solveSeq: at + 1 }));
      await ledger.load(hunt, { epoch: 2, issued: 30, rows });
      assert.deepEqual(await standing("p17"), { rank: 18, points: 13 });
      await ledger.drop(hunt);
      assert.equal(await standing("p17"), "missing");
    });

    it("keeps scores exact up to the most points and instances that rules may have", async () => {
      const points = [MAX_TOTAL_POINTS - 1, 1];
      await begin(2, { points, total: 2 });
      const row = (instance: number, solveSeq: number): AssignmentRow =>
        solvedRow(instance, `p${instance}`, { points: MAX_TOTAL_POINTS, solveSeq });
      await ledger.load(hunt, { epoch: 2, issued: 0, rows: [row(0, MAX_INSTANCES), row(1, MAX_INSTANCES - 1)] });
      assert.deepEqual(
        (await view()).top.map(({ playerId, points }) => [playerId, points]),
        [
          ["p1", MAX_TOTAL_POINTS],
          ["p0", MAX_TOTAL_POINTS],
        ],
      );
    });

    it("counts a solve exactly up to the most points that rules may have", async () => {
      await begin(2, { points: [MAX_TOTAL_POINTS - 1, 1], total: 2 });
      const points = async (): Promise<number | undefined> => (await view()).top[0]?.points;
      await solve("ann", assignmentIdOf(await claimRow("ann")), true);
      assert.equal(await points(), MAX_TOTAL_POINTS - 1);
      await solve("ann", assignmentIdOf(await claimRow("ann")), true);
      assert.equal(await points(), MAX_TOTAL_POINTS);
    });

    it("refuses rules that it could not keep", async () => {
      const bad: Partial<LedgerRules>[] = [
        { clueTtlMs: 0 },
        { attempts: 0.5 },
        { points: [] },
        { points: [5, 0] },
        { total: MAX_INSTANCES + 1 },
        { points: [MAX_TOTAL_POINTS], total: 2 },
      ];
      for (const rules of bad) {
        hunt = freshHunt(rules);
        await assert.rejects(ledger.load(hunt, { epoch: 1, issued: 0, rows: [] }), { code: "invalid_payload" });
      }
    });

    it("refuses a player whom no row could hold, and nobody else beside", async () => {
      await begin(3);
      const bad = [
        { playerId: "p".repeat(33), playerName: "Ann" },
        { playerId: "ann", playerName: "n".repeat(65) },
        { playerId: "ann", playerName: "\ud83c" },
        { playerId: "\udfaa", playerName: "Ann" },
      ];
      const refused = bad.map((player) =>
        assert.rejects(ledger.claim(hunt, { ...player, nodeId: "n1", now: NOW }), { code: "invalid_payload" }),
      );
      const good = claim("bob");
      await Promise.all(refused);
      assert.equal((await good).kind, "assigned");
      await assert.rejects(async () => claim("ann", { now: Number.NaN }), RangeError);
      assert.equal((await view()).open, 1);
    });

    it("keeps hunts apart", async () => {
      await begin(1);
      const other = freshHunt();
      await ledger.load(other, { epoch: 7, issued: 1, rows: [] });
      await claim("ann");
      assert.equal((await ledger.read(other, 1))?.pool, 1);
      await ledger.drop(other);
      assert.equal((await view()).open, 1);
    });
  });
}

function solvedRow(
  instance: number,
  playerId: string,
  { points, solveSeq }: Pick<AssignmentRow, "points" | "solveSeq">,
): AssignmentRow {
  return {
    ...{ instance, generation: 1, playerId, playerName: playerId.toUpperCase(), openedAt: NOW, expiresAt: NOW + 1 },
    ...{ attemptsBefore: 0, attemptsUsed: 1, requestMarks: "", outcome: OUTCOME.solved, closedAt: NOW },
    ...{ points, solveSeq },
  };
}
