/**
 * Where else a document is kept (features DF-72): a type's own collection and every polymorphic collection with the type hold the same
 * documents. Owns which these are and what the document is there; the record writer changes them in the same transaction.
 */
import type { RecordItem } from "../record/item.js";
import { polymorphicKey, typeOf, withoutType, withType } from "../record/polymorphic.js";
import { primaryKeyOfDocument } from "./documents.js";
import type { SharedStore } from "./shared-store.js";

export interface Mirror {
  readonly collection: string;
  readonly item: RecordItem;
}

/** Of an item of this collection; none where no polymorphic collection is declared. */
export function mirrorsOf(shared: SharedStore, collection: string, { document }: RecordItem): Mirror[] {
  const { polymorphics } = shared;
  if (polymorphics.length === 0) return NONE;
  const isMixed = shared.declarationOf(collection).types !== undefined;
  const type = isMixed ? (typeOf(document) as string) : collection;
  const plain = isMixed ? withoutType(document) : document;
  const mirrors: Mirror[] = [];
  const own = shared.declarations.get(type);
  if (isMixed && own !== undefined) {
    mirrors.push({
      collection: type,
      item: { primaryKey: primaryKeyOfDocument(own, plain), document: plain },
    });
  }
  for (const other of polymorphics) {
    const member = other.types?.find(({ name }) => name === type);
    if (other.name === collection || other.types === undefined || member === undefined) continue;
    const value = (plain as Readonly<Record<string, unknown>>)[member.primaryKey];
    const primaryKey = polymorphicKey(other.types, type, value);
    if (primaryKey !== null)
      mirrors.push({ collection: other.name, item: { primaryKey, document: withType(plain, type) } });
  }
  return mirrors;
}

const NONE: Mirror[] = [];
