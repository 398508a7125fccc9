import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** Rooms and connected clients on this node, read when metrics are scraped. */
export interface RoomCounts {
  rooms: number;
  clients: number;
}

/** A claim or a submission under load takes 5 to 50 ms; beyond a second it does not matter how long. */
const HOT_PATH = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5];

/** A timer is late by milliseconds, by seconds when its actor has to move, by minutes when all nodes were down. */
const TIMER_LATENESS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** A turn is one transaction: about a millisecond, until the database is slow or a lock is waited for. */
const ACTOR_TURN = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A job takes milliseconds or minutes; five of them unless it says otherwise. */
const JOB_DURATION = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 900, 1800];

/**
 * What Ringmaster measures of itself. Each app has a registry of its own, so that several can run in one process.
 * Labels are bounded: kinds and codes are few, and a hunt's go with it (`removeHuntGauges`).
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #clueLatency: Histogram<"request">;
  readonly #submitLatency: Histogram<never>;
  readonly #timerLateness: Histogram<"kind">;
  readonly #actorTurn: Histogram<"kind">;
  readonly #actorsActive: Gauge<"kind">;
  readonly #timersFailing: Gauge<"kind">;
  readonly #actorErrors: Counter<"kind" | "code">;
  readonly #deadLetters: Counter<"kind">;
  readonly #huntPool: Gauge<"hunt">;
  readonly #huntWaiting: Gauge<"hunt">;
  readonly #tournamentPlayers: Gauge<"tournament">;
  readonly #jobRuns: Counter<"job">;
  readonly #jobFailures: Counter<"job">;
  readonly #jobOverdue: Counter<"job">;
  readonly #jobDuration: Histogram<"job">;
  readonly #jobLateness: Histogram<"job">;
  readonly #clockOff: Gauge<never>;
  readonly #questLateness: Histogram<"state">;
  readonly #faults: Counter<"kind">;

  #readOutboxLag = () => ({ events: 0, messages: 0 });

  constructor(roomCounts: () => RoomCounts) {
    collectDefaultMetrics({ register: this.registry });
    this.#clueLatency = this.#histogram(
      "clue_latency_seconds",
      "From the arrival of a player's claim or solve to its answer.",
      "request",
      HOT_PATH,
    );
    this.#clueLatency.zero({ request: "claim" });
    this.#clueLatency.zero({ request: "solve" });
    this.#submitLatency = new Histogram({
      name: "submit_latency_seconds",
      help: "From the arrival of a player's score to the answer that it counts.",
      buckets: HOT_PATH,
      registers: [this.registry],
    });
    const lateness = "How long after its due time a durable timer fired.";
    this.#timerLateness = this.#histogram("timer_lateness_seconds", lateness, "kind", TIMER_LATENESS);
    const turn = "How long an actor's turn took, its commit included.";
    this.#actorTurn = this.#histogram("actor_turn_seconds", turn, "kind", ACTOR_TURN);
    this.#actorsActive = this.#gauge("actors_active", "Actors that live on this node.", "kind");
    const failing = "Timers of actors on this node that have failed and are tried again, ever more seldom.";
    this.#timersFailing = this.#gauge("timers_failing", failing, "kind");
    this.#actorErrors = new Counter({
      name: "actor_errors_total",
      help: "Calls to actors that failed, by the code they failed with (overloaded among them).",
      labelNames: ["kind", "code"],
      registers: [this.registry],
    });
    const dead =
      "Messages that could not be delivered, by the kind of actor they were for; tasks that failed for good.";
    this.#deadLetters = this.#counter("dead_letters_total", dead, "kind");
    this.#huntPool = this.#gauge("hunt_pool", "Clues of a running hunt that nobody holds.", "hunt");
    this.#huntWaiting = this.#gauge("hunt_waiting", "Players of a running hunt who wait for a clue.", "hunt");
    const standing = "Players who have a standing in a tournament that has rooms on this node.";
    this.#tournamentPlayers = this.#gauge("tournament_players", standing, "tournament");
    this.#jobRuns = this.#counter("job_runs_total", "Attempts at a job that ended on this node.", "job");
    this.#jobFailures = this.#counter("job_failures_total", "Of those, the ones that failed.", "job");
    const overdue = "Attempts that failed at a run that owes something, after its retries were used up.";
    this.#jobOverdue = this.#counter("job_overdue_total", overdue, "job");
    const duration = "How long an attempt at a job took.";
    this.#jobDuration = this.#histogram("job_duration_seconds", duration, "job", JOB_DURATION);
    const jobLateness = "How long after its due time a job's run began.";
    this.#jobLateness = this.#histogram("job_lateness_seconds", jobLateness, "job", TIMER_LATENESS);
    const told = "How long after a quest's end was due its player, who was there, was told.";
    this.#questLateness = this.#histogram("quest_lateness_seconds", told, "state", TIMER_LATENESS);
    this.#faults = this.#counter("process_faults_total", "Rejections and exceptions that nobody handled.", "kind");
    for (const kind of ["rejection", "exception"]) this.#faults.inc({ kind }, 0);
    this.#lagging(() => this.#readOutboxLag());
    this.#clockOff = new Gauge({
      name: "clock_offset_seconds",
      help: "How far this node's wall clock is ahead of the cluster's time; beyond 2 it takes no actors and is not ready.",
      registers: [this.registry],
    });
    this.#reading("rooms", "Rooms on this node.", () => roomCounts().rooms);
    this.#reading("clients", "Clients connected to rooms on this node.", () => roomCounts().clients);
  }

  #histogram<L extends string>(name: string, help: string, label: L, buckets: number[]): Histogram<L> {
    return new Histogram({ name, help, labelNames: [label], buckets, registers: [this.registry] });
  }

  #counter<L extends string>(name: string, help: string, label: L): Counter<L> {
    return new Counter({ name, help, labelNames: [label], registers: [this.registry] });
  }

  #gauge<L extends string>(name: string, help: string, label: L): Gauge<L> {
    return new Gauge({ name, help, labelNames: [label], registers: [this.registry] });
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

  /** A gauge that is read when it is scraped. */
  #reading(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** A claim or a solve was answered. */
  clueAnswered(request: "claim" | "solve", seconds: number): void {
    this.#clueLatency.observe({ request }, seconds);
  }

  /** How a running hunt stands: clues that nobody holds, and players who wait for one. */
  setHuntGauges(huntId: string, pool: number, waiting: number): void {
    this.#huntPool.set({ hunt: huntId }, pool);
    this.#huntWaiting.set({ hunt: huntId }, waiting);
  }

  /** The hunt is over, or has left this node: its gauges go, or their number would grow with every hunt ever played. */
  removeHuntGauges(huntId: string): void {
    this.#huntPool.remove({ hunt: huntId });
    this.#huntWaiting.remove({ hunt: huntId });
  }

  /** A score was taken. */
  scoreAnswered(seconds: number): void {
    this.#submitLatency.observe(seconds);
  }

  /** How many have a standing in a tournament. */
  setTournamentGauges(tournamentId: string, players: number): void {
    this.#tournamentPlayers.set({ tournament: tournamentId }, players);
  }

  /** The tournament is over, or has left this node. */
  removeTournamentGauges(tournamentId: string): void {
    this.#tournamentPlayers.remove({ tournament: tournamentId });
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

  /** A player on this node was told that a quest has come to its end. */
  questTold(state: "completed" | "lapsed", seconds: number): void {
    this.#questLateness.observe({ state }, Math.max(0, seconds));
  }

  /** A rejection or an exception was handled by nobody. */
  faulted(kind: "rejection" | "exception"): void {
    this.#faults.inc({ kind });
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

  /** A message to an actor of this kind has become a dead letter. */
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
