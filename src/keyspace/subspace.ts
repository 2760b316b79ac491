/**
 * A part of the key space: everything that begins with one prefix, addressed by tuples. The unit in which layers above
 * keep their keys apart. Holds no state but its prefix; owns no data.
 */
import { StillwaterError } from "../platform/errors.js";
import { type IncompleteTuple, pack, packWithVersionstamp, unpack } from "./tuple.js";
import type { Tuple, TupleElement } from "./tuple-elements.js";

/** The keys in [begin, end). */
export interface KeyRange {
  /** Inclusive. */
  readonly begin: Uint8Array;
  /** Exclusive. */
  readonly end: Uint8Array;
}

/** Keys that are tuples behind a prefix. */
export class Subspace {
  readonly #prefix: Uint8Array;

  protected constructor(prefix: Uint8Array) {
    this.#prefix = prefix;
  }

  get prefix(): Uint8Array {
    return this.#prefix;
  }

  /** The subspace of a tuple; of the empty tuple it is the whole key space. Throws `INVALID_TUPLE`. */
  static of(...elements: TupleElement[]): Subspace {
    return new Subspace(pack(elements));
  }

  /**
   * The subspace of raw bytes. Refuses a prefix that ends in 0xFF: the range of such a one would leave out keys that
   * go on with 0xFF.
   */
  static raw(prefix: Uint8Array): Subspace {
    if (prefix[prefix.length - 1] === 0xff) {
      throw new StillwaterError("INVALID_ARGUMENT", "the raw prefix of a subspace must not end in 0xFF");
    }
    return new Subspace(Uint8Array.from(prefix));
  }

  /** The subspace of a tuple within this one. */
  subspace(...elements: TupleElement[]): Subspace {
    return new Subspace(this.pack(elements));
  }

  /** The key of a tuple; of the empty tuple it is the prefix itself. */
  pack(tuple: Tuple): Uint8Array {
    return concat(this.prefix, pack(tuple));
  }

  /** As `pack`, for a tuple with one incomplete versionstamp. The offset counts from the start of the whole key. */
  packWithVersionstamp(tuple: Tuple): IncompleteTuple {
    const { bytes, offset } = packWithVersionstamp(tuple);
    return { bytes: concat(this.prefix, bytes), offset: this.prefix.length + offset };
  }

  /** The tuple of a key. Throws `INVALID_ARGUMENT` for a key outside, `INVALID_TUPLE` for one that holds no tuple. */
  unpack(key: Uint8Array): TupleElement[] {
    if (!this.contains(key)) {
      throw new StillwaterError("INVALID_ARGUMENT", "the key does not begin with the prefix of the subspace");
    }
    return unpack(key.subarray(this.prefix.length));
  }

  contains(key: Uint8Array): boolean {
    if (key.length < this.prefix.length) return false;
    return this.prefix.every((byte, i) => byte === key[i]);
  }

  /** The keys of all tuples that continue `tuple`; without an argument, of all but the empty tuple. */
  range(tuple: Tuple = []): KeyRange {
    const prefix = this.pack(tuple);
    return { begin: concat(prefix, BEFORE_ALL), end: concat(prefix, AFTER_ALL) };
  }
}

const BEFORE_ALL = Uint8Array.of(0x00);
const AFTER_ALL = Uint8Array.of(0xff);

/**
 * The first key after all that begin with `prefix` (FoundationDB's strinc). Throws `INVALID_ARGUMENT` for a prefix of
 * nothing but 0xFF, after which there is no such key.
 */
export function keyAfterPrefix(prefix: Uint8Array): Uint8Array {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) {
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      "no key comes after all keys with a prefix of 0xFF bytes only",
    );
  }
  const key = new Uint8Array(prefix.subarray(0, length));
  key[length - 1] = (key[length - 1] as number) + 1;
  return key;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
