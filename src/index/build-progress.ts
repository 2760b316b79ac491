/**
 * How far the build of an index copy has come, as one row that is written by the transaction that writes the entries (features
 * DF-39): so it is never ahead of them. Writers of a non-idempotent index read it with a conflict (features DF-40).
 *
 *     (builds, index id, generation) → (position, items done, source index id, source generation, stamp)
 *
 * A position is the part of a key behind its subspace: of an item the packed primary key, of a row of the index that is built from
 * the values and the primary key. Does not own: the building; what a stamp says (`build/build-plan.ts`).
 */
import { compareKeys } from "../engine/format/bytes.js";
import type { Subspace } from "../keyspace/subspace.js";
import { pack, unpack } from "../keyspace/tuple.js";
import { StillwaterError } from "../platform/errors.js";
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

  write(transaction: Transaction, { position, itemsDone, source, stamp }: BuildState): void {
    const row = pack([position, itemsDone, source?.id ?? null, source?.generation ?? null, stamp]);
    transaction.set(this.#key, row);
  }

  clear(transaction: Transaction): void {
    transaction.clear(this.#key);
  }
}

export function isComplete({ position }: BuildState): boolean {
  return compareKeys(position, ALL_BUILT) === 0;
}

/**
 * Whether the build has passed the item. `source`: the entries of the copy in whose order it goes, where it is not that of primary
 * keys, and the subspace they are in.
 */
export function isBuilt(
  state: BuildState | undefined,
  item: RecordItem,
  source: { readonly entries: EntrySource; readonly space: Subspace } | null,
): boolean {
  if (state === undefined) return false;
  if (source === null) return compareKeys(pack([item.primaryKey]), state.position) <= 0;
  // Exactly one: an index in which an item has none or several is no source of a build.
  const [entry] = source.entries.of(item);
  if (entry === undefined) return false;
  return compareKeys(entry.key.subarray(source.space.prefix.length), state.position) <= 0;
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
