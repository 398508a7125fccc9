import type { Attributes, Span, SpanKind } from "@opentelemetry/api";

/**
 * Traces, as everything that makes spans sees them (docs/adr/0080-spans-by-hand.md). Nothing here loads OpenTelemetry: without a tracer each
 * function is one branch. The tracer is one a process, as OpenTelemetry's own globals are.
 *
 * A trace begins where work comes into a node (`inRoot`), where it is decided whether it is recorded. Parts of it (`inSpan`) are spans only
 * of a trace that is recorded and has not ended. What is only set off, and nobody waits for, is `detached`.
 */

/** What a span says of itself: names of kinds, methods, scripts and codes. Never a parameter, an address or a token. */
export interface SpanStart {
  name: string;
  kind?: keyof typeof SpanKind;
  attributes?: Attributes;
}

/** Where a trace can be gone on with: W3C's `traceparent`. It is a text so that it can be stored, and sent to another node. */
export type Carried = string;

/** The trace that some code was part of, to go on with in this process. */
export type Captured = object;

/** What a tracer does, which is made where the process starts. */
export interface Tracer {
  inRoot<T>(start: () => SpanStart, causes: Causes, work: (span?: Span) => T): T;
  inSpan<T>(start: () => SpanStart, work: (span?: Span) => T): T;
  inBatch<T>(start: () => SpanStart, asked: readonly (Captured | undefined)[], work: () => T): T;
  openSpan(start: () => SpanStart): Span | undefined;
  continued<T>(carried: Carried | undefined, work: () => T): T;
  resumed<T>(captured: Captured | undefined, work: () => T): T;
  captured(): Captured | undefined;
  carried(): Carried | undefined;
  cause(): Carried | undefined;
  detached<T>(work: () => T): T;
  logFields(): object;
}

export interface Causes {
  /** What set it off: the new trace links to each of these that is one. */
  by: readonly (Carried | undefined)[];
  /** It is recorded if what set it off was. */
  follows?: boolean;
}

const NOBODY: Causes = { by: [] };

let tracer: Tracer | undefined;

/** Has spans recorded from now on; `undefined` ends that. */
export function useTracer(next: Tracer | undefined): void {
  tracer = next;
}

/** Whether spans may be recorded at all. */
export function isTracing(): boolean {
  return tracer !== undefined;
}

/** Runs `work` as the beginning of a new trace; whether that is recorded is decided here. `work` gets the span if it is. */
export function inRoot<T>(start: () => SpanStart, work: (span?: Span) => T, causes: Causes = NOBODY): T {
  return tracer === undefined ? work() : tracer.inRoot(start, causes, work);
}

/** Runs `work` as a part of the trace that goes on here, if one is recorded. The span ends with the promise that `work` returns. */
export function inSpan<T>(start: () => SpanStart, work: (span?: Span) => T): T {
  return tracer === undefined ? work() : tracer.inSpan(start, work);
}

/** Runs what is done for several at once: as a part of the first one's trace that is recorded; the others' and it link to each other. */
export function inBatch<T>(
  start: () => SpanStart,
  asked: readonly { trace?: Captured | undefined }[],
  work: () => T,
): T {
  return tracer === undefined
    ? work()
    : tracer.inBatch(
        start,
        asked.map(({ trace }) => trace),
        work,
      );
}

/** A part of the trace that goes on here, for what begins and ends in two calls; whoever opens it ends it. */
export function openSpan(start: () => SpanStart): Span | undefined {
  return tracer?.openSpan(start);
}

/** Runs `work` as a part of the trace that came along with it from another node. */
export function continued<T>(from: Carried | undefined, work: () => T): T {
  return tracer === undefined ? work() : tracer.continued(from, work);
}

/** Runs `work` as a part of the trace that was captured, for what waits in a queue. */
export function resumed<T>(from: Captured | undefined, work: () => T): T {
  return tracer === undefined ? work() : tracer.resumed(from, work);
}

/** The trace that goes on here, for `resumed`. */
export function captured(): Captured | undefined {
  return tracer?.captured();
}

/** The trace that goes on here, recorded or not, for another node that goes on with it. */
export function carried(): Carried | undefined {
  return tracer?.carried();
}

/** The trace that goes on here if it is recorded, for what it sets off to link to. */
export function cause(): Carried | undefined {
  return tracer?.cause();
}

/** The same as a field of what is stored; none when there is no such trace. */
export function causeField(): { trace?: Carried } {
  const trace = tracer?.cause();
  return trace === undefined ? {} : { trace };
}

/** Runs `work` as no part of any trace: what it starts may outlive whoever set it off. */
export function detached<T>(work: () => T): T {
  return tracer === undefined ? work() : tracer.detached(work);
}

/** `trace_id` and `span_id` of the trace that goes on here, for a line of the log: an object that may be changed. */
export function logFields(): object {
  return tracer?.logFields() ?? {};
}
