/**
 * Values that indexes and primary keys hold, as elements of tuples, and their order. The order is that of the packed bytes on every
 * backend: null, bytes, text by code point, dates, then big integers, numbers, false, true. A missing value is null.
 *
 * All plain numbers are doubles in an index: as integers and doubles of a tuple they would not be in one order. −0 is 0.
 * Primary keys are never null; their numbers are integers. Owns both conversions; does not own keys as a whole.
 */
import { compareKeys } from "../engine/format/bytes.js";
import { Float64, type TupleElement, Uuid } from "../keyspace/tuple-elements.js";

/** What can be in an index. */
export type IndexValue = null | Uint8Array | Date | string | bigint | number | boolean | Uuid;

/** What can be a primary key. */
export type PrimaryKey = string | number | bigint | Uint8Array | Uuid;

/** UTF-8 has no form for it. */
const HALF_A_PAIR = /\p{Surrogate}/u;
const DATE_MS_MAX = 8.64e15;
/** An integer of a tuple has at most 255 bytes. */
const BIGINT_LIMIT = 1n << (8n * 255n);

/** Null instead of an error, for the caller knows which field of which index this is: the value cannot be indexed. */
export function indexElement(value: unknown): { readonly element: TupleElement } | null {
  switch (typeof value) {
    case "undefined":
      return NULL_ELEMENT;
    case "string":
      return HALF_A_PAIR.test(value) ? null : { element: value };
    case "number":
      return Number.isNaN(value) ? null : { element: new Float64(value + 0) };
    case "boolean":
      return { element: value };
    case "bigint":
      return value < BIGINT_LIMIT && value > -BIGINT_LIMIT ? { element: value } : null;
    case "object":
      if (value === null) return NULL_ELEMENT;
      if (value instanceof Uint8Array || value instanceof Uuid) return { element: value };
      // A list of one integer, which nothing else is encoded as.
      if (value instanceof Date && !Number.isNaN(value.getTime())) return { element: [value.getTime()] };
      return null;
    default:
      return null;
  }
}

const NULL_ELEMENT = { element: null };

/** The value of an element that `indexElement` has made. Null instead of an error: the element is of another kind. */
export function indexValue(element: TupleElement): { readonly value: IndexValue } | null {
  if (element instanceof Float64) return { value: element.value };
  if (Array.isArray(element)) {
    // A covered field that the document has not, which is null to whoever compares.
    if (element.length === 0) return { value: null };
    const [ms] = element as readonly TupleElement[];
    return element.length === 1 && typeof ms === "number" && Math.abs(ms) <= DATE_MS_MAX
      ? { value: new Date(ms) }
      : null;
  }
  // A tuple reader gives integers as numbers where they are safe, and doubles as numbers where they are not.
  if (typeof element === "number")
    return { value: Number.isSafeInteger(element) && !Object.is(element, -0) ? BigInt(element) : element };
  if (element === null || element instanceof Uint8Array || element instanceof Uuid) return { value: element };
  if (typeof element === "string" || typeof element === "boolean" || typeof element === "bigint")
    return { value: element };
  return null;
}

/** Null: this is no primary key. */
export function primaryKeyElement(value: unknown): { readonly element: TupleElement } | null {
  if (typeof value === "number") return Number.isSafeInteger(value) ? { element: value + 0 } : null;
  // Who gave them may change them before they are used.
  if (value instanceof Uint8Array) return { element: Uint8Array.from(value) };
  if (value instanceof Uuid) return { element: new Uuid(Uint8Array.from(value.bytes)) };
  if (value === null || value === undefined || typeof value === "boolean" || value instanceof Date)
    return null;
  return indexElement(value);
}

/**
 * Below zero, zero, above zero: as the index orders them, without packing anything. For values that `indexElement` takes. A test
 * holds it against the packed bytes.
 */
export function compareIndexValues(a: IndexValue, b: IndexValue): number {
  if (typeof a === "number" && typeof b === "number") return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (typeof a === "bigint" && typeof b === "bigint") return a < b ? -1 : a > b ? 1 : 0;
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime();
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareKeys(a, b);
  if (a instanceof Uuid && b instanceof Uuid) return compareKeys(a.bytes, b.bytes);
  return rankOf(a) - rankOf(b);
}

/** Types in the order of their codes in a tuple. */
function rankOf(value: IndexValue): number {
  if (value === null) return 0;
  if (value instanceof Uint8Array) return 1;
  if (typeof value === "string") return 2;
  if (value instanceof Date) return 3;
  if (typeof value === "bigint") return 4;
  if (typeof value === "number") return 5;
  if (typeof value === "boolean") return value ? 7 : 6;
  return 8;
}

/** By code point: UTF-16 has the upper planes, as surrogates, before U+E000. */
function compareText(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const one = a.charCodeAt(at);
    const other = b.charCodeAt(at);
    if (one !== other) return codePointRank(one) - codePointRank(other);
  }
  return a.length - b.length;
}

function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
