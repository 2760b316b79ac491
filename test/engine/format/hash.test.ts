import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FILTER_HASH_SEED, hashKey, murmur3 } from "../../../src/engine/format/hash.js";

function hash(bytes: readonly number[] | string, seed: number): number {
  const source = typeof bytes === "string" ? new TextEncoder().encode(bytes) : Uint8Array.from(bytes);
  return murmur3(source, 0, source.length, seed);
}

describe("murmur3", () => {
  it("gives the published values of MurmurHash3_x86_32", () => {
    expect(hash([], 0)).toBe(0);
    expect(hash([], 1)).toBe(0x514e28b7);
    expect(hash([], 0xffffffff)).toBe(0x81f16f39);
    expect(hash([0xff, 0xff, 0xff, 0xff], 0)).toBe(0x76293b50);
    expect(hash([0x21, 0x43, 0x65, 0x87], 0)).toBe(0xf55b516b);
    expect(hash([0x21, 0x43, 0x65, 0x87], 0x5082edee)).toBe(0x2362f9de);
    expect(hash([0x21, 0x43, 0x65], 0)).toBe(0x7e4a8634);
    expect(hash([0x21, 0x43], 0)).toBe(0xa0f7b07a);
    expect(hash([0x21], 0)).toBe(0x72661cf4);
    expect(hash([0, 0, 0, 0], 0)).toBe(0x2362f9de);
    expect(hash([0, 0, 0], 0)).toBe(0x85f0b427);
    expect(hash([0, 0], 0)).toBe(0x30f4c306);
    expect(hash([0], 0)).toBe(0x514e28b7);
    expect(hash("Hello, world!", 0x9747b28c)).toBe(0x24884cba);
    expect(hash("The quick brown fox jumps over the lazy dog", 0x9747b28c)).toBe(0x2fa826cd);
  });

  it("looks only at the bytes that it is told", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.uint8Array({ maxLength: 9 }),
        fc.integer(),
        (bytes, around, seed) => {
          const padded = Uint8Array.from([...around, ...bytes, ...around]);
          expect(murmur3(padded, around.length, bytes.length, seed)).toBe(
            murmur3(bytes, 0, bytes.length, seed),
          );
        },
      ),
    );
  });

  it("tells a key from the same key with one more byte (D22)", () => {
    const key = new TextEncoder().encode("0123456789abcdef?");
    for (let length = 0; length < 17; length++) {
      for (let last = 0; last < 256; last++) {
        key[length] = last;
        expect(hashKey(key, 0, length + 1)).not.toBe(hashKey(key, 0, length));
      }
    }
  });

  it("keeps the hash of keys, which is part of the table format", () => {
    expect(FILTER_HASH_SEED).toBe(0x57113a7e);
    expect(hashKey(new TextEncoder().encode("stillwater"), 0, 10)).toMatchInlineSnapshot(`2608613484`);
  });
});
