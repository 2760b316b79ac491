/** Our schema builder: what it takes, what it says, and that it means what a second, independent reading of descriptions means. */
import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import type { FieldDescription, ValueDescription } from "../../src/record/description.js";
import { describedBy, type Infer, s } from "../../src/record/schema-builder.js";
import { validate } from "../../src/record/validate.js";

function issuesOf(schema: { readonly "~standard": { validate(value: unknown): unknown } }, value: unknown) {
  const { issues = [] } = schema["~standard"].validate(value) as ReturnType<typeof validate>;
  return issues.map(({ message, path = [] }) => `${path.join(".")}: ${message}`);
}

const User = s.object({
  id: s.string({ min: 1 }),
  age: s.integer({ min: 0, max: 150 }),
  role: s.enumeration(["admin", "guest"]),
  nick: s.optional(s.nullable(s.string())),
  tags: s.default(s.array(s.string(), { max: 3 }), []),
  home: s.object({ city: s.string() }),
});
const valid = { id: "a", age: 1, role: "guest", home: { city: "Rome" } };

describe("the schema builder", () => {
  test("infers the types of documents, defaults filled in", () => {
    expectTypeOf<Infer<typeof User>>().toEqualTypeOf<{
      id: string;
      age: number;
      role: "admin" | "guest";
      nick?: string | null | undefined;
      tags: string[];
      home: { city: string };
    }>();
    const Shape = s.union([
      s.object({ kind: s.literal("dot") }),
      s.object({ kind: s.literal("box"), size: s.number() }),
    ]);
    expectTypeOf<Infer<typeof Shape>>().toEqualTypeOf<{ kind: "dot" } | { kind: "box"; size: number }>();
    // @ts-expect-error Only fields are optional.
    expect(() => s.array(s.optional(s.string()))).toThrow("only fields of objects are optional");
    // @ts-expect-error A default of another type.
    expect(() => s.default(s.string(), 1)).toThrow("the default 1 must be text");
  });

  test("gives a copy with defaults, never the same list twice, without members that are undefined", () => {
    const given = { ...valid, nick: undefined };
    const first = validate(User.description, given) as { value: Infer<typeof User> };
    expect(first.value).toEqual({ ...valid, tags: [] });
    expect(Object.keys(first.value)).not.toContain("nick");
    first.value.tags.push("x");
    expect(validate(User.description, valid)).toEqual({ value: { ...valid, tags: [] } });
  });

  test("names the path of every offence, and says what is known where a member is not", () => {
    expect(
      issuesOf(User, { ...valid, id: "", age: 1.5, role: "boss", tags: ["a", 1], home: {}, extra: 1 }),
    ).toEqual([
      "id: has 0 characters, less than 1",
      "age: must be an integer, not 1.5",
      'role: must be one of "admin", "guest", not "boss"',
      "tags.1: must be text, not 1",
      "home.city: is missing; it must be text",
      "extra: is not a field; known are id, age, role, nick, tags, home",
    ]);
    expect(issuesOf(User, { ...valid, age: 151 })).toEqual(["age: 151 is above 150"]);
    expect(issuesOf(User, new Map())).toEqual([": must be an object, not an object"]);
    expect(issuesOf(User, null)).toEqual([": must be an object, not null"]);
    expect(issuesOf(s.string(), "\ud800")).toEqual([": has half a surrogate pair, which cannot be stored"]);
    expect(issuesOf(s.date(), new Date(Number.NaN))).toEqual([": must be a date, not an invalid date"]);
    expect(issuesOf(s.array(s.string()), Object.assign([], { 1: "a" }))).toEqual([
      "0: must be text, not nothing",
    ]);
  });

  test("tells what is wrong with the one option of a union that may have been meant", () => {
    const shape = s.union([
      s.object({ kind: s.literal("dot") }),
      s.object({ kind: s.literal("box"), size: s.number() }),
    ]);
    expect(issuesOf(shape, { kind: "box", size: "1" })).toEqual(['size: must be a number, not "1"']);
    expect(issuesOf(shape, { kind: "line" })).toEqual([": must be an object or an object, not an object"]);
    expect(issuesOf(s.union([s.string(), s.integer()]), true)).toEqual([
      ": must be text or an integer, not true",
    ]);
  });

  test("refuses descriptions that make no sense", () => {
    const senseless: (() => unknown)[] = [
      () => s.string({ min: 2, max: 1 }),
      () => s.string({ min: -1 }),
      () => s.integer({ min: 0.5 }),
      () => s.number({ max: Number.NaN }),
      () => s.bigint({ min: 1 as unknown as bigint }),
      () => s.date({ min: new Date(Number.NaN) }),
      () => s.string({ maximum: 1 } as never),
      () => s.enumeration([]),
      () => s.enumeration(["a", "a"]),
      () => s.literal(Number.NaN),
      () => s.literal(null as never),
      () => s.union([s.string()] as never),
      () => s.object({ "a.b": s.string() }),
      () => s.object({ "": s.string() }),
      () => s.object({ a: "string" as never }),
    ];
    for (const declare of senseless)
      expect(declare).toThrow(expect.objectContaining({ code: "INVALID_SCHEMA" }));
  });

  test("describes itself as plain data, and knows nothing of schemas that others have made", () => {
    expect(describedBy(User)).toMatchObject({
      type: "object",
      nullable: false,
      fields: [
        { name: "id", optional: false, value: { type: "string", min: 1 } },
        { name: "age", optional: false, value: { type: "integer", min: 0, max: 150 } },
        { name: "role", optional: false, value: { type: "enumeration", values: ["admin", "guest"] } },
        { name: "nick", optional: true, value: { type: "string", nullable: true } },
        { name: "tags", optional: false, default: [], value: { type: "array", max: 3 } },
        { name: "home", optional: false, value: { type: "object" } },
      ],
    });
    expect(describedBy({ "~standard": { version: 1, vendor: "z", validate: () => ({ value: 1 }) } })).toBe(
      null,
    );
  });
});

/** The meaning of a description once more, as a plain predicate. */
function takes(description: ValueDescription, value: unknown): boolean {
  if (value === null) return description.nullable || (isUnion(description) && someTakes(description, value));
  const within = (size: number | bigint | Date) => {
    const { min, max } = description as { min?: typeof size; max?: typeof size };
    return !(min !== undefined && size < min) && !(max !== undefined && size > max);
  };
  switch (description.type) {
    case "string":
      return typeof value === "string" && within(value.length) && !/\p{Surrogate}/u.test(value);
    case "bytes":
      return value instanceof Uint8Array && within(value.length);
    case "number":
      return typeof value === "number" && value - value === 0 && within(value);
    case "integer":
      return typeof value === "number" && Number.isSafeInteger(value) && within(value);
    case "bigint":
      return typeof value === "bigint" && within(value);
    case "date":
      return value instanceof Date && !Number.isNaN(value.getTime()) && within(value);
    case "boolean":
      return value === true || value === false;
    case "literal":
      return value === description.value;
    case "enumeration":
      return (description.values as readonly unknown[]).includes(value);
    case "array":
      return (
        Array.isArray(value) && within(value.length) && value.every((one) => takes(description.element, one))
      );
    case "object":
      return takesObject(description.fields, value);
    case "union":
      return someTakes(description, value);
  }
}

function takesObject(fields: readonly FieldDescription[], value: unknown): boolean {
  if (typeof value !== "object" || Object.getPrototypeOf(value) !== Object.prototype) return false;
  const members = value as Record<string, unknown>;
  const names = new Set(fields.map(({ name }) => name));
  return (
    Object.keys(members).every((name) => names.has(name)) &&
    fields.every((field) =>
      members[field.name] === undefined
        ? field.optional || field.default !== undefined
        : takes(field.value, members[field.name]),
    )
  );
}

const isUnion = (description: ValueDescription) => description.type === "union";
const someTakes = (description: ValueDescription, value: unknown): boolean =>
  description.type === "union" && description.options.some((option) => takes(option, value));

const nullable = fc.boolean();
const lengthLimits = fc.constantFrom({}, { min: 1 }, { max: 2 }, { min: 1, max: 2 });
const { description: anyDescription } = fc.letrec<{ description: ValueDescription }>((tie) => ({
  description: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.record({ type: fc.constantFrom("boolean", "date", "number", "integer", "bigint"), nullable }),
    fc
      .tuple(fc.constantFrom("number" as const, "integer" as const), nullable)
      .map(([type, isNullable]) => ({ type, nullable: isNullable, min: -1, max: 1 })),
    fc
      .tuple(fc.constantFrom("string" as const, "bytes" as const), nullable, lengthLimits)
      .map(([type, isNullable, limits]) => ({ type, nullable: isNullable, ...limits })),
    fc.record({ type: fc.constant("literal"), nullable, value: fc.constantFrom("a", 1, true, 1n) }),
    fc.record({ type: fc.constant("enumeration"), nullable, values: fc.constantFrom(["a"], ["a", "b"]) }),
    fc
      .tuple(nullable, lengthLimits, tie("description"))
      .map(([isNullable, limits, element]) => ({ type: "array", nullable: isNullable, element, ...limits })),
    fc.record({
      type: fc.constant("object"),
      nullable,
      fields: fc.uniqueArray(
        fc.record({
          name: fc.constantFrom("a", "b", "c"),
          value: tie("description"),
          optional: fc.boolean(),
        }),
        { selector: ({ name }) => name },
      ),
    }),
    fc.record({
      type: fc.constant("union"),
      nullable,
      options: fc.array(tie("description"), { minLength: 2, maxLength: 3 }),
    }),
  ) as fc.Arbitrary<ValueDescription>,
}));

const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.constantFrom<unknown>(null, undefined, true, false, "", "a", "b", "abc", "\ud800"),
    fc.constantFrom<unknown>(0, -0, 1, 2, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, 1n, 2n),
    fc.constantFrom<unknown>(new Date(0), new Uint8Array(0), new Uint8Array(2), new Map()),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "c", "d"), tie("value"), { noNullPrototype: true }),
  ),
}));

/** A value that a description takes more often than not. */
function likely(description: ValueDescription): fc.Arbitrary<unknown> {
  switch (description.type) {
    case "array":
      return fc.array(likely(description.element), { maxLength: 3 });
    case "object":
      return fc.record(
        Object.fromEntries(description.fields.map(({ name, value }) => [name, likely(value)])),
        {
          requiredKeys: [],
          noNullPrototype: true,
        },
      );
    case "union":
      return fc.oneof(...description.options.map(likely));
    case "literal":
      return fc.constant(description.value);
    case "string":
    case "enumeration":
      return fc.constantFrom("a", "b", "abc");
    case "boolean":
      return fc.boolean();
    case "date":
      return fc.date();
    case "bytes":
      return fc.uint8Array({ maxLength: 3 });
    case "bigint":
      return fc.bigInt();
    default:
      return fc.oneof(fc.constantFrom(0, 1), fc.double());
  }
}

test("any description takes exactly the values that its meaning says, and gives them back as they were", () => {
  const pairs = anyDescription.chain((description) =>
    fc.tuple(fc.constant(description), fc.oneof(likely(description), anyValue)),
  );
  let taken = 0;
  fc.assert(
    fc.property(pairs, ([description, value]) => {
      const result = validate(description, value);
      expect(result.issues === undefined).toBe(takes(description, value));
      if (result.issues !== undefined) return;
      taken++;
      expect(result.value).toEqual(value);
    }),
    { numRuns: 2000 },
  );
  expect(taken).toBeGreaterThan(200);
});
