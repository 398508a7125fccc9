import { type Attributes, SpanKind } from "@opentelemetry/api";
import { type ExportResult, ExportResultCode, hrTimeToMilliseconds, hrTimeToTimeStamp } from "@opentelemetry/core";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";

/** A span as a line of JSON. */
interface SpanLine {
  span: string;
  time: string;
  ms: number;
  kind: string;
  trace_id: string;
  span_id: string;
  parent_id?: string;
  links?: Array<{ trace_id: string; span_id: string }>;
  attributes: Attributes;
}

/** Writes each span as a line of JSON, as the log is. OpenTelemetry's own console writes many lines, and waits for who reads them. */
export class SpanLines implements SpanExporter {
  readonly #write: (line: string) => void;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    for (const span of spans) this.#write(`${JSON.stringify(lineOf(span))}\n`);
    done({ code: ExportResultCode.SUCCESS });
  }

  async shutdown(): Promise<void> {}
}

function lineOf(span: ReadableSpan): SpanLine {
  const { traceId, spanId } = span.spanContext();
  const parent = span.parentSpanContext;
  const links = span.links.map(({ context }) => ({ trace_id: context.traceId, span_id: context.spanId }));
  return {
    span: span.name,
    time: hrTimeToTimeStamp(span.startTime),
    ms: hrTimeToMilliseconds(span.duration),
    kind: SpanKind[span.kind].toLowerCase(),
    trace_id: traceId,
    span_id: spanId,
    ...(parent && { parent_id: parent.spanId }),
    ...(links.length > 0 && { links }),
    attributes: span.attributes,
  };
}
