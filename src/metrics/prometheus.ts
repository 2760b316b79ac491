/**
 * Metrics in the text format of Prometheus (version 0.0.4), which every collector reads: metrics of one family together, told
 * what they are, and in base units, so that what is `commit_latency_ms` here is `stillwater_commit_latency_seconds` there.
 * Does not own: serving it. Its media type is `PROMETHEUS_CONTENT_TYPE`.
 */
import { StillwaterError } from "../platform/errors.js";
import { familyOf, METRICS } from "./catalogue.js";
import type { HistogramSnapshot, MetricsSnapshot } from "./snapshot.js";

/** The media type of the text of `prometheusText`. */
export const PROMETHEUS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** How metrics are written for Prometheus. */
export interface PrometheusOptions {
  /** Labels of every metric, for example `{ store: "orders" }` where one process has several stores. */
  readonly labels?: Readonly<Record<string, string>>;
}

const PREFIX = "stillwater_";
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Throws `INVALID_ARGUMENT` for a label that cannot be written, `UNKNOWN_OPTION`. */
export function prometheusText(snapshot: MetricsSnapshot, options: PrometheusOptions = {}): string {
  const shared = sharedLabels(options);
  const lines: string[] = [];
  const told = new Set<string>();
  const write = (kind: string, name: string, sample: (family: string, labels: string) => void): void => {
    const family = familyOf(name);
    const exposed = exposedName(family);
    if (!told.has(family)) {
      told.add(family);
      const help = METRICS[family]?.help;
      if (help !== undefined) lines.push(`# HELP ${exposed} ${help.replaceAll("\\", "\\\\")}`);
      lines.push(`# TYPE ${exposed} ${kind}`);
    }
    sample(exposed, joined(shared, name.slice(family.length + 1, -1)));
  };
  for (const kind of ["counter", "gauge"] as const) {
    const values = kind === "counter" ? snapshot.counters : snapshot.gauges;
    for (const name of byFamily(values)) {
      const value = scaled(familyOf(name), values[name] as number); // one of its keys
      write(kind, name, (family, labels) => lines.push(`${family}${braced(labels)} ${numberText(value)}`));
    }
  }
  for (const name of byFamily(snapshot.histograms)) {
    const found = snapshot.histograms[name] as HistogramSnapshot; // one of its keys
    write("histogram", name, (family, labels) =>
      lines.push(...histogramLines(family, familyOf(name), labels, found)),
    );
  }
  return lines.map((line) => `${line}\n`).join("");
}

function histogramLines(
  exposed: string,
  family: string,
  labels: string,
  { count, sum, buckets }: HistogramSnapshot,
): string[] {
  return [
    ...buckets.map((bucket) => {
      // Out of JSON the last bound is null.
      const bound = bucket.le === null ? Number.POSITIVE_INFINITY : scaled(family, bucket.le);
      return `${exposed}_bucket${braced(joined(labels, `le="${numberText(bound)}"`))} ${numberText(bucket.count)}`;
    }),
    `${exposed}_sum${braced(labels)} ${numberText(scaled(family, sum))}`,
    `${exposed}_count${braced(labels)} ${numberText(count)}`,
  ];
}

/** All of one family must be in a row; otherwise as they come. */
function byFamily(values: object): string[] {
  const families = new Map<string, string[]>();
  for (const name of Object.keys(values)) {
    const family = familyOf(name);
    const names = families.get(family);
    if (names === undefined) families.set(family, [name]);
    else names.push(name);
  }
  return [...families.values()].flat();
}

const TIME = /_ms(?=$|_total$)/;

/** Without prefix `commit_latency_seconds` for `commit_latency_ms`. */
export function inBaseUnits(family: string): string {
  return family.replace(TIME, "_seconds");
}

function exposedName(family: string): string {
  return PREFIX + inBaseUnits(family);
}

function scaled(family: string, value: number): number {
  return TIME.test(family) ? value / 1000 : value;
}

function sharedLabels(options: PrometheusOptions): string {
  for (const name of Object.keys(options)) {
    if (name !== "labels") {
      throw new StillwaterError(
        "UNKNOWN_OPTION",
        `prometheusText has no option "${name}". It knows: labels.`,
      );
    }
  }
  return Object.entries(options.labels ?? {})
    .map(([name, value]) => {
      if (!LABEL_NAME.test(name) || name.startsWith("__") || name === "le" || name === "level") {
        throw new StillwaterError(
          "INVALID_ARGUMENT",
          `"${name}" cannot be the name of a label: letters, digits and _ only, not led by a digit or "__", and neither "le" nor "level".`,
        );
      }
      return `${name}="${String(value).replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"')}"`;
    })
    .join(",");
}

function joined(first: string, second: string): string {
  return first === "" || second === "" ? first + second : `${first},${second}`;
}

function braced(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}
