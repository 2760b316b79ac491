/**
 * What a collection gives from indexes that are no order of documents: aggregates, former versions, indexes of foreign kinds. The
 * typed face of `aggregates.ts` and `history.ts`; a part of every readable collection.
 */
import type { Aggregate, GroupScan } from "../index/aggregate.js";
import type { IndexKind, IndexMaintainer } from "../index/kind.js";
import type { VersionMoment } from "../index/kinds/versions.js";
import type { CollectionDeclaration, DocumentOf, IndexNameOf, KeyOf } from "../record/declaration.js";
import type { IndexValue } from "../record/index-value.js";
import type { ReadTransaction } from "../transaction/transaction.js";
import {
  type AggregateNameOf,
  type AggregateValueOf,
  aggregate,
  aggregates,
  type IndexNameOfKind,
  readIndex,
} from "./aggregates.js";
import type { ReadAccess } from "./collection.js";
import { type DocumentVersion, type HistoryOptions, history, versionAt } from "./history.js";

export class IndexReads<Declaration extends CollectionDeclaration> {
  readonly name: Declaration["name"];
  readonly #access: ReadAccess;

  constructor(name: Declaration["name"], access: ReadAccess) {
    this.name = name;
    this.#access = access;
  }

  /**
   * What an index has for one group: a count, a sum, the smallest or largest value. `undefined` for a group without documents.
   * Throws `UNKNOWN_INDEX`, `INDEX_NOT_READABLE`, `WRONG_INDEX_KIND`, `INVALID_ARGUMENT` for what is no group.
   */
  aggregate<const Index extends AggregateNameOf<Declaration>>(
    index: Index,
    group: readonly IndexValue[] = [],
  ): Promise<AggregateValueOf<Declaration, Index> | undefined> {
    this.#access.metrics.count("indexLookups");
    return this.#access.read(
      (reader) =>
        aggregate(reader, this.name, index, group, null) as Promise<
          AggregateValueOf<Declaration, Index> | undefined
        >,
    );
  }

  /** Of all groups in their order. Throws as `aggregate`. */
  aggregates<const Index extends AggregateNameOf<Declaration>>(
    index: Index,
    scan: GroupScan = {},
  ): Promise<Aggregate<AggregateValueOf<Declaration, Index>>[]> {
    this.#access.metrics.count("indexLookups");
    return this.#access.read(
      (reader) =>
        aggregates(reader, this.name, index, scan) as Promise<
          Aggregate<AggregateValueOf<Declaration, Index>>[]
        >,
    );
  }

  /** The smallest value of a group. Throws as `aggregate`, also for a readable index of kind "max". */
  min<const Index extends IndexNameOfKind<Declaration, "min">>(
    index: Index,
    group: readonly IndexValue[] = [],
  ): Promise<AggregateValueOf<Declaration, Index> | undefined> {
    return this.#extreme(index, group, "min");
  }

  /** The largest value of a group. Throws as `aggregate`, also for a readable index of kind "min". */
  max<const Index extends IndexNameOfKind<Declaration, "max">>(
    index: Index,
    group: readonly IndexValue[] = [],
  ): Promise<AggregateValueOf<Declaration, Index> | undefined> {
    return this.#extreme(index, group, "max");
  }

  /**
   * Versions of a document that its collection's versions index has kept, the newest last, deletions without a document. Within a
   * transaction: those that were committed before. Throws `UNKNOWN_INDEX` without such an index, `INDEX_NOT_READABLE`.
   */
  history(
    primaryKey: KeyOf<Declaration>,
    options: HistoryOptions = {},
  ): Promise<DocumentVersion<DocumentOf<Declaration>>[]> {
    this.#access.metrics.count("histories");
    return this.#access.read(
      (reader) =>
        history(reader, this.name, primaryKey, options) as Promise<
          DocumentVersion<DocumentOf<Declaration>>[]
        >,
    );
  }

  /** The version that was the newest at that commit version or time; `undefined` when there is none, or none is kept. */
  versionAt(
    primaryKey: KeyOf<Declaration>,
    moment: VersionMoment & { readonly index?: string },
  ): Promise<DocumentVersion<DocumentOf<Declaration>> | undefined> {
    this.#access.metrics.count("histories");
    return this.#access.read(
      (reader) =>
        versionAt(reader, this.name, primaryKey, moment) as Promise<
          DocumentVersion<DocumentOf<Declaration>> | undefined
        >,
    );
  }

  /**
   * What a kind of index offers its own readers, as `kind` types it: for kinds that are not ours. Throws `WRONG_INDEX_KIND` for an
   * index of another kind, `UNKNOWN_INDEX`, `INDEX_NOT_READABLE`.
   */
  readIndex<Maintainer extends IndexMaintainer, T>(
    index: IndexNameOf<Declaration>,
    kind: IndexKind<Maintainer>,
    body: (maintainer: Maintainer, transaction: ReadTransaction) => Promise<T>,
  ): Promise<T> {
    return this.#access.read((reader) => readIndex(reader, this.name, index, kind, body));
  }

  #extreme<Value>(
    index: string,
    group: readonly IndexValue[],
    kind: "min" | "max",
  ): Promise<Value | undefined> {
    this.#access.metrics.count("indexLookups");
    return this.#access.read(
      (reader) => aggregate(reader, this.name, index, group, [kind]) as Promise<Value | undefined>,
    );
  }
}
