import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** Rooms and connected clients on this node, read when metrics are scraped. */
export interface RoomCounts {
  rooms: number;
  clients: number;
}

/** A claim under load takes 5 to 50 ms; beyond a second it does not matter how long. */
const CLUE_LATENCY = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5];

/** A timer is late by milliseconds, by seconds when its actor has to move, by minutes when all nodes were down. */
const TIMER_LATENESS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** A turn is one transaction: about a millisecond, until the database is slow or a lock is waited for. */
const ACTOR_TURN = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * What Ringmaster measures of itself. Each app has a registry of its own, so that several can run in one process.
 * Labels are bounded: kinds and codes are few, and a hunt's go with it (`forgetHunt`).
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #clueLatency: Histogram<"request">;
  readonly #timerLateness: Histogram<"kind">;
  readonly #actorTurn: Histogram<"kind">;
  readonly #actorsActive: Gauge<"kind">;
  readonly #actorErrors: Counter<"kind" | "code">;
  readonly #huntPool: Gauge<"hunt">;
  readonly #huntWaiting: Gauge<"hunt">;

  constructor(roomCounts: () => RoomCounts) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#clueLatency = new Histogram({
      name: "clue_latency_seconds",
      help: "From the arrival of a player's claim or solve to its answer.",
      labelNames: ["request"],
      buckets: CLUE_LATENCY,
      registers,
    });
    this.#clueLatency.zero({ request: "claim" });
    this.#clueLatency.zero({ request: "solve" });
    this.#timerLateness = new Histogram({
      name: "timer_lateness_seconds",
      help: "How long after its due time a durable timer fired.",
      labelNames: ["kind"],
      buckets: TIMER_LATENESS,
      registers,
    });
    this.#actorTurn = new Histogram({
      name: "actor_turn_seconds",
      help: "How long an actor's turn took, its commit included.",
      labelNames: ["kind"],
      buckets: ACTOR_TURN,
      registers,
    });
    this.#actorsActive = new Gauge({
      name: "actors_active",
      help: "Actors that live on this node.",
      labelNames: ["kind"],
      registers,
    });
    this.#actorErrors = new Counter({
      name: "actor_errors_total",
      help: "Calls to actors that failed, by the code they failed with (overloaded among them).",
      labelNames: ["kind", "code"],
      registers,
    });
    this.#huntPool = new Gauge({
      name: "hunt_pool",
      help: "Clues of a running hunt that nobody holds.",
      labelNames: ["hunt"],
      registers,
    });
    this.#huntWaiting = new Gauge({
      name: "hunt_waiting",
      help: "Players of a running hunt who wait for a clue.",
      labelNames: ["hunt"],
      registers,
    });
    new Gauge({
      name: "rooms",
      help: "Rooms on this node.",
      registers,
      collect() {
        this.set(roomCounts().rooms);
      },
    });
    new Gauge({
      name: "clients",
      help: "Clients connected to rooms on this node.",
      registers,
      collect() {
        this.set(roomCounts().clients);
      },
    });
  }

  /** A claim or a solve was answered. */
  clueAnswered(request: "claim" | "solve", seconds: number): void {
    this.#clueLatency.observe({ request }, seconds);
  }

  /** How a running hunt stands: clues that nobody holds, and players who wait for one. */
  huntStands(huntId: string, pool: number, waiting: number): void {
    this.#huntPool.set({ hunt: huntId }, pool);
    this.#huntWaiting.set({ hunt: huntId }, waiting);
  }

  /** The hunt is over, or has left this node: its gauges go, or their number would grow with every hunt ever played. */
  forgetHunt(huntId: string): void {
    this.#huntPool.remove({ hunt: huntId });
    this.#huntWaiting.remove({ hunt: huntId });
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

  /** A call to an actor failed with a code of the table of errors. */
  actorFailed(kind: string, code: string): void {
    this.#actorErrors.inc({ kind, code });
  }
}
