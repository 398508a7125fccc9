import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { everyMetric } from "../support/metrics.ts";
import { documentOf, REPOSITORY } from "./documents.ts";

const DASHBOARD = documentOf("ops/grafana/ringmaster.json");
const ALERTS = documentOf("ops/prometheus/alerts.yml");
const CASES = documentOf("ops/prometheus/alerts.test.yml");

/** It comes with mocha, which reads its own configuration by it. */
const yaml = createRequire(createRequire(import.meta.url).resolve("mocha"))("js-yaml") as {
  load(text: string): unknown;
};

interface Service {
  image: string;
  profiles: string[];
  ports: string[];
  volumes: string[];
  depends_on?: string[];
}

/** Metrics that are on no panel, and why. All of them are Node's own. */
const EXCLUDED: readonly [pattern: RegExp, why: string][] = [
  [/^nodejs_eventloop_lag_(?!p99_)/, "the p99 of the event loop's lag is shown, which the others only lead to"],
  [/^nodejs_heap_(size_total|space)/, "the heap's used bytes and the process's resident ones are shown"],
  [/^nodejs_external_memory_bytes$/, "it is in the resident bytes"],
  [/^nodejs_active_/, "sockets and timers are counted by what they are for"],
  [/^nodejs_gc_duration_seconds$/, "pauses show as the event loop's lag"],
  [/^nodejs_version_info$/, "it does not change while a process runs"],
  [/^process_cpu_(user|system)_seconds_total$/, "their sum is shown"],
  [/^process_(heap|virtual_memory)_bytes$/, "address space that is mostly not in use"],
  [/^process_(open|max)_fds$/, "the system's own monitoring has them, for all processes"],
  [/^process_start_time_seconds$/, "restarts show as gaps of every panel"],
];

interface Panel {
  title: string;
  targets?: { expr: string }[];
}

const expressions = (JSON.parse(DASHBOARD) as { panels: Panel[] }).panels.flatMap(({ targets = [] }) =>
  targets.map(({ expr }) => expr),
);

/** The metrics of a text of PromQL: words with an underscore, or the few of ours without one. */
function metricsOf(text: string): string[] {
  const words = text.match(/\b(?:[a-z]+_[a-z0-9_]+|rooms|clients)\b(?!\()/g) ?? [];
  return words.filter((word) => word !== "histogram_quantile" && !word.startsWith("__"));
}

describe("ops/", () => {
  let known: Set<string>;

  before(async () => {
    const all = await everyMetric().getMetricsAsJSON();
    known = new Set(all.map(({ name }) => name));
  });

  const base = (metric: string): string => (known.has(metric) ? metric : metric.replace(/_(bucket|count|sum)$/, ""));

  it("shows every metric on a panel, or says why it does not", () => {
    const shown = new Set(expressions.flatMap(metricsOf).map(base));
    const excluded = (name: string): boolean => EXCLUDED.some(([pattern]) => pattern.test(name));
    for (const name of known) assert.notEqual(shown.has(name), excluded(name), name);
    for (const [pattern] of EXCLUDED)
      assert.ok(
        [...known].some((name) => pattern.test(name)),
        String(pattern),
      );
  });

  it("starts Prometheus and Grafana by the profile observe alone, of fixed versions, with files that are there", () => {
    const { services } = yaml.load(documentOf("ops/compose.yml")) as { services: Record<string, Service> };
    assert.deepEqual(Object.keys(services), ["prometheus", "grafana"]);
    for (const [name, { image, profiles, ports, volumes, depends_on = [] }] of Object.entries(services)) {
      assert.deepEqual(profiles, ["observe"], name);
      assert.match(image, /:v?\d+\.\d+\.\d+$/);
      for (const port of ports) assert.match(port, /^127\.0\.0\.1:/, "for this machine only");
      for (const service of depends_on) assert.ok(service in services);
      for (const volume of volumes) assert.ok(existsSync(join(REPOSITORY, "ops", volume.split(":")[0]!)), volume);
    }
  });

  it("asks for no metric that is not there", () => {
    const rules = [...ALERTS.matchAll(/expr: (?:\|\n)?([\s\S]*?)\n {8}\w+:/g)].map(([, expression]) => expression!);
    assert.equal(rules.length, [...ALERTS.matchAll(/- alert: /g)].length);
    const labels = ["outcome_unknown", "not_delivered", "actor_cycle", "actor_quarantined"];
    for (const name of [...expressions, ...rules].flatMap(metricsOf))
      assert.ok(known.has(base(name)) || labels.includes(name), name);
  });

  it("has a case that fires each alert, and one that does not", () => {
    const alerts = [...ALERTS.matchAll(/- alert: (\w+)/g)].map(([, name]) => name!);
    assert.ok(alerts.length > 10);
    for (const name of alerts) {
      const [fires, calm] = ["fires", "does not"].map((what) => CASES.split(`- name: ${name} ${what}\n`)[1]);
      assert.match(fires?.split("- name:")[0] ?? "", /exp_labels/, `${name} fires`);
      assert.match(calm?.split("- name:")[0] ?? "", /exp_alerts: \[\]/, `${name} does not`);
    }
  });
});
