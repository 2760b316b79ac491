/** Keys and values between bytes and texts in the admin's page: nothing is lost, nothing unseen stays unseen, what is refused says why. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  base64urlOf,
  bytesOfText,
  endOfPrefix,
  nextKey,
  TEXT_ENCODINGS,
  textOfBytes,
} from "../../../src/admin/page/bytes.js";
import { jsonTokens } from "../../../src/admin/page/json-text.js";
import { bytesOfInput } from "../../../src/admin/page/key-input.js";
import { escapeUnseen, keyTextOf, tupleText } from "../../../src/admin/page/key-text.js";
import { compareKeys } from "../../../src/engine/format/bytes.js";
import { pack, type TupleElement, Uuid, Versionstamp } from "../../../src/index.js";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ unit: "binary", maxLength: 50 }).map(utf8),
);

describe("encodings", () => {
  it.each(TEXT_ENCODINGS)("give back the bytes that they were given: %s", (encoding) => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const text = textOfBytes(bytes, encoding);
        if (text === null) expect(Buffer.from(bytes).toString()).toContain("\ufffd");
        else expect(bytesOfText(text, encoding)).toEqual(new Uint8Array(bytes));
      }),
    );
  });

  it("are those of Node, also for a megabyte", () => {
    const bytes = Uint8Array.from({ length: 1_048_577 }, (_, at) => (at * 7919) & 255);
    expect(base64urlOf(bytes)).toBe(Buffer.from(bytes).toString("base64url"));
    expect(textOfBytes(bytes, "hex")).toBe(Buffer.from(bytes).toString("hex"));
  });

  it("refuse what no bytes are written as", () => {
    for (const text of ["a", "AA==", "A+/A", "AB", "ä"])
      expect(bytesOfText(text, "base64url"), text).toBeNull();
    for (const text of ["0", "0g", "0x00"]) expect(bytesOfText(text, "hex"), text).toBeNull();
    expect(bytesOfText("\ud800", "utf8")).toBeNull();
    expect(bytesOfText("00 ff", "hex")).toEqual(Uint8Array.of(0, 255));
  });
});

test("the end of a prefix comes behind all keys that begin with it, and before all others that are larger", () => {
  fc.assert(
    fc.property(anyBytes, anyBytes, (prefix, key) => {
      const end = endOfPrefix(prefix);
      const begins = prefix.every((byte, at) => key[at] === byte);
      const isBefore = end === null || compareKeys(key, end) < 0;
      expect(begins).toBe(compareKeys(key, prefix) >= 0 && isBefore);
    }),
  );
  expect(endOfPrefix(Uint8Array.of(255, 255))).toBeNull();
});

test("there is no key between a key and the next", () => {
  expect(nextKey(Uint8Array.of(1))).toEqual(Uint8Array.of(1, 0));
});

describe("a key is shown", () => {
  it.each([
    ["as text where it is text", utf8("user:ä/☃"), "user:ä/☃", "text"],
    [
      "unpacked where it is a tuple",
      pack(["orders", 2026, true, null]),
      '("orders", 2026, true, null)',
      "tuple",
    ],
    ["byte by byte where it is neither", Uint8Array.of(0xff, 0x41, 0x5c, 0x0a), "\\xffA\\\\\\x0a", "bytes"],
    ["byte by byte where a tuple ends too early", pack(["orders"]).subarray(0, -1), "\\x02orders", "bytes"],
    ["as markup that stays text", utf8("<script>"), "<script>", "text"],
  ])("%s", (_, key, text, form) => {
    expect(keyTextOf(key, "auto")).toEqual({ text, form });
  });

  it("as its reader wants, as far as that can be", () => {
    const key = pack([1]);
    expect(keyTextOf(key, "hex")).toEqual({ text: "1501", form: "hex" });
    expect(keyTextOf(key, "utf8")).toEqual({ text: "\\u{15}\\u{1}", form: "text" });
    expect(keyTextOf(utf8("abc"), "tuple")).toEqual({ text: "abc", form: "bytes" });
    expect(keyTextOf(Uint8Array.of(255), "utf8").form).toBe("bytes");
  });

  it("with every kind of element a tuple has", () => {
    const uuid = Uuid.parse("00112233-4455-6677-8899-aabbccddeeff");
    const stamp = new Versionstamp(new Uint8Array(10), 3);
    const tuple: TupleElement[] = ["é\n", utf8("\0"), -5, 2n ** 70n, 1.5, -0, [null, [false]], uuid, stamp];
    expect(tupleText(pack(tuple))).toBe(
      '("é\\n", bytes 00, -5, 1180591620717411303424, 1.5, -0, (null, (false)), uuid 00112233-4455-6677-8899-aabbccddeeff, ' +
        "versionstamp 00000000000000000000:3)",
    );
  });

  it("on one line that nothing can turn around or hide, whatever its bytes are", () => {
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    const hidden = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
    fc.assert(
      fc.property(anyBytes, fc.constantFrom("auto", "utf8", "tuple", "hex", "base64url"), (key, style) => {
        expect(keyTextOf(key, style).text).not.toMatch(hidden);
      }),
    );
    expect(escapeUnseen("a\u202eb\u200b\ud800c")).toBe("a\\u{202e}b\\u{200b}\\u{d800}c");
  });
});

describe("a key that is typed", () => {
  it("may be a tuple, as a JSON list", () => {
    expect(bytesOfInput('["orders", 2026, [true, null], 1.5]', "tuple")).toEqual(
      pack(["orders", 2026, [true, null], 1.5]),
    );
  });

  it.each([
    ["[12345678901234567890]", "tuple", "more digits"],
    ['{"a":1}', "tuple", "JSON list"],
    ["[", "tuple", "JSON list"],
    ['[{"a":1}]', "tuple", "element 0"],
    ["0", "hex", "hexadecimal"],
    ["=", "base64url", "base64url"],
    ["\udfff", "utf8", "surrogate"],
  ] as const)("is refused with the reason: %s as %s", (text, form, reason) => {
    expect(() => bytesOfInput(text, form)).toThrow(reason);
  });

  it("may have digits in a text of a tuple", () => {
    expect(bytesOfInput('["12345678901234567890"]', "tuple")).toEqual(pack(["12345678901234567890"]));
  });
});

describe("JSON laid out", () => {
  const shown = (text: string): string | undefined =>
    jsonTokens(text)
      ?.map((token) => token.text)
      .join("");

  it("is what JSON.stringify lays out, for every value without numbers of odd spelling", () => {
    fc.assert(
      fc.property(fc.json({ noUnicodeString: false }), (text) => {
        const value: unknown = JSON.parse(text);
        if (typeof value !== "object" || value === null) expect(jsonTokens(text)).toBeNull();
        else expect(JSON.stringify(JSON.parse(shown(text) ?? ""))).toBe(JSON.stringify(value));
      }),
    );
    expect(shown('{"a":[1,{}],"b":[]}')).toBe(JSON.stringify({ a: [1, {}], b: [] }, null, 2));
  });

  it("keeps what parsing would lose: digits, order, doubles", () => {
    expect(shown('{"b":12345678901234567890, "1":1.50e+3, "b":2}')).toBe(
      '{\n  "b": 12345678901234567890,\n  "1": 1.50e+3,\n  "b": 2\n}',
    );
    expect(jsonTokens('{"a": "b", "c": [null, -1]}')?.filter(({ kind }) => kind !== "plain")).toEqual([
      { kind: "name", text: '"a"' },
      { kind: "string", text: '"b"' },
      { kind: "name", text: '"c"' },
      { kind: "word", text: "null" },
      { kind: "number", text: "-1" },
    ]);
  });
});
