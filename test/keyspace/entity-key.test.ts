/** Entity keys: fixed bytes, round trip, order, and what is no key. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareKeys } from "../../src/engine/format/bytes.js";
import {
  ENTITY_TAGS,
  type EntityId,
  type EntityTag,
  entityKey,
  entityPrefix,
  entityTagPrefix,
  parseEntityKey,
} from "../../src/keyspace/entity-key.js";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const TAGS = Object.keys(ENTITY_TAGS) as EntityTag[];
const ids: fc.Arbitrary<EntityId> = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(300),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.constantFrom<EntityId>(
    0,
    255,
    256,
    2 ** 32,
    Number.MAX_SAFE_INTEGER,
    2n ** 53n,
    2n ** 63n,
    2n ** 64n - 1n,
  ),
);
const keys = fc.record({ id: ids, tag: fc.constantFrom(...TAGS), suffix: fc.uint8Array({ maxLength: 20 }) });
const INVALID = expect.objectContaining({ code: "INVALID_ENTITY_KEY" }) as Error;

test.each([
  [0, "evt", "", "00000000000000000001"],
  [1, "sig", "ff", "00000000000000010002ff"],
  [258, "meta", "", "00000000000001020003"],
  [2 ** 32, "rel", "00", "0000000100000000000400"],
  [2n ** 53n, "mv", "", "00200000000000000005"],
  [2n ** 64n - 1n, "idx", "0102", "ffffffffffffffff00060102"],
] as const)("the key of %s, %s has its bytes", (id, tag, suffix, expected) => {
  const key = entityKey(id, tag, new Uint8Array(Buffer.from(suffix, "hex")));
  expect(hex(key)).toBe(expected);
  expect(hex(entityPrefix(id))).toBe(expected.slice(0, 18));
  expect(hex(entityTagPrefix(id, tag))).toBe(expected.slice(0, 20));
});

test("what is encoded is parsed again, for every tag and any suffix, also out of a larger memory", () => {
  fc.assert(
    fc.property(keys, fc.nat(5), ({ id, tag, suffix }, before) => {
      const key = entityKey(id, tag, suffix);
      const memory = new Uint8Array(key.length + 2 * before).fill(7);
      memory.set(key, before);
      const parsed = parseEntityKey(memory.subarray(before, before + key.length));
      expect(BigInt(parsed.id)).toBe(BigInt(id));
      expect(typeof parsed.id).toBe(BigInt(id) < 2n ** 53n ? "number" : "bigint");
      expect([parsed.tag, hex(parsed.suffix)]).toEqual([tag, hex(suffix)]);
    }),
  );
});

test("keys order by id, then tag, then suffix", () => {
  fc.assert(
    fc.property(keys, keys, (a, b) => {
      const byId = BigInt(a.id) < BigInt(b.id) ? -1 : Number(BigInt(a.id) > BigInt(b.id));
      const expected = byId || ENTITY_TAGS[a.tag] - ENTITY_TAGS[b.tag] || compareKeys(a.suffix, b.suffix);
      const order = compareKeys(entityKey(a.id, a.tag, a.suffix), entityKey(b.id, b.tag, b.suffix));
      expect(Math.sign(order)).toBe(Math.sign(expected));
    }),
  );
});

test("a prefix is that of exactly the keys of its entity, or of its entity and tag", () => {
  fc.assert(
    fc.property(keys, ids, fc.constantFrom(...TAGS), (key, id, tag) => {
      const encoded = hex(entityKey(key.id, key.tag, key.suffix));
      const isSame = BigInt(key.id) === BigInt(id);
      expect(encoded.startsWith(hex(entityPrefix(id)))).toBe(isSame);
      expect(encoded.startsWith(hex(entityTagPrefix(id, tag)))).toBe(isSame && key.tag === tag);
    }),
  );
});

test.each([-1, -1n, 0.5, Number.NaN, 2 ** 53, 2n ** 64n, "1", null, undefined, {}])("%s is no id", (id) => {
  expect(() => entityKey(id as EntityId, "evt")).toThrow(INVALID);
  expect(() => entityPrefix(id as EntityId)).toThrow(INVALID);
});

test.each(["Evt", "", "toString", 1, null, undefined])("%s is no tag", (tag) => {
  expect(() => entityKey(1, tag as EntityTag)).toThrow(INVALID);
  expect(() => entityTagPrefix(1, tag as EntityTag)).toThrow(INVALID);
});

test.each([
  ["", /at least 10 bytes, this one 0/],
  ["000000000000000100", /this one 9/],
  ["00000000000000010101", /byte 8/],
  ["00000000000000010000", /byte 9/],
  ["00000000000000010007", /byte 9/],
  ["000000000000000100ff", /byte 9/],
])("%s is no key, and the error says where", (encoded, message) => {
  const key = new Uint8Array(Buffer.from(encoded, "hex"));
  expect(() => parseEntityKey(key)).toThrow(INVALID);
  expect(() => parseEntityKey(key)).toThrow(message);
});

test("a suffix, and a key to be parsed, are bytes", () => {
  expect(() => entityKey(1, "evt", "x" as unknown as Uint8Array)).toThrow(INVALID);
  expect(() => parseEntityKey("0000000000" as unknown as Uint8Array)).toThrow(INVALID);
});
