import { type Counter, collectDefaultMetrics, Gauge, type Histogram, Registry } from "prom-client";
import { Meters, TIMER_LATENESS } from "./Meters.ts";

/** Rooms and connected clients on this node, read when metrics are scraped. */
export interface RoomCounts {
  rooms: number;
  clients: number;
}

/** A turn is one transaction: about a millisecond, until the database is slow or a lock is waited for. */
const ACTOR_TURN = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A request is answered from memory, after a commit, or after a call of an actor, which waits 10 s at most. */
const REQUEST = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A job takes milliseconds or minutes; five of them unless it says otherwise. */
const JOB_DURATION = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 900, 1800];

/**
 * What a node measures of itself, beside what its domains do. Each app has a registry of its own, so that several can run in one process.
 * Labels are bounded: kinds and codes are few.
 */
export class Metrics {
  readonly registry = new Registry();
  /** For the metrics of domains, in the same registry. */
  readonly meters = new Meters(this.registry);
  readonly #timerLateness: Histogram<"kind">;
  readonly #actorTurn: Histogram<"kind">;
  readonly #actorsActive: Gauge<"kind">;
  readonly #timersFailing: Gauge<"kind">;
  readonly #actorErrors: Counter<"kind" | "code">;
  readonly #deadLetters: Counter<"kind">;
  readonly #jobRuns: Counter<"job">;
  readonly #jobFailures: Counter<"job">;
  readonly #jobOverdue: Counter<"job">;
  readonly #jobEndFailures: Counter<"job">;
  readonly #jobDuration: Histogram<"job">;
  readonly #jobLateness: Histogram<"job">;
  readonly #clockOff: Gauge<never>;
  readonly #faults: Counter<"kind">;
  readonly #spans: Counter<"outcome">;
  readonly #httpRequest: Histogram<"outcome">;
  readonly #roomRequest: Histogram<"room">;
  readonly #roomErrors: Counter<"room" | "code">;
  readonly #bounds = new Map<string, () => number>();

  #readOutboxLag = () => ({ events: 0, messages: 0 });

  constructor(roomCounts: () => RoomCounts) {
    collectDefaultMetrics({ register: this.registry });
    const { meters } = this;
    const lateness = "How long after its due time a durable timer fired.";
    this.#timerLateness = meters.histogram("timer_lateness_seconds", lateness, TIMER_LATENESS, "kind");
    const turn = "How long an actor's turn took, its commit included.";
    this.#actorTurn = meters.histogram("actor_turn_seconds", turn, ACTOR_TURN, "kind");
    this.#actorsActive = meters.gauge("actors_active", "Actors that live on this node.", "kind");
    const failing = "Timers of actors on this node that have failed and are tried again, ever more seldom.";
    this.#timersFailing = meters.gauge("timers_failing", failing, "kind");
    const failed = "Calls to actors that failed, by the code they failed with (overloaded among them).";
    this.#actorErrors = meters.counter("actor_errors_total", failed, "kind", "code");
    const dead =
      "Messages that could not be delivered, by the kind of actor they were for; tasks and events that failed for good.";
    this.#deadLetters = meters.counter("dead_letters_total", dead, "kind");
    this.#jobRuns = meters.counter("job_runs_total", "Attempts at a job that ended on this node.", "job");
    this.#jobFailures = meters.counter("job_failures_total", "Of those, the ones that failed.", "job");
    const overdue = "Attempts that failed at a run that owes something, after its retries were used up.";
    this.#jobOverdue = meters.counter("job_overdue_total", overdue, "job");
    const ends = "Attempts in vain to store how a run of a job has ended, from the sixth on.";
    this.#jobEndFailures = meters.counter("job_end_failures_total", ends, "job");
    const duration = "How long an attempt at a job took.";
    this.#jobDuration = meters.histogram("job_duration_seconds", duration, JOB_DURATION, "job");
    const jobLateness = "How long after its due time a job's run began.";
    this.#jobLateness = meters.histogram("job_lateness_seconds", jobLateness, TIMER_LATENESS, "job");
    this.#faults = meters.counter("process_faults_total", "Rejections and exceptions that nobody handled.", "kind");
    for (const kind of ["rejection", "exception"]) this.#faults.inc({ kind }, 0);
    this.#spans = meters.counter("trace_spans_total", "Spans that have ended, by what became of them.", "outcome");
    for (const outcome of ["exported", "failed", "dropped"]) this.#spans.inc({ outcome }, 0);
    const http = "From the arrival of an HTTP request to the end of its answer, by the class of its status.";
    this.#httpRequest = meters.histogram("http_request_seconds", http, REQUEST, "outcome");
    const room = "From the arrival of a room's request to its answer or rejection.";
    this.#roomRequest = meters.histogram("room_request_seconds", room, REQUEST, "room");
    const refused = "Of those, the ones that were rejected, by their code.";
    this.#roomErrors = meters.counter("room_request_errors_total", refused, "room", "code");
    this.#saturation();
    this.#lagging(() => this.#readOutboxLag());
    const off =
      "How far this node's wall clock is ahead of the cluster's time; beyond 2 it takes no actors and is not ready.";
    this.#clockOff = meters.gauge("clock_offset_seconds", off);
    meters.reading("rooms", "Rooms on this node.", () => roomCounts().rooms);
    meters.reading("clients", "Clients connected to rooms on this node.", () => roomCounts().clients);
  }

  #saturation(): void {
    const bounds = this.#bounds;
    new Gauge({
      name: "bound_used_ratio",
      help: "How much of a bound is in use, from 0 to 1.",
      labelNames: ["bound"],
      registers: [this.registry],
      collect() {
        for (const [bound, read] of bounds) this.set({ bound }, read());
      },
    });
  }

  /** `read` tells how much of a bound (of docs/architecture.md) is in use; its name is one of a fixed set. */
  bounded(bound: string, limit: number, read: () => number): void {
    this.#bounds.set(bound, () => read() / limit);
  }

  /** An HTTP request was answered, or its client left. */
  httpAnswered(outcome: string, seconds: number): void {
    this.#httpRequest.observe({ outcome }, seconds);
  }

  /** A room's request was answered; `outcome` is the code of its rejection, or `"ok"`. */
  roomAnswered(room: string, outcome: string, seconds: number): void {
    this.#roomRequest.observe({ room }, seconds);
    if (outcome !== "ok") this.#roomErrors.inc({ room, code: outcome });
  }

  #lagging(read: () => { events: number; messages: number }): void {
    new Gauge({
      name: "outbox_lag_seconds",
      help: "How long the oldest message that this node has yet to deliver has waited.",
      labelNames: ["what"],
      registers: [this.registry],
      collect() {
        for (const [what, ms] of Object.entries(read())) this.set({ what }, ms / 1000);
      },
    });
  }

  /** An attempt at a job ended on this node; `latenessSeconds` is that of its run, told with the first attempt. */
  jobRan(job: string, outcome: "succeeded" | "failed", seconds: number, latenessSeconds: number | undefined): void {
    this.#jobRuns.inc({ job });
    if (outcome === "failed") this.#jobFailures.inc({ job });
    this.#jobDuration.observe({ job }, seconds);
    if (latenessSeconds !== undefined) this.#jobLateness.observe({ job }, latenessSeconds);
  }

  /** An attempt failed at a run that owes something, and had used up its retries before. */
  jobOverdue(job: string): void {
    this.#jobOverdue.inc({ job });
  }

  /** How a run has ended could not be stored, time and again. */
  jobEndFailed(job: string): void {
    this.#jobEndFailures.inc({ job });
  }

  /** A rejection or an exception was handled by nobody. */
  faulted(kind: "rejection" | "exception"): void {
    this.#faults.inc({ kind });
  }

  /** So many spans were exported, could not be, or were dropped since too many waited. */
  spansEnded(outcome: "exported" | "failed" | "dropped", spans: number): void {
    this.#spans.inc({ outcome }, spans);
  }

  turn(kind: string, seconds: number): void {
    this.#actorTurn.observe({ kind }, seconds);
  }

  timerLateness(kind: string, seconds: number): void {
    this.#timerLateness.observe({ kind }, Math.max(0, seconds));
  }

  active(kind: string, change: 1 | -1): void {
    this.#actorsActive.inc({ kind }, change);
  }

  timersFailing(kind: string, change: number): void {
    this.#timersFailing.inc({ kind }, change);
  }

  /** A message to an actor of this kind has become a dead letter; `event`: an event has. */
  deadLetter(kind: string): void {
    this.#deadLetters.inc({ kind });
  }

  /** `read` tells how long the oldest message that this node has yet to deliver has waited, in milliseconds. */
  outboxLag(read: () => { events: number; messages: number }): void {
    this.#readOutboxLag = read;
  }

  /** A call to an actor failed with a code of the table of errors. */
  actorFailed(kind: string, code: string): void {
    this.#actorErrors.inc({ kind, code });
  }

  /** How far the wall clock is ahead of the cluster's time. */
  clockOff(seconds: number): void {
    this.#clockOff.set(seconds);
  }
}
