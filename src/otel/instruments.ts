/**
 * Metrics of stores as observable instruments: asked for once for each collection and source. `puts_total` becomes `stillwater.puts`,
 * what is in milliseconds is given in seconds, labels become attributes. A histogram, which OpenTelemetry cannot observe, becomes its count and
 * its sum.
 */
import type { Attributes, BatchObservableResult, Meter, Observable } from "@opentelemetry/api";
import { familyOf, METRICS } from "../metrics/catalogue.js";
import type { MetricsSnapshot } from "../metrics/snapshot.js";

type Sources = ReadonlyMap<string, { metrics(): MetricsSnapshot }>;

/** Returns what ends it. */
export function observeMetrics(meter: Meter, sources: Sources): () => void {
  if (sources.size === 0) return () => undefined;
  const instruments = new Map<string, Observable>();
  for (const [family, { kind, help: description }] of Object.entries(METRICS)) {
    const unit = unitOf(family);
    const name = instrumentName(family);
    if (kind === "gauge") instruments.set(family, meter.createObservableGauge(name, { description, unit }));
    else if (kind === "counter")
      instruments.set(family, meter.createObservableCounter(name, { description, unit }));
    else {
      const count = { description: `${description} Their number.`, unit: "1" };
      instruments.set(`${family}/count`, meter.createObservableCounter(`${name}.count`, count));
      const sum = { description: `${description} Their sum.`, unit };
      instruments.set(`${family}/sum`, meter.createObservableCounter(`${name}.sum`, sum));
    }
  }
  const callback = (result: BatchObservableResult): void => {
    for (const [source, object] of sources) {
      const snapshot = object.metrics();
      const observe = (place: string, family: string, value: number, attributes: Attributes): void => {
        const instrument = instruments.get(place);
        const isTime = unitOf(family) === "s";
        if (instrument !== undefined) result.observe(instrument, isTime ? value / 1000 : value, attributes);
      };
      for (const values of [snapshot.counters, snapshot.gauges]) {
        for (const [name, value] of Object.entries(values))
          observe(familyOf(name), familyOf(name), value, attributesOf(source, name));
      }
      for (const [name, { count, sum }] of Object.entries(snapshot.histograms)) {
        const attributes = attributesOf(source, name);
        observe(`${name}/count`, "", count, attributes);
        observe(`${name}/sum`, name, sum, attributes);
      }
    }
  };
  const observables = [...instruments.values()];
  meter.addBatchObservableCallback(callback, observables);
  return () => meter.removeBatchObservableCallback(callback, observables);
}

/** `stillwater.commit_latency` for `commit_latency_ms`. */
export function instrumentName(family: string): string {
  return `stillwater.${family.replace(/_total$/, "").replace(/_ms$/, "")}`;
}

function unitOf(family: string): string {
  if (/_ms(_total)?$/.test(family)) return "s";
  return /(^|_)bytes(_|$)/.test(family) ? "By" : "1";
}

function attributesOf(source: string, name: string): Attributes {
  const attributes: Attributes = { "stillwater.source": source };
  for (const [, label, value] of name.matchAll(/(\w+)="([^"]*)"/g))
    attributes[`stillwater.${label as string}`] = value as string;
  return attributes;
}
