import assert from "node:assert/strict";
import { someHunt } from "../hunts/someHunt.ts";
import { OtlpServer, type ReceivedSpan } from "../support/OtlpServer.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { clientOf } from "../support/RingmasterNode.ts";
import { muteSdk, Visitor } from "../support/Visitor.ts";
import { someTournament } from "../tournaments/someTournament.ts";
import { HuntCluster } from "./supportHunts.ts";

describe("traces over two nodes", function () {
  this.timeout(120_000);
  muteSdk();
  let collector: OtlpServer;
  let cluster: HuntCluster;

  before(async () => {
    collector = await OtlpServer.open();
    cluster = await HuntCluster.open(2, {
      OTEL_TRACES_EXPORTER: "otlp",
      OTEL_TRACES_SAMPLER_ARG: "1",
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    });
  });
  after(async () => {
    await cluster?.close();
    await collector.close();
  });

  /** Waits until a trace that begins with a span of this name has a span at each of these places below it; answers its spans. */
  async function traced(root: string, ...paths: string[]): Promise<ReceivedSpan[]> {
    const wanted = paths.map((path) => `${root} > ${path}`);
    const first = await until(
      () => {
        const roots = collector.spans.filter(({ name, parentId }) => name === root && parentId === "");
        return roots.find(({ traceId }) => {
          const found = collector.paths(traceId);
          return wanted.every((path) => found.includes(path));
        });
      },
      { timeoutMs: DEADLINE_MS, what: `a trace has ${wanted.join(", ")}` },
    ).catch((error: unknown) => {
      const found = collector.spans.filter(({ name }) => name === root).map(({ traceId }) => collector.paths(traceId));
      const roots = new Set(collector.spans.filter(({ parentId }) => parentId === "").map(({ name }) => name));
      throw new Error(`${error}\n${JSON.stringify([found.slice(-3), [...roots]], undefined, 1)}`);
    });
    return collector.spans.filter(({ traceId }) => traceId === first.traceId);
  }

  const instancesOf = (spans: readonly ReceivedSpan[]): number => new Set(spans.map(({ instance }) => instance)).size;

  it("show a claim: from the room to the script that decides and to the commit, in which it waits for a connection", async () => {
    const huntId = await cluster.create(someHunt());
    const hunters = await cluster.seat(huntId, await cluster.signIn(2));
    for (const hunter of hunters) await hunter.clue();
    const spans = await traced("room hunt claim", "batch > script decide", "group commit > SQL transaction");
    // What is read through TypeORM is a transaction, too, which is rolled back.
    const groups = new Set(spans.filter(({ name }) => name === "group commit").map(({ spanId }) => spanId));
    const transaction = spans.find(({ name, parentId }) => name === "SQL transaction" && groups.has(parentId))!;
    assert.equal(transaction.attributes["ringmaster.work"], "commits");
    assert.deepEqual([transaction.events[0], transaction.events.at(-1)], ["connected", "COMMIT"]);
  });

  it("show a submission of a score", async () => {
    const { id } = await cluster.command<{ id: string }>("/api/tournaments", someTournament());
    const [player] = await cluster.signIn(1);
    const room = await Visitor.join(clientOf(cluster.node.url, player!.token), "tournament", { tournamentId: id });
    await room.request("submit", { submissionId: "1", score: 5 });
    await traced("room tournament submit", "batch > script submit", "group commit > SQL transaction");
  });

  it("show an operator's command on its way to the actor, on whichever node that lives", async () => {
    const huntId = await cluster.create(someHunt());
    const owner = await cluster.ownerOf("hunt", huntId);
    const other = cluster.places.find((place) => place !== owner)!;
    const { status } = await other.node.post(`/api/hunts/${huntId}/pause`, {
      token: cluster.operator,
      body: { reason: "a storm" },
    });
    assert.equal(status, 200);
    const spans = await traced("POST /api/hunts/:huntId/pause", "call hunt.pause > turn hunt.pause > SQL transaction");
    assert.equal(instancesOf(spans), 2, "the turn is on the other node");
    assert.ok(!JSON.stringify(spans).includes("storm"));
  });

  it("show a timer as a trace of its own, which links to the turn that set it", async () => {
    await cluster.create(someHunt({ solvingMs: 1000 }));
    const timer = await collector.span(
      "a timer of a hunt",
      ({ name, links }) => /^timer hunt\./.test(name) && links.length === 1,
    );
    assert.equal(timer.parentId, "");
    const { spanId } = timer.links[0]!;
    const setter = await collector.span("what set it", (span) => span.spanId === spanId);
    assert.match(setter.name, /^(turn|timer) hunt\./);
  });

  it("show an attempt at a job as a trace of its own, which links to the turn that begins it", async () => {
    const { status } = await cluster.node.post("/api/jobs/trigger/retention", { token: cluster.operator, body: {} });
    assert.equal(status, 202);
    const job = await collector.span("the job", ({ name }) => name === "job retention");
    const { spanId } = job.links[0]!;
    const turn = await collector.span("what began it", (span) => span.spanId === spanId);
    assert.match(turn.name, /^(turn|timer) job\./);
    const paths = collector.paths(job.traceId);
    assert.ok(
      paths.some((path) => path.startsWith("job retention > SQL")),
      paths.join(", "),
    );
    assert.ok(
      paths.some((path) => path.startsWith("job retention > call job.finish > turn job.finish")),
      paths.join(", "),
    );
  });
});
