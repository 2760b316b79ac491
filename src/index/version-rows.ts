/**
 * The rows of a history of documents, below the space of its index; a stamp is the versionstamp of the commit:
 *
 *     (primary key, 0, stamp)        → head: byte 0 is what it is, then the time in 8 bytes, milliseconds, little-endian
 *                                      0 a deletion · 1 the item follows · 2 its length in 4 bytes and number of parts in one
 *     (primary key, 1, stamp, part)  → a part of an item that is too large for one value, from 1 on
 *
 * Items are as the pipeline makes them, bound to the primary key. A transaction that writes a document twice makes one head, the
 * last; parts of an earlier one that go beyond it stay unread until the version is forgotten.
 * Does not own: which versions there are.
 */

import type { KeyRange } from "../keyspace/subspace.js";
import { type Tuple, type TupleElement, Versionstamp } from "../keyspace/tuple-elements.js";
import type { RecordItem } from "../record/item.js";
import { RecordError } from "../record/record-error.js";
import type { KeyValue, ReadTransaction, Transaction } from "../transaction/transaction.js";
import { versionOfStamp, versionstampOf } from "../transaction/versionstamp.js";
import { damagedRow, elementsOfRow } from "./groups.js";
import type { IndexContext } from "./kind.js";

/** One version of a document. */
export interface StoredVersion {
  /** Of the commit that made it. */
  readonly version: number;
  /** When that was, by the wall clock of who wrote it. */
  readonly timeMs: number;
  /** Null: it was deleted. */
  readonly document: unknown;
}

const HEADS = 0;
const PARTS = 1;
const DELETION = 0;
const WHOLE = 1;
const SPLIT = 2;
const HEAD_BYTES = 9;
const PART_BYTES = 90_000;
const PARTS_MAX = 0xff;

export class VersionRows {
  readonly #context: IndexContext;

  constructor(context: IndexContext) {
    this.#context = context;
  }

  /** Heads of all versions of a document. */
  heads(primaryKey: TupleElement): KeyRange {
    return this.#context.space.range([primaryKey, HEADS]);
  }

  /** The first key after the heads of versions below this one. */
  headsBefore(primaryKey: TupleElement, version: number): Uint8Array {
    return this.#context.space.pack([primaryKey, HEADS, new Versionstamp(versionstampOf(version))]);
  }

  /** `item` null: a deletion. Throws `INVALID_ITEM`, `ITEM_TOO_LARGE`, `INDEX_ENTRY_TOO_LARGE`. */
  add(transaction: Transaction, primaryKey: TupleElement, timeMs: number, item: RecordItem | null): void {
    const bytes =
      item === null ? null : this.#context.pipeline.encode(item.document, this.#placeOf(primaryKey));
    const isSplit = bytes !== null && bytes.length > PART_BYTES;
    const body = bytes === null || isSplit ? EMPTY : bytes;
    const head = new Uint8Array(HEAD_BYTES + (isSplit ? 5 : body.length));
    const view = new DataView(head.buffer);
    head[0] = bytes === null ? DELETION : isSplit ? SPLIT : WHOLE;
    view.setBigInt64(1, BigInt(Math.floor(timeMs)), true);
    head.set(body, HEAD_BYTES);
    if (bytes !== null && isSplit) {
      const parts = Math.ceil(bytes.length / PART_BYTES);
      if (parts > PARTS_MAX) throw this.#tooLarge(bytes.length);
      view.setUint32(HEAD_BYTES, bytes.length, true);
      head[HEAD_BYTES + 4] = parts;
      for (let part = 1; part <= parts; part++) {
        const own = bytes.subarray((part - 1) * PART_BYTES, part * PART_BYTES);
        this.#setStamped(transaction, [primaryKey, PARTS, Versionstamp.incomplete(), part], own);
      }
    }
    this.#setStamped(transaction, [primaryKey, HEADS, Versionstamp.incomplete()], head);
  }

  async read(reader: ReadTransaction, primaryKey: TupleElement, head: KeyValue): Promise<StoredVersion> {
    const [key, value] = head;
    const stamp = this.#stampOf(key);
    const version = versionOfStamp(stamp.transaction as Uint8Array);
    const timeMs = this.timeOf(head);
    if (value[0] === DELETION && value.length === HEAD_BYTES) return { version, timeMs, document: null };
    const bytes =
      value[0] === WHOLE ? value.subarray(HEAD_BYTES) : await this.#joined(reader, primaryKey, head);
    return { version, timeMs, document: this.#context.pipeline.decode(bytes, this.#placeOf(primaryKey)) };
  }

  /** Throws `CORRUPTION`. */
  timeOf([key, value]: KeyValue): number {
    if (value.length < HEAD_BYTES) throw damagedRow(this.#context, key);
    return Number(new DataView(value.buffer, value.byteOffset).getBigInt64(1, true));
  }

  /** Forgets the version of this head and all before it. */
  clearThrough(transaction: Transaction, primaryKey: TupleElement, head: Uint8Array): void {
    const { space } = this.#context;
    const end = Buffer.concat([head, Uint8Array.of(0)]);
    transaction.clearRange(this.heads(primaryKey).begin, end);
    const parts = space.range([primaryKey, PARTS, this.#stampOf(head)]);
    transaction.clearRange(space.range([primaryKey, PARTS]).begin, parts.end);
  }

  async #joined(
    reader: ReadTransaction,
    primaryKey: TupleElement,
    [key, head]: KeyValue,
  ): Promise<Uint8Array> {
    const { space } = this.#context;
    if (head[0] !== SPLIT || head.length !== HEAD_BYTES + 5) throw damagedRow(this.#context, key);
    const length = new DataView(head.buffer, head.byteOffset).getUint32(HEAD_BYTES, true);
    const stamp = this.#stampOf(key);
    const begin = space.pack([primaryKey, PARTS, stamp, 1]);
    const end = space.pack([primaryKey, PARTS, stamp, (head[HEAD_BYTES + 4] ?? 0) + 1]);
    const whole = Buffer.concat((await reader.getRangeAll(begin, end)).map(([, part]) => part));
    if (whole.length !== length) throw damagedRow(this.#context, key);
    return whole;
  }

  /** Throws `CORRUPTION` for a key that is none of a head. */
  #stampOf(key: Uint8Array): Versionstamp {
    const [, kind, stamp] = elementsOfRow(this.#context, key);
    if (kind !== HEADS || !(stamp instanceof Versionstamp)) throw damagedRow(this.#context, key);
    return stamp;
  }

  #setStamped(transaction: Transaction, tuple: Tuple, value: Uint8Array): void {
    const { bytes, offset } = this.#context.space.packWithVersionstamp(tuple);
    transaction.setVersionstampedKey(bytes, offset, value);
  }

  /** What encryption binds an item to: its key cannot be known before the commit. */
  #placeOf(primaryKey: TupleElement): Uint8Array {
    return this.#context.space.pack([primaryKey]);
  }

  #tooLarge(bytes: number): RecordError {
    const { collection, index } = this.#context;
    return new RecordError(
      "ITEM_TOO_LARGE",
      `a version of ${bytes} bytes in the index "${index}" of "${collection}" is larger than ${PARTS_MAX * PART_BYTES}. Split the document.`,
      { collection, index },
    );
  }
}

const EMPTY = new Uint8Array(0);
