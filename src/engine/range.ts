/** Ranges as users give them (`gte`, `gt`, `lte`, `lt`) and as the engine wants them: [begin, end). */
import { StillwaterError } from "../platform/errors.js";
import { checkKey } from "./batch.js";
import { compareKeys, copyOf, keyAfter } from "./format/bytes.js";
import { refuseUnknownOptions } from "./options.js";
import type { IterationRange } from "./read/store-iterator.js";
import { Snapshot } from "./snapshots.js";

/** Which keys a scan or iterator goes over, from which end, and how many. */
export interface ScanOptions {
  /** Keys at or after this one. */
  readonly gte?: Uint8Array;
  /** Keys after this one. Not together with `gte`. */
  readonly gt?: Uint8Array;
  /** Keys at or before this one. */
  readonly lte?: Uint8Array;
  /** Keys before this one. Not together with `lte`. */
  readonly lt?: Uint8Array;
  /** From the last key to the first. Default false. */
  readonly reverse?: boolean;
  /** At most this many rows. Default: all. */
  readonly limit?: number;
  /** Read at this snapshot instead of now. */
  readonly snapshot?: Snapshot;
}

/** The keys in [begin, end). */
export interface KeyRange {
  readonly begin: Uint8Array;
  readonly end: Uint8Array;
}

const NAMES = ["gte", "gt", "lte", "lt", "reverse", "limit", "snapshot"];

/** Throws `UNKNOWN_OPTION` and `INVALID_ARGUMENT`. */
export function iterationRange(options: ScanOptions, call: string): IterationRange {
  refuseUnknownOptions(options, NAMES, call);
  const { gte, gt, lte, lt, reverse, limit, snapshot } = options;
  for (const bound of [gte, gt, lte, lt]) if (bound !== undefined) checkKey(bound);
  if (gte !== undefined && gt !== undefined) throw bothGiven("gte", "gt", call);
  if (lte !== undefined && lt !== undefined) throw bothGiven("lte", "lt", call);
  if (reverse !== undefined && typeof reverse !== "boolean") {
    throw new StillwaterError("INVALID_ARGUMENT", `${call}: reverse must be true or false.`);
  }
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0)) {
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `${call}: limit must be a whole number from 0, but is ${String(limit)}.`,
    );
  }
  if (snapshot !== undefined && !(snapshot instanceof Snapshot)) {
    throw new StillwaterError("INVALID_ARGUMENT", `${call}: snapshot must come from store.snapshot().`);
  }
  // Copies: an iterator outlives the call, and the caller may reuse its buffers. (`slice` of a Buffer would be a view.)
  return {
    begin: gte === undefined ? (gt === undefined ? null : keyAfter(gt)) : copyOf(gte, 0, gte.length),
    end: lt === undefined ? (lte === undefined ? null : keyAfter(lte)) : copyOf(lt, 0, lt.length),
    reverse: reverse ?? false,
    limit: limit ?? Number.POSITIVE_INFINITY,
  };
}

/** Throws `INVALID_ARGUMENT`, `KEY_TOO_LARGE`. */
export function checkKeyRange(range: KeyRange, call: string): void {
  refuseUnknownOptions(range, ["begin", "end"], call);
  checkKey(range.begin);
  checkKey(range.end);
}

/** The smallest range that has the keys of both; null is everything. */
export function rangeOfBoth(a: KeyRange | null, b: KeyRange | null): KeyRange | null {
  if (a === null || b === null) return null;
  return {
    begin: compareKeys(a.begin, b.begin) < 0 ? a.begin : b.begin,
    end: compareKeys(a.end, b.end) < 0 ? b.end : a.end,
  };
}

function bothGiven(a: string, b: string, call: string): StillwaterError {
  return new StillwaterError("INVALID_ARGUMENT", `${call}: give ${a} or ${b}, not both.`);
}
