/**
 * Collections of several types (features DF-71, DF-72): documents of all of them in one key space, with indexes over all. Each document
 * says in its field `type` which it is, so that a mixed result is a discriminated union; the primary key is the code of the type and
 * the primary key within the type, so that two types may use the same one.
 *
 *     (items, collection id, [code, primary key]) → document with `type`
 *     (indexes, index id, generation, values…, [code, primary key])
 *
 * A type that is also declared as a collection of its own is kept in both: whichever is written, the other follows in the same
 * transaction, there without `type`. Owns declaration, types and codes; writing is the record writer's.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import {
  type CollectionDeclaration,
  collection,
  type DocumentOf,
  type IndexDeclaration,
  type InputOf,
} from "./declaration.js";
import type { ValueDescription } from "./description.js";
import type { FieldPath } from "./field-path.js";
import { primaryKeyElement } from "./index-value.js";
import { RecordError } from "./record-error.js";
import { describedBy, ValueSchema } from "./schema-builder.js";

type Types = readonly CollectionDeclaration[];

/** A document of one of the types. */
export type PolymorphicDocument<Type> = Type extends CollectionDeclaration
  ? Flat<DocumentOf<Type> & { readonly type: Type["name"] }>
  : never;
/** What can be written: what the schema of one of the types takes, with the type. */
export type PolymorphicInput<Type> = Type extends CollectionDeclaration
  ? Flat<InputOf<Type> & { readonly type: Type["name"] }>
  : never;
type Flat<Type> = { [Name in keyof Type]: Type[Name] };

/** A collection of documents of several types; made by `polymorphic`. */
export interface PolymorphicDeclaration<
  Name extends string = string,
  Members extends Types = Types,
  Indexes extends readonly IndexDeclaration[] = readonly IndexDeclaration[],
> extends CollectionDeclaration<
    Name,
    PolymorphicDocument<Members[number]>,
    typeof COMPOSITE_KEY,
    Indexes,
    PolymorphicInput<Members[number]>
  > {
  readonly types: Members;
}

/** In place of a field: the primary key is made of two. No path of a document. */
export const COMPOSITE_KEY = "$type,key";
const TYPE = "type";

/** Throws `INVALID_SCHEMA`. Indexes of the types themselves are those of their own collections, and not of this one. */
export function polymorphic<
  const Name extends string,
  const Members extends Types,
  const Indexes extends readonly IndexDeclaration<
    FieldPath<PolymorphicDocument<Members[number]>>
  >[] = readonly [],
>(
  name: Name,
  types: Members,
  options: { readonly indexes?: Indexes } = {},
): PolymorphicDeclaration<Name, Members, Indexes> {
  const codes = new Map<bigint, string>();
  if (types.length === 0) throw refused(name, "it has no types");
  for (const type of types) {
    const code = typeCode(type.name);
    const other = codes.get(code);
    if (other === type.name) throw refused(name, `it has the type "${type.name}" twice`);
    if (other !== undefined)
      throw refused(
        name,
        `its types "${other}" and "${type.name}" have one code, ${code}. Rename one of them`,
      );
    codes.set(code, type.name);
    if (type.types !== undefined) throw refused(name, `its type "${type.name}" has types itself`);
    const described = describedBy(type.schema);
    if (described?.type === "object" && described.fields.some((field) => field.name === TYPE))
      throw refused(name, `its type "${type.name}" has a field "${TYPE}", which tells the types apart here`);
  }
  const schema = schemaOf(types) as StandardSchemaV1<unknown, PolymorphicDocument<Members[number]>>;
  // Its key is no field of a document, so the types of a plain collection do not fit.
  const declared = collection(name, { ...options, schema, primaryKey: COMPOSITE_KEY as never });
  return { ...declared, primaryKey: COMPOSITE_KEY, types } as unknown as PolymorphicDeclaration<
    Name,
    Members,
    Indexes
  >;
}

/** The type's number in keys: Bernstein's hash djb2 of its name, modulo 2^64, with a sign. Part of the format. */
export function typeCode(name: string): bigint {
  let hash = 5381n;
  for (const byte of Buffer.from(name, "utf8")) hash = BigInt.asIntN(64, hash * 33n + BigInt(byte));
  return hash;
}

/** Null where it is no key of any of the types. */
export function polymorphicKey(
  types: readonly { readonly name: string }[],
  name: unknown,
  primaryKey: unknown,
): TupleElement | null {
  const key = primaryKeyElement(primaryKey);
  return key !== null && types.some((type) => type.name === name)
    ? [typeCode(name as string), key.element]
    : null;
}

/** Without `type`, as the type's own collection has it. */
export function withoutType(document: unknown): unknown {
  const { [TYPE]: _, ...own } = document as Readonly<Record<string, unknown>>;
  return own;
}

export function withType(document: unknown, type: string): unknown {
  return { ...(document as Readonly<Record<string, unknown>>), [TYPE]: type };
}

export function typeOf(document: unknown): unknown {
  return typeof document === "object" && document !== null
    ? (document as Readonly<Record<string, unknown>>)[TYPE]
    : undefined;
}

/** One that describes itself, where all types do. */
function schemaOf(types: Types): StandardSchemaV1 {
  const options = types.map(({ name, schema }): ValueDescription | null => {
    const described = describedBy(schema);
    if (described?.type !== "object" || described.nullable) return null;
    const type = {
      name: TYPE,
      value: { type: "literal", value: name, nullable: false },
      optional: false,
    } as const;
    return { ...described, fields: [...described.fields, type] };
  });
  if (options.every((option) => option !== null)) {
    const [only, second] = options;
    // There is a type.
    if (second === undefined) return new ValueSchema(only as ValueDescription);
    return new ValueSchema({ type: "union", options, nullable: false });
  }
  return { "~standard": { version: 1, vendor: "stillwater", validate: (value) => validated(types, value) } };
}

function validated(
  types: Types,
  value: unknown,
): StandardSchemaV1.Result<unknown> | Promise<StandardSchemaV1.Result<unknown>> {
  const name = typeOf(value);
  const type = types.find((one) => one.name === name);
  if (type === undefined) {
    const known = types.map((one) => `"${one.name}"`).join(", ");
    return { issues: [{ message: `must be one of ${known}`, path: [TYPE] }] };
  }
  const result = type.schema["~standard"].validate(withoutType(value));
  if (result instanceof Promise || result.issues !== undefined) return result;
  if (typeOf(result.value) !== undefined)
    return { issues: [{ message: `"${type.name}" has a field of this name itself`, path: [TYPE] }] };
  return { value: withType(result.value, type.name) };
}

function refused(name: string, why: string): RecordError {
  return new RecordError("INVALID_SCHEMA", `the collection "${name}" cannot be declared: ${why}.`, {
    collection: name,
  });
}
