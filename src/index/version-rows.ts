/**
 * The rows of a history of documents, below the space of its index; a stamp is the versionstamp of the commit:
 *
 *     (primary key, 0, stamp)        → head: time in 8 bytes, milliseconds; for a document its length in 4 bytes and the number of
 *                                      its parts in one; a deletion has none. Little-endian
 *     (primary key, 1, stamp, part)  → a part of the document, from 1 on
 *
 * Heads are apart from documents, so that what is to be forgotten is found without reading them.
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
const DELETION_BYTES = 8;
const HEAD_BYTES = 13;
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
    const head = new Uint8Array(item === null ? DELETION_BYTES : HEAD_BYTES);
    const view = new DataView(head.buffer);
    view.setBigInt64(0, BigInt(Math.floor(timeMs)), true);
    if (item !== null) {
      const bytes = this.#context.pipeline.encode(item.document, this.#placeOf(primaryKey));
      const parts = Math.ceil(bytes.length / PART_BYTES);
      if (parts > PARTS_MAX) throw this.#tooLarge(bytes.length);
      view.setUint32(8, bytes.length, true);
      view.setUint8(12, parts);
      for (let part = 1; part <= parts; part++) {
        const own = bytes.subarray((part - 1) * PART_BYTES, part * PART_BYTES);
        this.#setStamped(transaction, [primaryKey, PARTS, Versionstamp.incomplete(), part], own);
      }
    }
    this.#setStamped(transaction, [primaryKey, HEADS, Versionstamp.incomplete()], head);
  }

  async read(reader: ReadTransaction, primaryKey: TupleElement, head: KeyValue): Promise<StoredVersion> {
    const timeMs = this.timeOf(head);
    const stamp = this.#stampOf(head[0]);
    const version = versionOfStamp(stamp.transaction as Uint8Array);
    if (head[1].length === DELETION_BYTES) return { version, timeMs, document: null };
    const bytes = await this.#document(reader, primaryKey, head, stamp);
    return { version, timeMs, document: this.#context.pipeline.decode(bytes, this.#placeOf(primaryKey)) };
  }

  /** Throws `CORRUPTION`. */
  timeOf([key, value]: KeyValue): number {
    if (value.length !== DELETION_BYTES && value.length !== HEAD_BYTES) throw damagedRow(this.#context, key);
    return Number(new DataView(value.buffer, value.byteOffset).getBigInt64(0, true));
  }

  /** Forgets the version of this head and all before it. */
  clearThrough(transaction: Transaction, primaryKey: TupleElement, head: Uint8Array): void {
    const { space } = this.#context;
    const end = Buffer.concat([head, Uint8Array.of(0)]);
    transaction.clearRange(this.heads(primaryKey).begin, end);
    const parts = space.range([primaryKey, PARTS, this.#stampOf(head)]);
    transaction.clearRange(space.range([primaryKey, PARTS]).begin, parts.end);
  }

  async #document(
    reader: ReadTransaction,
    primaryKey: TupleElement,
    [key, head]: KeyValue,
    stamp: Versionstamp,
  ): Promise<Uint8Array> {
    const { space } = this.#context;
    const view = new DataView(head.buffer, head.byteOffset);
    const begin = space.pack([primaryKey, PARTS, stamp, 1]);
    const end = space.pack([primaryKey, PARTS, stamp, view.getUint8(12) + 1]);
    const whole = Buffer.concat((await reader.getRangeAll(begin, end)).map(([, part]) => part));
    if (whole.length !== view.getUint32(8, true)) throw damagedRow(this.#context, key);
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
