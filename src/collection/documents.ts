/**
 * Documents at the door: what the schema says to them, and what their primary key is. Owns the errors that name the collection and
 * the field. What comes out is the store's own, which no caller and no schema can change any more.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { pack } from "../keyspace/tuple.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import { hasCode } from "../platform/errors.js";
import type { CollectionDeclaration } from "../record/declaration.js";
import { primaryKeyElement } from "../record/index-value.js";
import type { RecordItem } from "../record/item.js";
import type { ItemStore } from "../record/item-store.js";
import { ownCopy } from "../record/own-copy.js";
import { polymorphicKey, typeOf } from "../record/polymorphic.js";
import { RecordError, shown } from "../record/record-error.js";
import { KEY_BYTES_MAX } from "../transaction/limits.js";

/** A copy of what the schema makes of it. Throws `VALIDATION_FAILED`, `ASYNC_VALIDATION`. */
export function validated(declaration: CollectionDeclaration, given: unknown): unknown {
  const { name } = declaration;
  const result = answerOf(declaration, given);
  if ("then" in result) {
    // It goes on; whatever becomes of it, nobody is waiting for it any more.
    Promise.resolve(result).catch(() => undefined);
    throw new RecordError(
      "ASYNC_VALIDATION",
      `the schema of "${name}" validates asynchronously, which would hold up a transaction. Validate before, and declare the ` +
        "collection with a schema that answers at once.",
      { collection: name },
    );
  }
  if (result.issues === undefined) return ownCopy(result.value);
  const places = result.issues.map(({ message, path = [] }) => {
    const steps = path.map((step) => (typeof step === "object" ? step.key : step));
    const field = steps.map(String).join(".");
    return { steps, field, text: field === "" ? message : `${field}: ${message}` };
  });
  throw new RecordError(
    "VALIDATION_FAILED",
    `a document of "${name}" does not meet its schema. ${places.map(({ text }) => text).join("; ")}`,
    { collection: name, field: places[0]?.field, value: valueAfter(given, places[0]?.steps ?? []) },
  );
}

/** Whether the schema takes it. */
export function isValid(declaration: CollectionDeclaration, given: unknown): boolean {
  try {
    validated(declaration, given);
    return true;
  } catch (error) {
    if (hasCode(error, "VALIDATION_FAILED")) return false;
    throw error;
  }
}

type Answer = ReturnType<StandardSchemaV1["~standard"]["validate"]>;

/** A foreign schema may throw, or answer what is no answer. */
function answerOf({ name, schema }: CollectionDeclaration, given: unknown): Answer {
  let answer: Answer | undefined;
  try {
    answer = schema["~standard"].validate(given);
  } catch (cause) {
    throw new RecordError(
      "VALIDATION_FAILED",
      `the schema of "${name}" has thrown instead of answering: ${cause instanceof Error ? cause.message : shown(cause)}.`,
      { collection: name, value: given, cause },
    );
  }
  if (typeof answer === "object" && answer !== null) return answer;
  throw new RecordError(
    "VALIDATION_FAILED",
    `the schema of "${name}" answers ${shown(answer)}, which is no answer of a Standard Schema: give { value } or { issues }.`,
    { collection: name, value: given },
  );
}

/** What a schema complains about; the nearest thing around it where there is nothing. */
function valueAfter(given: unknown, steps: readonly PropertyKey[]): unknown {
  let value = given;
  for (const step of steps) {
    if (typeof value !== "object" || value === null) return value;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[step];
  }
  return value;
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

/** A large document has parts, whose keys are one byte longer. Throws `INVALID_PRIMARY_KEY`. */
export function checkKeySize(declaration: CollectionDeclaration, items: ItemStore, item: RecordItem): void {
  const bytes = items.keyOf(item.primaryKey).length;
  if (bytes < KEY_BYTES_MAX) return;
  const { name, primaryKey } = declaration;
  const value = memberOf(item.document, primaryKey);
  throw new RecordError(
    "INVALID_PRIMARY_KEY",
    `${value === undefined ? "a value" : shown(value)} is too long for the primary key "${primaryKey}" of "${name}": its key would have ${bytes} bytes, and ` +
      `${KEY_BYTES_MAX - 1} is the limit. Shorten it.`,
    { collection: name, field: primaryKey, value },
  );
}

/** What a codec or the store has against a document, with the collection; any other error as it is. */
export function namedError({ name }: CollectionDeclaration, error: unknown): unknown {
  if (!hasCode(error, "INVALID_ITEM") && !hasCode(error, "ITEM_TOO_LARGE")) return error;
  return new RecordError(error.code, `a document of "${name}" cannot be stored: ${error.message}`, {
    collection: name,
    cause: error,
  });
}

/** A primary key as a key of a map. */
export function keyName(primaryKey: TupleElement): string {
  return Buffer.from(pack([primaryKey])).toString("latin1");
}
