/**
 * What users declare: collections with a schema, a primary key and indexes. Plain data with types: a field that is not in the
 * document does not compile. Owns the shapes and the default names; checks what types cannot say. Does not own: what is stored of
 * them (`catalogue.ts`), what a kind of index makes of its fields (`src/index`).
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { FieldPath } from "./field-path.js";
import { parsePath } from "./field-path.js";
import type { PrimaryKey } from "./index-value.js";
import { checkPredicate, type Predicate } from "./predicate.js";
import { RecordError, shown } from "./record-error.js";

/** Options of every kind of index. */
export interface IndexOptions<Field extends string = string> {
  /** Default: the collection's name, the kind unless it is scalar, and the fields, joined by underscores. */
  readonly name?: string;
  /**
   * At most one document for each value, null and missing being one value: for any number of documents without the field, as in
   * SQL, set `sparse` too. Only of kinds that can (`IndexKind.canBeUnique`).
   */
  readonly unique?: boolean;
  /** Documents in which one of the fields is missing or null have no entry. */
  readonly sparse?: boolean;
  /** Only documents that meet this have entries. */
  readonly where?: Predicate;
  /** Fields kept in the entries, so that a query of these alone need not fetch documents. */
  readonly covering?: readonly Field[];
}

/** An index as declared: of some kind, over some fields. Made by the functions of the kinds (`scalar`, `count`…). */
export interface IndexDeclaration<Field extends string = string> extends IndexOptions<Field> {
  /** Identifier of the kind in the registry: a word for ours, a reverse domain name for others. */
  readonly kind: string;
  readonly fields: readonly Field[];
  /** What the kind must know beyond fields: JSON, in canonical form part of what the index is. */
  readonly configuration?: JsonValue;
}

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** Fields of a document that can be its primary key. */
export type KeyField<Document> = {
  [Name in keyof Document & string]: Document[Name] extends PrimaryKey ? Name : never;
}[keyof Document & string];

/** A collection as declared; made by `collection`. */
export interface CollectionDeclaration<
  Name extends string = string,
  Document = unknown,
  Key extends string = string,
  Indexes extends readonly IndexDeclaration[] = readonly IndexDeclaration[],
  Input = unknown,
> {
  readonly name: Name;
  /** From what is given to what is stored. What it gives out it must take itself: an update gives it a stored document. */
  readonly schema: StandardSchemaV1<Input, Document>;
  /** The field whose value tells documents apart. */
  readonly primaryKey: Key;
  readonly indexes: Indexes;
  /** Of a polymorphic collection: see `polymorphic.ts`. */
  readonly types?: readonly CollectionDeclaration[];
}

/** The type of the documents of a collection, as they are stored and read: what its schema gives out. */
export type DocumentOf<Collection> = Collection extends {
  readonly schema: StandardSchemaV1<unknown, infer Document>;
}
  ? Document
  : never;

/**
 * What can be written to a collection: what its schema takes, without fields that it fills in, before it transforms them. Of a schema
 * that does not say what it takes it is what it gives out.
 */
export type InputOf<Collection> = Collection extends {
  readonly schema: StandardSchemaV1<infer Input, infer Document>;
}
  ? unknown extends Input
    ? Document
    : Input
  : never;

/** The type of its primary key; of a polymorphic collection name of the type and key within it. */
export type KeyOf<Collection> = Collection extends {
  readonly types: infer Types extends readonly CollectionDeclaration[];
}
  ? TypedKey<Types[number]>
  : Collection extends { readonly primaryKey: infer Key }
    ? DocumentOf<Collection>[Key & keyof DocumentOf<Collection>]
    : never;

type TypedKey<Type> = Type extends CollectionDeclaration
  ? readonly [type: Type["name"], primaryKey: KeyOf<Type>]
  : never;

/** The names of its indexes, default ones included; any name of a collection that is known at run time only. */
export type IndexNameOf<Collection> = Collection extends CollectionDeclaration<
  infer Name,
  unknown,
  string,
  infer Indexes
>
  ? string extends Name
    ? string
    : NameOf<Name, Indexes[number]>
  : never;

/** `Type_field[_field…]` of a scalar index and `Type_kind[_field…]` of any other, unless it has a name. */
export type NameOf<Collection extends string, Index> = Index extends {
  readonly name: infer Name extends string;
}
  ? Name
  : Index extends {
        readonly kind: infer Kind extends string;
        readonly fields: infer Fields extends readonly string[];
      }
    ? Joined<Kind extends typeof UNNAMED_KIND ? Collection : `${Collection}_${Kind}`, Fields>
    : never;

type Joined<Text extends string, Fields extends readonly string[]> = Fields extends readonly [
  infer First extends string,
  ...infer Rest extends readonly string[],
]
  ? Joined<`${Text}_${First}`, Rest>
  : Text;

/**
 * Declares a collection. `schema` is any Standard Schema (zod, valibot, arktype, our own `s`): what it gives out is what is stored,
 * and it must take that too, as `update` gives it again.
 * Throws `INVALID_SCHEMA`.
 */
export function collection<
  const Name extends string,
  Input,
  Document,
  const Key extends KeyField<Document>,
  const Indexes extends readonly IndexDeclaration<FieldPath<Document>>[] = readonly [],
>(
  name: Name,
  options: {
    readonly schema: StandardSchemaV1<Input, Document>;
    readonly primaryKey: Key;
    readonly indexes?: Indexes;
  },
): CollectionDeclaration<Name, Document, Key, Indexes, Input> {
  checkName(name, "a collection");
  if (typeof options !== "object" || options === null)
    throw refused(
      name,
      `its options are an object with schema, primaryKey and indexes, not ${shown(options)}`,
    );
  const { schema, primaryKey, indexes = [] as unknown as Indexes, ...unknown } = options;
  const [surplus] = Object.keys(unknown);
  if (surplus !== undefined)
    throw refused(name, `it has no option "${surplus}"; known are schema, primaryKey and indexes`);
  if (typeof schema?.["~standard"]?.validate !== "function") {
    throw refused(
      name,
      "its schema does not implement Standard Schema. Give one of zod, valibot, arktype or our own `s`",
    );
  }
  const keyPath = parsePath(primaryKey);
  if (keyPath.isMulti || keyPath.steps.length !== 1)
    throw refused(name, `its primary key "${primaryKey}" must be a field of the document itself`);
  if (!Array.isArray(indexes)) throw refused(name, `its indexes are a list, not ${shown(indexes)}`);
  const names = new Set<string>();
  for (const index of indexes as Indexes) {
    checkIndex(name, index);
    const own = indexName(name, index);
    if (names.has(own)) throw refused(name, `it has two indexes "${own}". Name one of them`);
    names.add(own);
  }
  return { name, schema, primaryKey, indexes };
}

export function indexName(collectionName: string, index: IndexDeclaration): string {
  const { name, kind, fields } = index;
  return name ?? [collectionName, ...(kind === UNNAMED_KIND ? [] : [kind]), ...fields].join("_");
}

/** The one kind that default names do not name: the index that is meant when nobody says which. */
const UNNAMED_KIND = "scalar";

const NAME = /^[A-Za-z_][A-Za-z0-9_.\-[\]]{0,254}$/;

export function checkName(name: unknown, what: string): void {
  if (typeof name === "string" && NAME.test(name)) return;
  throw new RecordError(
    "INVALID_SCHEMA",
    `${shown(name)} is no name of ${what}: up to 255 letters, digits, "_", "-", ".", "[]", beginning with a letter or "_".`,
  );
}

const INDEX_MEMBERS = new Set([
  "name",
  "unique",
  "sparse",
  "where",
  "covering",
  "kind",
  "fields",
  "configuration",
]);

function checkIndex(collectionName: string, index: IndexDeclaration): void {
  checkShape(collectionName, index);
  for (const member of Object.keys(index)) {
    if (!INDEX_MEMBERS.has(member)) throw refused(collectionName, `an index has no option "${member}"`);
  }
  checkName(indexName(collectionName, index), "an index");
  const seen = new Set<string>();
  for (const field of [...index.fields, ...(index.covering ?? [])]) {
    parsePath(field);
    if (seen.has(field))
      throw refused(
        collectionName,
        `the index "${indexName(collectionName, index)}" names the field "${field}" twice`,
      );
    seen.add(field);
  }
  if (index.fields.filter((field) => parsePath(field).isMulti).length > 1) {
    throw refused(
      collectionName,
      `the index "${indexName(collectionName, index)}" goes through two lists, which would make an entry for each pair. Use two indexes`,
    );
  }
  if (index.where !== undefined) checkPredicate(index.where);
}

/** For programs without types: what is silently taken for something else would be an index that does not do what it should. */
function checkShape(collectionName: string, index: IndexDeclaration): void {
  if (typeof index !== "object" || index === null)
    throw refused(collectionName, `${shown(index)} is no index. Make one with scalar, count and so on`);
  const { fields, covering = [], unique = false, sparse = false } = index;
  for (const [member, list] of Object.entries({ fields, covering })) {
    if (!Array.isArray(list))
      throw refused(collectionName, `${member} of an index is a list of fields, not ${shown(list)}`);
  }
  for (const [member, flag] of Object.entries({ unique, sparse })) {
    if (typeof flag !== "boolean")
      throw refused(collectionName, `${member} of an index is true or false, not ${shown(flag)}`);
  }
}

function refused(name: string, why: string): RecordError {
  return new RecordError("INVALID_SCHEMA", `the collection "${name}" cannot be declared: ${why}.`, {
    collection: name,
  });
}
