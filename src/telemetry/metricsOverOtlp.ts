import { type Attributes, type HrTime, ValueType } from "@opentelemetry/api";
import {
  AggregationTemporality,
  type DataPoint,
  DataPointType,
  type Histogram,
  type MetricData,
  type ResourceMetrics,
} from "@opentelemetry/sdk-metrics";
import type { MetricObjectWithValues, MetricValue, MetricValueWithName, Registry } from "prom-client";
import { resourceOf, type TelemetryPlace } from "./resource.ts";

type Metric = MetricObjectWithValues<MetricValue<string>>;
type Points<T> = DataPoint<T>[];

/** Of a histogram's series in prom-client: which bucket it counts, whatever else it is labelled with. */
const BUCKET = "le";

/**
 * All metrics of a registry as OTLP has them: counters as sums that only grow, gauges, and histograms, each counted since `startedAt`. Summaries, of
 * which prom-client makes none by itself, are left out.
 */
export async function otlpMetrics(
  registry: Registry,
  place: TelemetryPlace,
  startedAt: HrTime,
  now: HrTime,
): Promise<ResourceMetrics> {
  const times = { startTime: startedAt, endTime: now };
  const metrics = ((await registry.getMetricsAsJSON()) as unknown as Metric[]).flatMap((metric) =>
    dataOf(metric, times),
  );
  return { resource: resourceOf(place), scopeMetrics: [{ scope: { name: "ringmaster" }, metrics }] };
}

interface Times {
  startTime: HrTime;
  endTime: HrTime;
}

function dataOf({ name, help, type, values }: Metric, times: Times): MetricData[] {
  const base = {
    descriptor: { name, description: help, unit: unitOf(name), valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  switch (String(type)) {
    case "counter":
      return [{ ...base, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints: numbers(values, times) }];
    case "gauge":
      return [{ ...base, dataPointType: DataPointType.GAUGE, dataPoints: numbers(values, times) }];
    case "histogram":
      return [
        {
          ...base,
          dataPointType: DataPointType.HISTOGRAM,
          dataPoints: histograms(values as MetricValueWithName<string>[], times),
        },
      ];
    default:
      return [];
  }
}

/** By Prometheus' rule that a metric's name ends with its unit; UCUM's names of units. */
function unitOf(name: string): string {
  if (name.endsWith("_seconds")) return "s";
  return name.endsWith("_bytes") ? "By" : "";
}

function numbers(values: readonly MetricValue<string>[], times: Times): Points<number> {
  return values.map(({ labels, value }) => ({ ...times, attributes: labels as Attributes, value }));
}

/** prom-client counts in a bucket all that is in those before it; OTLP counts in each what is in it alone. */
function histograms(values: readonly MetricValueWithName<string>[], times: Times): Points<Histogram> {
  const series = new Map<string, { attributes: Attributes; upTo: [number, number][]; count: number; sum: number }>();
  for (const { labels, value, metricName = "" } of values) {
    const { [BUCKET]: bound, ...attributes } = labels as Record<string, string | number>;
    const key = JSON.stringify(Object.entries(attributes).sort());
    const one = series.get(key) ?? { attributes, upTo: [], count: 0, sum: 0 };
    series.set(key, one);
    if (metricName.endsWith("_sum")) one.sum = value;
    else if (metricName.endsWith("_count")) one.count = value;
    else if (bound !== undefined && bound !== "+Inf") one.upTo.push([Number(bound), value]);
  }
  return [...series.values()].map(({ attributes, upTo, count, sum }) => {
    const sorted = upTo.toSorted(([a], [b]) => a - b);
    const counts = [...sorted.map(([, below]) => below), count].map((below, at) => below - (sorted[at - 1]?.[1] ?? 0));
    const buckets = { boundaries: sorted.map(([bound]) => bound), counts };
    return { ...times, attributes, value: { buckets, sum, count } };
  });
}
