import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KeyProvider } from "../../../src/record/pipeline/encryption.js";
import { ItemPipeline } from "../../../src/record/pipeline/item-pipeline.js";
import { JSON_CODEC } from "../../../src/record/pipeline/json-codec.js";
import { DerivedKeys, RotatingKeys } from "../../../src/record/pipeline/key-providers.js";
import { type ItemStorageOptions, pipelineSettings } from "../../../src/record/pipeline/pipeline-options.js";
import { arbitraryItem } from "./arbitrary-item.js";

const key = (id: string, fill: number) => ({ id, bytes: new Uint8Array(32).fill(fill) });
const place = Buffer.from("R/user/1");
let word = 0;
const random = { nextUint32: (): number => (word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0) };
const pipeline = (options: ItemStorageOptions = {}): ItemPipeline =>
  new ItemPipeline(pipelineSettings(options, random));
const withKeys = (keys: KeyProvider, options: ItemStorageOptions = {}): ItemPipeline =>
  pipeline({ ...options, encryption: { keys } });
const fails = (code: string): Error => expect.objectContaining({ code }) as Error;
const LONG = { text: "stillwater ".repeat(100) };

/** Of a user: the text backwards, and bytes with every bit turned, which is never shorter. */
const OWN_CODEC = {
  id: 200,
  name: "own",
  encode: (item: unknown) => Buffer.from(JSON_CODEC.encode(item)).reverse(),
  decode: (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).reverse().toString()) as unknown,
};
const OWN_COMPRESSION = {
  id: 128,
  name: "half",
  compress: (bytes: Uint8Array) => bytes.subarray(0, bytes.length >> 1),
  decompress: (bytes: Uint8Array) => Buffer.concat([bytes, bytes]),
};

describe("the pipeline", () => {
  test("gives back every item, with every setting, under settings that came later", () => {
    const keys = new RotatingKeys(key("new", 2), key("old", 1));
    const writers = (["json", "cbor"] as const).flatMap((codec) =>
      (["none", "deflate", "gzip", "brotli"] as const).flatMap((compression) => [
        pipeline({ codec, compression }),
        withKeys(new RotatingKeys(key("old", 1)), { codec, compression }),
        withKeys(keys, { codec, compression }),
      ]),
    );
    const reader = pipeline({ encryption: { keys, readUnencrypted: true } });
    fc.assert(
      fc.property(arbitraryItem, fc.constantFrom(...writers), (one, writer) => {
        deepStrictEqual(reader.decode(writer.encode(one, place), place), one);
      }),
      { numRuns: 500 },
    );
    for (const writer of writers) expect(reader.decode(writer.encode(LONG, place), place)).toEqual(LONG);
  });

  test("says in four bytes what was done, and nothing where nothing was", () => {
    expect(pipeline().encode({ a: 1 }, place)).toEqual(Buffer.from('\u0001\u0001\0\0{"a":1}'));
    expect([...pipeline({ codec: "cbor" }).encode(1, place)]).toEqual([1, 2, 0, 0, 1]);
    expect([
      ...withKeys(new RotatingKeys(key("k", 1)))
        .encode(1, place)
        .subarray(0, 6),
    ]).toEqual([1, 1, 0, 1, 1, 107]);
    const long = pipeline({ compression: "brotli" }).encode(LONG, place);
    expect([...long.subarray(0, 8)]).toEqual([1, 1, 3, 0, 0x57, 4, 0, 0]);
  });

  test.each(["deflate", "gzip", "brotli"] as const)(
    "with %s makes shorter what can be, and nothing else",
    (compression) => {
      const writer = pipeline({ compression });
      expect(writer.encode(LONG, place).length).toBeLessThan(100);
      const noise = { bytes: Uint8Array.from({ length: 300 }, () => random.nextUint32() >>> 24) };
      const cbor = pipeline({ compression, codec: "cbor" });
      expect(cbor.encode(noise, place)[2]).toBe(0);
      expect(cbor.decode(cbor.encode(noise, place), place)).toEqual(noise);
      expect(writer.encode({ short: "aaaaaaaaaaaa" }, place)[2]).toBe(0);
    },
  );

  test("takes codecs and compressions of a user, and reads what they wrote as long as they are there", () => {
    const writer = pipeline({ codec: OWN_CODEC, compression: OWN_COMPRESSION });
    const twice = { twice: "ab".repeat(100) };
    const doubled = { id: 201, name: "doubled", encode: () => Buffer.from("x".repeat(200)), decode: String };
    const stored = pipeline({ codec: doubled, compression: OWN_COMPRESSION }).encode(1, place);
    expect([...stored.subarray(0, 4)]).toEqual([1, 201, 128, 0]);
    const later = pipeline({ codecs: [OWN_CODEC, doubled], compressions: [OWN_COMPRESSION] });
    expect(later.decode(stored, place)).toBe("x".repeat(200));
    const plain = pipeline({ codec: OWN_CODEC }).encode(twice, place);
    expect(later.decode(plain, place)).toEqual(twice);
    expect(writer.decode(plain, place)).toEqual(twice);
    expect(() => pipeline().decode(plain, place)).toThrow(/codec 200, which is not registered/);
    expect(() => pipeline({ codecs: [doubled] }).decode(stored, place)).toThrow(
      /compression 128, which is not/,
    );
    expect(() => pipeline().decode(stored, place)).toThrow(fails("UNSUPPORTED_FORMAT"));
  });

  test("refuses an item that is too large to be compressed, and one that says it is", () => {
    const huge = { id: 202, name: "huge", encode: () => new Uint8Array(2 ** 28 + 1), decode: () => 0 };
    const writer = pipeline({ codec: huge, compression: "deflate" });
    expect(() => writer.encode(0, place)).toThrow(fails("ITEM_TOO_LARGE"));
    const stored = pipeline({ compression: "deflate" }).encode(LONG, place);
    stored[7] = 0xff;
    expect(() => writer.decode(stored, place)).toThrow(/says that it had 42\d+ bytes/);
  });

  test("says which key is missing, or that it is the wrong one", () => {
    const stored = withKeys(new RotatingKeys(key("2025", 1))).encode({ a: 1 }, place);
    const other = withKeys(new RotatingKeys(key("2026", 1)));
    expect(() => other.decode(stored, place)).toThrow(/"2025"/);
    expect(() => pipeline().decode(stored, place)).toThrow(fails("UNKNOWN_ENCRYPTION_KEY"));
    const wrong = withKeys(new RotatingKeys(key("2025", 3)));
    expect(() => wrong.decode(stored, place)).toThrow(fails("DECRYPTION_FAILED"));
  });

  test("refuses an item in clear where items are encrypted, until it is told that there are such", () => {
    const stored = pipeline().encode({ a: 1 }, place);
    const keys = new RotatingKeys(key("k", 1));
    expect(() => withKeys(keys).decode(stored, place)).toThrow(fails("ITEM_NOT_ENCRYPTED"));
    const both = pipeline({ encryption: { keys, readUnencrypted: true } });
    expect(both.decode(stored, place)).toEqual({ a: 1 });
    expect(both.encode({ a: 1 }, place)[3]).toBe(1);
  });

  test("refuses a provider's key that is none, when reading and when writing", () => {
    let bad = key("k", 1);
    const keys = { current: () => bad, byId: () => bad };
    const writer = withKeys(keys);
    const stored = writer.encode(1, place);
    bad = { id: "k", bytes: new Uint8Array(16) };
    expect(() => writer.encode(1, place)).toThrow(fails("INVALID_ARGUMENT"));
    expect(() => writer.decode(stored, place)).toThrow(fails("INVALID_ARGUMENT"));
  });

  test("never encrypts twice with one nonce", () => {
    const writer = withKeys(new RotatingKeys(key("k", 1)));
    const nonces = new Set(
      Array.from({ length: 500 }, () => Buffer.from(writer.encode(1, place).subarray(6, 18)).toString("hex")),
    );
    expect(nonces.size).toBe(500);
  });

  test.each([
    [
      "rotating",
      () => new RotatingKeys(key("a", 1)),
      (keys: KeyProvider) => (keys as RotatingKeys).rotate(key("b", 2)),
    ],
    [
      "derived",
      () => new DerivedKeys(new Uint8Array(32), "a"),
      (keys: KeyProvider) => (keys as DerivedKeys).rotate("b"),
    ],
  ] as const)(
    "encrypts with another of its %s keys from one item to the next, and reads both",
    (_, make, rotate) => {
      const keys = make();
      const writer = withKeys(keys);
      const before = writer.encode({ n: 1 }, place);
      rotate(keys);
      const after = writer.encode({ n: 1 }, place);
      expect([before[5], after[5]]).toEqual([97, 98]);
      for (const stored of [before, after]) expect(writer.decode(stored, place)).toEqual({ n: 1 });
    },
  );
});
