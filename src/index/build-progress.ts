/**
 * How far the build of an index copy has come, as one row that is written by the transaction that writes the entries (features
 * DF-39): so it is never ahead of them.
 *
 *     (builds, index id, generation)              → (position, items done, source index id, source generation, stamp)
 *     (builds, index id, generation) + position   never written: what writers and batches conflict on
 *
 * A position is the part of a key behind its subspace: of an item the packed primary key, of a row of the index that is built from
 * the values and the primary key. Writers of a non-idempotent index ask on which side of the build an item is (features DF-40). Were
 * they to conflict on the row, every batch would fail every writer; so they conflict on the key of the item's position, and a batch
 * counts as having written those that it passes. Does not own: the building; what a stamp says (`build/build-plan.ts`).
 */
import { compareKeys } from "../engine/format/bytes.js";
import type { Subspace } from "../keyspace/subspace.js";
import { pack, unpack } from "../keyspace/tuple.js";
import { StillwaterError } from "../platform/errors.js";
import { mutant } from "../platform/probes.js";
import type { RecordItem } from "../record/item.js";
import { KEYSPACE } from "../record/keyspace.js";
import type { ReadTransaction, Transaction } from "../transaction/transaction.js";
import type { EntrySource } from "./kind.js";

/** A copy of the index in whose order a build goes through the items. */
export interface BuildSource {
  readonly id: number;
  readonly generation: number;
}

export interface BuildState {
  /** Up to which items, itself included, are in the index: `NOTHING_BUILT`, `ALL_BUILT` or a position between. */
  readonly position: Uint8Array;
  readonly itemsDone: number;
  /** Null: in the order of primary keys. */
  readonly source: BuildSource | null;
  /** Which build it is: another one must not go on where this one stands. */
  readonly stamp: string;
}

/** Before all positions, and behind all. */
export const NOTHING_BUILT = new Uint8Array(0);
export const ALL_BUILT = Uint8Array.of(0xff);

export class BuildProgress {
  readonly #key: Uint8Array;

  constructor(root: Subspace, indexId: number, generation: number) {
    this.#key = root.pack([KEYSPACE.builds, indexId, generation]);
  }

  /** Undefined: no build has begun. */
  async read(reader: ReadTransaction): Promise<BuildState | undefined> {
    const stored = await reader.get(this.#key);
    return stored === undefined ? undefined : decodeState(stored);
  }

  /** `read` for a writer, who conflicts only with what changes what it learns from `isBuilt`. */
  async readForWriter(transaction: Transaction): Promise<BuildState | undefined> {
    const state = await this.read(transaction.snapshot);
    // Then it is not known yet what a position is.
    if (state === undefined) transaction.addReadConflictKey(this.#key);
    return state;
  }

  /** Whether the build has passed the position; fails the transaction if a batch passes it before the commit. */
  isBuilt(transaction: Transaction, state: BuildState, position: Uint8Array): boolean {
    if (!mutant("I6-build-position-read-without-conflict"))
      transaction.addReadConflictKey(this.#keyAt(position));
    return compareKeys(position, state.position) <= 0;
  }

  /** From `before`, in the transaction that writes the entries between the two. */
  advance(transaction: Transaction, before: BuildState, after: BuildState): void {
    // From the first key behind the one to the first behind the other.
    const begin = followed(this.#keyAt(before.position));
    const end = followed(this.#keyAt(after.position));
    if (compareKeys(begin, end) < 0) transaction.addWriteConflictRange(begin, end);
    this.write(transaction, after);
  }

  write(transaction: Transaction, { position, itemsDone, source, stamp }: BuildState): void {
    const row = pack([position, itemsDone, source?.id ?? null, source?.generation ?? null, stamp]);
    transaction.set(this.#key, row);
  }

  clear(transaction: Transaction): void {
    transaction.clear(this.#key);
  }

  #keyAt(position: Uint8Array): Uint8Array {
    return Buffer.concat([this.#key, position]);
  }
}

function followed(key: Uint8Array): Uint8Array {
  return Buffer.concat([key, Uint8Array.of(0x00)]);
}

export function isComplete({ position }: BuildState): boolean {
  return compareKeys(position, ALL_BUILT) === 0;
}

/** Of an item in the order of primary keys. */
export function positionOf(item: RecordItem): Uint8Array {
  return pack([item.primaryKey]);
}

/** Of an item in the order of an index that has exactly one row for each. */
export function positionInIndex(item: RecordItem, entries: EntrySource, space: Subspace): Uint8Array | null {
  const [entry] = entries.of(item);
  return entry === undefined ? null : entry.key.subarray(space.prefix.length);
}

function decodeState(stored: Uint8Array): BuildState {
  const [position, itemsDone, id, generation, stamp] = unpack(stored);
  const isSound =
    position instanceof Uint8Array &&
    typeof itemsDone === "number" &&
    typeof stamp === "string" &&
    (id === null || typeof id === "number");
  if (!isSound) {
    throw new StillwaterError(
      "CORRUPTION",
      `0x${Buffer.from(stored).toString("hex")} is no progress of a build. Disable the index, enable it and build it again.`,
    );
  }
  return { position, itemsDone, stamp, source: id === null ? null : { id, generation: Number(generation) } };
}
