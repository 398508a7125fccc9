import { hostname } from "node:os";
import { type Rng, sleep, systemClock, systemRng } from "../clock.ts";
import type { Config } from "../config.ts";
import { MOST_UNREAD_LOG_BYTES } from "./LogOutput.ts";
import { type Logger, standardOutput } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { TelemetryPlace } from "./resource.ts";

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

/** What has been measured and is on its way out. */
interface Outgoing {
  what: "traces" | "metrics";
  /** Sends what is left. Rejects when that is refused. */
  close(): Promise<void>;
}

/** What leaves the process on its own: traces, and metrics that nobody comes to read. It is loaded only where it is asked for. */
export class Telemetry {
  readonly #log: Logger;
  readonly #outgoing: readonly Outgoing[];

  static async start(ports: TelemetryPorts): Promise<Telemetry> {
    const { traces, metrics } = ports.config.telemetry;
    ports.metrics.bounded("log", MOST_UNREAD_LOG_BYTES, () => standardOutput.unread);
    const outgoing: Outgoing[] = [];
    if (traces !== "none") outgoing.push(await startTraces(traces, ports));
    if (metrics === "otlp" || metrics === "stdout") outgoing.push(await startMetrics(metrics, ports));
    return new Telemetry(ports.log, outgoing);
  }

  private constructor(log: Logger, outgoing: readonly Outgoing[]) {
    this.#log = log;
    this.#outgoing = outgoing;
  }

  /** Sends what is left, and nothing more. Resolves within two seconds, whoever does not take it. */
  async stop(): Promise<void> {
    await Promise.all(
      this.#outgoing.map(async ({ what, close }) => {
        const sent = close().then(
          () => true,
          () => false,
        );
        const late = sleep(systemClock, FLUSH_MS).then(() => false);
        if (!(await Promise.race([sent, late])))
          this.#log.warn({ what }, "the last traces or metrics could not be exported; they are lost");
      }),
    );
  }
}

async function startTraces(
  kind: "otlp" | "console",
  { config, log, metrics, rng = systemRng }: TelemetryPorts,
): Promise<Outgoing> {
  const { samplerArg: ratio } = config.telemetry;
  const { MOST_WAITING_SPANS, openTracing } = await import("./tracing/openTracing.ts");
  const tracing = openTracing({
    to: kind === "otlp" ? otlpTo("traces", config) : { kind: "console", write },
    ratio,
    place: placeOf(config),
    rng,
    count: (outcome, spans) => metrics.spansEnded(outcome, spans),
    onFailure: quietly((error) => log.warn({ err: error }, "traces could not be exported; some are lost")),
  });
  metrics.bounded("spans", MOST_WAITING_SPANS, () => tracing.waiting);
  return { what: "traces", close: () => tracing.close() };
}

async function startMetrics(kind: "otlp" | "stdout", { config, log, metrics }: TelemetryPorts): Promise<Outgoing> {
  const { MetricsPush } = await import("./MetricsPush.ts");
  const push = new MetricsPush({
    registry: metrics.registry,
    place: placeOf(config),
    to: kind === "otlp" ? otlpTo("metrics", config) : { kind: "stdout", write },
    everyMs: config.telemetry.metricsEveryMs,
    clock: systemClock,
    onFailure: quietly((error) => log.warn({ err: error }, "metrics could not be exported; the next export has them")),
  });
  push.start();
  return { what: "metrics", close: () => push.stop() };
}

const write = (line: string): void => standardOutput.write(line);

function otlpTo(
  signal: "traces" | "metrics",
  { telemetry: { otlp } }: TelemetryPorts["config"],
): { kind: "otlp"; url: string; headers: Record<string, string> } {
  return { kind: "otlp", url: `${otlp.endpoint}/v1/${signal}`, headers: otlp.headers };
}

function placeOf({ telemetry: { service } }: TelemetryPorts["config"]): TelemetryPlace {
  return { service, instance: `${hostname()}-${process.pid}` };
}

function quietly(tell: (error: unknown) => void): (error: unknown) => void {
  let quietUntil = Number.NEGATIVE_INFINITY;
  return (error) => {
    const now = systemClock.monotonic();
    if (now < quietUntil) return;
    quietUntil = now + QUIET_MS;
    tell(error);
  };
}
