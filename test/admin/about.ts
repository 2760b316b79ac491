/** Values that are about what a JSON Schema says: some of them are it, some just not. */
import fc from "fast-check";
import type { JsonSchema } from "../../src/admin/schema.js";

export function about(schema: JsonSchema): fc.Arbitrary<unknown> {
  const { type, enum: words, anyOf, properties, items } = schema;
  const choices: fc.Arbitrary<unknown>[] = [];
  const types = type === undefined ? [] : typeof type === "string" ? [type] : type;
  if (words !== undefined) choices.push(fc.constantFrom(...words));
  if (anyOf !== undefined) choices.push(fc.oneof(...anyOf.map(about)));
  if (types.includes("null")) choices.push(fc.constant(null));
  if (types.includes("string")) choices.push(fc.string({ unit: "grapheme" }), fc.constant("x".repeat(300)));
  if (types.includes("boolean")) choices.push(fc.boolean());
  if (types.includes("integer") || types.includes("number")) {
    const { minimum = 0, maximum = 0 } = schema;
    choices.push(fc.constantFrom(minimum, minimum - 1, maximum, maximum + 1, 0.5), fc.integer());
  }
  if (types.includes("array") && items !== undefined) choices.push(fc.array(about(items), { maxLength: 4 }));
  if (properties !== undefined) {
    const members = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, about(one)]));
    choices.push(
      fc.record(members, { requiredKeys: [] }),
      fc.record({ ...members, extra: fc.constant(1) }, { requiredKeys: [] }),
    );
    choices.push(fc.record(members));
  }
  const anything = fc.jsonValue({ maxDepth: 1 });
  if (choices.length === 0) return anything;
  // Seldom: of an object with many members each would else be wrong in one.
  return fc.oneof({ weight: 1, arbitrary: anything }, { weight: 9, arbitrary: fc.oneof(...choices) });
}
