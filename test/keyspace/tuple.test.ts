/** The tuple encoding against its published vectors, against another implementation, and against its own promises. */
import fc from "fast-check";
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
import { tuples as tuple } from "./tuple-arbitrary.js";

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

test("what unpack returns packs to the same bytes, and pack loses no value", () => {
  fc.assert(
    fc.property(tuple, (one) => {
      const packed = pack(one);
      expect(hex(pack(unpack(packed)))).toBe(hex(packed));
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
  ["the other half, within a text", ["a\udc00b"]],
  ["an integer of 256 bytes", [2n ** 2040n]],
  ["a negative integer of 256 bytes", [-(2n ** 2040n)]],
  ["an incomplete versionstamp", [Versionstamp.incomplete()]],
  ["an incomplete versionstamp within", [["a", [Versionstamp.incomplete()]]]],
  ["a symbol", [Symbol("s")]],
  ["nesting without end", [nestedDeep(129)]],
])("%s is refused, and where", (_name, value) => {
  const withNeighbours = ["before", ...(value as unknown[]), "after"] as TupleElement[];
  expect(() => pack(withNeighbours)).toThrow(
    expect.objectContaining({
      code: "INVALID_TUPLE",
      message: expect.stringMatching(/element 1: |versionstamp/),
    }),
  );
});

test("what is no array is no tuple, and what is no bytes no packed one", () => {
  for (const value of ["text", 1, null, undefined, {}, new Uint8Array(1)]) {
    expect(() => pack(value as unknown as TupleElement[])).toThrow(INVALID);
    expect(() => packWithVersionstamp(value as unknown as TupleElement[])).toThrow(INVALID);
    expect(() => tupleRange(value as unknown as TupleElement[])).toThrow(INVALID);
    if (!(value instanceof Uint8Array)) expect(() => unpack(value as unknown as Uint8Array)).toThrow(INVALID);
  }
});

const INVALID = expect.objectContaining({ code: "INVALID_TUPLE" }) as Error;

const MALFORMED: readonly (readonly [what: string, encoded: string, at: number])[] = [
  ["a byte string without end", "1400 0161", 3],
  ["a text whose end is escaped", "026100ff", 1],
  ["a text that is not UTF-8", "0261ff00", 0],
  ["a text with half of a surrogate pair in UTF-8", "02eda08000", 0],
  ["a text in more bytes than it needs", "02c0af00", 0],
  ["a nested tuple without end", "05 1501", 3],
  ["a nested tuple that ends in an escape", "05 00ff", 3],
  ["nesting without end", "05".repeat(200), 129],
  ["an integer that is cut off", "14 1601", 2],
  ["a negative integer that is cut off", "0c", 1],
  ["an integer with a leading zero", "160001", 1],
  ["a negative integer with a leading zero", "12ff00", 1],
  ["a long integer that is cut off", "1d0901", 2],
  ["a long integer without its length", "1d", 1],
  ["a long integer with a leading zero", "1d09000102030405060708", 2],
  ["a long integer that is short", "1d0105", 1],
  ["a long integer of zero bytes", "1d00", 1],
  ["a long negative integer that is short", "0bf8fefdfcfbfaf9f8", 1],
  ["a float that is cut off", "208000", 1],
  ["a double that is cut off", "21800000000000", 1],
  ["a UUID that is cut off", "30001122", 1],
  ["a versionstamp that is cut off", "330011223344556677889902", 12],
  ["the 80-bit versionstamp of old clients", "3200112233445566778899", 0],
  ["the 64-bit identifier that is reserved", "310011223344556677", 0],
  ["a code that stands for nothing", "03", 0],
  ["a byte after a null that only a nested tuple has", "00ff", 1],
  ["what follows a whole tuple", "1501 ff", 2],
];

test.each(MALFORMED)("%s is refused, and where", (_what, encoded, at) => {
  const packed = bytes(encoded.replaceAll(" ", ""));
  expect(() => unpack(packed)).toThrow(INVALID);
  expect(() => unpack(packed)).toThrow(`(byte ${at})`);
});

test("a key that is a part of a larger memory is read to its own end only", () => {
  const memory = bytes("ff026100620000");
  expect(unpack(memory.subarray(1, 4))).toEqual(["a"]);
  expect(() => unpack(memory.subarray(4, 5))).toThrow(INVALID);
  expect(() => unpack(memory.subarray(1, 3))).toThrow("(byte 1)");
});

test("integers are of up to 255 bytes, of either sign", () => {
  for (const value of [
    2n ** 2040n - 1n,
    1n - 2n ** 2040n,
    2n ** 64n,
    -(2n ** 64n),
    2n ** 63n,
    -(2n ** 63n),
  ]) {
    expect(unpack(pack([value]))).toEqual([value]);
  }
  expect(unpack(pack([5n, -5n, 0n]))).toEqual([5, -5, 0]);
});

test("every NaN keeps its bits and its place: negative ones before all numbers, others after all", () => {
  const doubles = [
    Float64.ofBits(0xffffffffffffffffn),
    Float64.ofBits(0xfff0000000000001n),
    Number.NEGATIVE_INFINITY,
    -0,
    new Float64(0),
    Number.POSITIVE_INFINITY,
    Float64.ofBits(0x7ff0000000000001n),
    Number.NaN,
    Float64.ofBits(0x7ff8000000000001n),
  ];
  const floats = [
    0xffc00001, 0xff800001, 0xff800000, 0x80000000, 0, 0x7f800000, 0x7f800001, 0x7fc00000, 0x7fffffff,
  ];
  for (const order of [doubles, floats.map((bits) => Float32.ofBits(bits))]) {
    const packed = order.map((one) => hex(pack([one])));
    expect([...packed].sort()).toEqual(packed);
    expect(packed.map((one) => hex(pack(unpack(bytes(one)))))).toEqual(packed);
    expect(packed.map((one) => unpack(bytes(one))[0])).toEqual(order);
  }
});

function nestedDeep(levels: number): TupleElement {
  let element: TupleElement = [];
  for (let i = 1; i < levels; i++) element = [element];
  return element;
}
