import assert from "node:assert/strict";
import type { ClueCard } from "../../src/actors/hunts/HuntView.ts";
import { someHunt } from "../hunts/someHunt.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { clientOf, type Player } from "../support/RingmasterNode.ts";
import { muteSdk, Visitor } from "../support/Visitor.ts";
import { someTournament } from "../tournaments/someTournament.ts";
import { NodeCluster, type Place } from "./supportNodes.ts";

const WHY = { reason: "to be sure" };
const CLUES = [{ type: "riddle", prompt: "It turns all night.", answers: ["lighthouse"], points: 10 }];

/** What a player does in an event, and what tells that it counted. */
interface Kind {
  domain: "hunts" | "tournaments";
  actor: string;
  room: string;
  idName: string;
  create: () => object;
  /** Wins something; may be repeated. */
  play(visitor: Visitor, name: string): Promise<unknown>;
}

const KINDS: Kind[] = [
  {
    ...{ domain: "hunts", actor: "hunt", room: "hunt", idName: "huntId" },
    create: () => someHunt({ clues: CLUES, prizes: [{ from: 1, to: 1, items: [{ item: "TICO", amount: "7" }] }] }),
    play: async (visitor) => {
      const { assignmentId } = await visitor.request<ClueCard>("claim", {});
      return visitor.request("solve", { assignmentId, answer: "lighthouse", requestId: assignmentId });
    },
  },
  {
    ...{ domain: "tournaments", actor: "tournament", room: "tournament", idName: "tournamentId" },
    create: () => someTournament({ graceMs: 0, prizes: [{ from: 1, to: 1, items: [{ item: "TICO", amount: "7" }] }] }),
    play: (visitor, name) => visitor.request("submit", { submissionId: name, score: 5 }),
  },
];

for (const { domain, actor, room, idName, create, play } of KINDS)
  describe(`a cluster of which operators intervene in ${domain}`, function () {
    this.timeout(240_000);
    muteSdk();
    let cluster: NodeCluster;
    let players: Player[];
    let id: string;

    before(async () => {
      cluster = await NodeCluster.open(3);
      players = await cluster.signIn(2);
    });
    after(() => cluster.close());

    beforeEach(async () => {
      ({ id } = await cluster.command<{ id: string }>(`/api/${domain}`, create()));
    });

    const act = <T>(action: string, body: object = WHY): Promise<T> =>
      cluster.command(`/api/${domain}/${id}/${action}`, body);
    const read = async (): Promise<Record<string, unknown>> =>
      (await cluster.node.get<Record<string, unknown>>(`/api/${domain}/${id}`)).body;
    const seatAt = ({ url }: Place, at: number): Promise<Visitor> =>
      until(() => Visitor.join(clientOf(url, players[at]!.token), room, { [idName]: id }), {
        timeoutMs: DEADLINE_MS,
        what: `a player joins by ${url}`,
      });
    /** Kills the node that the event's actor lives on. */
    async function killOwner(): Promise<Place> {
      const owner = await cluster.ownerOf(actor, id);
      await owner.node.kill();
      return owner;
    }
    const eventually = <T>(what: string, work: () => Promise<T>) => until(work, { timeoutMs: DEADLINE_MS, what });

    it("stays paused when the actor's node dies and Redis loses everything, and goes on with all that counted", async () => {
      await eventually("it runs", async () => ["solving", "open"].includes(String((await read()).phase)));
      const first = await seatAt(cluster.up[0]!, 0);
      await play(first, "s1");
      const before = await act<{ phaseEndsAt: number }>("extend", { ms: 1000 });
      const { pausedAt } = await act<{ pausedAt: number }>("pause");
      await assert.rejects(play(first, "s2"), { code: "paused" });
      const owner = await killOwner();
      await cluster.redis.kill();
      await cluster.redis.restart();
      const late = await eventually("a player joins", () => seatAt(cluster.up[0]!, 1));
      await eventually("the room shows it paused, with its standings", async () => {
        const { pausedAt: since, top } = late.room.state as { pausedAt: number; top: { playerId: string }[] };
        return since === pausedAt && [...top].some(({ playerId }) => playerId === players[0]!.id);
      });
      await eventually("it is refused as paused", () =>
        play(late, "s1").then(
          () => assert.fail("it was taken"),
          ({ code }: { code: string }) => code === "paused",
        ),
      );
      const after = await eventually("it goes on", () => act<{ phaseEndsAt: number }>("resume"));
      const waited = after.phaseEndsAt - before.phaseEndsAt;
      assert.ok(waited > 0 && waited <= Date.now() - pausedAt + 2000, `${waited} ms were given back`);
      await eventually("a score counts", () => play(late, "s1").catch(() => undefined));
      await act("end", {});
      await eventually("both are in the result", async () => ((await read()).players as number) === 2);
      await owner.start();
    });
  });
