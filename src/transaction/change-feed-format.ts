/**
 * Change feeds as keys and bytes (features: a feed that can be resumed from any version). All below one prefix of the system's keys,
 * with `NAME` preceded by its length in one byte, so that no feed's keys begin with another's:
 *
 *     \xff/feed/registry                 → versionstamp of the newest registration or removal
 *     \xff/feed/definition/NAME          → versionstamp of the registration, the range
 *     \xff/feed/popped/NAME              → version below which entries may be gone, 8 bytes
 *     \xff/feed/newest/NAME              → versionstamp of the newest entry: what a reader watches
 *     \xff/feed/entry/NAME STAMP CHUNK   → 1 if it is the commit's last chunk, else 0; then bytes of its mutations
 *
 * The mutations of a commit are one string of bytes, cut into chunks anywhere. A mutation is a type (FoundationDB's number) and
 * its parts, each with its length in four bytes. Owns the format; not when it is written or read.
 */
import { StillwaterError } from "../platform/errors.js";
import { buggify } from "../platform/probes.js";
import { ATOMIC_OPERATIONS, type AtomicOperation } from "./atomic.js";
import { TransactionError } from "./errors.js";
import { stampedBytes, VERSIONSTAMP_BYTES } from "./versionstamp.js";

/** One change, to be applied after those before it. `atomic` is as the transaction gave it, for the reader to apply. */
export type ChangeFeedMutation =
  | { readonly type: "set"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: "clear"; readonly key: Uint8Array }
  | { readonly type: "clearRange"; readonly begin: Uint8Array; readonly end: Uint8Array }
  | {
      readonly type: "atomic";
      readonly operation: AtomicOperation;
      readonly key: Uint8Array;
      readonly operand: Uint8Array;
    };

export interface FeedDefinition {
  readonly name: string;
  readonly begin: Uint8Array;
  /** Exclusive. */
  readonly end: Uint8Array;
}

const PREFIX = "\xff/feed/";
export const REGISTRY_KEY = latin1(`${PREFIX}registry`);
/** Everything that a commit may write to only by changing which feeds there are. */
export const DEFINITIONS = { begin: latin1(`${PREFIX}definition/`), end: latin1(`${PREFIX}definition0`) };
/** Bytes of mutations in one value: well below the limit of 100,000. */
export const CHUNK_BYTES = 64 * 1024;
const NAME_BYTES_MAX = 255;
const SET = 0;
const CLEAR = 1;
const CLEAR_RANGE = 3;
/** FoundationDB's numbers of what it does at commit, too. */
const SET_STAMPED_KEY = 14;
const SET_STAMPED_VALUE = 15;

const OPERATIONS: ReadonlyMap<number, AtomicOperation> = new Map(
  Object.entries(ATOMIC_OPERATIONS).map(([name, number]) => [number, name as AtomicOperation]),
);

export const definitionKey = (name: string): Uint8Array => feedKey("definition", name);
export const poppedKey = (name: string): Uint8Array => feedKey("popped", name);
export const newestKey = (name: string): Uint8Array => feedKey("newest", name);

/** Where the entries of a feed lie, from that of `stamp` on. Followed by the chunk's number in four bytes. */
export function entriesFrom(name: string, stamp: Uint8Array): Uint8Array {
  return join(feedKey("entry", name), stamp);
}

/** The end of all entries: no versionstamp begins with eight bytes 0xFF. */
export function entriesEnd(name: string): Uint8Array {
  return entriesFrom(name, new Uint8Array(VERSIONSTAMP_BYTES).fill(0xff));
}

/** The key of a chunk before its commit has a stamp, and where the stamp is to go. */
export function incompleteEntryKey(
  name: string,
  chunk: number,
): { readonly key: Uint8Array; readonly offset: number } {
  const prefix = feedKey("entry", name);
  return { key: join(prefix, new Uint8Array(VERSIONSTAMP_BYTES), number4(chunk)), offset: prefix.length };
}

export function stampOfEntryKey(name: string, key: Uint8Array): Uint8Array {
  const at = feedKey("entry", name).length;
  return key.slice(at, at + VERSIONSTAMP_BYTES);
}

export function definitionValue({ begin, end }: FeedDefinition): Uint8Array {
  return join(new Uint8Array(VERSIONSTAMP_BYTES), number4(begin.length), begin, end);
}

export function definitionOf(
  key: Uint8Array,
  value: Uint8Array,
): FeedDefinition & { readonly stamp: Uint8Array } {
  const name = Buffer.from(key.subarray(DEFINITIONS.begin.length + 1)).toString("utf8");
  const stamp = value.slice(0, VERSIONSTAMP_BYTES);
  const beginAt = VERSIONSTAMP_BYTES + 4;
  const endAt = beginAt + numberAt(value, VERSIONSTAMP_BYTES);
  return { name, stamp, begin: value.slice(beginAt, endAt), end: value.slice(endAt) };
}

/** Writes mutations one behind the other. */
export class MutationWriter {
  /** Grows by doubling: a commit may have a hundred thousand mutations. */
  #bytes = Buffer.allocUnsafe(1024);
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  set(key: Uint8Array, value: Uint8Array): void {
    this.#add(SET, key, value);
  }

  clear(key: Uint8Array): void {
    this.#add(CLEAR, key);
  }

  clearRange(begin: Uint8Array, end: Uint8Array): void {
    this.#add(CLEAR_RANGE, begin, end);
  }

  atomic(operation: AtomicOperation, key: Uint8Array, operand: Uint8Array): void {
    this.#add(ATOMIC_OPERATIONS[operation], key, operand);
  }

  /** The stamp goes to `offset` of the value. */
  setStampedValue(key: Uint8Array, value: Uint8Array, offset: number): void {
    this.#add(SET_STAMPED_VALUE, key, value, number4(offset));
  }

  /** Nothing is set if the key comes to lie in what was `clearedAfter` it. */
  setStampedKey(
    key: Uint8Array,
    offset: number,
    value: Uint8Array,
    clearedAfter: Iterable<readonly [begin: string, end: string]>,
  ): void {
    const ranges: Uint8Array[] = [];
    for (const range of clearedAfter) {
      for (const bound of range) ranges.push(number4(bound.length), latin1(bound));
    }
    this.#add(SET_STAMPED_KEY, key, value, number4(offset), join(...ranges));
  }

  /** The values of the chunks. */
  chunks(): Uint8Array[] {
    const bytes = this.#bytes.subarray(0, this.#length);
    const chunks: Uint8Array[] = [];
    const chunkBytes = buggify("feed.small-chunks") ? 8 : CHUNK_BYTES;
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      const isLast = at + chunkBytes >= bytes.length;
      chunks.push(join(Uint8Array.of(isLast ? 1 : 0), bytes.subarray(at, at + chunkBytes)));
    }
    return chunks;
  }

  #add(type: number, ...parts: readonly Uint8Array[]): void {
    let room = 1;
    for (const part of parts) room += 4 + part.length;
    this.#reserve(room);
    this.#length = this.#bytes.writeUInt8(type, this.#length);
    for (const part of parts) {
      this.#length = this.#bytes.writeUInt32BE(part.length, this.#length);
      this.#bytes.set(part, this.#length);
      this.#length += part.length;
    }
  }

  #reserve(room: number): void {
    if (this.#length + room <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#bytes.length, this.#length + room));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** The mutations of a commit that got `stamp`. `chunks` are all its chunks, in order. */
export function readMutations(
  { begin, end }: FeedDefinition,
  stamp: Uint8Array,
  chunks: readonly Uint8Array[],
): ChangeFeedMutation[] {
  const bytes = join(...chunks.map((chunk) => chunk.subarray(1)));
  const mutations: ChangeFeedMutation[] = [];
  let at = 0;
  const part = (): Uint8Array => {
    const length = numberAt(bytes, at);
    at += 4 + length;
    return bytes.slice(at - length, at);
  };
  while (at < bytes.length) {
    const type = bytes[at++] as number; // at < length
    const key = part();
    if (type === CLEAR) {
      mutations.push({ type: "clear", key });
      continue;
    }
    const value = part();
    const operation = OPERATIONS.get(type);
    if (operation !== undefined) mutations.push({ type: "atomic", operation, key, operand: value });
    else if (type === SET) mutations.push({ type: "set", key, value });
    else if (type === CLEAR_RANGE) mutations.push({ type: "clearRange", begin: key, end: value });
    else if (type === SET_STAMPED_VALUE) {
      mutations.push({ type: "set", key, value: stampedBytes(value, numberAt(part(), 0), stamp) });
    } else {
      const stamped = stampedBytes(key, numberAt(part(), 0), stamp);
      // Where it lies shows only now: in the range of the feed, and not in one that was cleared afterwards.
      const cleared = part();
      if (isWithin(stamped, begin, end) && !isInRanges(stamped, cleared))
        mutations.push({ type: "set", key: stamped, value });
    }
  }
  return mutations;
}

function isWithin(key: Uint8Array, begin: Uint8Array, end: Uint8Array): boolean {
  return Buffer.compare(key, begin) >= 0 && Buffer.compare(key, end) < 0;
}

/** `ranges` is begins and ends in turn, each with its length. */
function isInRanges(key: Uint8Array, ranges: Uint8Array): boolean {
  let at = 0;
  const bound = (): Uint8Array => {
    const length = numberAt(ranges, at);
    at += 4 + length;
    return ranges.subarray(at - length, at);
  };
  while (at < ranges.length) if (isWithin(key, bound(), bound())) return true;
  return false;
}

/** Throws `INVALID_ARGUMENT`. */
export function checkFeedName(name: string): void {
  const length = typeof name === "string" ? Buffer.byteLength(name) : 0;
  if (length >= 1 && length <= NAME_BYTES_MAX) return;
  throw new StillwaterError(
    "INVALID_ARGUMENT",
    `the name of a change feed must be a string of 1 to ${NAME_BYTES_MAX} bytes.`,
  );
}

export function notRegistered(name: string): TransactionError {
  return new TransactionError(
    "CHANGE_FEED_NOT_REGISTERED",
    `there is no change feed "${name}". Create it first; a feed holds what is committed from then on.`,
  );
}

function feedKey(kind: string, name: string): Uint8Array {
  const bytes = Buffer.from(name, "utf8");
  return join(latin1(`${PREFIX}${kind}/`), Uint8Array.of(bytes.length), bytes);
}

function latin1(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

function number4(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

function numberAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
