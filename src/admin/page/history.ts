/**
 * What has been measured while the page was open: for each moment a few numbers, made of the metrics then and at the moment before.
 * Rates are per second between the two; where a counter has gone back (the server was started anew) or the page did not look for
 * a while, there is no number, and a plot shows a gap. Pure: time comes from the caller.
 */
import type { Histogram, MetricsSnapshot } from "./answers.js";

export type Value = number | null;

export interface Point {
  readonly atMs: number;
  readonly values: Readonly<Record<string, Value>>;
}

interface Moment {
  readonly metrics: MetricsSnapshot;
  readonly seconds: number;
  readonly before: MetricsSnapshot;
}

/** Null: it cannot be told. */
export type Measure = (moment: Moment) => Value;

const POINTS_MAX = 1_800;

export class History {
  readonly points: Point[] = [];
  private readonly measures: Readonly<Record<string, Measure>>;
  private readonly gapMs: number;
  private last: { readonly atMs: number; readonly metrics: MetricsSnapshot } | null = null;

  /** Moments further apart than `gapMs` say nothing about the time between them. */
  constructor(measures: Readonly<Record<string, Measure>>, gapMs: number) {
    this.measures = measures;
    this.gapMs = gapMs;
  }

  add(metrics: MetricsSnapshot, atMs: number): void {
    const { last } = this;
    this.last = { atMs, metrics };
    if (last === null || atMs <= last.atMs) return;
    const isGap = atMs - last.atMs > this.gapMs;
    const moment = { metrics, seconds: (atMs - last.atMs) / 1000, before: last.metrics };
    const values: Record<string, Value> = {};
    for (const [name, measure] of Object.entries(this.measures))
      values[name] = isGap ? null : measure(moment);
    this.points.push({ atMs, values });
    if (this.points.length > POINTS_MAX) this.points.shift();
  }
}

/** Of the sum of counters; one that is not there counts as zero. */
export function rateOf(...names: readonly string[]): Measure {
  return ({ metrics, before, seconds }) => {
    const grown = sumOf(metrics, names) - sumOf(before, names);
    return grown < 0 ? null : grown / seconds;
  };
}

export function gaugeOf(...names: readonly string[]): Measure {
  return ({ metrics: { gauges } }) => {
    const known = names.flatMap((name) => gauges[name] ?? []);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
  };
}

/** How many of both were `hits`; null when there were none. */
export function shareOf(hits: string, misses: string): Measure {
  return ({ metrics, before }) => {
    const [good, bad] = [hits, misses].map((name) => sumOf(metrics, [name]) - sumOf(before, [name])) as [
      number,
      number,
    ];
    return good < 0 || bad < 0 || good + bad === 0 ? null : good / (good + bad);
  };
}

/** Of what was observed between the two moments; null when nothing was. */
export function quantileOf(name: string, quantile: number): Measure {
  return ({ metrics, before }) => {
    const now = metrics.histograms[name];
    return now === undefined ? null : quantileBetween(before.histograms[name], now, quantile);
  };
}

/** As Prometheus does it: within a bucket the observations are taken to lie evenly. */
export function quantileBetween(before: Histogram | undefined, now: Histogram, quantile: number): Value {
  const counts = now.buckets.map(({ count }, at) => count - (before?.buckets[at]?.count ?? 0));
  const total = now.count - (before?.count ?? 0);
  if (total <= 0 || counts.some((count) => count < 0)) return null;
  const rank = quantile * total;
  const at = counts.findIndex((count) => count >= rank);
  const low = at > 0 ? (now.buckets[at - 1]?.le ?? 0) : 0;
  const high = now.buckets[at]?.le ?? null;
  // Beyond the last bound nothing is known but that it is more.
  if (high === null) return now.buckets.findLast(({ le }) => le !== null)?.le ?? null;
  const below = at > 0 ? (counts[at - 1] as number) : 0;
  const within = (counts[at] as number) - below;
  return within === 0 ? high : low + ((high - low) * (rank - below)) / within;
}

function sumOf({ counters }: MetricsSnapshot, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + (counters[name] ?? 0), 0);
}
