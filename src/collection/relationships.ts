/**
 * Relationships as declared (features DF-73): a field of one collection, the foreign key, holds the primary key of a document of
 * another, or a list of them. The key is an ordinary field, and an index over it is added where none serves. Owns the declaration, its
 * types and that index; what is done with it is in `related.ts` and `delete-rules.ts`.
 */
import { SCALAR, scalar } from "../index/kinds/scalar.js";
import {
  type CollectionDeclaration,
  checkName,
  type DocumentOf,
  type IndexDeclaration,
  indexName,
  type KeyOf,
} from "../record/declaration.js";
import { type FieldPath, parsePath, type ValueAt } from "../record/field-path.js";
import { RecordError, shown } from "../record/record-error.js";

/**
 * What becomes of documents that name a document that `deleteEnforcingRelationships` deletes (features DF-74): they lose the key, they
 * are deleted as well, the deletion is refused, or nothing.
 */
export type DeleteRule = "nullify" | "cascade" | "deny" | "noAction";

/** A field of one collection that holds keys of another; made by `relationship`. */
export interface RelationshipDeclaration<
  From extends CollectionDeclaration = CollectionDeclaration,
  Path extends string = string,
  To extends CollectionDeclaration = CollectionDeclaration,
> {
  readonly name: string;
  readonly from: From;
  /** Of the foreign key: `"authorId"` leads to one document, `"authorIds[]"` to many. */
  readonly field: Path;
  readonly to: To;
  readonly onDelete: DeleteRule;
  /** Whether the other document must be there when a transaction ends. Default: a key may lead nowhere. */
  readonly enforced: boolean;
}

/** Paths of a document to values that are primary keys of the other collection, or null. */
export type ForeignKeyPath<From, To> = {
  [Path in FieldPath<DocumentOf<From>>]: [Exclude<ValueAt<DocumentOf<From>, Path>, null>] extends [KeyOf<To>]
    ? Path
    : never;
}[FieldPath<DocumentOf<From>>];

/** What a relationship leads to: a document or null, or a list of documents. */
export type RelatedBy<Relationship> = Relationship extends RelationshipDeclaration<
  infer _From,
  infer Path,
  infer To
>
  ? Path extends `${string}[]${string}`
    ? DocumentOf<To>[]
    : DocumentOf<To> | null
  : never;

const RULES: readonly DeleteRule[] = ["nullify", "cascade", "deny", "noAction"];

/** Throws `INVALID_SCHEMA`. */
export function relationship<
  const From extends CollectionDeclaration,
  const To extends CollectionDeclaration,
  const Path extends ForeignKeyPath<From, To> & string,
>(
  name: string,
  options: {
    readonly from: From;
    readonly field: Path;
    readonly to: To;
    /** Default: nullify. */
    readonly onDelete?: DeleteRule;
    readonly enforced?: boolean;
  },
): RelationshipDeclaration<From, Path, To> {
  checkName(name, "a relationship");
  const { from, field, to, onDelete = "nullify", enforced = false, ...unknown } = options;
  const [surplus] = Object.keys(unknown);
  if (surplus !== undefined) throw refused(name, `it has no option "${surplus}"`);
  if (!RULES.includes(onDelete)) throw refused(name, `${shown(onDelete)} is none of ${RULES.join(", ")}`);
  const { steps } = parsePath(field);
  if (steps.filter(({ lists }) => lists > 0).length > 1 || steps.some(({ lists }) => lists > 1))
    throw refused(name, `its field "${field}" goes through two lists`);
  return { name, from, field, to, onDelete, enforced };
}

/** The collections, with an index for each foreign key that has none. Throws `INVALID_SCHEMA`. */
export function withForeignKeyIndexes(
  collections: readonly CollectionDeclaration[],
  relationships: readonly RelationshipDeclaration[],
): readonly CollectionDeclaration[] {
  const names = new Set<string>();
  let all = collections;
  for (const { name, from, field, to } of relationships) {
    if (names.has(name)) throw refused(name, "there are two of this name");
    names.add(name);
    for (const end of [from, to]) {
      if (!collections.some((own) => own.name === end.name))
        throw refused(name, `the collection "${end.name}" is not in the schema`);
    }
    all = all.map((own) => (own.name === from.name ? withIndexOver(own, field) : own));
  }
  return all;
}

/** The index by which the documents with a key are found. */
export function foreignKeyIndex(collection: CollectionDeclaration, field: string): string | undefined {
  const index = collection.indexes.find((own) => serves(own, field));
  return index === undefined ? undefined : indexName(collection.name, index);
}

function withIndexOver(collection: CollectionDeclaration, field: string): CollectionDeclaration {
  if (foreignKeyIndex(collection, field) !== undefined) return collection;
  const index = scalar(field);
  const name = indexName(collection.name, index);
  const isTaken = collection.indexes.some((own) => indexName(collection.name, own) === name);
  const own = isTaken ? scalar(field, { name: `${name}.key` }) : index;
  return { ...collection, indexes: [...collection.indexes, own] };
}

function serves({ kind, fields, where, sparse }: IndexDeclaration, field: string): boolean {
  // A sparse one of several fields lacks documents that have the key.
  const isWhole = where === undefined && (sparse !== true || fields.length === 1);
  return kind === SCALAR.identifier && fields[0] === field && isWhole;
}

function refused(name: string, why: string): RecordError {
  return new RecordError("INVALID_SCHEMA", `the relationship "${name}" cannot be declared: ${why}.`);
}
