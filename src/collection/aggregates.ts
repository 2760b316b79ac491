/**
 * Reads of indexes that are no order of documents: values of groups, and of whatever other kind somebody registers. Owns the types
 * that follow from a declaration, and the refusal of an index of another kind. Does not own: what is read (the kinds).
 */
import type { Aggregate, AggregateReads, GroupScan } from "../index/aggregate.js";
import type { IndexKind, IndexMaintainer } from "../index/kind.js";
import type { Sum } from "../index/kinds/sum.js";
import { wrongIndexKind } from "../index/registry.js";
import type { CollectionDeclaration, DocumentOf, IndexNameOf, NameOf } from "../record/declaration.js";
import type { ValueAt } from "../record/field-path.js";
import type { IndexValue } from "../record/index-value.js";
import type { ReadTransaction } from "../transaction/transaction.js";
import { type RecordReader, readableIndex } from "./record-reader.js";

/** The declaration of an index by its name. */
export type IndexNamed<Declaration, Name extends string> = Declaration extends CollectionDeclaration<
  infer Collection,
  unknown,
  string,
  infer Indexes
>
  ? WithName<Collection, Indexes[number], Name>
  : never;

type WithName<Collection extends string, Index, Name> = Index extends unknown
  ? NameOf<Collection, Index> extends Name
    ? Index
    : never
  : never;

/** Names of the indexes of these kinds. */
export type IndexNameOfKind<Declaration, Kind extends string> = Declaration extends CollectionDeclaration<
  infer Collection,
  unknown,
  string,
  infer Indexes
>
  ? NamesOfKind<Collection, Indexes[number], Kind>
  : never;

type NamesOfKind<Collection extends string, Index, Kind extends string> = Index extends {
  readonly kind: Kind;
}
  ? NameOf<Collection, Index>
  : never;

/** Names of the indexes that are read by groups. */
export type AggregateNameOf<Declaration> = Exclude<
  IndexNameOf<Declaration>,
  IndexNameOfKind<Declaration, "scalar" | "versions">
>;

/** What an index has for each group. */
export type AggregateValueOf<Declaration, Name extends string> = ValueOf<
  DocumentOf<Declaration>,
  IndexNamed<Declaration, Name>
>;

type ValueOf<Document, Index> = Index extends { readonly kind: "count" }
  ? number
  : Index extends { readonly kind: "sum" }
    ? Sum
    : Index extends {
          readonly kind: "min" | "max";
          readonly fields: readonly [infer Field extends string, ...(readonly string[])];
        }
      ? NonNullable<ValueAt<Document, Field>>
      : unknown;

export async function aggregate(
  reader: RecordReader,
  name: string,
  index: string,
  group: readonly IndexValue[],
  kinds: readonly string[] | null,
): Promise<unknown> {
  return (await readsOf(reader, name, index, kinds)).one(reader.reader, group);
}

export async function aggregates(
  reader: RecordReader,
  name: string,
  index: string,
  scan: GroupScan,
): Promise<Aggregate<unknown>[]> {
  return (await readsOf(reader, name, index, null)).all(reader.reader, scan);
}

/** Throws `UNKNOWN_INDEX`, `INDEX_NOT_READABLE`, `WRONG_INDEX_KIND`. */
async function readsOf(
  reader: RecordReader,
  name: string,
  index: string,
  kinds: readonly string[] | null,
): Promise<AggregateReads<unknown>> {
  const { maintainer } = readableIndex(reader.shared, await reader.collection(name), index);
  const { aggregates: reads, context } = maintainer;
  if (reads === undefined || (kinds !== null && !kinds.includes(context.declaration.kind))) {
    throw wrongIndexKind(context, kinds?.join(" or ") ?? "count, sum, min, max or another that groups");
  }
  return reads;
}

/** What a kind of its own offers: its maintainer of the index in use. Throws as `readsOf`. */
export async function readIndex<Maintainer extends IndexMaintainer, T>(
  reader: RecordReader,
  name: string,
  index: string,
  kind: IndexKind<Maintainer>,
  body: (maintainer: Maintainer, transaction: ReadTransaction) => Promise<T>,
): Promise<T> {
  const { maintainer } = readableIndex(reader.shared, await reader.collection(name), index);
  if (maintainer.context.declaration.kind !== kind.identifier) {
    throw wrongIndexKind(maintainer.context, kind.identifier);
  }
  // Made by this kind, whose name is in the registry once.
  return body(maintainer as Maintainer, reader.reader);
}
