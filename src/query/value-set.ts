/**
 * Sets of values of one field as disjoint intervals, in the order of indexes: what a condition leaves possible, and what ranges of
 * keys it becomes. A cut lies before or after a value, or around all texts with a prefix, and knows its place among the bytes of
 * packed elements: so sets are compared and joined without asking what type a value has.
 *
 * Owns the arithmetic. Does not own: which condition is which set (`constraints.ts`).
 */
import { compareKeys, EMPTY_BYTES } from "../engine/format/bytes.js";
import { keyAfterPrefix } from "../keyspace/subspace.js";
import { pack } from "../keyspace/tuple.js";
import { BIG_NEGATIVE, BIG_POSITIVE } from "../keyspace/tuple-codes.js";
import { type IndexValue, indexElement } from "../record/index-value.js";

/** A place between values. Plain data. */
export interface Cut {
  /** Keys of elements below it are smaller, those above it are not. */
  readonly bytes: Uint8Array;
  readonly side: "start" | "before" | "after" | "end";
  /** What it lies beside; for people. */
  readonly value: IndexValue;
}

/** [low, high). Never empty. */
export interface Interval {
  readonly low: Cut;
  readonly high: Cut;
}

/** Disjoint, in order. */
export type ValueSet = readonly Interval[];

/** How values of a field are elements of keys. */
export interface KeyDomain {
  before(value: IndexValue): Cut;
  after(value: IndexValue): Cut;
}

const START: Cut = { bytes: EMPTY_BYTES, side: "start", value: null };
const END: Cut = { bytes: Uint8Array.of(0xff), side: "end", value: null };

export const EVERYTHING: ValueSet = [{ low: START, high: END }];
export const NOTHING: ValueSet = [];

/** Fields of an index: `indexElement`. */
export const FIELD_VALUES: KeyDomain = {
  before: (value) => ({ bytes: packed(value), side: "before", value }),
  after: (value) => ({ bytes: followedByAll(packed(value)), side: "after", value }),
};

/**
 * Primary keys: their integers are integers, and compare with any number by value. Cuts at a number that is no integer lie before the
 * next one.
 */
export const KEY_VALUES: KeyDomain = {
  before: (value) => ({ bytes: keyBytes(value) ?? packed(value), side: "before", value }),
  after(value) {
    const bytes = keyBytes(value) ?? packed(value);
    const isThere = typeof value !== "number" || Number.isInteger(value);
    return { bytes: isThere ? followedByAll(bytes) : bytes, side: "after", value };
  },
};

export function between(low: Cut | null, high: Cut | null): ValueSet {
  const interval = { low: low ?? START, high: high ?? END };
  return isEmpty(interval) ? NOTHING : [interval];
}

export function point(domain: KeyDomain, value: IndexValue): ValueSet {
  return between(domain.before(value), domain.after(value));
}

/** All texts that begin so. */
export function textsWithPrefix(prefix: string): ValueSet {
  const whole = packed(prefix);
  // Without the byte that ends a text.
  const bytes = whole.subarray(0, whole.length - 1);
  return between(
    { bytes, side: "before", value: prefix },
    { bytes: keyAfterPrefix(bytes), side: "after", value: `${prefix}…` },
  );
}

export function intersection(a: ValueSet, b: ValueSet): ValueSet {
  const both: Interval[] = [];
  for (let i = 0, k = 0; i < a.length && k < b.length; ) {
    const [one, other] = [a[i] as Interval, b[k] as Interval]; // in bounds
    const low = compareCuts(one.low, other.low) >= 0 ? one.low : other.low;
    const oneEndsFirst = compareCuts(one.high, other.high) <= 0;
    const common = { low, high: oneEndsFirst ? one.high : other.high };
    if (!isEmpty(common)) both.push(common);
    if (oneEndsFirst) i++;
    else k++;
  }
  return both;
}

export function union(...sets: readonly ValueSet[]): ValueSet {
  const sorted = sets.flat().sort((one, other) => compareCuts(one.low, other.low));
  const joined: Interval[] = [];
  for (const interval of sorted) {
    const last = joined.at(-1);
    // Points that touch stay apart: they are seeks of their own.
    if (last === undefined || compareCuts(interval.low, last.high) >= 0) joined.push(interval);
    else if (compareCuts(interval.high, last.high) > 0) {
      joined[joined.length - 1] = { low: last.low, high: interval.high };
    }
  }
  return joined;
}

export function complement(set: ValueSet): ValueSet {
  const gaps: Interval[] = [];
  let low = START;
  for (const interval of set) {
    const gap = { low, high: interval.low };
    if (!isEmpty(gap)) gaps.push(gap);
    low = interval.high;
  }
  return [...gaps, ...between(low, null)];
}

/** Whether everything of `inner` is in `outer`. */
export function includes(outer: ValueSet, inner: ValueSet): boolean {
  return intersection(complement(outer), inner).length === 0;
}

export function isEverything(set: ValueSet): boolean {
  return complement(set).length === 0;
}

/** Whether it holds one value and no more. */
export function isPoint({ low, high }: Interval): boolean {
  return (
    low.side === "before" && high.side === "after" && compareKeys(followedByAll(low.bytes), high.bytes) === 0
  );
}

/** One interval around all. */
export function hull(set: ValueSet): ValueSet {
  const first = set[0];
  const last = set.at(-1);
  return first === undefined || last === undefined ? NOTHING : [{ low: first.low, high: last.high }];
}

function compareCuts(a: Cut, b: Cut): number {
  return compareKeys(a.bytes, b.bytes);
}

function isEmpty({ low, high }: Interval): boolean {
  return compareCuts(low, high) >= 0;
}

function packed(value: IndexValue): Uint8Array {
  return pack([indexElement(value)?.element ?? null]);
}

/** The last byte that can follow an element and begin none. */
function followedByAll(bytes: Uint8Array): Uint8Array {
  const longer = new Uint8Array(bytes.length + 1);
  longer.set(bytes);
  longer[bytes.length] = 0xff;
  return longer;
}

/** Where a number stands among integers; null for what is no number. */
function keyBytes(value: IndexValue): Uint8Array | null {
  if (typeof value !== "number") return null;
  if (value === Number.POSITIVE_INFINITY) return Uint8Array.of(BIG_POSITIVE + 1);
  if (value === Number.NEGATIVE_INFINITY) return Uint8Array.of(BIG_NEGATIVE);
  return pack([BigInt(Math.ceil(value))]);
}
