/** The tuple encoding against its published vectors, against another implementation, and against its own promises. */
import fc from "fast-check";
import * as other from "fdb-tuple";
import { expect, test } from "vitest";
import { compareKeys } from "../../src/engine/format/bytes.js";
import { pack, packWithVersionstamp, tupleRange, unpack } from "../../src/keyspace/tuple.js";
import {
  Float32,
  Float64,
  type TupleElement,
  Uuid,
  Versionstamp,
} from "../../src/keyspace/tuple-elements.js";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

const VECTORS: readonly (readonly [string, TupleElement, string])[] = [
  ["null", null, "00"],
  ["bytes with zeros", bytes("666f6f00626172"), "01666f6f00ff62617200"],
  ["text with a zero", "F\u00d4O\0bar", "0246c3944f00ff62617200"],
  ["a nested tuple with null", ["foo\0bar", null, []], "0502666f6f00ff6261720000ff050000"],
  ["a negative integer of three bytes", -5551212, "11ab4b93"],
  ["zero", 0, "14"],
  ["the smallest safe integer", Number.MIN_SAFE_INTEGER, "0de0000000000000"],
  ["2^64 - 1", 2n ** 64n - 1n, "1cffffffffffffffff"],
  ["2^64", 2n ** 64n, "1d09010000000000000000"],
  ["-2^64", -(2n ** 64n), "0bf6feffffffffffffffff"],
  ["a float", new Float32(-42), "203dd7ffff"],
  ["a double", 1.5, "21bff8000000000000"],
  ["false", false, "26"],
  ["true", true, "27"],
  ["a UUID", Uuid.parse("00112233-4455-6677-8899-aabbccddeeff"), "3000112233445566778899aabbccddeeff"],
  ["a versionstamp", new Versionstamp(bytes("00112233445566778899"), 513), "33001122334455667788990201"],
];

test.each(VECTORS)("%s has the published encoding", (_name, element, encoded) => {
  expect(hex(pack([element]))).toBe(encoded);
  expect(unpack(bytes(encoded))).toEqual([element]);
});

const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.integer({ min: -300, max: 300 }),
  fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }).filter((n) => !Number.isSafeInteger(Number(n))),
  fc.double({ noNaN: true }),
  fc.double({ noNaN: true }).map((n) => new Float64(n)),
  fc.float({ noNaN: true }).map((n) => new Float32(n)),
  fc.string({ unit: "binary" }),
  fc.uint8Array({ maxLength: 12 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map((b) => new Uuid(b)),
  fc
    .tuple(fc.uint8Array({ minLength: 10, maxLength: 10 }), fc.integer({ min: 0, max: 65535 }))
    .map(([b, user]) => new Versionstamp(b, user)),
);
const { element } = fc.letrec<{ element: TupleElement }>((tie) => ({
  element: fc.oneof({ depthSize: "small" }, scalar, fc.array(tie("element"), { maxLength: 4 })),
}));
const tuple = fc.array(element, { maxLength: 5 });

test("what unpack returns packs to the same bytes, and pack loses no value", () => {
  fc.assert(
    fc.property(tuple, (one) => {
      const packed = pack(one);
      expect(hex(pack(unpack(packed)))).toBe(hex(packed));
    }),
    { numRuns: 1000 },
  );
});

test("npm's fdb-tuple packs every tuple to the same bytes", () => {
  fc.assert(
    fc.property(tuple, (one) => {
      expect(hex(pack(one))).toBe(hex(other.pack(one.map(theirs) as other.TupleItem[])));
    }),
    { numRuns: 1000 },
  );
});

test("bytes that are arbitrary are refused with INVALID_TUPLE, or are a tuple whose packing gives them again", () => {
  const nearTuples = fc.tuple(tuple, fc.nat(), fc.nat(255)).map(([one, at, byte]) => {
    const packed = pack(one);
    if (packed.length > 0) packed[at % packed.length] = byte;
    return packed;
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 24 }), nearTuples), (any) => {
      let elements: TupleElement[];
      try {
        elements = unpack(any);
      } catch (error) {
        expect(error).toMatchObject({ code: "INVALID_TUPLE" });
        return;
      }
      expect(hex(pack(elements))).toBe(hex(any));
    }),
    { numRuns: 2000 },
  );
});

test("integers, of any size and sign, order as numbers do", () => {
  const integer = fc.oneof(fc.bigInt({ min: -(2n ** 90n), max: 2n ** 90n }), fc.integer().map(BigInt));
  fc.assert(
    fc.property(integer, integer, (a, b) => {
      expect(Math.sign(compareKeys(pack([a]), pack([b])))).toBe(a < b ? -1 : a > b ? 1 : 0);
    }),
  );
});

test("doubles order as numbers do, and minus zero before zero", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (a, b) => {
      const order = Math.sign(compareKeys(pack([new Float64(a)]), pack([new Float64(b)])));
      if (a !== b) expect(order).toBe(a < b ? -1 : 1);
      else expect(order === 0).toBe(Object.is(a, b));
    }),
  );
});

test("texts order by code point, and a tuple stands before every continuation of it", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), tuple, (a, b, more) => {
      const utf8 = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(Math.sign(compareKeys(pack([a]), pack([b])))).toBe(utf8);
      if (more.length > 0) expect(compareKeys(pack([a]), pack([a, ...more]))).toBeLessThan(0);
    }),
  );
});

test("the range of a tuple holds its continuations and nothing else", () => {
  fc.assert(
    fc.property(tuple, tuple, (one, two) => {
      const { begin, end } = tupleRange(one);
      const key = pack(two);
      const inside = compareKeys(begin, key) <= 0 && compareKeys(key, end) < 0;
      const own = hex(pack(one));
      expect(inside).toBe(hex(key).startsWith(own) && hex(key) !== own);
    }),
  );
});

test("an incomplete versionstamp is packed with a hole where the commit writes, and never without", () => {
  const { bytes: packed, offset } = packWithVersionstamp(["log", Versionstamp.incomplete(7), 1]);
  expect(hex(packed)).toBe("026c6f670033ffffffffffffffffffff00071501");
  expect(offset).toBe(6);
  packed.set(bytes("00000000000000010002"), offset);
  expect(unpack(packed)).toEqual(["log", new Versionstamp(bytes("00000000000000010002"), 7), 1]);
  expect(() => pack([Versionstamp.incomplete()])).toThrow(/incomplete versionstamp/);
  expect(() => packWithVersionstamp([1])).toThrow(/no incomplete/);
  expect(() => packWithVersionstamp([Versionstamp.incomplete(), [Versionstamp.incomplete()]])).toThrow(/one/);
});

test.each([
  ["undefined", [undefined]],
  ["a function", [() => 0]],
  ["an object", [{}]],
  ["half of a surrogate pair", ["\ud800"]],
  ["an integer of 256 bytes", [2n ** 2040n]],
])("%s is refused", (_name, value) => {
  expect(() => pack(value as unknown as TupleElement[])).toThrow(
    expect.objectContaining({ code: "INVALID_TUPLE" }),
  );
});

test.each([
  ["an integer in the long form that fits the short one", "1d0105"],
  ["a negative one", "0bfefa"],
  ["an integer of no bytes in the long form", "1d00"],
  ["a signalling NaN of 32 bits", "20ff800001"],
  ["a negative one of 64 bits", "21000ffffffffffffe"],
])("%s is refused, since packing would not give it again", (_name, encoded) => {
  expect(() => unpack(bytes(encoded))).toThrow(expect.objectContaining({ code: "INVALID_TUPLE" }));
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
