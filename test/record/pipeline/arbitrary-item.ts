/** Items of every kind that a store takes, for properties; small, and with the names that are hard for codecs. */
import fc from "fast-check";
import { Uuid } from "../../../src/keyspace/tuple-elements.js";

const NAMES = [
  "$a",
  "$$b",
  "$bigint",
  "$date",
  "$uuid",
  "__proto__",
  "constructor",
  "",
  "\u00e9",
  "\ufeffa",
  "a\u0000",
];

export const arbitraryItem = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ minLength: 30, maxLength: 300 }),
    fc.constantFrom("\ufeffbom", "\ufffd", '"$', "\\u0024", "$5", "\u2028", "\ud83d\ude00".repeat(20)),
    fc.double(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.constantFrom(-0, 0.5, 1.5, 65_504, 1e300, 2 ** 53, -(2 ** 53), 2 ** 64, 5.960464477539063e-8, 1e-45),
    fc.float(),
    fc.bigInt(),
    fc.constantFrom(
      0n,
      -1n,
      255n,
      256n,
      2n ** 53n,
      2n ** 64n - 1n,
      2n ** 64n,
      -(2n ** 64n),
      -(2n ** 64n) - 1n,
    ),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 40 }),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => new Uuid(bytes)),
    fc.constantFrom(new Date(0), new Date(-1), new Date(8.64e15), new Date(-8.64e15), new Date(4.45e15 + 1)),
  ),
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("leaf"),
    fc.array(tie("tree"), { maxLength: 5 }),
    fc.dictionary(fc.oneof(fc.string({ maxLength: 4 }), fc.constantFrom(...NAMES)), tie("tree"), {
      maxKeys: 5,
      noNullPrototype: true,
    }),
  ),
})).tree;

const LEAVES = [Uint8Array, Date, Uuid];

/** The same item, with the members of every object in another order. */
export function otherwiseOrdered(item: unknown): unknown {
  if (Array.isArray(item)) return item.map(otherwiseOrdered);
  if (typeof item !== "object" || item === null || LEAVES.some((type) => item instanceof type)) return item;
  const members = Object.entries(item).reverse();
  return Object.fromEntries(members.map(([name, value]) => [name, otherwiseOrdered(value)]));
}
