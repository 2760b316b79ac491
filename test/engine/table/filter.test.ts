import { describe, expect, it } from "vitest";
import { hashKey } from "../../../src/engine/format/hash.js";
import { BloomFilter, encodeFilter, filterBytes } from "../../../src/engine/table/filter.js";

type Family = (i: number) => string;

/** Families of keys that a weak hash or weak mixing lets collide (D22). */
const FAMILIES: Record<string, Family> = {
  "decimal numbers": (i) => String(i),
  "zero-padded numbers": (i) => String(i).padStart(16, "0"),
  "numbers before a long tail": (i) => `${i}${"-tail".repeat(20)}`,
  "numbers after a long head": (i) => `${"head-".repeat(20)}${i}`,
  "one byte more each": (i) => "k".repeat(i % 400) + String.fromCharCode(i / 400),
  pairs: (i) => `${i % 1000}/${Math.floor(i / 1000)}`,
};
const COUNT = 20_000;

function hashOf(key: string): number {
  const bytes = Buffer.from(key, "latin1");
  return hashKey(bytes, 0, bytes.length);
}

function filterOf(keys: readonly string[], bitsPerKey: number): BloomFilter {
  const payload = encodeFilter(Uint32Array.from(keys, hashOf), keys.length, bitsPerKey);
  return BloomFilter.decode(payload as Uint8Array) as BloomFilter;
}

function passing(filter: BloomFilter, keys: readonly string[]): number {
  return keys.filter((key) => filter.mayContain(hashOf(key))).length / keys.length;
}

describe("BloomFilter", () => {
  for (const [name, family] of Object.entries(FAMILIES)) {
    const keys = [...new Set(Array.from({ length: COUNT }, (_, i) => family(i)))];

    it(`of ${name}: refuses no key that was added, and passes about 1 % of variants that were not`, () => {
      const filter = filterOf(keys, 10);
      expect(passing(filter, keys)).toBe(1);
      const added = new Set(keys);
      for (const variant of [
        (key: string): string => `${key}\x01`,
        (key: string): string => `${key}\0`,
        (key: string): string => `\0${key}`,
        (key: string): string => key.slice(0, -1),
        (key: string): string => `${key}${key}`,
        (key: string): string => [...key].reverse().join("").concat("!"),
      ]) {
        const absent = [...new Set(keys.map(variant))].filter((key) => !added.has(key));
        // Few distinct variants say nothing about a rate.
        if (absent.length > 2000) expect(passing(filter, absent)).toBeLessThan(0.022);
      }
    });
  }

  it("gets better with more bits, as far as six probes can", () => {
    const keys = Array.from({ length: COUNT }, (_, i) => `in${i}`);
    const absent = Array.from({ length: 4 * COUNT }, (_, i) => `out${i}`);
    const rates = [4, 7, 10, 16].map((bits) => passing(filterOf(keys, bits), absent));
    const limits = [0.25, 0.05, 0.015, 0.003];
    for (const [i, rate] of rates.entries()) expect(rate).toBeLessThan(limits[i] as number);
  });

  it("works for one key and for any number of lines", () => {
    for (const count of [1, 2, 51, 52, 1000]) {
      const keys = Array.from({ length: count }, (_, i) => `k${i}`);
      for (const bits of [1, 10, 32]) expect(passing(filterOf(keys, bits), keys)).toBe(1);
    }
  });

  it("predicts its size, and is absent without keys or bits", () => {
    expect(encodeFilter(new Uint32Array(4), 0, 10)).toBeNull();
    expect(encodeFilter(new Uint32Array(4), 4, 0)).toBeNull();
    expect(filterBytes(0, 10)).toBe(0);
    for (const count of [1, 51, 52, 5000]) {
      expect(encodeFilter(new Uint32Array(count), count, 10)?.length).toBe(filterBytes(count, 10));
    }
  });

  it("does not take other bytes for a filter", () => {
    const payload = encodeFilter(Uint32Array.of(1, 2, 3), 3, 10) as Uint8Array;
    expect(BloomFilter.decode(payload.subarray(0, -4))).toBeNull();
    expect(BloomFilter.decode(new Uint8Array(4))).toBeNull();
    expect(BloomFilter.decode(new Uint8Array(200))).toBeNull();
  });
});
