/** Subspaces: prefix and tuple together, what is inside, and where it ends. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareKeys } from "../../src/engine/format/bytes.js";
import { keyAfterPrefix, Subspace } from "../../src/keyspace/subspace.js";
import { pack } from "../../src/keyspace/tuple.js";
import { Versionstamp } from "../../src/keyspace/tuple-elements.js";
import { tuples } from "./tuple-arbitrary.js";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const b = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
const INVALID = expect.objectContaining({ code: "INVALID_ARGUMENT" }) as Error;

test("a subspace packs behind its prefix, and nesting subspaces is joining tuples", () => {
  fc.assert(
    fc.property(tuples, tuples, (outer, inner) => {
      const subspace = Subspace.of(...outer);
      const key = subspace.pack(inner);
      expect(hex(key)).toBe(hex(pack([...outer, ...inner])));
      expect(hex(subspace.subspace(...inner).prefix)).toBe(hex(key));
      expect(hex(pack(subspace.unpack(key)))).toBe(hex(pack(inner)));
      expect(subspace.contains(key)).toBe(true);
    }),
  );
});

test("the range of a subspace has all its keys but its own, and none of another's", () => {
  fc.assert(
    fc.property(tuples, tuples, (one, two) => {
      const { begin, end } = Subspace.of("s").range(one);
      const key = Subspace.of("s").pack(two);
      const isInside = compareKeys(begin, key) <= 0 && compareKeys(key, end) < 0;
      // Element by element: the bytes of a text may go on with a zero that is escaped, and are another element's then.
      const goesOn = hex(pack(two.slice(0, one.length))) === hex(pack(one)) && two.length > one.length;
      expect(isInside).toBe(goesOn);
    }),
  );
});

test("a key outside is neither contained nor unpacked", () => {
  const subspace = Subspace.of("users");
  for (const key of [b(""), b("\x02user"), Subspace.of("userz").pack([1]), Subspace.of("u").pack(["sers"])]) {
    expect(subspace.contains(key)).toBe(false);
    expect(() => subspace.unpack(key)).toThrow(INVALID);
  }
  expect(subspace.unpack(subspace.prefix)).toEqual([]);
  const broken = Uint8Array.of(...subspace.prefix, 0x03);
  expect(() => subspace.unpack(broken)).toThrow(expect.objectContaining({ code: "INVALID_TUPLE" }) as Error);
});

test("a raw prefix is taken as it is, copied, and must not end in 0xFF", () => {
  const prefix = Buffer.from("raw");
  const subspace = Subspace.raw(prefix);
  prefix.fill(0);
  expect(hex(subspace.pack([1]))).toBe(`${hex(b("raw"))}1501`);
  expect(() => Subspace.raw(b("a\xff"))).toThrow(INVALID);
  expect(hex(Subspace.raw(new Uint8Array(0)).range().end)).toBe("ff");
});

test("the place of an incomplete versionstamp counts from the start of the key", () => {
  const { bytes, offset } = Subspace.of("log").packWithVersionstamp(["a", Versionstamp.incomplete(258), 1]);
  expect(hex(bytes)).toBe("026c6f6700026100 33 ffffffffffffffffffff 0102 1501".replaceAll(" ", ""));
  expect(offset).toBe(9);
  const invalid = expect.objectContaining({ code: "INVALID_TUPLE" }) as Error;
  expect(() => Subspace.of("log").packWithVersionstamp(["a"])).toThrow(invalid);
  expect(() => Subspace.of("log").packWithVersionstamp([new Versionstamp(new Uint8Array(10))])).toThrow(
    invalid,
  );
  const two = [Versionstamp.incomplete(), [Versionstamp.incomplete()]];
  expect(() => Subspace.of("log").packWithVersionstamp(two)).toThrow(invalid);
});

test("the key after a prefix is the first that comes after all keys with it", () => {
  const prefixes = fc.array(fc.constantFrom(0, 1, 254, 255), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(prefixes, prefixes, (one, two) => {
      const [prefix, key] = [Uint8Array.from(one), Uint8Array.from(two)];
      if (one.every((byte) => byte === 255)) {
        expect(() => keyAfterPrefix(prefix)).toThrow(INVALID);
        return;
      }
      const after = keyAfterPrefix(Buffer.from(prefix));
      expect(hex(Uint8Array.from(one))).toBe(hex(prefix));
      const isPast = compareKeys(key, prefix) > 0 && !hex(key).startsWith(hex(prefix));
      expect(compareKeys(key, after) >= 0).toBe(isPast);
    }),
  );
  expect(() => keyAfterPrefix(new Uint8Array(0))).toThrow(INVALID);
  const given = Buffer.from([1, 2]);
  expect(hex(keyAfterPrefix(given))).toBe("0103");
  expect(hex(given)).toBe("0102");
});
