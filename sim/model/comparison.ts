/**
 * Comparing what was read with the trace: which prefixes of the commits explain the whole content of a store, and
 * whether a scan or a point read shows one given prefix. Only compares; what a mismatch means is for `sim/oracles`.
 */
import { isValueOf, shownKey, writerOf } from "../workload/bytes.js";
import type { Bounds } from "../workload/operation.js";
import { ABSENT, type KeyHistory } from "./key-history.js";
import type { Model } from "./model.js";

export interface Row {
  readonly key: string;
  readonly value: Uint8Array;
}

/** Whether the entry at `index` of a history is this value; `undefined` is absence, index -1 never written. */
export function holds(history: KeyHistory, index: number, value: Uint8Array | undefined): boolean {
  const writer = index < 0 ? ABSENT : (history.writers[index] as number);
  if (value === undefined) return writer === ABSENT;
  if (writer === ABSENT) return false;
  const literal = history.literals[index];
  if (literal) return Buffer.compare(value, literal) === 0;
  return isValueOf(value, writer, history.lengths[index] as number);
}

/** The prefixes in [low, high] after which `history` holds `value`, as bits of a fresh or given map. */
function clearMismatches(
  possible: Uint8Array,
  low: number,
  high: number,
  history: KeyHistory,
  value: Uint8Array | undefined,
): void {
  let index = history.indexAt(low);
  let from = low;
  while (from <= high) {
    const nextChange = history.sequences[index + 1] ?? Number.POSITIVE_INFINITY;
    const to = nextChange <= high ? nextChange - 1 : high;
    if (!holds(history, index, value)) possible.fill(0, from - low, to - low + 1);
    from = to + 1;
    index++;
  }
}

/** The whole content of a store beside the trace. */
export class StoreContent {
  readonly model: Model;
  readonly rows: readonly Row[];
  readonly low: number;
  readonly high: number;
  /** `possible[k - low]` is 1 when the content is the state after commit k. */
  readonly possible: Uint8Array;
  /** A row whose key no commit ever wrote. */
  readonly stranger: Row | null;

  /** `rows` ascending by key, without repetition. O(keys + commits of the span). */
  constructor(model: Model, rows: readonly Row[], low = model.base, high = model.submitted) {
    this.model = model;
    this.rows = rows;
    this.low = low;
    this.high = high;
    this.possible = new Uint8Array(high - low + 1).fill(1);
    let stranger: Row | null = null;
    this.pairs((history, row) => {
      if (history === undefined)
        stranger ??= row as Row; // a pair has a history or a row
      else clearMismatches(this.possible, low, high, history, row?.value);
    });
    this.stranger = stranger;
    if (this.stranger !== null) this.possible.fill(0);
  }

  /** The longest prefix in [from, high] that explains the content, or null. */
  longestPrefix(from: number): number | null {
    for (let sequence = this.high; sequence >= from; sequence--) {
      if (this.possible[sequence - this.low] === 1) return sequence;
    }
    return null;
  }

  /** The shortest prefix in [from, high] that explains the content, or null. */
  shortestPrefix(from: number): number | null {
    const index = this.possible.indexOf(1, from - this.low);
    return index < 0 ? null : this.low + index;
  }

  /** The prefixes that explain one key's content: the shortest and the longest, or null when none does. */
  spanOf(history: KeyHistory, value: Uint8Array | undefined): { shortest: number; longest: number } | null {
    const possible = new Uint8Array(this.high - this.low + 1).fill(1);
    clearMismatches(possible, this.low, this.high, history, value);
    const shortest = possible.indexOf(1);
    if (shortest < 0) return null;
    return { shortest: this.low + shortest, longest: this.low + possible.lastIndexOf(1) };
  }

  /** Calls `visit` for each key of the model or the store: its history, its row, or both. Ascending. */
  pairs(visit: (history: KeyHistory | undefined, row: Row | undefined) => void): void {
    let at = 0;
    for (const history of this.model.histories) {
      let row = this.rows[at];
      while (row !== undefined && row.key < history.key) {
        visit(undefined, row);
        row = this.rows[++at];
      }
      if (row !== undefined && row.key === history.key) {
        visit(history, row);
        at++;
      } else {
        visit(history, undefined);
      }
    }
    for (; at < this.rows.length; at++) visit(undefined, this.rows[at]);
  }
}

export function withinBounds(key: string, bounds: Bounds): boolean {
  if (bounds.gte !== undefined && key < bounds.gte) return false;
  if (bounds.gt !== undefined && key <= bounds.gt) return false;
  if (bounds.lte !== undefined && key > bounds.lte) return false;
  return bounds.lt === undefined || key < bounds.lt;
}

/**
 * Compares the rows of a scan with the state after commit `sequence`. Null when equal, else the first difference in
 * words. `limit` is the number of rows asked for; fewer may come only when no more are there.
 */
export function scanMismatch(
  model: Model,
  sequence: number,
  bounds: Bounds,
  limit: number,
  rows: readonly Row[],
): string | null {
  const histories = model.histories;
  const reverse = bounds.reverse === true;
  let taken = 0;
  for (let n = 0; n < histories.length && taken < limit; n++) {
    const history = histories[reverse ? histories.length - 1 - n : n] as KeyHistory; // n < length
    if (!withinBounds(history.key, bounds)) continue;
    const index = history.indexAt(sequence);
    if (index < 0 || history.writers[index] === ABSENT) continue;
    const row = rows[taken];
    if (row === undefined) return `the scan ends before ${shownKey(history.key)}`;
    if (row.key !== history.key) {
      return `row ${taken} is ${shownKey(row.key)} where ${shownKey(history.key)} must come`;
    }
    if (!holds(history, index, row.value)) {
      return `${shownKey(row.key)} is ${describeValue(row.value)}, not ${describeEntry(history, index)}`;
    }
    taken++;
  }
  const extra = rows[taken];
  return extra === undefined ? null : `row ${taken}, ${shownKey(extra.key)}, must not be there`;
}

/** For messages: which write a value claims to come from. */
export function describeValue(value: Uint8Array | undefined): string {
  if (value === undefined) return "absent";
  const writer = writerOf(value);
  return writer === null
    ? `a value of ${value.length} bytes`
    : `a value of ${value.length} bytes by write ${writer}`;
}

/** For messages: what the model holds. */
export function describeEntry(history: KeyHistory | undefined, index: number): string {
  const writer = history === undefined || index < 0 ? ABSENT : (history.writers[index] as number);
  if (history === undefined || writer === ABSENT) return "absent";
  return `a value of ${history.lengths[index]} bytes by write ${writer}`;
}

/** The next live key after commit `sequence` in iteration order, from a place on; -1 at the end of the bounds. */
export function nextLiveIndex(
  model: Model,
  sequence: number,
  bounds: Bounds,
  from: { readonly key: string; readonly inclusive: boolean } | null,
): number {
  const { histories } = model;
  const step = bounds.reverse === true ? -1 : 1;
  let at = step === 1 ? 0 : histories.length - 1;
  if (from !== null) {
    at = model.indexOf(from.key);
    const exact = histories[at]?.key === from.key;
    if (step === 1) at += exact && !from.inclusive ? 1 : 0;
    else at -= exact && from.inclusive ? 0 : 1;
  }
  for (; at >= 0 && at < histories.length; at += step) {
    const history = histories[at] as KeyHistory; // in range
    if (history.writerAt(sequence) !== ABSENT && withinBounds(history.key, bounds)) return at;
  }
  return -1;
}
