/**
 * `s`: a small builder of schemas for documents, for who wants no library for it. It implements Standard Schema, answers at once,
 * and knows what it describes, so that a change of schema can be told from the stored one (`src/collection/evolution.ts`).
 *
 *     const User = s.object({ id: s.string(), age: s.integer({ min: 0 }), nick: s.optional(s.string()), tags: s.default(s.array(s.string()), []) });
 *     type User = Infer<typeof User>;   // { id: string; age: number; nick?: string | undefined; tags: string[] }
 *
 * Owns types and the refusal of descriptions that make no sense; what a description means is in `validate.ts`.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type {
  FieldDescription,
  Limits,
  LiteralValue,
  TypeDescription,
  ValueDescription,
} from "./description.js";
import { RecordError, shown } from "./record-error.js";
import { validate } from "./validate.js";

/** A schema of values; made by `s` alone. */
export class ValueSchema<Output, Input = Output> implements StandardSchemaV1<Input, Output> {
  readonly "~standard": StandardSchemaV1.Props<Input, Output>;
  readonly description: ValueDescription;

  constructor(description: ValueDescription) {
    this.description = description;
    this["~standard"] = {
      version: 1,
      vendor: "stillwater",
      // The types of a description are those of its values.
      validate: (value) => validate(description, value) as StandardSchemaV1.Result<Output>,
    };
  }
}

/** A field that may be missing, or that a default is filled in for. Only fields of objects can be that. */
export class FieldSchema<Output, IsOptional extends boolean> {
  readonly field: Omit<FieldDescription, "name">;
  /** Never there: what the compiler knows. */
  declare readonly types?: { readonly output: Output; readonly isOptional: IsOptional };

  constructor(field: Omit<FieldDescription, "name">) {
    this.field = field;
  }
}

// What it takes is of no interest where it stands in an object, so any schema fits.
type AnyValue = ValueSchema<unknown, unknown>;
type AnyField = AnyValue | FieldSchema<unknown, boolean>;

/** The type of what a schema gives out: documents as they are stored. */
export type Infer<Schema extends AnyValue> = StandardSchemaV1.InferOutput<Schema>;

type Fields = Readonly<Record<string, AnyField>>;
type FieldOutput<Field> = Field extends FieldSchema<infer Output, boolean>
  ? Output
  : Field extends AnyValue
    ? Infer<Field>
    : never;
type OptionalName<Members extends Fields> = {
  [Name in keyof Members]: Members[Name] extends FieldSchema<unknown, true> ? Name : never;
}[keyof Members];
type DefaultName<Members extends Fields> = {
  [Name in keyof Members]: Members[Name] extends FieldSchema<unknown, false> ? Name : never;
}[keyof Members];
type Flat<Type> = { [Name in keyof Type]: Type[Name] };

export type ObjectOutput<Members extends Fields> = Flat<
  { -readonly [Name in Exclude<keyof Members, OptionalName<Members>>]: FieldOutput<Members[Name]> } & {
    -readonly [Name in OptionalName<Members>]?: FieldOutput<Members[Name]> | undefined;
  }
>;

export type ObjectInput<Members extends Fields> = Flat<
  {
    -readonly [Name in Exclude<keyof Members, OptionalName<Members> | DefaultName<Members>>]: InputOf<
      Members[Name]
    >;
  } & {
    -readonly [Name in OptionalName<Members> | DefaultName<Members>]?: FieldOutput<Members[Name]> | undefined;
  }
>;
type InputOf<Field> = Field extends AnyValue ? StandardSchemaV1.InferInput<Field> : never;

/** Limits of a length; `length` is both at once. */
export type LengthLimits =
  | { readonly length: number }
  | { readonly min?: number; readonly max?: number; readonly length?: never };

/** Each throws `INVALID_SCHEMA` for what makes no sense. */
export const s = {
  /** Text. Lengths in UTF-16 code units, as `length` has it. */
  string: (limits: LengthLimits = {}) => valueOf<string>({ type: "string", ...lengths("text", limits) }),
  /** A finite number. */
  number: (limits: Limits<number> = {}) =>
    valueOf<number>({ type: "number", ...checked("a number", limits, Number.isFinite) }),
  /** A number without fraction that JavaScript holds exactly. */
  integer: (limits: Limits<number> = {}) =>
    valueOf<number>({ type: "integer", ...checked("an integer", limits, Number.isSafeInteger) }),
  bigint: (limits: Limits<bigint> = {}) =>
    valueOf<bigint>({ type: "bigint", ...checked("a bigint", limits, (one) => typeof one === "bigint") }),
  boolean: () => valueOf<boolean>({ type: "boolean" }),
  bytes: (limits: LengthLimits = {}) => valueOf<Uint8Array>({ type: "bytes", ...lengths("bytes", limits) }),
  /** A valid date, to the millisecond. */
  date: (limits: Limits<Date> = {}) => valueOf<Date>({ type: "date", ...checked("a date", limits, isDate) }),
  literal<const Value extends LiteralValue>(value: Value): ValueSchema<Value> {
    if (!["string", "number", "bigint", "boolean"].includes(typeof value) || Number.isNaN(value))
      throw refused(`${shown(value)} is no literal`);
    return valueOf({ type: "literal", value });
  },
  /** One of these words. */
  enumeration<const Values extends readonly string[]>(values: Values): ValueSchema<Values[number]> {
    if (values.length === 0 || !values.every((value) => typeof value === "string"))
      throw refused("an enumeration needs a list of words");
    if (new Set(values).size < values.length) throw refused("an enumeration has a word twice");
    return valueOf({ type: "enumeration", values });
  },
  array<Output, Input>(
    element: ValueSchema<Output, Input>,
    limits: LengthLimits = {},
  ): ValueSchema<Output[], Input[]> {
    return valueOf({
      type: "array",
      element: descriptionOf("an array", element),
      ...lengths("an array", limits),
    });
  },
  /** Exactly these fields: any other member is refused. */
  object<const Members extends Fields>(
    members: Members,
  ): ValueSchema<ObjectOutput<Members>, ObjectInput<Members>> {
    const fields = Object.entries(members).map(([name, member]): FieldDescription => {
      checkFieldName(name);
      if (member instanceof FieldSchema) return { name, ...member.field };
      return { name, value: descriptionOf(`the field "${name}"`, member), optional: false };
    });
    return valueOf({ type: "object", fields });
  },
  /** What the first option takes that takes the value. */
  union<const Options extends readonly [AnyValue, AnyValue, ...AnyValue[]]>(
    options: Options,
  ): ValueSchema<Infer<Options[number]>, StandardSchemaV1.InferInput<Options[number]>> {
    if (!Array.isArray(options) || options.length < 2) throw refused("a union needs two options");
    return valueOf({ type: "union", options: options.map((option) => descriptionOf("a union", option)) });
  },
  nullable<Output, Input>(schema: ValueSchema<Output, Input>): ValueSchema<Output | null, Input | null> {
    return new ValueSchema({ ...descriptionOf("nullable", schema), nullable: true });
  },
  /** A field that may be missing. */
  optional<Output, Input>(schema: ValueSchema<Output, Input>): FieldSchema<Output, true> {
    return new FieldSchema({ value: descriptionOf("optional", schema), optional: true });
  },
  /** A field that is stored with `value` where it is missing. */
  default<Output, Input>(
    schema: ValueSchema<Output, Input>,
    value: NoInfer<Input>,
  ): FieldSchema<Output, false> {
    const description = descriptionOf("default", schema);
    const { issues } = validate(description, value);
    if (issues?.[0] !== undefined) throw refused(`the default ${shown(value)} ${issues[0].message}`);
    return new FieldSchema({ value: description, optional: false, default: value });
  },
} as const;

/** Null for a schema that another library has made. */
export function describedBy(schema: StandardSchemaV1): ValueDescription | null {
  return schema instanceof ValueSchema ? schema.description : null;
}

function valueOf<Output, Input = Output>(type: TypeDescription): ValueSchema<Output, Input> {
  return new ValueSchema<Output, Input>({ ...type, nullable: false });
}

function descriptionOf(where: string, schema: unknown): ValueDescription {
  if (schema instanceof ValueSchema) return schema.description;
  const advice =
    schema instanceof FieldSchema ? "; only fields of objects are optional or have a default" : "";
  throw refused(`${where} takes schemas made by s, not ${shown(schema)}${advice}`);
}

function lengths(what: string, limits: LengthLimits): Limits<number> {
  const { length, ...others } = limits;
  const both = length === undefined ? others : { min: length, max: length, ...others };
  return checked(what, both, (one) => Number.isSafeInteger(one) && (one as number) >= 0);
}

function checked<Value extends number | bigint | Date>(
  what: string,
  limits: Limits<Value>,
  isLimit: (value: unknown) => boolean,
): Limits<Value> {
  const { min, max, ...unknown } = limits;
  const [surplus] = Object.keys(unknown);
  if (surplus !== undefined) throw refused(`${what} has no option "${surplus}"`);
  for (const limit of [min, max])
    if (limit !== undefined && !isLimit(limit)) throw refused(`${shown(limit)} is no limit of ${what}`);
  if (min !== undefined && max !== undefined && min > max)
    throw refused(`the limits ${shown(min)} and ${shown(max)} of ${what} leave no value`);
  return { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
}

function isDate(value: unknown): boolean {
  return value instanceof Date && !Number.isNaN(value.getTime());
}

/** Names that paths can say. */
function checkFieldName(name: string): void {
  if (name !== "" && name !== "__proto__" && !/[.[\]]|\p{Surrogate}/u.test(name)) return;
  throw refused(`${shown(name)} cannot name a field: no dots, no brackets, not empty, not __proto__`);
}

function refused(why: string): RecordError {
  return new RecordError("INVALID_SCHEMA", `the schema cannot be built: ${why}.`);
}
