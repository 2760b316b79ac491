/**
 * Documents at the door: what the schema says to them, and what their primary key is. Owns the errors that name the collection and
 * the field; changes nothing.
 */
import { pack } from "../keyspace/tuple.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import type { CollectionDeclaration } from "../record/declaration.js";
import { primaryKeyElement } from "../record/index-value.js";
import { polymorphicKey, typeOf } from "../record/polymorphic.js";
import { RecordError, shown } from "../record/record-error.js";

/** What the schema makes of it. Throws `VALIDATION_FAILED`, `ASYNC_VALIDATION`. */
export function validated({ name, schema }: CollectionDeclaration, given: unknown): unknown {
  const result = schema["~standard"].validate(given);
  if (result instanceof Promise) {
    // It goes on; whatever becomes of it, nobody is waiting for it any more.
    result.catch(() => undefined);
    throw new RecordError(
      "ASYNC_VALIDATION",
      `the schema of "${name}" validates asynchronously, which would hold up a transaction. Validate before, and declare the ` +
        "collection with a schema that answers at once.",
      { collection: name },
    );
  }
  if (result.issues === undefined) return result.value;
  const places = result.issues.map(({ message, path = [] }) => {
    const field = path.map((step) => String(typeof step === "object" ? step.key : step)).join(".");
    return { field, text: field === "" ? message : `${field}: ${message}` };
  });
  throw new RecordError(
    "VALIDATION_FAILED",
    `a document of "${name}" does not meet its schema. ${places.map(({ text }) => text).join("; ")}`,
    { collection: name, field: places[0]?.field, value: given },
  );
}

/** Throws `INVALID_PRIMARY_KEY`. */
export function primaryKeyOfDocument(
  declaration: Pick<CollectionDeclaration, "name" | "primaryKey" | "types">,
  document: unknown,
): TupleElement {
  const { primaryKey, types } = declaration;
  if (types === undefined) return primaryKeyOf(declaration, memberOf(document, primaryKey));
  const name = typeOf(document);
  const type = types.find((one) => one.name === name);
  return primaryKeyOf(declaration, [name, type && memberOf(document, type.primaryKey)]);
}

/** Throws `INVALID_PRIMARY_KEY`. */
export function primaryKeyOf(
  declaration: Pick<CollectionDeclaration, "name" | "primaryKey" | "types">,
  value: unknown,
): TupleElement {
  const { name, primaryKey, types } = declaration;
  if (types !== undefined) return typedKey(declaration, types, value);
  const key = primaryKeyElement(value);
  if (key !== null) return key.element;
  throw new RecordError(
    "INVALID_PRIMARY_KEY",
    `${value === undefined ? "nothing" : shown(value)} cannot be the primary key "${primaryKey}" of "${name}". ` +
      "It must be text, an integer, a big integer, bytes or a UUID.",
    { collection: name, field: primaryKey, value },
  );
}

function typedKey(
  { name }: Pick<CollectionDeclaration, "name">,
  types: readonly CollectionDeclaration[],
  value: unknown,
): TupleElement {
  const [type, primaryKey] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  const key = polymorphicKey(types, type, primaryKey);
  if (key !== null) return key;
  throw new RecordError(
    "INVALID_PRIMARY_KEY",
    `${shown(type)} with ${shown(primaryKey)} cannot be a primary key of "${name}". Give the name of a type ` +
      `(${types.map((one) => one.name).join(", ")}) and the primary key within it: ["${types[0]?.name}", 1].`,
    { collection: name, value },
  );
}

function memberOf(document: unknown, name: string): unknown {
  return typeof document === "object" && document !== null && Object.hasOwn(document, name)
    ? (document as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

/** A primary key as a key of a map. */
export function keyName(primaryKey: TupleElement): string {
  return Buffer.from(pack([primaryKey])).toString("latin1");
}
