import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { AlwaysOnSampler, RandomIdGenerator, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";
import { type Rng, seededRng } from "../../clock.ts";
import { useTracer } from "../../tracing.ts";
import { resourceOf, type TelemetryPlace } from "../resource.ts";
import { BoundedSpans, MOST_WAITING_SPANS, type SpanOutcome } from "./BoundedSpans.ts";
import { SpanLines } from "./SpanLines.ts";
import { SpanTracer } from "./SpanTracer.ts";

export { MOST_WAITING_SPANS };

/** How long an export may take, in milliseconds. */
const EXPORT_MS = 5000;

export interface TracingOptions {
  /** Where spans go. */
  to:
    | { kind: "otlp"; url: string; headers: Record<string, string> }
    | { kind: "console"; write(line: string): void }
    | SpanExporter;
  /** Which part of all traces is recorded, from 0 to 1. */
  ratio: number;
  place: TelemetryPlace;
  rng: Rng;
  count(outcome: SpanOutcome, spans: number): void;
  onFailure(error: Error | undefined): void;
}

/** Traces of this process, on their way out. */
export interface OpenTracing {
  /** Spans that wait to be exported. */
  readonly waiting: number;
  /** Ends recording, and exports what waits. Rejects when that is refused. */
  close(): Promise<void>;
}

/** Has this process record spans from now on. Games that use OpenTelemetry's own API get spans of the same traces. */
export function openTracing({ to, ratio, place, rng, count, onFailure }: TracingOptions): OpenTracing {
  const spans = new BoundedSpans({ exporter: exporterOf(to), exportMs: EXPORT_MS, count, onFailure });
  const ids = new RandomIdGenerator();
  const provider = new TracerProvider({
    resource: resourceOf(place),
    sampler: new AlwaysOnSampler(),
    idGenerator: ids,
    spanProcessors: [spans],
  });
  const contexts = new AsyncLocalStorageContextManager();
  context.setGlobalContextManager(contexts);
  trace.setGlobalTracerProvider(provider);
  const tracing = provider.getTracer("ringmaster");
  // Asked for each request: one that need not be unguessable, and costs nothing.
  const chance = seededRng(rng.next() * 2 ** 32);
  useTracer(new SpanTracer({ tracing, contexts, ids, rng: chance, ratio }));
  return {
    get waiting() {
      return spans.waiting;
    },
    async close() {
      useTracer(undefined);
      trace.disable();
      context.disable();
      await provider.shutdown();
    },
  };
}

function exporterOf(to: TracingOptions["to"]): SpanExporter {
  if (!("kind" in to)) return to;
  if (to.kind === "console") return new SpanLines(to.write);
  return new OTLPTraceExporter({ url: to.url, headers: to.headers, timeoutMillis: EXPORT_MS });
}
