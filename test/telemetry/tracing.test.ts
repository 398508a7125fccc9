import assert from "node:assert/strict";
import { trace } from "@opentelemetry/api";
import { Loop } from "../../src/actors/runtime/Loop.ts";
import { sleep, systemClock } from "../../src/clock.ts";
import { RingmasterError } from "../../src/errors.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { MOST_LINKS } from "../../src/telemetry/tracing/SpanTracer.ts";
import {
  captured,
  carried,
  cause,
  causeField,
  continued,
  detached,
  inBatch,
  inRoot,
  inSpan,
  isTracing,
  logFields,
  openSpan,
  resumed,
} from "../../src/tracing.ts";
import { silentLog } from "../actors/simulation.ts";
import { linkedFrom, pathsOf, RecordedTraces } from "../support/traces.ts";

const named = (name: string) => () => ({ name });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
/** Of a client that says that its own trace is recorded. */
const CLIENTS = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

describe("traces", () => {
  let traces: RecordedTraces | undefined;

  afterEach(async () => {
    await traces?.close();
    traces = undefined;
  });

  it("are nothing at all without a tracer", async () => {
    assert.equal(isTracing(), false);
    await inRoot(named("request"), async (span) => {
      assert.equal(span, undefined);
      await inSpan(named("part"), async (part) => assert.equal(part, undefined));
      assert.equal(openSpan(named("transaction")), undefined);
      assert.deepEqual(
        [carried(), cause(), captured(), causeField(), logFields()],
        [undefined, undefined, undefined, {}, {}],
      );
    });
  });

  it("have a span for each part, which ends with the promise of its work", async () => {
    traces = RecordedTraces.open();
    await inRoot(named("request"), async () => {
      await turn();
      await inSpan(named("call"), async () => {
        await turn();
        inSpan(named("turn"), () => {});
      });
      const span = openSpan(named("transaction"))!;
      await turn();
      span.end();
    });
    const spans = await traces.close();
    assert.deepEqual(pathsOf(spans), ["request", "request > call", "request > call > turn", "request > transaction"]);
    assert.deepEqual(
      spans.map(({ name }) => name),
      ["turn", "call", "transaction", "request"],
    );
  });

  it("say how a part failed by its code alone, for a message may hold what a client sent", async () => {
    traces = RecordedTraces.open();
    const secret = "the answer is lighthouse";
    const failing = async (): Promise<never> => Promise.reject(new RingmasterError("conflict", secret));
    await assert.rejects(inRoot(named("request"), failing), { code: "conflict" });
    assert.throws(
      () =>
        inRoot(named("other"), () => {
          throw new TypeError(secret);
        }),
      TypeError,
    );
    const spans = await traces.close();
    assert.deepEqual(
      spans.map(({ attributes }) => attributes),
      [{ "error.type": "conflict" }, { "error.type": "TypeError" }],
    );
    assert.ok(
      !JSON.stringify(spans.map(({ attributes, status, events }) => ({ attributes, status, events }))).includes(secret),
    );
  });

  it("are recorded as often as the ratio says, decided where they begin", async () => {
    traces = RecordedTraces.open(0.25);
    for (let each = 0; each < 1000; each++) inRoot(named("request"), () => inSpan(named("part"), () => {}));
    const spans = await traces.close();
    const requests = spans.filter(({ name }) => name === "request").length;
    assert.ok(requests > 180 && requests < 320, `${requests} of 1,000`);
    assert.equal(spans.length, 2 * requests, "each with its part, and no part without");
  });

  it("link to a client's own trace, which decides nothing", async () => {
    traces = RecordedTraces.open(0);
    inRoot(named("request"), () => {}, { by: [CLIENTS] });
    assert.deepEqual(await traces.close(), []);
    traces = RecordedTraces.open();
    inRoot(named("request"), () => {}, { by: [CLIENTS, undefined, "00-none", `ff${CLIENTS.slice(2)}`] });
    const [request] = await traces.close();
    assert.equal(request!.parentSpanContext, undefined);
    assert.notEqual(request!.spanContext().traceId, CLIENTS.slice(3, 35));
    assert.deepEqual(
      request!.links.map(({ context }) => context.traceId),
      [CLIENTS.slice(3, 35)],
    );
  });

  it("are recorded with what set them off, where they follow it", async () => {
    traces = RecordedTraces.open(0);
    inRoot(named("message"), () => {}, { by: [CLIENTS], follows: true });
    inRoot(named("of nobody"), () => {}, { by: [undefined], follows: true });
    const spans = await traces.close();
    assert.deepEqual(pathsOf(spans), ["message"]);
    traces = RecordedTraces.open(1);
    inRoot(named("of nobody"), () => {}, { by: [undefined], follows: true });
    assert.deepEqual(await traces.close(), []);
  });

  it("go on on another node, and have the same id there also where they are not recorded", async () => {
    traces = RecordedTraces.open();
    const there = async (text: string | undefined): Promise<object> =>
      continued(text, async () => {
        await turn();
        return inSpan(named("turn"), () => logFields());
      });
    const [here, away] = await inRoot(named("request"), async () => {
      const text = carried();
      const fields = logFields();
      return [fields, await detached(() => there(text))];
    });
    const spans = await traces.close();
    assert.deepEqual(pathsOf(spans), ["request", "request > turn"]);
    assert.equal((away as { trace_id: string }).trace_id, (here as { trace_id: string }).trace_id);

    traces = RecordedTraces.open(0);
    const [unrecorded, followed] = await inRoot(named("request"), async () => {
      const text = carried();
      assert.equal(cause(), undefined, "what is not recorded is nothing to link to");
      return [logFields(), await detached(() => there(text))];
    });
    assert.deepEqual(unrecorded, followed);
    assert.match((unrecorded as { trace_id: string }).trace_id, /^[\da-f]{32}$/);
    assert.deepEqual(await traces.close(), []);
  });

  it("stand in each line of the log of their request", async () => {
    traces = RecordedTraces.open();
    const lines: Array<Record<string, unknown>> = [];
    const log = createLogger("info", { write: (line) => void lines.push(JSON.parse(line)) });
    log.info("before");
    await inRoot(named("request"), async () => {
      log.info("first");
      await turn();
      await inSpan(named("part"), async () => log.child({ part: "x" }).warn({ code: "conflict" }, "second"));
    });
    log.info("after");
    const spans = await traces.close();
    const [part, request] = spans.map((span) => span.spanContext());
    assert.deepEqual(
      lines.map(({ msg, trace_id, span_id }) => [msg, trace_id, span_id]),
      [
        ["before", undefined, undefined],
        ["first", request!.traceId, request!.spanId],
        ["second", request!.traceId, part!.spanId],
        ["after", undefined, undefined],
      ],
    );
  });

  it("do not stay with a loop that was started inside of one, nor with what it sets for later", async () => {
    traces = RecordedTraces.open();
    const seen: object[] = [];
    const rounds = Promise.withResolvers<void>();
    const loop = new Loop(
      "test",
      async () => {
        seen.push(logFields());
        inSpan(named("round"), () => {});
        await turn();
        seen.push(logFields());
        if (seen.length === 6) rounds.resolve();
        return "more";
      },
      () => 0,
      { clock: systemClock, log: silentLog },
    );
    const later = Promise.withResolvers<object>();
    await inRoot(named("request"), async () => {
      loop.ring();
      systemClock.schedule(() => later.resolve(logFields()), 0);
      await rounds.promise;
      assert.deepEqual(await later.promise, {});
      await sleep(systemClock, 0);
      assert.notDeepEqual(logFields(), {}, "the request itself goes on in its trace");
    });
    await loop.stop();
    assert.deepEqual(seen.slice(0, 6), Array(6).fill({}));
    assert.deepEqual(pathsOf(await traces.close()), ["request"]);
  });

  it("have no part that begins after their end, as in the timers of a room that a request made", async () => {
    for (const ratio of [1, 0]) {
      traces = RecordedTraces.open(ratio);
      const fired = Promise.withResolvers<object>();
      const goOn = Promise.withResolvers<void>();
      inRoot(named("request"), () => {
        void goOn.promise.then(() => fired.resolve(inSpan(named("late"), () => logFields())));
      });
      goOn.resolve();
      assert.deepEqual(await fired.promise, {});
      assert.deepEqual(pathsOf(await traces.close()), ratio === 1 ? ["request"] : []);
    }
  });

  it("have no part on another node that begins after what came there has ended", async () => {
    traces = RecordedTraces.open();
    const goOn = Promise.withResolvers<void>();
    const fired = Promise.withResolvers<object>();
    await inRoot(named("request"), async () => {
      const text = carried();
      detached(() =>
        continued(text, () => {
          void goOn.promise.then(() => fired.resolve(inSpan(named("late"), () => logFields())));
        }),
      );
      goOn.resolve();
      assert.deepEqual(await fired.promise, {});
    });
    assert.deepEqual(pathsOf(await traces.close()), ["request"]);
  });

  it("wait in queues: what is taken goes on in the trace of who put it there", async () => {
    traces = RecordedTraces.open();
    const waiting = inRoot(named("first"), () => [captured()]);
    const second = Promise.withResolvers<void>();
    const asked = inRoot(named("second"), async () => {
      waiting.push(captured());
      await second.promise;
    });
    waiting.push(captured());
    inRoot(named("worker"), () => {
      for (const each of waiting) resumed(each, () => inSpan(named("turn"), () => {}));
    });
    second.resolve();
    await asked;
    const spans = await traces.close();
    assert.deepEqual(pathsOf(spans), ["first", "second", "second > turn", "worker"]);
  });

  it("meet in a batch: a part of the first one's trace, with links to at most 32 others, and from them", async () => {
    traces = RecordedTraces.open();
    const batched = Promise.withResolvers<void>();
    const asked: Array<{ trace: object | undefined }> = [{ trace: undefined }];
    const requests = Array.from({ length: 50 }, (_, index) =>
      inRoot(named(`request ${index}`), async () => {
        asked.push({ trace: captured() });
        await batched.promise;
      }),
    );
    await inBatch(named("batch"), asked, async () => inSpan(named("script"), () => {}));
    batched.resolve();
    await Promise.all(requests);
    const spans = await traces.close();
    const batch = spans.find(({ name }) => name === "batch")!;
    assert.ok(pathsOf(spans).includes("request 0 > batch > script"));
    assert.equal(batch.attributes["ringmaster.batch.size"], 51);
    assert.deepEqual(
      linkedFrom(batch, spans),
      Array.from({ length: MOST_LINKS }, (_, index) => `request ${index + 1}`),
    );
    assert.deepEqual(linkedFrom(spans.find(({ name }) => name === "request 7")!, spans), ["batch"]);
  });

  it("take in what a game records by OpenTelemetry's own API", async () => {
    traces = RecordedTraces.open();
    await inRoot(named("request"), async () => {
      await turn();
      trace.getTracer("game").startActiveSpan("lookup", (span) => {
        inSpan(named("call"), () => {});
        span.end();
      });
    });
    assert.deepEqual(pathsOf(await traces.close()), ["request", "request > lookup", "request > lookup > call"]);
  });
});
