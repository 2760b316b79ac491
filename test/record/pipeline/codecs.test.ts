import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Uuid } from "../../../src/keyspace/tuple-elements.js";
import { CBOR_CODEC } from "../../../src/record/pipeline/cbor-codec.js";
import { JSON_CODEC } from "../../../src/record/pipeline/json-codec.js";
import { arbitraryItem, otherwiseOrdered } from "./arbitrary-item.js";

const CODECS = [JSON_CODEC, CBOR_CODEC];
const fails = (code: string): Error => expect.objectContaining({ code }) as Error;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe.each(CODECS.map((codec) => [codec.name, codec] as const))("the codec %s", (_, codec) => {
  test("gives back every item as it was", () => {
    fc.assert(
      fc.property(arbitraryItem, (item) => {
        // Not toStrictEqual, which takes a member named "constructor" for the class.
        deepStrictEqual(codec.decode(codec.encode(item)), item);
      }),
      { numRuns: 700 },
    );
  });

  test("gives equal bytes for equal items, whatever the order of their members", () => {
    fc.assert(
      fc.property(arbitraryItem, (item) => {
        expect(hex(codec.encode(otherwiseOrdered(item)))).toBe(hex(codec.encode(item)));
      }),
      { numRuns: 500 },
    );
    const many = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`n${(i * 7) % 60}`, i]));
    expect(hex(codec.encode(otherwiseOrdered(many)))).toBe(hex(codec.encode(many)));
  });

  test("gives items that share no memory with the bytes", () => {
    const bytes = Buffer.concat([
      Buffer.from("head"),
      codec.encode({ raw: Uint8Array.of(1, 2, 3), e: new Uint8Array(0) }),
    ]);
    const item = codec.decode(bytes.subarray(4));
    bytes.fill(0xff);
    expect(item).toStrictEqual({ raw: Uint8Array.of(1, 2, 3), e: new Uint8Array(0) });
  });

  class Renamed extends Date {
    get [Symbol.toStringTag](): string {
      return "Renamed";
    }
  }

  test("gives UUIDs that are the caller's alone", () => {
    const id = Uuid.parse("00112233-4455-6677-8899-AABBCCDDEEFF");
    const bytes = codec.encode([id]);
    id.bytes.fill(0);
    const [read] = codec.decode(bytes) as [Uuid];
    bytes.fill(0);
    expect(read).toBeInstanceOf(Uuid);
    expect(String(read)).toBe("00112233-4455-6677-8899-aabbccddeeff");
  });

  test("takes subclasses of bytes and dates for what they are", () => {
    expect(codec.decode(codec.encode([Buffer.from("a"), new Renamed(7)]))).toStrictEqual([
      Uint8Array.of(97),
      new Date(7),
    ]);
  });

  test.each([
    ["a function", { b: { c: 1 }, a: [() => 1] }, "a value of type function at .a[0]"],
    ["undefined in an array", [1, undefined], "a value of type undefined at [1]"],
    ["undefined itself", undefined, "a value of type undefined at its root"],
    ["a hole", { list: Object.assign([], { length: 2 }) }, "a value of type undefined at .list[0]"],
    ["a map", { at: new Map() }, "an instance of Map at .at"],
    ["a set", { at: new Set([1]) }, "an instance of Set at .at"],
    ["other numbers in a row", { at: new Uint16Array(2) }, "an instance of Uint16Array at .at"],
    ["a buffer", { at: new ArrayBuffer(2) }, "an instance of ArrayBuffer at .at"],
    ["an error", { at: new Error("e") }, "an instance of Error at .at"],
    ["an expression", { at: /e/ }, "an instance of RegExp at .at"],
    ["a symbol", Symbol("s"), "a value of type symbol at its root"],
    ["a member named by a symbol", { [Symbol("s")]: 1 }, "a member named by a symbol at its root"],
    ["an invalid date", { when: new Date(Number.NaN) }, "a date that is none at .when"],
    ["half a surrogate pair", ["\ud800"], "a string with half a surrogate pair at [0]"],
    ["half of one in a name", { a: { "\udc00": 1 } }, "a name with half a surrogate pair at .a.\udc00"],
  ])("refuses %s and says where it is", (_, item, where) => {
    expect(() => codec.encode(item)).toThrow(
      expect.objectContaining({ code: "INVALID_ITEM", message: expect.stringContaining(where) as string }),
    );
  });

  test("refuses an item that contains itself, or goes too deep", () => {
    const own: Record<string, unknown> = { a: 1 };
    own["own"] = [own];
    expect(() => codec.encode({ at: own })).toThrow(/contains itself at \.at\.own\[0\]/);
    let deep: unknown = new Date(0);
    for (let i = 0; i < 500; i++) deep = [deep];
    expect(codec.decode(codec.encode(deep))).toStrictEqual(deep);
    expect(() => codec.encode([deep])).toThrow(/more than 500 levels/);
    let far: unknown = { end: () => 1 };
    for (let i = 0; i < 400; i++) far = { d: far };
    expect(() => codec.encode(far)).toThrow(/ at (\.d){10} … \(381 more\) … (\.d){9}\.end\. Leave it out/);
    const deeper = Buffer.from(`${"81".repeat(501)}00`, "hex");
    expect(() => CBOR_CODEC.decode(deeper)).toThrow(fails("ITEM_CORRUPT"));
    const shared = { a: 1 };
    expect(codec.decode(codec.encode([shared, shared]))).toEqual([shared, shared]);
  });
});

test("all codecs read their bytes as equal items", () => {
  fc.assert(
    fc.property(arbitraryItem, (item) => {
      deepStrictEqual(CBOR_CODEC.decode(CBOR_CODEC.encode(item)), JSON_CODEC.decode(JSON_CODEC.encode(item)));
    }),
    { numRuns: 500 },
  );
});

describe("JSON", () => {
  test("is canonical", () => {
    const encode = (item: unknown): string => Buffer.from(JSON_CODEC.encode(item)).toString();
    expect(encode({ b: 1, a: { d: [1n], c: undefined } })).toBe('{"a":{"d":[{"$bigint":"1"}]},"b":1}');
    expect(encode({ $a: -0, when: new Date(5), raw: Uint8Array.of(104, 105) })).toBe(
      '{"$$a":{"$number":"-0"},"raw":{"$bytes":"aGk="},"when":{"$date":5}}',
    );
  });

  test("is what plain writing gives, and behind room as well", () => {
    fc.assert(
      fc.property(arbitraryItem, fc.nat(20), (item, room) => {
        const text = plainText(item);
        expect(Buffer.from(JSON_CODEC.encode(item)).toString()).toBe(text);
        const behind = JSON_CODEC.encodeBehind?.(item, room) as Uint8Array;
        expect(Buffer.from(behind.subarray(room)).toString()).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    "{",
    '{"$what":1}',
    '{"$bigint":"01"}',
    '{"$bytes":"a"}',
    '{"$uuid":"00112233-4455-6677-8899-AABBCCDDEEFF"}',
    '{"$uuid":"00112233445566778899aabbccddeeff"}',
    '{"$uuid":7}',
    '{"$date":1.5}',
    '{"$number":"1"}',
    '{"$a":1,"b":2}',
    '{"\\u0024date":1.5}',
    '"\xff"',
    "",
  ])("finds that %s was not written by it", (text) => {
    expect(() => JSON_CODEC.decode(Buffer.from(text, "latin1"))).toThrow(fails("ITEM_CORRUPT"));
  });
});

describe("CBOR", () => {
  // Appendix A of RFC 8949, as far as items go, and what is ours.
  test.each([
    [0, "00"],
    [24, "1818"],
    [1_000_000_000_000, "1b000000e8d4a51000"],
    [-100, "3863"],
    [1.1, "fb3ff199999999999a"],
    [1.5, "f93e00"],
    [65_504.5, "fa477fe080"],
    [100_000.5, "fa47c35040"],
    [2 ** 53, "fa5a000000"],
    [5.960464477539063e-8, "f90001"],
    [-0, "f98000"],
    [Number.NaN, "f97e00"],
    [Number.NEGATIVE_INFINITY, "f9fc00"],
    [1n, "c24101"],
    [18_446_744_073_709_551_616n, "c249010000000000000000"],
    [-18_446_744_073_709_551_617n, "c349010000000000000000"],
    [0n, "c240"],
    [new Date(1_363_896_240_500), "c1fb41d452d9ec200000"],
    [new Date(1_363_896_240_000), "c11a514b67b0"],
    [Uint8Array.of(1, 2, 3, 4), "4401020304"],
    [Uuid.parse("00112233-4455-6677-8899-aabbccddeeff"), "d8255000112233445566778899aabbccddeeff"],
    ["\u00fc", "62c3bc"],
    [{ b: [2, 3], a: 1, aa: true, B: null }, "a46142f66161016162820203626161f5"],
  ])("of %s is %s", (item, bytes) => {
    expect(hex(CBOR_CODEC.encode(item))).toBe(bytes);
    expect(CBOR_CODEC.decode(Buffer.from(bytes, "hex"))).toStrictEqual(item);
  });

  test.each([
    ["", "nothing"],
    ["1817", "an integer longer than it need be"],
    ["1b0020000000000000", "an integer that is no safe one"],
    ["fb3ff8000000000000", "a float longer than it need be"],
    ["f93c00", "an integer as a float"],
    ["f97e01", "another NaN"],
    ["f7", "undefined"],
    ["ff", "a break"],
    ["9f01ff", "an array of no length"],
    ["a2616201616102", "members in another order"],
    ["a2616101616102", "a member twice"],
    ["a10101", "a member whose name is a number"],
    ["c2420001", "a bigint with a zero in front"],
    ["c201", "a bigint that is no bytes"],
    ["c16130", "a date that is text"],
    ["c1f97e00", "a date that is not a number"],
    ["c1fb43ffffffffffffff", "a date beyond the calendar"],
    ["c1f98000", "a date at minus zero"],
    ["c1fb3f1a36e2eb1c432d", "a date between two milliseconds"],
    ["c00102", "another tag"],
    ["d8254401020304", "a UUID of four bytes"],
    ["d82501", "a UUID that is no bytes"],
    ["0000", "two items"],
    ["61ff", "a text that is no UTF-8"],
    ["6261", "a text that is cut off"],
    ["9b7fffffffffffffff", "an array longer than anything"],
    ["e0", "a simple value"],
  ])("does not read %s: %s", (bytes) => {
    expect(() => CBOR_CODEC.decode(Buffer.from(bytes, "hex"))).toThrow(fails("ITEM_CORRUPT"));
  });

  test("reads exactly what it writes: any change of its bytes is another item, or refused", () => {
    fc.assert(
      fc.property(arbitraryItem, fc.nat(), fc.integer({ min: 1, max: 255 }), (item, at, change) => {
        const bytes = Uint8Array.from(CBOR_CODEC.encode(item));
        const index = at % bytes.length;
        bytes[index] = (bytes[index] as number) ^ change;
        let read: unknown;
        try {
          read = CBOR_CODEC.decode(bytes);
        } catch (error) {
          expect(error).toEqual(fails("ITEM_CORRUPT"));
          return;
        }
        expect(hex(CBOR_CODEC.encode(read))).toBe(hex(bytes));
      }),
      { numRuns: 1_000 },
    );
  });
});

/** What the codec must write, in the plainest way. Objects of its own would have members named by numbers first. */
function plainText(item: unknown): string {
  if (typeof item === "bigint") return `{"$bigint":"${item}"}`;
  if (Object.is(item, -0)) return '{"$number":"-0"}';
  if (typeof item === "number" && !Number.isFinite(item)) return `{"$number":"${item}"}`;
  if (typeof item !== "object" || item === null) return JSON.stringify(item);
  if (item instanceof Uint8Array) return `{"$bytes":"${Buffer.from(item).toString("base64")}"}`;
  if (item instanceof Uuid) return `{"$uuid":"${item}"}`;
  if (item instanceof Date) return `{"$date":${item.getTime()}}`;
  if (Array.isArray(item)) return `[${item.map(plainText).join(",")}]`;
  const names = Object.keys(item).sort();
  const members = names.map((name) => {
    const value = plainText((item as Readonly<Record<string, unknown>>)[name]);
    return `${JSON.stringify(name.startsWith("$") ? `$${name}` : name)}:${value}`;
  });
  return `{${members.join(",")}}`;
}
