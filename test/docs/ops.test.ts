import assert from "node:assert/strict";
import { everyMetric } from "../support/metrics.ts";
import { documentOf } from "./documents.ts";

const DASHBOARD = documentOf("ops/grafana/ringmaster.json");
const ALERTS = documentOf("ops/prometheus/alerts.yml");
const CASES = documentOf("ops/prometheus/alerts.test.yml");

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

  it("shows every metric of Ringmaster's own on a panel; of Node's own, those that the documents speak of", () => {
    const shown = new Set(expressions.flatMap(metricsOf).map(base));
    for (const name of known) {
      if (/^(nodejs|process)_(?!faults)/.test(name)) continue;
      assert.ok(shown.has(name), name);
    }
  });

  it("asks for no metric that is not there", () => {
    const rules = [...ALERTS.matchAll(/expr: (?:\|\n)?([\s\S]*?)\n {8}\w+:/g)].map(([, expression]) => expression!);
    assert.equal(rules.length, [...ALERTS.matchAll(/- alert: /g)].length);
    const labels = ["outcome_unknown", "actor_cycle", "actor_quarantined"];
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
