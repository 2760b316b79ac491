/**
 * Deleting a document with what its relationships say about those that name it (features DF-74). All in the caller's transaction, in
 * two parts: first everything that goes is found, each document once, so that circles end; then the rules of the rest are looked at,
 * and only when none denies anything is written. A document that goes as well denies nothing.
 */
import { parsePath } from "../record/field-path.js";
import { compareIndexValues, type IndexValue, indexElement } from "../record/index-value.js";
import { RecordError, shown } from "../record/record-error.js";
import { keyName, primaryKeyOf, validated } from "./documents.js";
import { RecordReader } from "./record-reader.js";
import type { RecordWriter } from "./record-writer.js";
import { referrers } from "./related.js";
import type { RelationshipDeclaration } from "./relationships.js";
import type { SharedStore } from "./shared-store.js";

/** How many documents a deletion has changed; of no document: zero of both. */
export interface EnforcedDeletion {
  /** The document itself among them. */
  readonly deleted: number;
  /** Those that have lost a key. */
  readonly nullified: number;
}

interface Located {
  readonly collection: string;
  readonly primaryKey: unknown;
  readonly document: unknown;
}

/** Throws `DELETE_DENIED`; `VALIDATION_FAILED` where a document must have the key that it would lose. */
export async function deleteEnforcing(
  writer: RecordWriter,
  collection: string,
  primaryKey: unknown,
): Promise<EnforcedDeletion> {
  const document = await writer.get(collection, primaryKey);
  if (document === undefined) return { deleted: 0, nullified: 0 };
  const reader = new RecordReader(writer.shared, writer.transaction, () => writer.catalogue());
  const doomed = await cascade(reader, { collection, primaryKey, document });
  const changed = new Map<string, Located>();
  for (const item of doomed.values()) {
    for (const relationship of rulesOf(writer.shared, item.collection, ["deny", "nullify"])) {
      const naming = await referringTo(reader, relationship, item);
      const left = naming.filter((one) => !doomed.has(nameOf(writer.shared, one)));
      if (relationship.onDelete === "deny" && left.length > 0) throw denied(relationship, item, left.length);
      if (relationship.onDelete !== "nullify") continue;
      for (const one of left) {
        const name = nameOf(writer.shared, one);
        const known = changed.get(name) ?? one;
        const document = nullified(writer.shared, relationship, known.document, item.primaryKey);
        changed.set(name, { ...known, document });
      }
    }
  }
  for (const one of changed.values()) await writer.put(one.collection, one.document);
  for (const one of doomed.values()) await writer.delete(one.collection, one.primaryKey);
  return { deleted: doomed.size, nullified: changed.size };
}

/** Everything that goes, by name, the first document first. */
async function cascade(reader: RecordReader, first: Located): Promise<Map<string, Located>> {
  const doomed = new Map([[nameOf(reader.shared, first), first]]);
  // A map is walked with what is added to it meanwhile.
  for (const item of doomed.values()) {
    for (const relationship of rulesOf(reader.shared, item.collection, ["cascade"])) {
      for (const one of await referringTo(reader, relationship, item)) {
        const name = nameOf(reader.shared, one);
        if (!doomed.has(name)) doomed.set(name, one);
      }
    }
  }
  return doomed;
}

function rulesOf(shared: SharedStore, to: string, rules: readonly string[]): RelationshipDeclaration[] {
  return shared.relationships.filter((one) => one.to.name === to && rules.includes(one.onDelete));
}

async function referringTo(
  reader: RecordReader,
  relationship: RelationshipDeclaration,
  { primaryKey }: Located,
): Promise<Located[]> {
  const { from } = relationship;
  const found = await referrers(reader, relationship, primaryKey);
  return found.map(({ document }) => ({
    collection: from.name,
    primaryKey: (document as Readonly<Record<string, unknown>>)[from.primaryKey],
    document,
  }));
}

function nameOf(shared: SharedStore, { collection, primaryKey }: Located): string {
  return `${collection} ${keyName(primaryKeyOf(shared.declarationOf(collection), primaryKey))}`;
}

/** A copy without the key: null where the schema takes it, else without the field; a list without its element. */
function nullified(
  shared: SharedStore,
  { from, field }: RelationshipDeclaration,
  document: unknown,
  key: unknown,
): unknown {
  const declaration = shared.declarationOf(from.name);
  const { steps } = parsePath(field);
  const withNull = without(document, steps, key, null);
  const { schema } = declaration;
  const result = schema["~standard"].validate(withNull);
  if (!(result instanceof Promise) && result.issues === undefined) return withNull;
  const withNothing = without(document, steps, key, undefined);
  validated(declaration, withNothing);
  return withNothing;
}

type Steps = ReturnType<typeof parsePath>["steps"];

function without(value: unknown, [step, ...rest]: Steps, key: unknown, empty: null | undefined): unknown {
  if (step === undefined || typeof value !== "object" || value === null) return value;
  const members: Record<string, unknown> = { ...value };
  const member = members[step.name];
  if (step.lists === 0) {
    if (rest.length > 0) members[step.name] = without(member, rest, key, empty);
    else if (isKey(member, key)) {
      if (empty === null) members[step.name] = null;
      else delete members[step.name];
    }
  } else if (Array.isArray(member)) {
    members[step.name] =
      rest.length === 0
        ? member.filter((one) => !isKey(one, key))
        : member.map((one) => without(one, rest, key, empty));
  }
  return members;
}

function isKey(value: unknown, key: unknown): boolean {
  if (value === null || value === undefined || indexElement(value) === null) return false;
  return compareIndexValues(value as IndexValue, key as IndexValue) === 0;
}

function denied({ name, from, to }: RelationshipDeclaration, item: Located, count: number): RecordError {
  return new RecordError(
    "DELETE_DENIED",
    `${shown(item.primaryKey)} of "${to.name}" cannot be deleted: ${count} of "${from.name}" ${count === 1 ? "names" : "name"} it ` +
      `(relationship "${name}"). Delete or change ${count === 1 ? "it" : "them"} first. Nothing was deleted.`,
    { collection: to.name, field: to.primaryKey, value: item.primaryKey },
  );
}
