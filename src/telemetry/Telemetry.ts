import { hostname } from "node:os";
import { type Rng, sleep, systemClock, systemRng } from "../clock.ts";
import type { Config } from "../config.ts";
import { type Logger, standardOutput } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { OpenTracing } from "./tracing/openTracing.ts";

/** How long a stop waits at most for what is to be exported yet, in milliseconds. */
const FLUSH_MS = 2000;
/** An export that fails is told of once in this time, in milliseconds. */
const QUIET_MS = 60_000;

export interface TelemetryPorts {
  config: Pick<Config, "telemetry">;
  log: Logger;
  metrics: Metrics;
  rng?: Rng;
}

/** What leaves the process on its own: traces. It is loaded only where it is asked for. */
export class Telemetry {
  readonly #log: Logger;
  readonly #tracing: OpenTracing | undefined;

  static async start({ config, log, metrics, rng = systemRng }: TelemetryPorts): Promise<Telemetry> {
    const { traces, samplerArg: ratio, service, otlp } = config.telemetry;
    if (traces === "none") return new Telemetry(log, undefined);
    const { openTracing } = await import("./tracing/openTracing.ts");
    const write = (line: string): void => standardOutput.write(line);
    const tracing = openTracing({
      to:
        traces === "otlp"
          ? { kind: "otlp", url: `${otlp.endpoint}/v1/traces`, headers: otlp.headers }
          : { kind: "console", write },
      ratio,
      place: { service, instance: `${hostname()}-${process.pid}` },
      rng,
      count: (outcome, spans) => metrics.spansEnded(outcome, spans),
      onFailure: quietly((error) => log.warn({ err: error }, "traces could not be exported; some are lost")),
    });
    return new Telemetry(log, tracing);
  }

  private constructor(log: Logger, tracing: OpenTracing | undefined) {
    this.#log = log;
    this.#tracing = tracing;
  }

  /** Exports what waits, and nothing more. Resolves within two seconds, whoever does not take it. */
  async stop(): Promise<void> {
    if (this.#tracing === undefined) return;
    const flushed = this.#tracing.close().then(
      () => true,
      () => false,
    );
    const late = sleep(systemClock, FLUSH_MS).then(() => false);
    if (!(await Promise.race([flushed, late]))) this.#log.warn("the last traces could not be exported; they are lost");
  }
}

function quietly(tell: (error: Error | undefined) => void): (error: Error | undefined) => void {
  let quietUntil = Number.NEGATIVE_INFINITY;
  return (error) => {
    const now = systemClock.monotonic();
    if (now < quietUntil) return;
    quietUntil = now + QUIET_MS;
    tell(error);
  };
}
