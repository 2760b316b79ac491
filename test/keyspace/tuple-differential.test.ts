/**
 * Random tuples against npm's `fdb-tuple`, which has the encoding of FoundationDB's own clients, and against the order of
 * tuples. As many as the variable TUPLES says: `TUPLES=100000 npx vitest run test/keyspace/tuple-differential.test.ts`.
 */
import fc from "fast-check";
import * as other from "fdb-tuple";
import { expect, test } from "vitest";
import { compareKeys } from "../../src/engine/format/bytes.js";
import { pack, unpack } from "../../src/keyspace/tuple.js";
import {
  Float32,
  Float64,
  type TupleElement,
  Uuid,
  Versionstamp,
} from "../../src/keyspace/tuple-elements.js";
import { compareTuples, tuples } from "./tuple-arbitrary.js";

const COUNT = Number(process.env["TUPLES"] ?? 3000);
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test(`${COUNT} random tuples are packed as fdb-tuple packs them, come back, and stand in order`, () => {
  let compared = 0;
  let previous: readonly TupleElement[] = [];
  fc.assert(
    fc.property(tuples, (one) => {
      const packed = pack(one);
      const text = hex(packed);
      if (text !== hex(other.pack(one.map(theirs) as other.TupleItem[]))) expect.fail(`differs: ${text}`);
      if (hex(pack(unpack(packed))) !== text) expect.fail(`does not come back: ${text}`);
      const order = Math.sign(compareKeys(pack(previous), packed));
      if (order !== Math.sign(compareTuples(previous, one)))
        expect.fail(`order: ${hex(pack(previous))} ${text}`);
      previous = one;
      compared++;
    }),
    { numRuns: COUNT },
  );
  expect(compared).toBe(COUNT);
});

/** Our values in the other implementation's form. */
function theirs(value: TupleElement): unknown {
  if (value instanceof Float32) return { type: "float", value: value.value };
  if (value instanceof Float64) return { type: "double", value: value.value };
  if (value instanceof Uuid) return { type: "uuid", value: Buffer.from(value.bytes) };
  if (value instanceof Versionstamp) {
    const both = Buffer.concat([
      value.transaction ?? Buffer.alloc(10),
      Buffer.from([value.user >> 8, value.user]),
    ]);
    return { type: "versionstamp", value: both };
  }
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(theirs);
  // It encodes minus zero as the integer 0, and numbers beyond 2^53 as doubles like ours.
  if (typeof value === "number" && Object.is(value, -0)) return { type: "double", value };
  return value;
}
