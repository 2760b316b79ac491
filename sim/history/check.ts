/**
 * O5 from the outside: does a history of appends and reads fit a consistency model? After Elle (Kingsbury, Alvaro: "Elle: inferring
 * isolation anomalies from experimental observations", VLDB 2020): since values are unique and lists keep their order, reads
 * tell the order of versions, and so what transactions depend on each other; a model is broken by certain cycles.
 *
 * Verifies: every anomaly that is reported happened, whatever became of unknown transactions (no false positives).
 * Does not verify: what nobody read. A history whose reads are few may hide everything.
 */
import type { Anomaly } from "./anomaly.js";
import { findCycles } from "./cycles.js";
import { Dependencies } from "./dependencies.js";
import { checkTimes, type History, indexAppends } from "./history.js";
import { findLostUpdates, findLostWrites } from "./losses.js";
import { ANOMALY_NAMES, DEFAULT_MODEL, forbids, isAtLeast, type Model } from "./models.js";
import { collectReads, findCommitted } from "./reads.js";
import { orderVersions } from "./version-order.js";

/** Which model a history is held against. */
export interface HistoryCheckOptions {
  /** `strict-serializable` unless said otherwise; it and no other needs times. */
  readonly model?: Model;
}

/** What was found in a history. */
export interface HistoryReport {
  readonly model: Model;
  /** How many; committed are those that are ok, and unknown ones of which something was read. */
  readonly transactions: number;
  readonly committed: number;
  readonly unknown: number;
  readonly keys: number;
  /** Of the graph of dependencies. */
  readonly dependencies: number;
  /** What the model forbids and the history shows, the gravest first. */
  readonly anomalies: readonly Anomaly[];
  /** False when cycles were so entangled that the search among them was cut short: smaller or graver ones may be there. */
  readonly isExhaustive: boolean;
}

/**
 * Throws `INVALID_ARGUMENT` for a history that is not well-formed. O(operations + values in lists + dependencies) for one
 * without cycles.
 */
export function checkHistory(history: History, options: HistoryCheckOptions = {}): HistoryReport {
  const model = options.model ?? DEFAULT_MODEL;
  const hasRealTime = isAtLeast(model, "strict-serializable");
  checkTimes(history, hasRealTime);
  const appends = indexAppends(history);
  const committed = findCommitted(history, appends);
  const { reads, internal } = collectReads(history, appends, committed, forbids(model, "internal"));
  const { keys, anomalies: values } = orderVersions(appends, committed, reads);
  const lostUpdates = forbids(model, "lost-update") ? findLostUpdates(appends, keys) : [];
  const lostWrites = findLostWrites(history, appends, keys, hasRealTime);
  const hasProcesses = isAtLeast(model, "strong-session-serializable");
  const dependencies = new Dependencies({ history, appends, committed, keys, hasProcesses, hasRealTime });
  const told = [...lostUpdates, ...lostWrites].map(({ transactions }) => transactions);
  const cycles = findCycles(dependencies, model, told);
  const anomalies = [...values, ...internal, ...lostWrites, ...lostUpdates, ...cycles.anomalies];
  return {
    model,
    transactions: history.length,
    committed: committed.filter(Boolean).length,
    unknown: history.filter(({ outcome }) => outcome === "unknown").length,
    keys: appends.size,
    dependencies: dependencies.graph.from.length,
    anomalies: anomalies.sort((a, b) => ANOMALY_NAMES.indexOf(a.name) - ANOMALY_NAMES.indexOf(b.name)),
    isExhaustive: cycles.isExhaustive,
  };
}
