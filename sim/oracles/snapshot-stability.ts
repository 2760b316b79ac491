/**
 * O6 and O22. Both verify that a read shows the state after one prefix of the commits, the one its version stands for, as
 * the model has it: a map from each key to its value after each commit (`sim/model`), which takes the same commits in the
 * same order. O6 asks it of pinned versions: a snapshot or iterator reads the same before and after flushes and
 * compactions, forward and backward, by scan and by key, within its bounds and limit. O22 asks it of reads without a
 * snapshot: the store answers as the versioned map does now. Where a commit's answer is still on its way the version
 * leaves a few prefixes open; each read narrows them, and later reads of the same version must agree.
 * Does not verify: that the version is new enough (O5).
 */
import {
  describeEntry,
  describeValue,
  holds,
  nextLiveIndex,
  type Row,
  scanMismatch,
} from "../model/comparison.js";
import type { Model, PrefixSpan } from "../model/model.js";
import { shownKey, writerOf } from "../workload/bytes.js";
import { type Bounds, operationOfWriter } from "../workload/operation.js";
import { OracleFailure, type OracleId, type OracleLedger } from "./failure.js";

/** Which promise a read is judged by: a pinned version, now, or through the interface of Level. */
export type ReadPromise = "O6" | "O22" | "O42";

/** Checks a point read and narrows `span`. `how` names the read for the message. */
export function checkGet(
  ledger: OracleLedger,
  model: Model,
  span: PrefixSpan,
  key: string,
  value: Uint8Array | undefined,
  how: string,
  promise: ReadPromise = "O6",
): void {
  ledger.count(promise);
  const history = model.history(key);
  const fits = (sequence: number): boolean =>
    history === undefined ? value === undefined : holds(history, history.indexAt(sequence), value);
  if (narrow(span, fits)) return;
  const wanted = history === undefined ? "absent" : describeEntry(history, history.indexAt(span.high));
  throw new OracleFailure(
    kindOfMismatch(model, key, value, promise),
    `${how}: ${shownKey(key)} is ${describeValue(value)}, not ${wanted} (commit ${shownSpan(span)})`,
  );
}

/** Checks the rows of a scan and narrows `span`. `limit` is the number of rows asked for. */
export function checkScan(
  ledger: OracleLedger,
  model: Model,
  span: PrefixSpan,
  bounds: Bounds,
  limit: number,
  rows: readonly Row[],
  how: string,
  promise: ReadPromise = "O6",
): void {
  ledger.count(promise);
  let mismatch: string | null = null;
  const fits = (sequence: number): boolean => {
    mismatch = scanMismatch(model, sequence, bounds, limit, rows);
    return mismatch === null;
  };
  if (narrow(span, fits)) return;
  throw new OracleFailure(promise, `${how}: ${mismatch} (commit ${shownSpan(span)})`);
}

/** Shrinks `span` to the prefixes that fit; false when none does. */
function narrow(span: PrefixSpan, fits: (sequence: number) => boolean): boolean {
  let low = span.low;
  while (low <= span.high && !fits(low)) low++;
  if (low > span.high) return false;
  let high = span.high;
  while (high > low && !fits(high)) high--;
  span.low = low;
  span.high = high;
  return true;
}

/** A value that was stored once but is not due here is a resurrection or a stale read; one never stored is corruption. */
function kindOfMismatch(
  model: Model,
  key: string,
  value: Uint8Array | undefined,
  promise: ReadPromise,
): OracleId {
  if (value === undefined) return promise;
  const writer = writerOf(value);
  if (writer === null) return promise;
  const newest = model.commits.at(-1)?.operation ?? -1;
  const operation = operationOfWriter(writer);
  if (operation > newest && !model.lostOperations.has(operation)) return "O23";
  const history = model.history(key);
  const index = history?.writers.lastIndexOf(writer) ?? -1;
  const overwritten = history !== undefined && index >= 0 && index < history.writers.length - 1;
  return overwritten ? "O12" : promise;
}

function shownSpan(span: PrefixSpan): string {
  return span.low === span.high ? String(span.low) : `${span.low} to ${span.high}`;
}

/**
 * Checks one step of an iterator: `row` is what it moved to, null at the end; `from` is where it stood. Narrows `span`.
 */
export function checkStep(
  ledger: OracleLedger,
  model: Model,
  span: PrefixSpan,
  bounds: Bounds,
  from: { readonly key: string; readonly inclusive: boolean } | null,
  row: Row | null,
  how: string,
  promise: "O6" | "O42" = "O6",
): void {
  ledger.count(promise);
  const fits = (sequence: number): boolean => {
    const index = nextLiveIndex(model, sequence, bounds, from);
    const history = model.histories[index];
    if (history === undefined || row === null) return history === undefined && row === null;
    return history.key === row.key && holds(history, history.indexAt(sequence), row.value);
  };
  if (narrow(span, fits)) return;
  const wanted = model.histories[nextLiveIndex(model, span.high, bounds, from)];
  const came = row === null ? "the end" : `${shownKey(row.key)} with ${describeValue(row.value)}`;
  const due = wanted === undefined ? "the end" : shownKey(wanted.key);
  const place = from === null ? "the start" : shownKey(from.key);
  throw new OracleFailure(
    row === null ? promise : kindOfMismatch(model, row.key, row.value, promise),
    `${how}: after ${place} came ${came}, not ${due} (commit ${shownSpan(span)})`,
  );
}
