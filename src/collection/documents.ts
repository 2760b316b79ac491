/**
 * Documents at the door: what the schema says to them, and what their primary key is. Owns the errors that name the collection and
 * the field; changes nothing.
 */
import { pack } from "../keyspace/tuple.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import type { CollectionDeclaration } from "../record/declaration.js";
import { primaryKeyElement } from "../record/index-value.js";
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
export function primaryKeyOfDocument(declaration: CollectionDeclaration, document: unknown): TupleElement {
  const { primaryKey } = declaration;
  const value =
    typeof document === "object" && document !== null && Object.hasOwn(document, primaryKey)
      ? (document as Readonly<Record<string, unknown>>)[primaryKey]
      : undefined;
  return primaryKeyOf(declaration, value);
}

/** Throws `INVALID_PRIMARY_KEY`. */
export function primaryKeyOf(
  { name, primaryKey }: Pick<CollectionDeclaration, "name" | "primaryKey">,
  value: unknown,
): TupleElement {
  const key = primaryKeyElement(value);
  if (key !== null) return key.element;
  throw new RecordError(
    "INVALID_PRIMARY_KEY",
    `${value === undefined ? "nothing" : shown(value)} cannot be the primary key "${primaryKey}" of "${name}". ` +
      "It must be text, an integer, a big integer, bytes or a UUID.",
    { collection: name, field: primaryKey, value },
  );
}

/** A primary key as a key of a map. */
export function keyName(primaryKey: TupleElement): string {
  return Buffer.from(pack([primaryKey])).toString("latin1");
}
