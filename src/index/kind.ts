/**
 * What a kind of index is: the seam that all kinds plug into, ours and anybody's, with no edit to the machinery (features FR-27,
 * FR-32, FR-37, DF-35). A kind checks a declaration and makes maintainers; a maintainer knows what one index holds for one item.
 *
 * The machinery owns the rest: which transaction, states, builds, uniqueness, scrubbing.
 */
import type { Subspace } from "../keyspace/subspace.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import type { IndexDeclaration } from "../record/declaration.js";
import type { RecordItem } from "../record/item.js";
import type { ItemPipeline } from "../record/pipeline/item-pipeline.js";
import type { Transaction } from "../transaction/transaction.js";
import type { AggregateReads } from "./aggregate.js";

/** How the keys of a kind relate to items (features FR-27). */
export type IndexStructure =
  /** Each key belongs to one item, and an item's keys follow from the item alone. */
  | "flat"
  /**
   * Values made up from many items. They follow from the items alone, whatever way these came to be: a copy that is built anew is the
   * same byte for byte, which is how one is verified.
   */
  | "aggregation"
  /** Anything else: graphs, postings. */
  | "hierarchical";

/** `Maintainer`: what its own readers need of it; see `Collection.readIndex`. */
export interface IndexKind<Maintainer extends IndexMaintainer = IndexMaintainer> {
  /** One word for ours; a reverse domain name ("com.example.bloom") for anybody else's. */
  readonly identifier: string;
  readonly structure: IndexStructure;
  readonly canBeUnique: boolean;
  readonly canCover: boolean;
  /**
   * Whether all that its indexes hold of an item follows from its primary key and the values of the declaration's `fields`, `covering`
   * and `where`: then one can be built from another index that has these, without fetching items. Default false.
   */
  readonly looksAtFieldsOnly?: boolean;
  /** Throws `INVALID_SCHEMA` for fields or a configuration that it cannot work with; see `invalidIndex`. */
  check(collection: string, declaration: IndexDeclaration): void;
  maintainer(context: IndexContext): Maintainer;
}

/** One copy of one index. */
export interface IndexContext {
  readonly collection: string;
  /** Its name. */
  readonly index: string;
  readonly declaration: IndexDeclaration;
  /** Where its keys are. */
  readonly space: Subspace;
  /** Milliseconds by the wall clock, for kinds that keep times. */
  readonly wallMs: () => number;
  /** For kinds that keep documents: compressed and encrypted as items are. */
  readonly pipeline: ItemPipeline;
}

/** Keeps one index in step with the documents that a transaction writes. */
export interface IndexMaintainer {
  readonly context: IndexContext;
  /**
   * Whether telling it of an item twice is the same as once. If not, a writer tells it only of items that a build has passed
   * (features DF-40).
   */
  readonly isIdempotent: boolean;
  /**
   * Changes the index as the item changes, within the transaction that writes the item: null before is an insert, null after a
   * delete. It may see an item again that it has seen, when it is idempotent. A promise only where it must read.
   */
  update(transaction: Transaction, before: RecordItem | null, after: RecordItem | null): void | Promise<void>;
  /** For flat kinds: what `EntryMaintainer` needs of one. */
  readonly entries?: EntrySource;
  /** For kinds that make one value of many items, by groups. */
  readonly aggregates?: AggregateReads<unknown>;
}

/** The rows of a flat index, as a pure function of items: builders, scrubbers and uniqueness work from it. */
export interface EntrySource {
  /** No two of an item have the same key. */
  of(item: RecordItem): readonly IndexEntry[];
  /** Whose row this is. Throws `CORRUPTION` for a key that is none. */
  primaryKeyOf(key: Uint8Array): TupleElement;
}

/** A row of an index. */
export interface IndexEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** So many bytes of the key, from its start, are the same for all items with these values: what a unique index compares. */
  readonly valueBytes: number;
}
