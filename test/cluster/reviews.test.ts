import assert from "node:assert/strict";
import type { ClueCard } from "../../src/actors/hunts/HuntView.ts";
import { someHunt } from "../hunts/someHunt.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { clientOf, type Player } from "../support/RingmasterNode.ts";
import { muteSdk, Visitor } from "../support/Visitor.ts";
import { someTournament } from "../tournaments/someTournament.ts";
import { NodeCluster } from "./supportNodes.ts";

const WHY = { reason: "to be sure" };
const CLUES = [{ type: "riddle", prompt: "It turns all night.", answers: ["lighthouse"], points: 10 }];
const PRIZES = [{ from: 1, to: 1, items: [{ item: "TICO", amount: "7" }] }];

/** What a player does in an event, and how it ends. */
interface Kind {
  domain: "hunts" | "tournaments";
  actor: string;
  room: string;
  idName: string;
  create: () => object;
  play(visitor: Visitor): Promise<unknown>;
  /** The phase in which the result is held, and the one in which it is paid. */
  held: string;
  paid: string;
}

const KINDS: Kind[] = [
  {
    ...{ domain: "hunts", actor: "hunt", room: "hunt", idName: "huntId", held: "solving", paid: "reveal" },
    create: () => someHunt({ clues: CLUES, prizes: PRIZES, review: true }),
    play: async (visitor) => {
      const { assignmentId } = await visitor.request<ClueCard>("claim", {});
      return visitor.request("solve", { assignmentId, answer: "lighthouse" });
    },
  },
  {
    ...{ domain: "tournaments", actor: "tournament", room: "tournament", idName: "tournamentId" },
    ...{ held: "settling", paid: "settled" },
    create: () => someTournament({ graceMs: 0, prizes: PRIZES, review: true }),
    play: (visitor) => visitor.request("submit", { submissionId: "s1", score: 5 }),
  },
];

interface Review {
  since: number | null;
  resultHash: string | null;
  totals: object[];
}

for (const { domain, actor, room, idName, create, play, held, paid } of KINDS)
  describe(`a cluster on which results of ${domain} are reviewed`, function () {
    this.timeout(240_000);
    muteSdk();
    let cluster: NodeCluster;
    let player: Player;

    before(async () => {
      cluster = await NodeCluster.open(3);
      [player] = (await cluster.signIn(1)) as [Player];
    });
    after(() => cluster.close());

    it("pays nothing while it is held, also when the actor's node dies meanwhile, shows players that it is, and pays once when it is released", async () => {
      const { id } = await cluster.command<{ id: string }>(`/api/${domain}`, create());
      const eventually = <T>(what: string, work: () => Promise<T>) => until(work, { timeoutMs: DEADLINE_MS, what });
      const act = (action: string, body: object = WHY) => cluster.command(`/api/${domain}/${id}/${action}`, body);
      const read = async (): Promise<Record<string, unknown>> =>
        (await cluster.node.get<Record<string, unknown>>(`/api/${domain}/${id}`)).body;
      const inventory = async () =>
        (await cluster.node.get<{ items: object[] }>("/api/me/inventory", { token: player.token })).body.items;
      const review = async () =>
        (await cluster.node.get<Review>(`/api/${domain}/${id}/review`, { token: cluster.operator })).body;
      await eventually("it runs", async () => ["solving", "open"].includes(String((await read()).phase)));
      const visitor = await eventually("a player joins", () =>
        Visitor.join(clientOf(cluster.up[0]!.url, player.token), room, { [idName]: id }),
      );
      await play(visitor);
      await act("end", {});
      const { since, resultHash, totals } = await eventually("the result is held", async () => {
        const report = await review();
        return report.since === null ? undefined : report;
      });
      assert.match(resultHash!, /^[0-9a-f]{64}$/);
      assert.deepEqual(totals, PRIZES[0]!.items);
      const owner = await cluster.ownerOf(actor, id);
      await owner.node.kill();
      const late = await eventually("a player joins at a node that is left", () =>
        Visitor.join(clientOf(cluster.up[0]!.url, player.token), room, { [idName]: id }),
      );
      await eventually("the room shows that it is held", async () => {
        const { phase, reviewSince } = late.room.state as { phase: string; reviewSince: number };
        return phase === held && reviewSince === since;
      });
      assert.deepEqual([(await read()).reviewSince, await inventory()], [since, []]);
      await eventually("it is released", () => act("release").then(() => true));
      await eventually("it is paid", async () => (await read()).phase === paid && (await inventory()).length === 1);
      assert.deepEqual(await inventory(), PRIZES[0]!.items);
      await assert.rejects(act("release"));
      if (domain === "tournaments") assert.equal((await read()).resultHash, resultHash);
      await owner.start();
    });
  });
