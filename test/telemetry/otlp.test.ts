import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { OtlpServer, type ReceivedMetric } from "../support/OtlpServer.ts";
import { DEADLINE_MS, type Exit, json, until } from "../support/processes.ts";
import { RingmasterNode } from "../support/RingmasterNode.ts";

/** What a client says of its own trace, which it wants recorded. */
const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

describe("a node that exports its traces by OTLP", function () {
  this.timeout(120_000);
  let collector: OtlpServer;
  let node: RingmasterNode | undefined;

  beforeEach(async () => {
    collector = await OtlpServer.open();
  });
  afterEach(async () => {
    await node?.kill();
    await collector.close();
  });

  async function start(env: NodeJS.ProcessEnv = {}): Promise<RingmasterNode> {
    node = await RingmasterNode.start({
      DATABASE_URL: "sqlite::memory:",
      OTEL_TRACES_EXPORTER: "otlp",
      OTEL_TRACES_SAMPLER_ARG: "1",
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
      OTEL_SERVICE_NAME: "games",
      ...env,
    });
    return node;
  }

  function stop(): Promise<Exit> {
    return node!.program.stop(DEADLINE_MS);
  }

  it("names requests by their routes, and shows no address, token or name of a player", async () => {
    const { url } = await start({ OTEL_EXPORTER_OTLP_HEADERS: "Authorization=Bearer%20for%20the%20collector" });
    const player = await node!.signIn();
    const headers = { traceparent: TRACEPARENT, "X-Forwarded-For": "203.0.113.7" };
    await node!.get("/api/hunts/no-such-hunt?secret=lighthouse", { token: player.token, headers });
    await node!.get("/no/such/page");
    const span = await collector.span("the hunt", ({ name }) => name === "GET /api/hunts/:id");
    assert.deepEqual(span.attributes, {
      "http.request.method": "GET",
      "http.route": "/api/hunts/:id",
      "http.response.status_code": 404,
    });
    assert.deepEqual(
      span.links.map(({ traceId }) => traceId),
      [TRACEPARENT.slice(3, 35)],
    );
    assert.deepEqual([span.service, span.parentId], ["games", ""]);
    await collector.span("the sign-in", ({ name }) => name === "POST /auth/anonymous");
    await collector.span(
      "the page",
      ({ name, attributes }) => name === "GET" && attributes["http.route"] === undefined,
    );
    assert.equal(collector.headers.authorization, "Bearer for the collector");
    const all = JSON.stringify(collector.spans);
    for (const secret of [
      "lighthouse",
      "no-such-hunt",
      player.token,
      player.id,
      player.name,
      "203.0.113.7",
      "127.0.0.1",
      url,
    ])
      assert.ok(!all.includes(secret), secret);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.match(metrics, /trace_spans_total\{outcome="exported"\} [1-9]/);
  });

  it("has /healthz, /readyz and /metrics in no trace", async () => {
    await start();
    for (const path of ["/healthz", "/readyz", "/metrics"]) await fetch(`${node!.url}${path}`);
    await node!.signIn();
    await collector.span("the sign-in", ({ name }) => name === "POST /auth/anonymous");
    assert.deepEqual(
      collector.spans.filter(({ name }) => /GET/.test(name)),
      [],
    );
  });

  for (const manner of ["refuses", "hangs"] as const) {
    it(`answers as ever, stops in time and says so, while its collector ${manner}`, async () => {
      collector.manner = manner;
      await start({ SHUTDOWN_TIMEOUT_MS: "20000" });
      await node!.signIn();
      await until(() => collector.requests > 0, { timeoutMs: DEADLINE_MS, what: "it has begun to export" });
      for (let each = 0; each < 50; each++) assert.equal((await node!.get("/api/hunts")).status, 200);
      const lost = node!.program.line(
        "what is lost",
        json(({ msg }) =>
          msg === "the last traces or metrics could not be exported; they are lost" ? msg : undefined,
        ),
        DEADLINE_MS,
      );
      const inTime = node!.program.line(
        "the end of the stop",
        json(({ msg, inTime }) => (msg === "stopped" ? inTime : undefined)),
        DEADLINE_MS,
      );
      const exit = await stop();
      await lost;
      assert.deepEqual([await inTime, exit.code], [true, 0]);
    });
  }

  it("exports what waits before it ends, last of all", async () => {
    await start();
    await node!.signIn();
    assert.equal((await stop()).code, 0);
    assert.ok(collector.spans.some(({ name }) => name === "POST /auth/anonymous"));
  });

  it("is as quiet as ever without an exporter, and loads nothing of OpenTelemetry's", async () => {
    const guard = fileURLToPath(new URL("../support/withoutTelemetry.ts", import.meta.url));
    await start({ OTEL_TRACES_EXPORTER: "none", NODE_OPTIONS: `--import=${guard}` });
    await node!.signIn();
    await stop();
    assert.equal(collector.requests, 0);
    node = undefined;
    await assert.rejects(start({ OTEL_TRACES_EXPORTER: "otlp", NODE_OPTIONS: `--import=${guard}` }), /is loaded by/);
  });

  it("sends its metrics by OTLP, as often as it is told and at its end, and has no /metrics then", async () => {
    await start({ OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "otlp", OTEL_METRIC_EXPORT_INTERVAL: "1000" });
    const metricOf = (name: string): ReceivedMetric | undefined => collector.metrics.find((each) => each.name === name);
    await until(() => metricOf("rooms"), { timeoutMs: DEADLINE_MS, what: "the first metrics" });
    assert.equal((await fetch(`${node!.url}/metrics`)).status, 404);
    assert.deepEqual(metricOf("rooms"), {
      name: "rooms",
      kind: "gauge",
      isMonotonic: false,
      points: [{ attributes: {}, value: 0 }],
    });
    const room = await node!.client((await node!.signIn()).token).joinOrCreate("lobby");
    await until(() => metricOf("clients")?.points[0]?.value === 1, { timeoutMs: DEADLINE_MS, what: "the player" });
    const turns = metricOf("actor_turn_seconds")!;
    assert.equal(turns.kind, "histogram");
    for (const { attributes, count, buckets, bounds } of turns.points) {
      assert.deepEqual(Object.keys(attributes), ["kind"]);
      assert.equal(buckets!.length, bounds!.length + 1);
      assert.equal(
        buckets!.reduce((sum, each) => sum + each, 0),
        count,
      );
    }
    const runs = metricOf("process_faults_total")!;
    assert.deepEqual([runs.kind, runs.isMonotonic], ["sum", true]);
    await room.leave();
    const before = collector.requests;
    assert.equal((await stop()).code, 0);
    assert.ok(collector.requests > before, "once more at its end");
  });

  for (const manner of ["refuses", "hangs"] as const) {
    it(`stops in time while its collector ${manner} to take metrics`, async () => {
      collector.manner = manner;
      await start({ OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "otlp", OTEL_METRIC_EXPORT_INTERVAL: "1000" });
      await until(() => collector.requests > 0, { timeoutMs: DEADLINE_MS, what: "it has begun to export" });
      await node!.signIn();
      assert.equal((await stop()).code, 0);
    });
  }

  it("writes its metrics as lines of JSON, or keeps them to itself", async () => {
    await start({ OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "stdout", OTEL_METRIC_EXPORT_INTERVAL: "1000" });
    const rooms = await node!.program.line(
      "the metric",
      json((entry) => (entry.metric === "rooms" ? entry : undefined)),
      DEADLINE_MS,
    );
    assert.deepEqual(rooms.values, [{ value: 0, labels: {} }]);
    await node!.kill();
    await start({ OTEL_TRACES_EXPORTER: "none", OTEL_METRICS_EXPORTER: "none" });
    assert.equal((await fetch(`${node!.url}/metrics`)).status, 404);
  });

  it("writes a line of JSON for each span to the console", async () => {
    await start({ OTEL_TRACES_EXPORTER: "console" });
    await node!.signIn();
    const span = await node!.program.line(
      "the span",
      json((entry) => (entry.span === "POST /auth/anonymous" ? entry : undefined)),
      DEADLINE_MS,
    );
    assert.match(String(span.trace_id), /^[\da-f]{32}$/);
    assert.equal(typeof span.ms, "number");
    assert.equal(span.kind, "server");
  });
});
