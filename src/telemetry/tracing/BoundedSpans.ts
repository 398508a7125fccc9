import type { Context } from "@opentelemetry/api";
import { type ExportResult, ExportResultCode } from "@opentelemetry/core";
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type Span,
  type SpanExporter,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace";

/** Spans that wait to be exported; what ends beyond them is dropped, and counted. */
export const MOST_WAITING_SPANS = 4096;
/** Spans of one export. */
const BATCH = 512;
/** How long a span waits for company, in milliseconds. */
const EVERY_MS = 1000;

/** What has become of the spans that have ended. */
export type SpanOutcome = "exported" | "failed" | "dropped";

export interface BoundedSpansPorts {
  exporter: SpanExporter;
  /** How long an export may take, in milliseconds. */
  exportMs: number;
  /** So many spans have come to this. */
  count(outcome: SpanOutcome, spans: number): void;
  /** An export has failed. */
  onFailure(error: Error | undefined): void;
}

/**
 * OpenTelemetry's batches, and what became of each span: its own processor drops what is beyond its bound without a word. Nothing waits
 * for an export.
 */
export class BoundedSpans implements SpanProcessor {
  readonly #ports: BoundedSpansPorts;
  readonly #batches: BatchSpanProcessor;
  #waiting = 0;

  constructor(ports: BoundedSpansPorts) {
    this.#ports = ports;
    this.#batches = new BatchSpanProcessor({
      exporter: {
        export: (spans, done) => this.#export(spans, done),
        shutdown: () => ports.exporter.shutdown(),
      },
      maxQueueSize: MOST_WAITING_SPANS,
      maxExportBatchSize: BATCH,
      scheduledDelayMillis: EVERY_MS,
      exportTimeoutMillis: ports.exportMs + EVERY_MS,
    });
  }

  /** Spans that have ended and are in no export yet. */
  get waiting(): number {
    return this.#waiting;
  }

  onStart(span: Span, parent: Context): void {
    this.#batches.onStart(span, parent);
  }

  onEnd(span: ReadableSpan): void {
    if (this.#waiting >= MOST_WAITING_SPANS) this.#ports.count("dropped", 1);
    else {
      this.#waiting += 1;
      this.#batches.onEnd(span);
    }
  }

  forceFlush(): Promise<void> {
    return this.#batches.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#batches.shutdown();
  }

  #export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#waiting -= spans.length;
    this.#ports.exporter.export(spans, (result) => {
      const isExported = result.code === ExportResultCode.SUCCESS;
      this.#ports.count(isExported ? "exported" : "failed", spans.length);
      if (!isExported) this.#ports.onFailure(result.error);
      done(result);
    });
  }
}
