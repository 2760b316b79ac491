/** Our check of JSON Schema says what a validator that is not ours says, of every operation's input. */
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OPERATIONS } from "../../src/admin/operations.js";
import { check } from "../../src/admin/schema.js";
import { about } from "./about.js";

const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false });

describe("the check of an input", () => {
  it.each(OPERATIONS.map(({ name, input }) => [name, input] as const))(
    "of %s agrees with ajv",
    (_, schema) => {
      const validate = ajv.compile(schema as object);
      fc.assert(
        fc.property(about(schema), (value) => {
          const faults = check(schema, value);
          expect([faults.length === 0, faults]).toEqual([validate(value), faults]);
        }),
        { numRuns: 300 },
      );
      // It has met both sides: the same values each time.
      const faulty = fc
        .sample(about(schema), { numRuns: 1_000, seed: 7 })
        .map((value) => check(schema, value).length > 0);
      expect(new Set(faulty)).toEqual(new Set([true, false]));
    },
  );

  it("counts characters, not halves of them", () => {
    const schema = { type: "string", maxLength: 2, minLength: 2 } as const;
    expect([check(schema, "😀😀"), check(schema, "😀")].map(({ length }) => length)).toEqual([0, 1]);
  });
});
