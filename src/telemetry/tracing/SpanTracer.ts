import {
  type Context,
  type ContextManager,
  createContextKey,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer as Tracing,
  trace,
} from "@opentelemetry/api";
import type { IdGenerator } from "@opentelemetry/sdk-trace";
import type { Rng } from "../../clock.ts";
import type { Captured, Carried, Causes, SpanStart, Tracer } from "../../tracing.ts";

/** Links that a batch has at most; what else was asked for in it is counted by its size. */
export const MOST_LINKS = 32;

const TRACEPARENT = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})/;
const NONE = /^0+$/;

/** A trace that goes on here and has no span of this process that would say when it ends: it is not recorded, or is another node's. */
interface Thread {
  /** Made once somebody asks for it. */
  context: SpanContext | undefined;
  isOver: boolean;
}

const THREAD = createContextKey("ringmaster.thread");

export interface SpanTracerPorts {
  tracing: Tracing;
  contexts: ContextManager;
  ids: IdGenerator;
  rng: Pick<Rng, "next">;
  /** Which part of all traces is recorded, from 0 to 1. */
  ratio: number;
}

/**
 * Makes spans by OpenTelemetry. Whether a trace is recorded is decided before OpenTelemetry is called, since a span that it does not record
 * costs nearly as much as one that it does.
 *
 * A context has a span, or a `Thread`, or nothing. It counts until its span or thread has ended: code that goes on afterwards, such as the timers
 * of a room that a request made, belongs to no trace.
 */
export class SpanTracer implements Tracer {
  readonly #ports: SpanTracerPorts;

  constructor(ports: SpanTracerPorts) {
    this.#ports = ports;
  }

  inRoot<T>(start: () => SpanStart, { by, follows = false }: Causes, work: (span?: Span) => T): T {
    const links = by.length === 0 ? [] : linksTo(by);
    const isRecorded = follows ? links.length > 0 : this.#ports.rng.next() < this.#ports.ratio;
    if (isRecorded) return this.#run(ROOT_CONTEXT, start(), links, work);
    return this.#follow(undefined, () => work());
  }

  inSpan<T>(start: () => SpanStart, work: (span?: Span) => T): T {
    const parent = this.#recorded();
    return parent === undefined ? work() : this.#run(parent, start(), [], work);
  }

  inBatch<T>(start: () => SpanStart, asked: readonly (Captured | undefined)[], work: () => T): T {
    const contexts = asked.filter((captured): captured is Context => isRecordable(captured as Context | undefined));
    const [first, ...others] = contexts;
    if (first === undefined) return this.detached(work);
    const spans = others.slice(0, MOST_LINKS).map((context) => trace.getSpan(context)!);
    const links = spans.map((span) => ({ context: span.spanContext() }));
    const { attributes, ...rest } = start();
    const sized = { ...rest, attributes: { ...attributes, "ringmaster.batch.size": asked.length } };
    return this.#run(first, sized, links, (span) => {
      for (const other of spans) other.addLink({ context: span!.spanContext() });
      return work();
    });
  }

  openSpan(start: () => SpanStart): Span | undefined {
    const parent = this.#recorded();
    return parent && this.#begin(parent, start(), []);
  }

  continued<T>(carried: Carried | undefined, work: () => T): T {
    return this.#follow(carried === undefined ? undefined : spanContextOf(carried), work);
  }

  resumed<T>(captured: Captured | undefined, work: () => T): T {
    return captured === undefined ? this.detached(work) : this.#ports.contexts.with(captured as Context, work);
  }

  captured(): Captured | undefined {
    const context = this.#ports.contexts.active();
    return context === ROOT_CONTEXT ? undefined : context;
  }

  carried(): Carried | undefined {
    const context = this.#live();
    return context && traceparentOf(context);
  }

  cause(): Carried | undefined {
    const context = this.#live();
    return context && isSampled(context) ? traceparentOf(context) : undefined;
  }

  detached<T>(work: () => T): T {
    const { contexts } = this.#ports;
    return contexts.active() === ROOT_CONTEXT ? work() : contexts.with(ROOT_CONTEXT, work);
  }

  logFields(): object {
    const context = this.#live();
    return context === undefined ? {} : { trace_id: context.traceId, span_id: context.spanId };
  }

  /** Where a span can be made: the context that is active, if its trace is recorded and goes on. */
  #recorded(): Context | undefined {
    const context = this.#ports.contexts.active();
    return isRecordable(context) ? context : undefined;
  }

  /** The trace that goes on here. */
  #live(): SpanContext | undefined {
    const context = this.#ports.contexts.active();
    const span = trace.getSpan(context);
    if (span?.isRecording()) return span.spanContext();
    const thread = context.getValue(THREAD) as Thread | undefined;
    if (thread === undefined || thread.isOver) return undefined;
    const { ids } = this.#ports;
    thread.context ??= { traceId: ids.generateTraceId(), spanId: ids.generateSpanId(), traceFlags: TraceFlags.NONE };
    return thread.context;
  }

  #follow<T>(from: SpanContext | undefined, work: () => T): T {
    const thread: Thread = { context: from, isOver: false };
    const base = from === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, trace.wrapSpanContext(from));
    const end = (): void => {
      thread.isOver = true;
    };
    return this.#ports.contexts.with(base.setValue(THREAD, thread), () => ending(work, end, end));
  }

  #begin(parent: Context, { name, kind, attributes = {} }: SpanStart, links: readonly Link[]): Span {
    const options = { kind: SpanKind[kind ?? "INTERNAL"], attributes, links: [...links] };
    return this.#ports.tracing.startSpan(name, options, parent);
  }

  #run<T>(parent: Context, start: SpanStart, links: readonly Link[], work: (span: Span) => T): T {
    const span = this.#begin(parent, start, links);
    const fail = (error: unknown): void => {
      failed(span, error);
      span.end();
    };
    return this.#ports.contexts.with(trace.setSpan(parent, span).deleteValue(THREAD), () =>
      ending(
        () => work(span),
        () => span.end(),
        fail,
      ),
    );
  }
}

/** Runs `work`, and `end` or `fail` once it, or the promise that it returns, has come to its end. */
function ending<T>(work: () => T, end: () => void, fail: (error: unknown) => void): T {
  let result: T;
  try {
    result = work();
  } catch (error) {
    fail(error);
    throw error;
  }
  if (result instanceof Promise) result.then(end, fail);
  else end();
  return result;
}

/** Its code, or its class: a message may hold what a client sent. */
function failed(span: Span, error: unknown): void {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute("error.type", typeof code === "string" ? code : String(name ?? "unknown"));
}

function isRecordable(context: Context | undefined): boolean {
  const span = context && trace.getSpan(context);
  if (context === undefined || span === undefined) return false;
  if (span.isRecording()) return true;
  const thread = context.getValue(THREAD) as Thread | undefined;
  return thread !== undefined && !thread.isOver && isSampled(span.spanContext());
}

const isSampled = ({ traceFlags }: SpanContext): boolean => (traceFlags & TraceFlags.SAMPLED) !== 0;

function linksTo(carried: readonly (Carried | undefined)[]): Link[] {
  return carried.flatMap((text) => {
    const context = text === undefined ? undefined : spanContextOf(text);
    return context === undefined ? [] : [{ context }];
  });
}

function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): Carried {
  return `00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}`;
}

/** What a traceparent of any version says; undefined for one that says nothing. */
function spanContextOf(text: Carried): SpanContext | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (NONE.test(traceId) || NONE.test(spanId) || text.startsWith("ff")) return undefined;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  return { traceId, spanId, traceFlags, isRemote: true };
}
