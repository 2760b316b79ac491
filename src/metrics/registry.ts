/**
 * Counters and histograms of one part, made to be counted in the hottest paths: a typed array each, so that counting is one
 * addition in place, without allocation, names or time. What is true of a moment (gauges) is not kept but asked for when somebody looks.
 * Does not own: what the names mean (`catalogue.ts`), who reads clocks.
 */
import type { HistogramSnapshot } from "./snapshot.js";

/** Places of counters by their names: `COUNTER.puts_total` is a number. */
export type CounterPlaces<Name extends string> = { readonly [Place in Name]: number };

export function counterPlaces<const Name extends string>(names: readonly Name[]): CounterPlaces<Name> {
  return Object.fromEntries(names.map((name, at) => [name, at])) as Record<Name, number>;
}

export class Counters {
  readonly #names: readonly string[];
  readonly #values: Float64Array;

  constructor(places: Readonly<Record<string, number>>) {
    this.#names = Object.keys(places);
    this.#values = new Float64Array(this.#names.length);
  }

  /** `by` is not negative. */
  add(place: number, by = 1): void {
    // Places come from `counterPlaces`, so there is a value.
    this.#values[place] = (this.#values[place] as number) + by;
  }

  get(place: number): number {
    return this.#values[place] as number; // as above
  }

  snapshot(): Record<string, number> {
    return Object.fromEntries(this.#names.map((name, at) => [name, this.get(at)]));
  }
}

/** Of times, in milliseconds: from what memory takes to what a person gives up on. */
export const TIME_BOUNDS_MS: readonly number[] = [
  0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000,
];
/** Of counts. */
export const COUNT_BOUNDS: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

export class Histogram {
  readonly #bounds: Float64Array;
  /** One more than bounds: what is above the last. */
  readonly #counts: Float64Array;
  /** In an array, so that adding to it allocates nothing. */
  readonly #sum = new Float64Array(1);

  /** `bounds` ascend. */
  constructor(bounds: readonly number[]) {
    this.#bounds = Float64Array.from(bounds);
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** As if `value` had come `times` times. */
  observe(value: number, times = 1): void {
    const bounds = this.#bounds;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] as number)) at++;
    this.#counts[at] = (this.#counts[at] as number) + times;
    this.#sum[0] = (this.#sum[0] as number) + value * times;
  }

  snapshot(): HistogramSnapshot {
    let count = 0;
    const buckets = Array.from(this.#counts, (own, at) => {
      count += own;
      return { le: this.#bounds[at] ?? Number.POSITIVE_INFINITY, count };
    });
    return { count, sum: this.#sum[0] as number, buckets };
  }
}
