/** The types of queries: which fields a document has, what each can be compared with, what comes out. */
import type { FieldPath, ValueAt } from "../record/field-path.js";
import type { IndexValue } from "../record/index-value.js";
import type { ComparisonOperator, Predicate } from "../record/predicate.js";

/** What a field can be compared with: its own type; null where it may be missing or null. */
export type OperandOf<Document, Path extends string> = Extract<ValueAt<Document, Path>, IndexValue>;

/** Fields that may hold text. */
export type TextPath<Document> = {
  [Path in FieldPath<Document>]: Extract<ValueAt<Document, Path>, string> extends never ? never : Path;
}[FieldPath<Document>];

/** Fields of which a document has one value. */
export type SinglePath<Document> = Exclude<FieldPath<Document>, `${string}[]${string}`>;

/** What is selected of a document: the values under their paths, a list for a path through a list, null for what is not there. */
export type Selection<Document, Paths extends string> = {
  [Path in Paths]: Path extends `${string}[]${string}` ? ValueAt<Document, Path>[] : ValueAt<Document, Path>;
};

export type TextOperator = "contains" | "hasPrefix" | "hasSuffix";

/** A condition on one field. */
export interface FieldCondition<Document, Out> {
  <const Path extends FieldPath<Document>>(
    field: Path,
    op: ComparisonOperator,
    value: OperandOf<Document, Path>,
  ): Out;
  <const Path extends FieldPath<Document>>(
    field: Path,
    op: "in",
    values: readonly OperandOf<Document, Path>[],
  ): Out;
  <const Path extends TextPath<Document>>(field: Path, op: TextOperator, value: string): Out;
  <const Path extends FieldPath<Document>>(field: Path, op: "isNull" | "isNotNull"): Out;
}

/** Makes conditions of conditions. */
export interface Conditions<Document> {
  readonly field: FieldCondition<Document, Predicate>;
  /** All of them; of none it is always met. */
  and(...of: readonly Predicate[]): Predicate;
  /** One of them at least; of none it is never met. */
  or(...of: readonly Predicate[]): Predicate;
  not(of: Predicate): Predicate;
}
