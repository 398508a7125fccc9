import type { Registry } from "prom-client";
import { RINGMASTER } from "../../src/app.config.ts";
import type { Domain } from "../../src/domains/runtime/Domain.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";

/** A node's own metrics and those of these domains, before anything happened. */
export function everyMetric(domains: readonly Domain[] = RINGMASTER.domains): Registry {
  const { meters, registry } = new Metrics(() => ({ rooms: 0, clients: 0 }));
  for (const { definition } of domains) definition.metrics?.(meters);
  return registry;
}
