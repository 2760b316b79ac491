/**
 * Entries from the ranges of keys that a plan names: of one index, of the collection, or of several merged in one order. Lazy: a range
 * is read as far as entries are taken. Starts behind a place when a page goes on.
 *
 * Does not own: reading documents for entries, conditions, limits (`execute.ts`).
 */
import { compareKeys } from "../engine/format/bytes.js";
import type { KeyRange } from "../keyspace/subspace.js";
import { unpack } from "../keyspace/tuple.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import { assert } from "../platform/assert.js";
import { mutant } from "../platform/probes.js";
import { type EntryDecoder, elementsOf } from "./entry-decoder.js";
import type { QuerySource } from "./execute.js";
import type { Access, CollectionScan, IndexScan, RowOrder, Span } from "./plan.js";
import { type Entry, elementKey, type Place, Placement } from "./row.js";
import { isPoint } from "./value-set.js";

export interface ScanContext {
  readonly source: QuerySource;
  readonly order: RowOrder;
  /** Entries must say where they stand. */
  readonly withPlaces: boolean;
  /** Entries become documents of what the index has; null: documents are read. */
  readonly decoder: EntryDecoder | null;
}

export function entriesOf(
  access: Access,
  context: ScanContext,
  after: Place | null,
): AsyncGenerator<Entry, void, undefined> {
  switch (access.op) {
    case "nothing":
      return none();
    case "collectionScan":
      return collectionEntries(access, context, after);
    case "indexScan":
      return indexEntries(access, context, after);
    case "mergeUnion":
      return merged(access.of, { ...context, withPlaces: true }, after);
    case "union":
      return oneAfterTheOther(access.of, context);
  }
}

async function* none(): AsyncGenerator<Entry, void, undefined> {}

async function* collectionEntries(
  { keys, reverse }: CollectionScan,
  { source, withPlaces }: ScanContext,
  after: Place | null,
): AsyncGenerator<Entry, void, undefined> {
  const { items, reader } = source;
  const { prefix } = items.space;
  for (const interval of reverse ? keys.toReversed() : keys) {
    const whole = { begin: joined(prefix, interval.low.bytes), end: joined(prefix, interval.high.bytes) };
    // Parts of a large item follow its key.
    const range = after === null ? whole : rest(whole, joined(prefix, after.primaryKey), ALL_PARTS, reverse);
    if (range === null) continue;
    if (isPoint(interval)) {
      const [primaryKey] = unpack(interval.low.bytes);
      yield entry(primaryKey as TupleElement, undefined); // a point is one element
      continue;
    }
    for await (const { primaryKey, document } of items.scan(reader, { ...range, reverse }))
      yield entry(primaryKey, document);
  }

  function entry(primaryKey: TupleElement, document: unknown): Entry {
    return {
      primaryKey,
      document,
      place: withPlaces ? { keys: [], primaryKey: elementKey(primaryKey) } : null,
    };
  }
}

async function* indexEntries(
  scan: IndexScan,
  { source, order, withPlaces, decoder }: ScanContext,
  after: Place | null,
): AsyncGenerator<Entry, void, undefined> {
  const { spans, reverse, fields } = scan;
  const space = source.indexSpace(scan.indexId, scan.generation);
  const ordering = order.fields.map(({ field }) => fields.indexOf(field));
  for (const span of reverse ? spans.toReversed() : spans) {
    const whole = rangeOf(space.prefix, span);
    const range =
      after === null
        ? whole
        : rest(whole, joined(space.prefix, keyBehind(scan, span, order, after)), NEXT, reverse);
    if (range === null) continue;
    for await (const [key, value] of source.reader.getRange(range.begin, range.end, { reverse })) {
      const elements = elementsOf(scan, space.prefix, key);
      const primaryKey = elements[fields.length] as TupleElement; // `elementsOf` has counted them
      yield {
        primaryKey,
        document: decoder === null ? undefined : await decoder.document(scan, elements, value),
        place: withPlaces
          ? {
              keys: ordering.map((at) => elementKey(elements[at] as TupleElement)),
              primaryKey: elementKey(primaryKey),
            }
          : null,
      };
    }
  }
}

/** In one order; neighbours of one document are one. */
async function* merged(
  scans: readonly (IndexScan | CollectionScan)[],
  context: ScanContext,
  after: Place | null,
): AsyncGenerator<Entry, void, undefined> {
  const placement = new Placement(context.order);
  const sources = scans.map((scan) => entriesOf(scan, context, after));
  let last: Place | null = null;
  try {
    const heads = await Promise.all(sources.map((source) => source.next()));
    for (;;) {
      let first = -1;
      for (let at = 0; at < heads.length; at++) {
        if (heads[at]?.done !== false) continue;
        if (first < 0 || placement.compare(placeAt(heads[at]), placeAt(heads[first])) < 0) first = at;
      }
      const head = heads[first];
      if (head === undefined || head.done === true) return;
      const place = placeAt(head);
      const isRepeated = last !== null && placement.compare(place, last) === 0;
      if (!isRepeated || mutant("Q4-union-gives-a-document-twice")) yield head.value;
      last = place;
      heads[first] = await (sources[first] as (typeof sources)[number]).next(); // in bounds, as its head
    }
  } finally {
    await Promise.all(sources.map((source) => source.return()));
  }
}

async function* oneAfterTheOther(
  scans: readonly (IndexScan | CollectionScan)[],
  context: ScanContext,
): AsyncGenerator<Entry, void, undefined> {
  for (const scan of scans) yield* entriesOf(scan, context, null);
}

function placeAt(head: IteratorResult<Entry, void> | undefined): Place {
  const place = head?.done === false ? head.value.place : null;
  assert(place !== null, "entries of a merge say where they stand");
  return place;
}

function rangeOf(prefix: Uint8Array, { equals, within }: Span): KeyRange {
  const values = joined(prefix, ...equals.map(({ low }) => low.bytes));
  return {
    begin: within === null ? values : joined(values, within.low.bytes),
    end: joined(values, within === null ? AFTER_ALL : within.high.bytes),
  };
}

/** The key, within the index, that a row at this place has or would have among the rows of the span. */
function keyBehind(scan: IndexScan, span: Span, order: RowOrder, place: Place): Uint8Array {
  const parts = scan.fields.map((field, at) => {
    const rank = order.fields.findIndex((term) => term.field === field);
    const part = place.keys[rank] ?? span.equals[at]?.low.bytes;
    assert(part !== undefined, "an index that gives an order has its fields, or one value of the others");
    return part;
  });
  return joined(...parts, place.primaryKey);
}

/** What of a range lies behind a key in the direction of reading; null for nothing. */
function rest(whole: KeyRange, key: Uint8Array, next: Uint8Array, reverse: boolean): KeyRange | null {
  const isRepeating = mutant("Q1-page-begins-with-the-last-item");
  const bound = reverse === isRepeating ? joined(key, next) : key;
  const range = reverse
    ? { begin: whole.begin, end: compareKeys(bound, whole.end) < 0 ? bound : whole.end }
    : { begin: compareKeys(bound, whole.begin) > 0 ? bound : whole.begin, end: whole.end };
  return compareKeys(range.begin, range.end) < 0 ? range : null;
}

const NEXT = Uint8Array.of(0x00);
const ALL_PARTS = Uint8Array.of(0xff);
const AFTER_ALL = Uint8Array.of(0xff);

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}
