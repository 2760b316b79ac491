/**
 * FoundationDB's tuple encoding, byte for byte (its design/tuple.md): typed values as a byte string whose bytewise order
 * is the order of the tuples, element by element, a shorter tuple before those that continue it.
 *
 * Promises: `unpack(pack(t))` holds the same values, and packing what `unpack` returned gives the same bytes, also for
 * bytes that other clients wrote. Everything that is not a tuple is refused with `INVALID_TUPLE` and the place.
 * Does not own: where a tuple stands in the key space (`subspace.ts`).
 */
import { invalid } from "./tuple-codes.js";
import type { Tuple, TupleElement } from "./tuple-elements.js";
import { TupleReader } from "./tuple-reader.js";
import { TupleWriter } from "./tuple-writer.js";

/** The key of a tuple. Throws `INVALID_TUPLE` for a value that has no encoding, or an incomplete versionstamp. */
export function pack(tuple: Tuple): Uint8Array {
  packer.reset();
  packer.tuple(tuple);
  if (packer.incompleteAt >= 0) throw invalid("an incomplete versionstamp goes through packWithVersionstamp");
  return packer.finish();
}

/** Packing calls nobody else's code, so that one writer with one growing buffer serves all. */
const packer = new TupleWriter();

/** A packed tuple with a hole of ten bytes for the commit to fill. */
export interface IncompleteTuple {
  readonly bytes: Uint8Array;
  /** Where the ten bytes go. */
  readonly offset: number;
}

/** The key of a tuple with exactly one incomplete versionstamp. Throws `INVALID_TUPLE` for none, or several. */
export function packWithVersionstamp(tuple: Tuple): IncompleteTuple {
  const writer = new TupleWriter();
  writer.tuple(tuple);
  if (writer.incompleteAt < 0) throw invalid("the tuple has no incomplete versionstamp");
  return { bytes: writer.finish(), offset: writer.incompleteAt };
}

/**
 * The tuple of a key. Integers beyond 2^53 are `bigint`; a double that a plain number would not encode again as a double
 * is a `Float64`. Throws `INVALID_TUPLE`. Does not copy: byte strings share the memory of `bytes` unless escaped.
 */
export function unpack(bytes: Uint8Array): TupleElement[] {
  if (!(bytes instanceof Uint8Array)) throw invalid(`a packed tuple is a Uint8Array, not a ${typeof bytes}`);
  const reader = new TupleReader(bytes);
  const tuple: TupleElement[] = [];
  while (!reader.atEnd) tuple.push(reader.element());
  return tuple;
}

/** The keys of all tuples that continue `tuple` by at least one element: [begin, end). The tuple's own key is outside. */
export function tupleRange(tuple: Tuple): { readonly begin: Uint8Array; readonly end: Uint8Array } {
  const prefix = pack(tuple);
  return { begin: withByte(prefix, 0x00), end: withByte(prefix, 0xff) };
}

function withByte(bytes: Uint8Array, byte: number): Uint8Array {
  const longer = new Uint8Array(bytes.length + 1);
  longer.set(bytes);
  longer[bytes.length] = byte;
  return longer;
}
