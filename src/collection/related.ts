/**
 * Documents across a relationship (features DF-73): from a foreign key to what it names, and back to the documents that name one. All of
 * a call is read at the version of its reader. A key that leads nowhere gives null, or is left out of a list.
 */
import { rowsAfterValues } from "../index/value-range.js";
import { parsePath, valuesAt } from "../record/field-path.js";
import { indexElement } from "../record/index-value.js";
import type { FoundItem } from "../record/item-store.js";
import { RecordError } from "../record/record-error.js";
import { keyName, primaryKeyOf } from "./documents.js";
import { type RecordReader, readableIndex, wrongKind } from "./record-reader.js";
import { foreignKeyIndex, type RelatedBy, type RelationshipDeclaration } from "./relationships.js";
import type { SharedStore } from "./shared-store.js";

/** A document with what it is related to. */
export interface Joined<Document, Related> {
  readonly document: Document;
  readonly related: Related;
}

/** One read for each different key. */
export async function joined(
  reader: RecordReader,
  relationship: RelationshipDeclaration,
  documents: readonly unknown[],
): Promise<Joined<unknown, unknown>[]> {
  const { to, field } = declaredRelationship(reader.shared, relationship);
  const path = parsePath(field);
  const found = new Map<string, Promise<unknown>>();
  const read = (value: unknown): Promise<unknown> => {
    const key = keyName(primaryKeyOf(to, value));
    const known = found.get(key) ?? reader.get(to.name, value);
    found.set(key, known);
    return known;
  };
  return Promise.all(
    documents.map(async (document) => {
      const keys = valuesAt(document, path).filter((value) => value !== null);
      const all = await Promise.all(keys.map(read));
      if (path.isMulti) return { document, related: all.filter((one) => one !== undefined) };
      return { document, related: all[0] ?? null };
    }),
  );
}

/** What the relationship leads to from this document. */
export async function related<const Relationship extends RelationshipDeclaration>(
  reader: RecordReader,
  relationship: Relationship,
  document: unknown,
): Promise<RelatedBy<Relationship>> {
  const [one] = await joined(reader, relationship, [document]);
  return one?.related as RelatedBy<Relationship>;
}

/** The documents whose foreign key is, or has in its list, this primary key. Read with conflicts in a transaction. */
export async function referrers(
  reader: RecordReader,
  relationship: RelationshipDeclaration,
  primaryKey: unknown,
): Promise<FoundItem[]> {
  const { from, field } = declaredRelationship(reader.shared, relationship);
  const declaration = reader.shared.declarationOf(from.name);
  const collection = await reader.collection(from.name);
  // `schema` has seen to it that there is one.
  const name = foreignKeyIndex(declaration, field) as string;
  const { maintainer } = readableIndex(reader.shared, collection, name);
  const { entries, context } = maintainer;
  if (entries === undefined) throw wrongKind(collection, name, "does not order documents by values");
  const { begin, end } = rowsAfterValues(context.space.pack([indexElement(primaryKey)?.element ?? null]));
  const rows = await reader.reader.getRangeAll(begin, end);
  const found = await Promise.all(
    rows.map(([key]) => collection.items.read(reader.reader, entries.primaryKeyOf(key))),
  );
  return found.filter((item) => item !== undefined);
}

/** Throws `INVALID_ARGUMENT` for one that is not declared. */
export function declaredRelationship(
  shared: SharedStore,
  { name }: RelationshipDeclaration,
): RelationshipDeclaration {
  const own = shared.relationships.find((one) => one.name === name);
  if (own !== undefined) return own;
  throw new RecordError(
    "INVALID_ARGUMENT",
    `the relationship "${name}" is not declared in the schema of the store; declared are ` +
      `${shared.relationships.map((one) => one.name).join(", ") || "none"}.`,
  );
}
