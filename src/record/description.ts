/**
 * What our own schema builder knows of documents, as plain data: stored in the catalogue, compared when a schema changes, and all
 * that `validate.ts` works from. Describes documents as they are stored, so after defaults have been filled in. Owns the shape and
 * words for messages; other schema libraries do not tell theirs, and have none.
 */
export type LiteralValue = string | number | bigint | boolean;

/** Inclusive at both ends. */
export interface Limits<Value> {
  readonly min?: Value;
  readonly max?: Value;
}

export type TypeDescription =
  /** Of a text, bytes or a list the limits are of its length. */
  | ({ readonly type: "string" | "bytes" } & Limits<number>)
  | ({ readonly type: "number" | "integer" } & Limits<number>)
  | ({ readonly type: "bigint" } & Limits<bigint>)
  | ({ readonly type: "date" } & Limits<Date>)
  | { readonly type: "boolean" }
  | { readonly type: "literal"; readonly value: LiteralValue }
  | { readonly type: "enumeration"; readonly values: readonly string[] }
  | ({ readonly type: "array"; readonly element: ValueDescription } & Limits<number>)
  | { readonly type: "object"; readonly fields: readonly FieldDescription[] }
  | { readonly type: "union"; readonly options: readonly ValueDescription[] };

export type ValueDescription = TypeDescription & {
  /** Whether null is one of its values. */
  readonly nullable: boolean;
};

/** A field of an object. */
export interface FieldDescription {
  readonly name: string;
  readonly value: ValueDescription;
  /** Whether it may be missing from a stored document. */
  readonly optional: boolean;
  /** What a document that comes without it is stored with. Such a field is not optional. */
  readonly default?: unknown;
}

/** In a few words, for messages. */
export function inWords(description: ValueDescription): string {
  const words = typeInWords(description);
  return description.nullable ? `${words} or null` : words;
}

function typeInWords(description: TypeDescription): string {
  switch (description.type) {
    case "literal":
      return literalInWords(description.value);
    case "enumeration":
      return `one of ${description.values.map((value) => JSON.stringify(value)).join(", ")}`;
    case "array":
      return `a list of ${inWords(description.element)}`;
    case "union":
      return description.options.map(inWords).join(" or ");
    default:
      return WORDS[description.type];
  }
}

const WORDS = {
  string: "text",
  bytes: "bytes",
  number: "a number",
  integer: "an integer",
  bigint: "a big integer",
  date: "a date",
  boolean: "true or false",
  object: "an object",
} as const;

export function literalInWords(value: LiteralValue): string {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "bigint" ? `${value}n` : String(value);
}
