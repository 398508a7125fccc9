import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** A claim or a submission under load takes 5 to 50 ms; beyond a second it does not matter how long. */
export const HOT_PATH = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5];

/** A timer is late by milliseconds, by seconds when its actor has to move, by minutes when all nodes were down. */
export const TIMER_LATENESS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Makes metrics in one registry, each with at most one label. A name that is taken throws. */
export class Meters {
  readonly registry: Registry;

  constructor(registry: Registry) {
    this.registry = registry;
  }

  histogram<L extends string = never>(name: string, help: string, buckets: number[], label?: L): Histogram<L> {
    return new Histogram({ name, help, labelNames: labels(label), buckets, registers: [this.registry] });
  }

  counter<L extends string = never>(name: string, help: string, ...labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  gauge<L extends string = never>(name: string, help: string, label?: L): Gauge<L> {
    return new Gauge({ name, help, labelNames: labels(label), registers: [this.registry] });
  }

  /** A gauge that is read when it is scraped. */
  reading(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }
}

function labels<L extends string>(label: L | undefined): L[] {
  return label === undefined ? [] : [label];
}
