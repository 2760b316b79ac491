import { deepStrictEqual } from "node:assert/strict";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StillwaterError } from "../../../src/platform/errors.js";
import { ItemPipeline } from "../../../src/record/pipeline/item-pipeline.js";
import { DerivedKeys, RotatingKeys } from "../../../src/record/pipeline/key-providers.js";
import { type ItemStorageOptions, pipelineSettings } from "../../../src/record/pipeline/pipeline-options.js";
import { arbitraryItem } from "./arbitrary-item.js";

const PLACE = Buffer.from("R/user/1");
const key = (id: string, fill: number) => ({ id, bytes: new Uint8Array(32).fill(fill) });
let word = 7;
const random = { nextUint32: (): number => (word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0) };
const pipeline = (options: ItemStorageOptions): ItemPipeline =>
  new ItemPipeline(pipelineSettings(options, random));

const PLAIN = (["json", "cbor"] as const).flatMap((codec) =>
  (["none", "deflate", "gzip", "brotli"] as const).map((compression) => ({ codec, compression })),
);
const KEYS = [
  new RotatingKeys(key("key", 1), key("kex", 2)),
  new DerivedKeys(new Uint8Array(32).fill(9), "2026"),
];
const CLEAR = PLAIN.map(pipeline);
const ENCRYPTED = PLAIN.flatMap((options) =>
  KEYS.map((keys) => pipeline({ ...options, encryption: { keys } })),
);

/** What damage may come to. Everything else is a crash. */
const REFUSALS = [
  "ITEM_CORRUPT",
  "UNSUPPORTED_FORMAT",
  "DECRYPTION_FAILED",
  "UNKNOWN_ENCRYPTION_KEY",
  "ITEM_NOT_ENCRYPTED",
];
const SAMPLE = {
  id: 4711,
  name: "Ada Lovelace",
  when: new Date(1.7e12),
  big: 2n ** 70n,
  raw: Uint8Array.of(1, 2, 3),
  tags: ["x", "x", null, 1.5],
  text: "stillwater ".repeat(20),
};

const ENDS_EVERY = 3;
/** Coprime with 8, so that all bits of a byte have their turn. */
const BITS_EVERY = 5;
const HEADER_BITS = 8 * 16;

/** All bits of the header, and every fifth of what follows. */
function bitsOf(stored: Uint8Array): number[] {
  const bits = Array.from({ length: 8 * stored.length }, (_, bit) => bit);
  return bits.filter((bit) => bit < HEADER_BITS || bit % BITS_EVERY === 0);
}

function endsOf(stored: Uint8Array): number[] {
  const ends = Array.from({ length: stored.length }, (_, end) => end);
  return ends.filter((end) => end < HEADER_BITS / 8 || end % ENDS_EVERY === 0);
}

/** The item, or null when it is refused as it should be. */
function read(reader: ItemPipeline, stored: Uint8Array, place: Uint8Array): { item: unknown } | null {
  try {
    return { item: reader.decode(stored, place) };
  } catch (error) {
    if (error instanceof StillwaterError && REFUSALS.includes(error.code)) return null;
    throw error;
  }
}

function flipped(stored: Uint8Array, bit: number): Uint8Array {
  const changed = Uint8Array.from(stored);
  changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7)); // bit >> 3 < length
  return changed;
}

// Thousands of errors, of which nobody looks at the stack.
const stackTraceLimit = Error.stackTraceLimit;
beforeAll(() => {
  Error.stackTraceLimit = 0;
});
afterAll(() => {
  Error.stackTraceLimit = stackTraceLimit;
});

describe("an encrypted item", () => {
  test("is refused with any bit turned, or cut off anywhere", () => {
    for (const writer of ENCRYPTED) {
      const stored = writer.encode(SAMPLE, PLACE);
      expect(bitsOf(stored).filter((bit) => read(writer, flipped(stored, bit), PLACE) !== null)).toEqual([]);
      expect(endsOf(stored).filter((end) => read(writer, stored.subarray(0, end), PLACE) !== null)).toEqual(
        [],
      );
      deepStrictEqual(writer.decode(stored, PLACE), SAMPLE);
    }
  });

  test("is refused with any bytes changed, put in, or taken out", () => {
    fc.assert(
      fc.property(arbitraryItem, fc.constantFrom(...ENCRYPTED), changes(), (item, writer, change) => {
        const stored = writer.encode(item, PLACE);
        const changed = change(stored);
        fc.pre(Buffer.compare(changed, stored) !== 0);
        expect(read(writer, changed, PLACE)).toBeNull();
      }),
      { numRuns: 300 },
    );
  });

  test("is refused under another key, of the item or of the cipher, and where its place is not", () => {
    for (const writer of ENCRYPTED) {
      const stored = writer.encode(SAMPLE, PLACE);
      for (const place of ["R/user/2", "R/user/", "R/user/11", ""])
        expect(read(writer, stored, Buffer.from(place))).toBeNull();
    }
    const [writer] = ENCRYPTED as [ItemPipeline];
    const other = pipeline({ encryption: { keys: new RotatingKeys(key("key", 2), key("kex", 1)) } });
    expect(read(other, writer.encode(SAMPLE, PLACE), PLACE)).toBeNull();
    const secret = pipeline({ encryption: { keys: new DerivedKeys(new Uint8Array(32), "2026") } });
    expect(read(secret, (ENCRYPTED[1] as ItemPipeline).encode(SAMPLE, PLACE), PLACE)).toBeNull();
  });

  test("is refused with an id of its key that is no text, or none, by keys that know every id", () => {
    const [, writer] = ENCRYPTED as [ItemPipeline, ItemPipeline];
    const stored = writer.encode("x".repeat(300), PLACE);
    // Each byte that is no UTF-8 would come back as three.
    const broken = Buffer.concat([stored.subarray(0, 4), Buffer.alloc(101, 0xff).fill(100, 0, 1), stored]);
    for (const changed of [broken, Uint8Array.from(stored).fill(0, 4, 5)]) {
      expect(() => writer.decode(changed, PLACE)).toThrow(/a key whose id is none/);
    }
  });

  test("cannot be replaced by one in clear, nor lend its header or its place to another", () => {
    const [writer] = ENCRYPTED as [ItemPipeline];
    const [a, b] = [writer.encode({ a: 1 }, PLACE), writer.encode({ b: 2 }, PLACE)];
    expect(read(writer, (CLEAR[0] as ItemPipeline).encode({ a: 1 }, PLACE), PLACE)).toBeNull();
    const header = 4 + 1 + 3;
    const nonceOfOther = Buffer.concat([
      a.subarray(0, header),
      b.subarray(header, header + 12),
      a.subarray(header + 12),
    ]);
    const tagOfOther = Buffer.concat([a.subarray(0, -16), b.subarray(-16)]);
    for (const mixed of [nonceOfOther, tagOfOther]) expect(read(writer, mixed, PLACE)).toBeNull();
    // The byte between header and key of the item cannot change sides.
    const moved = Buffer.concat([a.subarray(0, header), PLACE.subarray(0, 1), a.subarray(header)]);
    expect(read(writer, moved, PLACE.subarray(1))).toBeNull();
  });
});

describe("an item in clear", () => {
  test("with any bit turned is another item, or refused, and never anything else", () => {
    for (const writer of CLEAR) {
      const stored = writer.encode(SAMPLE, PLACE);
      for (const bit of bitsOf(stored)) read(writer, flipped(stored, bit), PLACE);
      expect(endsOf(stored).filter((end) => read(writer, stored.subarray(0, end), PLACE) !== null)).toEqual(
        [],
      );
      expect(read(writer, Buffer.concat([stored, Buffer.of(0)]), PLACE)).toBeNull();
    }
  });

  test("with any bytes changed, put in, or taken out is another item, or refused", () => {
    fc.assert(
      fc.property(arbitraryItem, fc.constantFrom(...CLEAR), changes(), (item, writer, change) => {
        read(writer, change(writer.encode(item, PLACE)), PLACE);
      }),
      { numRuns: 500 },
    );
  });

  test("of any bytes at all is read or refused", () => {
    const readers = [...CLEAR, ...ENCRYPTED];
    const header = fc.tuple(fc.constantFrom(1, 0, 2, 3), fc.constantFrom(1, 2, 3), fc.nat(4), fc.nat(2));
    fc.assert(
      fc.property(
        fc.constantFrom(...readers),
        header,
        fc.uint8Array({ maxLength: 80 }),
        (reader, head, body) => {
          read(reader, Uint8Array.of(...head, ...body), PLACE);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

/** Up to three bytes written over, then some put in or taken out. */
function changes(): fc.Arbitrary<(stored: Uint8Array) => Uint8Array> {
  const over = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 3 });
  const splice = fc.tuple(fc.nat(), fc.nat(4), fc.uint8Array({ maxLength: 4 }));
  return fc.tuple(over, splice).map(([bytes, [at, removed, added]]) => (stored) => {
    const changed = [...stored];
    for (const [index, change] of bytes)
      changed[index % stored.length] = (changed[index % stored.length] as number) ^ change;
    changed.splice(at % (stored.length + 1), removed, ...added);
    return Uint8Array.from(changed);
  });
}
