import type { ExportResult } from "@opentelemetry/core";
import { ExportResultCode, millisToHrTime } from "@opentelemetry/core";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-proto";
import type { Registry } from "prom-client";
import type { Clock } from "../clock.ts";
import { otlpMetrics } from "./metricsOverOtlp.ts";
import type { TelemetryPlace } from "./resource.ts";

/** How long an export may take, in milliseconds; the next one comes later by as much. */
const EXPORT_MS = 5000;

export interface MetricsPushOptions {
  registry: Registry;
  place: TelemetryPlace;
  /** Where they go: OTLP, or lines of JSON. */
  to: { kind: "otlp"; url: string; headers: Record<string, string> } | { kind: "stdout"; write(line: string): void };
  everyMs: number;
  clock: Clock;
  onFailure(error: unknown): void;
}

/** Sends all metrics of a registry again and again, one export at a time, for who does not read `/metrics`. */
export class MetricsPush {
  readonly #options: MetricsPushOptions;
  readonly #startedAt: number;
  readonly #push: () => Promise<void>;
  #cancel: () => void = () => {};
  #running: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: MetricsPushOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#push = options.to.kind === "otlp" ? this.#overOtlp(options.to) : this.#asLines(options.to);
  }

  start(): void {
    const { clock, everyMs } = this.#options;
    this.#cancel = clock.schedule(() => {
      this.#running = this.#pushOnce().finally(() => {
        if (!this.#isStopped) this.start();
      });
    }, everyMs);
  }

  /** Sends them a last time. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancel();
    await this.#running;
    await this.#pushOnce();
  }

  async #pushOnce(): Promise<void> {
    try {
      await this.#push();
    } catch (error) {
      this.#options.onFailure(error);
    }
  }

  #overOtlp({ url, headers }: { url: string; headers: Record<string, string> }): () => Promise<void> {
    const exporter = new OTLPMetricExporter({ url, headers, timeoutMillis: EXPORT_MS });
    const { registry, place, clock } = this.#options;
    return async () => {
      const metrics = await otlpMetrics(registry, place, millisToHrTime(this.#startedAt), millisToHrTime(clock.now()));
      const { code, error } = await new Promise<ExportResult>((resolve) => exporter.export(metrics, resolve));
      if (code !== ExportResultCode.SUCCESS) throw error ?? new Error("the export of metrics failed");
    };
  }

  #asLines({ write }: { write(line: string): void }): () => Promise<void> {
    const { registry, clock } = this.#options;
    return async () => {
      const time = new Date(clock.now()).toISOString();
      for (const { name, type, values } of await registry.getMetricsAsJSON())
        write(`${JSON.stringify({ metric: name, time, type, values })}\n`);
    };
  }
}
