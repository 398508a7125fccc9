import { InMemorySpanExporter, type ReadableSpan } from "@opentelemetry/sdk-trace";
import { seededRng } from "../../src/clock.ts";
import type { SpanOutcome } from "../../src/telemetry/tracing/BoundedSpans.ts";
import { type OpenTracing, openTracing } from "../../src/telemetry/tracing/openTracing.ts";

/** Spans of this process, kept in memory. One at a time: the tracer is one a process. */
export class RecordedTraces {
  readonly counted: Record<SpanOutcome, number> = { exported: 0, failed: 0, dropped: 0 };
  readonly #exporter = new InMemorySpanExporter();
  readonly #tracing: OpenTracing;

  static open(ratio = 1): RecordedTraces {
    return new RecordedTraces(ratio);
  }

  private constructor(ratio: number) {
    const { counted } = this;
    this.#tracing = openTracing({
      to: keeping(this.#exporter),
      ratio,
      place: { service: "test", instance: "1" },
      rng: seededRng(8),
      count: (outcome, spans) => {
        counted[outcome] += spans;
      },
      onFailure: () => {},
    });
  }

  /** Ends recording; answers the spans that have ended, the first to end first. */
  async close(): Promise<ReadableSpan[]> {
    await this.#tracing.close();
    return this.#exporter.getFinishedSpans();
  }
}

/** Its shutdown forgets what it has. */
function keeping(exporter: InMemorySpanExporter): InMemorySpanExporter {
  exporter.shutdown = async () => {};
  return exporter;
}

/** Each span as the names from the first of its trace down to it, without a trace that did not end. */
export function pathsOf(spans: readonly ReadableSpan[]): string[] {
  const known = new Map(spans.map((span) => [span.spanContext().spanId, span]));
  const pathOf = (span: ReadableSpan): string => {
    const parent = known.get(span.parentSpanContext?.spanId ?? "");
    return parent === undefined ? span.name : `${pathOf(parent)} > ${span.name}`;
  };
  return spans.map(pathOf).sort();
}

/** The names of the spans that a span links to. */
export function linkedFrom(span: ReadableSpan, spans: readonly ReadableSpan[]): string[] {
  const byId = new Map(spans.map((each) => [each.spanContext().spanId, each.name]));
  return span.links.map(({ context }) => byId.get(context.spanId) ?? context.spanId);
}
