/** `getMetrics`: what the engine counts. As text for Prometheus it is served at `/metrics`. */
import type { MetricsSnapshot } from "../../metrics/snapshot.js";
import { type AdminContext, storeOf } from "../context.js";
import { operation } from "../operation.js";
import { dictionary, integer, list, nullable, number, object } from "../schema.js";

export const getMetrics = operation({
  name: "getMetrics",
  summary: "Counters, gauges and histograms of the engine.",
  effect: "read",
  errors: ["NOT_SUPPORTED"],
  input: object({}),
  output: object({
    counters: dictionary(number(), { description: "Only grow while the store is open." }),
    gauges: dictionary(number()),
    histograms: dictionary(
      object({
        count: integer({ minimum: 0 }),
        sum: number(),
        buckets: list(
          object({
            le: nullable(number({ description: "Null: no bound." })),
            count: integer({ minimum: 0, description: "Of observations of at most `le`." }),
          }),
        ),
      }),
    ),
  }),
  async run(context) {
    const { counters, gauges, histograms } = metricsOf(context);
    const shown = Object.entries(histograms).map(([name, { count, sum, buckets }]) => [
      name,
      {
        count,
        sum,
        buckets: buckets.map((one) => ({ le: Number.isFinite(one.le) ? one.le : null, count: one.count })),
      },
    ]);
    return {
      counters,
      gauges,
      histograms: Object.fromEntries(shown) as Readonly<Record<string, ShownHistogram>>,
    };
  },
});

interface ShownHistogram {
  readonly count: number;
  readonly sum: number;
  readonly buckets: readonly { readonly le: number | null; readonly count: number }[];
}

/** Throws `NOT_SUPPORTED`. */
export function metricsOf(context: AdminContext): MetricsSnapshot {
  return storeOf(context).metrics();
}
