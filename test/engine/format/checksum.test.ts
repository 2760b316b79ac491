import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ChecksumName, checksumById, checksumByName } from "../../../src/engine/format/checksum.js";
import { installProbes } from "../../../src/platform/probes.js";

const NAMES: readonly ChecksumName[] = ["crc32", "blake3"];

function place(): fc.Arbitrary<{ fileNumber: number; offset: number }> {
  return fc.record({ fileNumber: fc.maxSafeNat(), offset: fc.maxSafeNat() });
}

describe.each(NAMES)("checksum %s", (name) => {
  const algorithm = checksumByName(name);
  const source = Uint8Array.from({ length: 100 }, (_, i) => (i * 37) & 0xff);

  function sum(fileNumber: number, offset: number, bytes = source, from = 0, to = bytes.length): Uint8Array {
    const target = new Uint8Array(algorithm.bytes);
    algorithm.write(target, 0, fileNumber, offset, bytes, from, to);
    return target;
  }

  it("verifies what it wrote, wherever the sum stands", () => {
    fc.assert(
      fc.property(
        place(),
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(20),
        ({ fileNumber, offset }, bytes, at) => {
          const target = new Uint8Array(at + algorithm.bytes + 3).fill(0x77);
          algorithm.write(target, at, fileNumber, offset, bytes, 0, bytes.length);
          expect(algorithm.verify(target, at, fileNumber, offset, bytes, 0, bytes.length)).toBe(true);
          expect(
            [...target.subarray(0, at), ...target.subarray(at + algorithm.bytes)].every((b) => b === 0x77),
          ).toBe(true);
        },
      ),
    );
  });

  it("refuses any single changed bit, of the content and of the sum", () => {
    const stored = sum(3, 4096);
    for (const bytes of [source, stored]) {
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(algorithm.verify(stored, 0, 3, 4096, source, 0, source.length)).toBe(false);
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      }
    }
    expect(algorithm.verify(stored, 0, 3, 4096, source, 0, source.length)).toBe(true);
  });

  it("covers exactly the range that it is told", () => {
    const inside = sum(3, 0, source, 10, 60);
    expect(sum(3, 0, source.slice(10, 60))).toEqual(inside);
    expect(algorithm.verify(inside, 0, 3, 0, source, 10, 61)).toBe(false);
    expect(algorithm.verify(inside, 0, 3, 0, source, 9, 60)).toBe(false);
  });

  it("binds the sum to its place: the same bytes elsewhere fail (D5, D26)", () => {
    fc.assert(
      fc.property(place(), place(), (a, b) => {
        fc.pre(a.fileNumber !== b.fileNumber || a.offset !== b.offset);
        expect(
          algorithm.verify(sum(a.fileNumber, a.offset), 0, b.fileNumber, b.offset, source, 0, source.length),
        ).toBe(false);
      }),
    );
  });

  it("gives every aligned offset of a file and every file number its own sum of the same bytes", () => {
    const seen = new Set<string>();
    const count = 3000;
    for (let i = 0; i < count; i++) seen.add(sum(9, 4 * i).join());
    for (let i = 0; i < count; i++) seen.add(sum(10 + i, 4 * count).join());
    expect(seen.size).toBe(2 * count);
  });

  it("is found by its id", () => {
    expect(checksumById(algorithm.id)).toBe(algorithm);
    expect(algorithm.bytes % 4).toBe(0);
  });

  it("forgets the place under mutant E5, so that the mutant can be killed", () => {
    const before = installProbes({
      crashPoint() {},
      sometimes() {},
      buggify: () => false,
      mutant: (id) => id.startsWith("E5-"),
    });
    try {
      expect(sum(1, 0)).toEqual(sum(2, 4096));
    } finally {
      installProbes(before);
    }
  });
});

describe("checksum formats", () => {
  it("never change: golden sums", () => {
    const bytes = new TextEncoder().encode("stillwater");
    const sums = NAMES.map((name) => {
      const algorithm = checksumByName(name);
      const target = new Uint8Array(algorithm.bytes);
      algorithm.write(target, 0, 2 ** 40 + 12, 2 ** 33 + 4096, bytes, 0, bytes.length);
      return Buffer.from(target).toString("hex");
    });
    expect(sums).toMatchInlineSnapshot(`
      [
        "40be48c3",
        "0d14f5f63cc1c7c0cfa4044406af0cdc",
      ]
    `);
  });

  it("refuses an unknown id as a format of a later version, naming the file", () => {
    expect(() => checksumById(9)).toThrow(expect.objectContaining({ code: "UNSUPPORTED_FORMAT" }));
    expect(() => checksumById(9, "/store/000001.sst")).toThrow("/store/000001.sst");
  });
});
