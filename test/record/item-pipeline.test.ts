import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CodecRegistry } from "../../src/record/pipeline/codec.js";
import { DEFLATE } from "../../src/record/pipeline/compression.js";
import { derivedKeys, type KeyProvider, staticKeys } from "../../src/record/pipeline/encryption.js";
import { ItemPipeline, type PipelineSettings } from "../../src/record/pipeline/item-pipeline.js";
import { JSON_CODEC } from "../../src/record/pipeline/json-codec.js";

const key = (id: string, fill: number) => ({ id, bytes: new Uint8Array(32).fill(fill) });
const place = Buffer.from("R/user/1");
let word = 0;
const random = { nextUint32: (): number => (word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0) };
const pipeline = (settings: Partial<PipelineSettings> = {}): ItemPipeline =>
  new ItemPipeline({
    codec: JSON_CODEC,
    codecs: new CodecRegistry([JSON_CODEC]),
    compression: DEFLATE,
    compressions: [DEFLATE],
    keys: null,
    random,
    ...settings,
  });
const withKeys = (keys: KeyProvider): ItemPipeline => pipeline({ keys });
const fails = (code: string): unknown => expect.objectContaining({ code });

/** Everything that the codec takes. */
const item = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.double(),
    fc.bigInt(),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 40 }),
    fc.date({ noInvalidDate: true }),
  ),
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("leaf"),
    fc.array(tie("tree"), { maxLength: 5 }),
    fc.dictionary(
      fc.oneof(
        fc.string({ maxLength: 4 }),
        fc.constantFrom("$a", "$$b", "$bigint", "$date", "__proto__", ""),
      ),
      tie("tree"),
      { maxKeys: 5, noNullPrototype: true },
    ),
  ),
})).tree;

describe("the JSON codec", () => {
  test("gives back every item as it was", () => {
    fc.assert(
      fc.property(item, (one) => {
        expect(JSON_CODEC.decode(JSON_CODEC.encode(one))).toStrictEqual(one);
      }),
      { numRuns: 2_000 },
    );
  });

  test("gives equal bytes for equal items, whatever the order of their members", () => {
    const encode = (one: unknown): string => Buffer.from(JSON_CODEC.encode(one)).toString();
    expect(encode({ b: 1, a: { d: [1n], c: undefined } })).toBe('{"a":{"d":[{"$bigint":"1"}]},"b":1}');
    expect(encode({ $a: -0, when: new Date(5), raw: Uint8Array.of(104, 105) })).toBe(
      '{"$$a":{"$number":"-0"},"raw":{"$bytes":"aGk="},"when":{"$date":5}}',
    );
  });

  test.each([
    ["a function", { a: [() => 1] }, ".a[0]"],
    ["undefined in an array", [1, undefined], "[1]"],
    ["a class instance", { at: new Map() }, ".at"],
    ["a symbol", Symbol("s"), "its root"],
    ["a member named by a symbol", { [Symbol("s")]: 1 }, "its root"],
    ["an invalid date", { when: new Date(Number.NaN) }, ".when"],
    ["half a surrogate pair", ["\ud800"], "[0]"],
  ])("refuses %s and says where it is", (_, one, where) => {
    expect(() => JSON_CODEC.encode(one)).toThrow(
      expect.objectContaining({ code: "INVALID_ITEM", message: expect.stringContaining(where) as string }),
    );
  });

  test("refuses an item that contains itself, or goes too deep", () => {
    const own: Record<string, unknown> = {};
    own["own"] = [own];
    expect(() => JSON_CODEC.encode(own)).toThrow(fails("INVALID_ITEM") as Error);
    let deep: unknown = 1;
    for (let i = 0; i < 501; i++) deep = [deep];
    expect(() => JSON_CODEC.encode(deep)).toThrow(fails("INVALID_ITEM") as Error);
    const shared = { a: 1 };
    expect(JSON_CODEC.decode(JSON_CODEC.encode([shared, shared]))).toEqual([shared, shared]);
  });

  test.each([
    "{",
    '{"$what":1}',
    '{"$bigint":"01"}',
    '{"$bytes":"a"}',
    '{"$date":1.5}',
    '{"$number":"1"}',
    '{"$a":1,"b":2}',
  ])("finds that %s was not written by it", (text) =>
    expect(() => JSON_CODEC.decode(Buffer.from(text))).toThrow(fails("ITEM_CORRUPT") as Error),
  );
});

describe("the pipeline", () => {
  test("gives back every item, with every setting, under settings that came later", () => {
    const keys = staticKeys(key("new", 2), key("old", 1));
    const writers = [
      pipeline(),
      pipeline({ compression: null }),
      withKeys(staticKeys(key("old", 1))),
      pipeline({ compression: null, keys }),
    ];
    fc.assert(
      fc.property(item, fc.constantFrom(...writers), (one, writer) => {
        expect(withKeys(keys).decode(writer.encode(one, place), place)).toStrictEqual(one);
      }),
      { numRuns: 300 },
    );
  });

  test("compresses what gets shorter by it, and nothing else", () => {
    const long = { text: "stillwater ".repeat(100) };
    expect(pipeline().encode(long, place).length).toBeLessThan(100);
    const noise = { bytes: Uint8Array.from({ length: 300 }, () => random.nextUint32() >>> 24) };
    expect(pipeline().encode({ short: "aaaaaaaaaaaa" }, place)[2]).toBe(0);
    expect(pipeline().decode(pipeline().encode(noise, place), place)).toEqual(noise);
  });

  test("refuses an encrypted item in which any byte was changed, or that lies under another key", () => {
    const keys = withKeys(derivedKeys(new Uint8Array(32).fill(9), "2026"));
    const stored = keys.encode({ secret: "x".repeat(200) }, place);
    for (let at = 0; at < stored.length; at++) {
      const changed = Uint8Array.from(stored);
      changed[at] = (changed[at] as number) ^ 1;
      expect(() => keys.decode(changed, place)).toThrow();
    }
    expect(() => keys.decode(stored, Buffer.from("R/user/2"))).toThrow(fails("DECRYPTION_FAILED") as Error);
    expect(keys.decode(stored, place)).toEqual({ secret: "x".repeat(200) });
  });

  test("says which key is missing, or that it is the wrong one", () => {
    const stored = withKeys(staticKeys(key("2025", 1))).encode({ a: 1 }, place);
    const other = withKeys(staticKeys(key("2026", 1)));
    expect(() => other.decode(stored, place)).toThrow(/"2025"/);
    expect(() => pipeline().decode(stored, place)).toThrow(fails("UNKNOWN_ENCRYPTION_KEY") as Error);
    const wrong = withKeys(staticKeys(key("2025", 3)));
    expect(() => wrong.decode(stored, place)).toThrow(fails("DECRYPTION_FAILED") as Error);
  });

  test("refuses bytes that are cut off anywhere", () => {
    for (const writer of [pipeline(), withKeys(staticKeys(key("k", 1)))]) {
      const stored = writer.encode({ text: "ab".repeat(100) }, place);
      for (let length = 0; length < stored.length; length++) {
        expect(() => writer.decode(stored.subarray(0, length), place)).toThrow();
      }
    }
  });

  test("never encrypts twice with one nonce", () => {
    const writer = withKeys(staticKeys(key("k", 1)));
    const nonces = new Set(
      Array.from({ length: 500 }, () => Buffer.from(writer.encode(1, place).subarray(6, 18)).toString("hex")),
    );
    expect(nonces.size).toBe(500);
  });

  test.each([
    [() => staticKeys(key("", 1))],
    [() => staticKeys({ id: "a", bytes: new Uint8Array(16) })],
    [() => staticKeys(key("a", 1), key("a", 2))],
    [() => derivedKeys(new Uint8Array(16), "a")],
    [() => new CodecRegistry([JSON_CODEC], [{ ...JSON_CODEC, id: 5 }])],
  ])("refuses bad settings: %s", (make) => expect(make).toThrow(fails("INVALID_ARGUMENT") as Error));
});
