import assert from "node:assert/strict";
import { ExportResultCode } from "@opentelemetry/core";
import { type ReadableSpan, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";
import { BoundedSpans, MOST_WAITING_SPANS, type SpanOutcome } from "../../src/telemetry/tracing/BoundedSpans.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";

describe("spans on their way out", () => {
  const counted: Record<SpanOutcome, number> = { exported: 0, failed: 0, dropped: 0 };
  let failures = 0;

  beforeEach(() => {
    Object.assign(counted, { exported: 0, failed: 0, dropped: 0 });
    failures = 0;
  });

  function through(exporter: Partial<SpanExporter>): { spans: BoundedSpans; end(count: number): void } {
    const spans = new BoundedSpans({
      exporter: { export: () => {}, shutdown: async () => {}, ...exporter },
      exportMs: 10,
      count: (outcome, by) => {
        counted[outcome] += by;
      },
      onFailure: () => {
        failures += 1;
      },
    });
    const tracer = new TracerProvider({ spanProcessors: [spans] }).getTracer("test");
    const end = (count: number): void => {
      for (let each = 0; each < count; each++) tracer.startSpan("span").end();
    };
    return { spans, end };
  }

  it("wait up to a bound while an export hangs; what ends beyond it is dropped and counted", () => {
    const { spans, end } = through({});
    // The first 512 are in the export that hangs.
    end(512 + MOST_WAITING_SPANS);
    assert.deepEqual([spans.waiting, counted.dropped], [MOST_WAITING_SPANS, 0]);
    end(3);
    assert.deepEqual([spans.waiting, counted.dropped], [MOST_WAITING_SPANS, 3]);
  });

  it("are counted as exported, or as failed where the export is refused, and told of", async () => {
    const taken: number[] = [];
    const answers = [ExportResultCode.SUCCESS, ExportResultCode.FAILED];
    const { spans, end } = through({
      export: (batch: ReadableSpan[], done) => {
        taken.push(batch.length);
        done({ code: answers.shift()! });
      },
    });
    end(512);
    await until(() => counted.exported === 512, { timeoutMs: DEADLINE_MS, what: "the first batch is out" });
    end(512);
    await until(() => counted.failed === 512, { timeoutMs: DEADLINE_MS, what: "the second one is refused" });
    assert.deepEqual([taken, failures, spans.waiting, counted.dropped], [[512, 512], 1, 0, 0]);
  });

  it("go on being exported after one that hangs", async () => {
    let exports = 0;
    const { end } = through({
      export: (_, done) => {
        exports += 1;
        if (exports > 1) done({ code: ExportResultCode.SUCCESS });
      },
    });
    end(1024);
    await until(() => counted.exported === 512, { timeoutMs: DEADLINE_MS, what: "the batch behind it is out" });
    assert.equal(exports, 2);
  });
});
