/**
 * Frames: a torn tail ends a file, damage to what was durable refuses it, and nothing is believed before its checksum.
 * Images are made frame by frame, so that each test knows what had been durable.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ChecksumAlgorithm, checksumByName } from "../../../src/engine/format/checksum.js";
import {
  FRAME_COMMITS,
  FRAME_HEADER_BYTES,
  FRAME_MARK,
  FRAME_SEAL,
  FrameHeader,
  type FrameScan,
  frameBytes,
  readFrame,
  readUint64,
  scanFrames,
  sealFrame,
  writeUint64,
} from "../../../src/engine/format/frame.js";
import { CorruptionError } from "../../../src/platform/errors.js";

const PATH = "/store/000007.wal";
const FILE_NUMBER = 7;
const SEED_CHAIN = 0x1234;

interface Frame {
  readonly at: number;
  readonly end: number;
  readonly payload: Uint8Array;
  readonly durableTo: number;
}

/** Appends frames to an image; what has been synced is up to the test. */
class Image {
  readonly bytes: Uint8Array;
  readonly frames: Frame[] = [];
  readonly checksum: ChecksumAlgorithm;
  end = 0;
  synced = 0;
  chain = SEED_CHAIN;

  constructor(size: number, checksum: "crc32" | "blake3" = "crc32") {
    this.bytes = new Uint8Array(size);
    this.checksum = checksumByName(checksum);
  }

  add(payload: Uint8Array, type = FRAME_COMMITS): Frame {
    const at = this.end;
    this.bytes.set(payload, at + FRAME_HEADER_BYTES);
    const header = new FrameHeader();
    header.payloadBytes = payload.length;
    header.type = type;
    header.count = 1;
    header.chain = this.chain;
    header.number = this.frames.length + 1;
    header.durableTo = this.synced;
    this.chain = sealFrame({ checksum: this.checksum, fileNumber: FILE_NUMBER }, this.bytes, at, at, header);
    this.end += frameBytes(payload.length);
    const frame = { at, end: this.end, payload, durableTo: this.synced };
    this.frames.push(frame);
    return frame;
  }

  sync(): void {
    this.synced = this.end;
  }

  scan(bytes = this.bytes, fileNumber = FILE_NUMBER): FrameScan & { readonly numbers: number[] } {
    const numbers: number[] = [];
    const codec = { checksum: this.checksum, fileNumber };
    const range = { start: 0, limit: bytes.length, chain: SEED_CHAIN };
    const scan = scanFrames(codec, PATH, bytes, range, (header) => numbers.push(header.number));
    return { ...scan, numbers };
  }
}

function payload(length: number, seed = length): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (seed * 31 + i * 7) & 0xff);
}

function refusal(call: () => unknown): CorruptionError | null {
  try {
    call();
    return null;
  } catch (error) {
    if (error instanceof CorruptionError) return error;
    throw error;
  }
}

const LENGTHS = [0, 1, 7, 8, 9, 40, 0, 100, 3];

/** A log in which each frame but the last two was synced before the next one was written. */
function log(checksum: "crc32" | "blake3" = "crc32"): Image {
  const image = new Image(2048, checksum);
  LENGTHS.forEach((length, i) => {
    image.add(payload(length), i === 4 ? FRAME_MARK : FRAME_COMMITS);
    if (i < LENGTHS.length - 2) image.sync();
  });
  return image;
}

test("what was written is read back, in order, up to the end", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ bytes: fc.uint8Array({ maxLength: 90 }), synced: fc.boolean() }), {
        maxLength: 12,
      }),
      fc.constantFrom("crc32" as const, "blake3" as const),
      (frames, checksum) => {
        const image = new Image(4096, checksum);
        for (const { bytes, synced } of frames) {
          image.add(bytes);
          if (synced) image.sync();
        }
        const scan = image.scan();
        expect(scan.numbers).toEqual(frames.map((_, i) => i + 1));
        expect([scan.end, scan.chain, scan.tornBytes]).toEqual([image.end, image.chain, 0]);
        const header = new FrameHeader();
        for (const frame of image.frames) {
          expect(
            readFrame(
              { checksum: image.checksum, fileNumber: FILE_NUMBER },
              image.bytes,
              frame.at,
              image.end,
              header,
            ),
          ).toBe(true);
          expect([header.payloadBytes, header.durableTo]).toEqual([frame.payload.length, frame.durableTo]);
        }
      },
    ),
  );
});

describe.each(["crc32", "blake3"] as const)("with %s", (checksum) => {
  test("[D9][D15] every flipped bit of every byte is refused where it had been durable, and else only cuts the tail", () => {
    const image = log(checksum);
    const lastDurableTo = Math.max(...image.frames.map(({ durableTo }) => durableTo));
    for (let at = 0; at < image.end; at++) {
      for (const bit of checksum === "crc32" ? [0, 3, 7] : [5]) {
        const damaged = image.bytes.slice();
        damaged[at] = (damaged[at] as number) ^ (1 << bit);
        const index = image.frames.findIndex(({ end }) => at < end);
        const frame = image.frames[index] as Frame;
        const isPadding = at >= frame.at + FRAME_HEADER_BYTES + frame.payload.length;
        // Of the 16 bytes of the checksum crc32 fills four.
        const isUnused = checksum === "crc32" && at >= frame.at + 4 && at < frame.at + 16;
        let found: ReturnType<Image["scan"]> | null = null;
        const error = refusal(() => {
          found = image.scan(damaged);
        });
        if (error !== null) {
          expect(frame.at).toBeLessThan(lastDurableTo);
          expect([error.path, error.offset]).toEqual([PATH, frame.at]);
          expect(error.message).toContain(PATH);
        } else {
          const scan = found as unknown as ReturnType<Image["scan"]>;
          const kept = isPadding || isUnused ? LENGTHS.length : index;
          if (scan.numbers.length < LENGTHS.length) {
            // Cut only where no later frame proves that these bytes had been durable.
            expect(frame.end).toBeGreaterThan(lastDurableTo);
            expect(scan.numbers).toHaveLength(kept);
            expect(scan.tornBytes).toBeGreaterThan(0);
          }
        }
      }
    }
  });
});

test("[D9] a file cut at any length is a torn tail: whole frames before the cut remain, and it is never refused", () => {
  const image = log();
  for (let length = 0; length <= image.end; length++) {
    const scan = image.scan(image.bytes.slice(0, length));
    const whole = image.frames.filter(
      (frame) => frame.at + FRAME_HEADER_BYTES + frame.payload.length <= length,
    );
    expect(scan.numbers).toHaveLength(whole.length);
    const zeroed = image.bytes.slice();
    zeroed.fill(0, length);
    expect(image.scan(zeroed).numbers.length).toBeGreaterThanOrEqual(scan.numbers.length);
  }
});

test("[D9] any unsynced sectors lost in a crash leave a torn tail, whatever of the later ones survived", () => {
  const image = new Image(8192);
  for (let i = 0; i < 4; i++) image.add(payload(100, i));
  image.sync();
  for (let i = 4; i < 40; i++) image.add(payload(100, i));
  const durable = image.synced;
  for (let lost = durable; lost < image.end; lost += 64) {
    const damaged = image.bytes.slice();
    damaged.fill(0, lost, lost + 64);
    const scan = image.scan(damaged);
    expect(scan.end).toBeGreaterThanOrEqual(durable);
    expect(scan.numbers.length).toBeLessThan(40);
  }
});

test("[D9] frames in flight together do not accuse each other: the first may be lost and the second not", () => {
  const image = new Image(1024);
  image.add(payload(10));
  image.sync();
  const lost = image.add(payload(20));
  image.add(payload(30), FRAME_SEAL);
  image.bytes.fill(0, lost.at, lost.at + 30);
  expect(image.scan().numbers).toEqual([1]);
});

test("[D14] a damaged length leads nowhere: neither past the file nor to a frame that lies in a payload", () => {
  const image = new Image(4096);
  image.add(payload(16));
  // A payload that holds what looks like a frame of a later place, sealed for the place where it stands.
  const inner = new Image(4096);
  inner.end = FRAME_HEADER_BYTES + 16 + 8 + FRAME_HEADER_BYTES;
  while (inner.end % 8 !== 0) inner.end++;
  inner.synced = 16;
  const fake = inner.add(payload(24));
  const carrier = image.add(new Uint8Array(256));
  image.bytes.set(inner.bytes.subarray(fake.at, fake.end), fake.at);
  const whole = new Image(4096);
  whole.add(payload(16));
  whole.add(image.bytes.slice(carrier.at + FRAME_HEADER_BYTES, carrier.at + FRAME_HEADER_BYTES + 256));
  expect(whole.scan().numbers).toEqual([1, 2]);
  for (const length of [0, 8, 16, 24, 255, 257, 0x7fffffff, 0xffffffff]) {
    const damaged = whole.bytes.slice();
    new DataView(damaged.buffer).setUint32(carrier.at + 20, length, true);
    const error = refusal(() => expect(whole.scan(damaged).numbers).toEqual([1]));
    // Refusing is right as well: the user's bytes pretend that something had been durable.
    if (error !== null) expect(error.offset).toBe(carrier.at);
  }
});

test("[D11][D26] a frame counts only in its file and at its place", () => {
  const image = log();
  expect(image.scan(image.bytes, FILE_NUMBER + 1).numbers).toEqual([]);
  const moved = new Uint8Array(image.bytes.length);
  moved.set(image.bytes.subarray(0, image.end), 8);
  expect(image.scan(moved).numbers).toEqual([]);
});

test("[D10] a frame that does not continue the one before it is refused, though it is whole", () => {
  const image = new Image(1024);
  const first = image.add(payload(8));
  image.add(payload(8));
  const other = new Image(1024);
  other.add(payload(8, 99));
  other.add(payload(8));
  const spliced = image.bytes.slice();
  spliced.set(other.bytes.subarray(0, first.end), 0);
  expect(refusal(() => image.scan(spliced))?.offset).toBe(first.end);
});

test("a frame that claims to have been durable before it was written is refused", () => {
  const image = new Image(1024);
  image.synced = 4096;
  image.add(payload(8));
  expect(refusal(() => image.scan())?.code).toBe("CORRUPTION");
});

test("[D14] random bytes are no frames and no reason to fail", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (noise) => {
      const image = new Image(0);
      expect(image.scan(noise).numbers).toEqual([]);
      expect(image.scan(noise).end).toBe(0);
    }),
  );
});

test("64-bit fields hold every safe integer, and refuse what is none", () => {
  const bytes = new Uint8Array(8);
  for (const value of [0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 52 + 5, Number.MAX_SAFE_INTEGER]) {
    writeUint64(bytes, 0, value);
    expect(readUint64(bytes, 0)).toBe(value);
  }
  for (const value of [-1, 0.5, 2 ** 53, Number.NaN]) expect(() => writeUint64(bytes, 0, value)).toThrow();
});
