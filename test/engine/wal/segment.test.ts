/**
 * Log segments as a crash or a bad disk leaves them: the log of a small store, damaged byte by byte. What had provably
 * been durable is refused with file and place, never lost in silence; everything else may only be cut at the end.
 */
import { describe, expect, test } from "vitest";
import type { StoreOptions } from "../../../src/engine/options.js";
import { Store } from "../../../src/engine/store.js";
import {
  readSegmentHeader,
  SEGMENT_HEADER_BYTES,
  writeSegmentHeader,
} from "../../../src/engine/wal/segment-header.js";
import { readSegment } from "../../../src/engine/wal/segment-reader.js";
import { CorruptionError, hasCode, StillwaterError } from "../../../src/platform/errors.js";
import { type ManualPlatform, ManualScheduler, manualPlatform } from "../fixtures/manual-platform.js";
import { bytes, rowsOf, type TextRow } from "../fixtures/model.js";
import { type Files, PlainVFS } from "../fixtures/plain-vfs.js";

interface Opened {
  readonly store: Store;
  readonly vfs: PlainVFS;
  readonly platform: ManualPlatform;
}

async function open(files: Files = new Map(), options: StoreOptions = {}): Promise<Opened> {
  const scheduler = new ManualScheduler();
  const vfs = new PlainVFS(scheduler, files);
  const platform = manualPlatform(vfs, scheduler);
  return {
    store: await platform.settle(
      Store.open("/store", { memtableBytes: 65_536, blockCacheBytes: 65_536, ...options }, platform),
    ),
    vfs,
    platform,
  };
}

/** The rows that a store of these files has, or the error that opening it gives. */
async function look(files: Files): Promise<{ rows: TextRow[]; store: Store } | StillwaterError> {
  const scheduler = new ManualScheduler();
  const platform = manualPlatform(new PlainVFS(scheduler, files), scheduler);
  const outcome = await platform.outcome(Store.open("/store", { blockCacheBytes: 65_536 }, platform));
  if (outcome.kind === "resolved") return { rows: rowsOf(outcome.value), store: outcome.value };
  if (outcome.error instanceof StillwaterError) return outcome.error;
  throw outcome.error;
}

function walPaths(files: Files): string[] {
  return [...files.keys()].filter((path) => path.endsWith(".wal"));
}

function damaged(files: Files, path: string, change: (image: Uint8Array) => Uint8Array | undefined): Files {
  const copy = new Map(files);
  const image = (files.get(path) as Uint8Array).slice();
  copy.set(path, change(image) ?? image);
  return copy;
}

/** End of the last byte that is not zero. */
function used(image: Uint8Array): number {
  let end = image.length;
  while (end > 0 && image[end - 1] === 0) end--;
  return end;
}

/** A store that was killed with `count` acknowledged commits in its log, each synced before the next. */
async function killed(count: number, options: StoreOptions = {}): Promise<{ files: Files; rows: TextRow[] }> {
  const { store, vfs, platform } = await open(new Map(), { memtableBytes: 4096, ...options });
  for (let i = 0; i < count; i++)
    await platform.settle(store.put(bytes(`key${i}`), bytes(`value${i}`.repeat(i % 4))));
  return { files: vfs.files(), rows: rowsOf(store) };
}

describe("[D9][D14][D15] a damaged log", () => {
  test("with any byte changed is refused, naming file and place, or loses at most its last record", async () => {
    const { files, rows } = await killed(6);
    const [path] = walPaths(files) as [string];
    const image = files.get(path) as Uint8Array;
    let refused = 0;
    for (let at = 0; at < used(image); at++) {
      if (image[at] === 0 && at % 16 !== 0) continue;
      const found = await look(damaged(files, path, (copy) => void (copy[at] = (copy[at] as number) ^ 0x41)));
      if (found instanceof StillwaterError) {
        refused++;
        expect(found.code, `byte ${at}`).toMatch(/^(CORRUPTION|UNSUPPORTED_FORMAT)$/);
        expect(found.path).toBe(path);
        if (found.code === "CORRUPTION") expect(found.offset).toBeLessThanOrEqual(at);
      } else {
        expect(rows.slice(0, 5), `byte ${at}`).toEqual(found.rows.slice(0, 5));
      }
    }
    expect(refused).toBeGreaterThan(100);
  });

  test("that was idle for a moment does not lose its last record either", async () => {
    const { store, vfs, platform } = await open();
    for (let i = 0; i < 3; i++) await platform.settle(store.put(bytes(`key${i}`), bytes("value")));
    const before = used(vfs.bytesOf(walPaths(vfs.files())[0] as string));
    await platform.pass(1000);
    const files = vfs.files();
    const [path] = walPaths(files) as [string];
    expect(used(files.get(path) as Uint8Array)).toBeGreaterThan(before);
    for (let at = 0; at < before; at++) {
      if ((files.get(path) as Uint8Array)[at] === 0) continue;
      const found = await look(damaged(files, path, (copy) => void (copy[at] = (copy[at] as number) ^ 0x41)));
      if (!(found instanceof StillwaterError)) expect(found.rows, `byte ${at}`).toHaveLength(3);
    }
  });

  test("with any run of bytes zeroed is refused, or cut where nothing proves that the rest was durable", async () => {
    const { files, rows } = await killed(6);
    const [path] = walPaths(files) as [string];
    const end = used(files.get(path) as Uint8Array);
    for (let at = 0; at < end; at += 24) {
      for (const length of [1, 56, 512]) {
        const found = await look(damaged(files, path, (copy) => void copy.fill(0, at, at + length)));
        if (found instanceof StillwaterError) expect(found.code).toBe("CORRUPTION");
        else expect(rows.slice(0, found.rows.length)).toEqual(found.rows);
        if (!(found instanceof StillwaterError) && at + length < end - 1200) expect(found.rows).toEqual(rows);
      }
    }
  });

  test("cut short by a copy that ended early is refused: a segment has its full size before its first record", async () => {
    const { files, rows } = await killed(6);
    const [path] = walPaths(files) as [string];
    const image = files.get(path) as Uint8Array;
    for (let length = image.length - 1; length > SEGMENT_HEADER_BYTES; length -= 101) {
      const found = await look(damaged(files, path, (copy) => copy.slice(0, length)));
      if (found instanceof StillwaterError) {
        expect(found.code).toBe("CORRUPTION");
        expect(found.path).toBe(path);
      } else {
        expect(found.rows, `cut to ${length} of ${image.length}`).toEqual(rows);
      }
    }
  });

  test("of the right size whose last records never reached the disk opens with those before them", async () => {
    const { files, rows } = await killed(6);
    const [path] = walPaths(files) as [string];
    const image = files.get(path) as Uint8Array;
    const seen = new Set<number>();
    for (let from = used(image); from > SEGMENT_HEADER_BYTES; from -= 8) {
      const found = await look(damaged(files, path, (copy) => void copy.fill(0, from)));
      if (found instanceof StillwaterError) throw found;
      expect(rows.slice(0, found.rows.length)).toEqual(found.rows);
      seen.add(found.rows.length);
    }
    expect(seen).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
  });

  test("with garbage after its end, as a growing file may show, is read to its end", async () => {
    const { files, rows } = await killed(4);
    const [path] = walPaths(files) as [string];
    const found = await look(
      damaged(files, path, (copy) => void copy.fill(0xa5, used(copy) + (8 - (used(copy) % 8)))),
    );
    if (found instanceof StillwaterError) throw found;
    expect(found.rows).toEqual(rows);
    expect(found.store.recovery.tornBytes).toBeGreaterThan(0);
  });
});

describe("the chain of segments", () => {
  /** A store that was killed with sealed segments and an active one, since nothing could be flushed. */
  async function chained(): Promise<{ files: Files; rows: TextRow[] }> {
    const { store, vfs, platform } = await open(new Map(), { memtableBytes: 4096, immutableMemtablesMax: 8 });
    vfs.before = (call, path) => {
      if (call === "createFile" && path.endsWith(".sst"))
        throw new StillwaterError("NO_SPACE", "the disk is full", { path });
    };
    for (let i = 0; i < 40; i++) {
      await platform.settle(
        store.put(bytes(`key${String(i).padStart(2, "0")}`), new Uint8Array(300).fill(i)),
      );
    }
    return { files: vfs.files(), rows: rowsOf(store) };
  }

  test("[D10][FS-defect 11] a missing segment is refused: history has no holes", async () => {
    const { files } = await chained();
    const paths = walPaths(files);
    expect(paths.length).toBeGreaterThan(3);
    for (const path of paths.slice(0, -1)) {
      const found = await look(new Map([...files].filter(([name]) => name !== path)));
      expect(found, path).toMatchObject({ code: "CORRUPTION" });
    }
  });

  test("[D10][FS-defect 11] a segment that lost its end is refused when another follows, at whatever record it was cut", async () => {
    const { files } = await chained();
    for (const path of walPaths(files).slice(0, -1)) {
      const end = used(files.get(path) as Uint8Array);
      for (let from = SEGMENT_HEADER_BYTES; from < end; from += 96) {
        const found = await look(damaged(files, path, (copy) => void copy.fill(0, from)));
        expect(found, `${path} from ${from}`).toMatchObject({ code: "CORRUPTION" });
        expect((found as CorruptionError).message).toContain(".wal");
      }
    }
  });

  test("[FS-defect 11] damage in an earlier segment is refused, never skipped over", async () => {
    const { files, rows } = await chained();
    for (const path of walPaths(files).slice(0, -1)) {
      const end = used(files.get(path) as Uint8Array);
      for (let at = 0; at < end; at += 37) {
        const found = await look(
          damaged(files, path, (copy) => void (copy[at] = (copy[at] as number) ^ 0x10)),
        );
        if (found instanceof StillwaterError) expect(found.code).toMatch(/^(CORRUPTION|UNSUPPORTED_FORMAT)$/);
        else expect(found.rows, `${path} at ${at}`).toEqual(rows);
      }
    }
  });

  test("[D10] the same bytes in the place of another segment, and a segment of another store, are refused", async () => {
    const { files } = await chained();
    const [first, second] = walPaths(files) as [string, string];
    const swapped = new Map(files);
    swapped.set(first, files.get(second) as Uint8Array);
    swapped.set(second, files.get(first) as Uint8Array);
    expect(await look(swapped)).toMatchObject({ code: "CORRUPTION" });
    const { store, vfs, platform } = await open();
    await platform.settle(store.put(bytes("mine"), bytes("1")));
    const other = manualPlatform(new PlainVFS(new ManualScheduler()), undefined, 99);
    const strange = await openSeeded(other);
    const mine = vfs.files();
    const [path] = walPaths(mine) as [string];
    expect(walPaths(strange)).toEqual([path]);
    const mixed = new Map(mine);
    mixed.set(path, strange.get(path) as Uint8Array);
    expect(await look(mixed)).toMatchObject({ code: "CORRUPTION", path });
  });

  async function openSeeded(platform: ManualPlatform): Promise<Files> {
    const scheduler = platform.scheduler;
    const vfs = new PlainVFS(scheduler);
    const seeded = manualPlatform(vfs, scheduler, 99);
    const store = await seeded.settle(Store.open("/store", {}, seeded));
    await seeded.settle(store.put(bytes("strange"), bytes("1")));
    return vfs.files();
  }

  test("a segment that was only being created is no reason to refuse, in any state of its first bytes", async () => {
    const { files, rows } = await chained();
    const last = walPaths(files).at(-1) as string;
    const next = `/store/${String(Number(last.slice(7, -4)) + 1).padStart(6, "0")}.wal`;
    for (const unborn of [
      new Uint8Array(0),
      new Uint8Array(40),
      new Uint8Array(8192),
      new Uint8Array(8192).fill(0xa5, 0, 60),
    ]) {
      const sealedOnly = new Map(files);
      sealedOnly.set(next, unborn);
      const found = await look(sealedOnly);
      if (found instanceof StillwaterError) throw found;
      expect(found.rows).toEqual(rows);
    }
  });
});

describe("[D12] after a torn tail", () => {
  test("nothing is appended to the segment that had it: new commits go to a new file and survive", async () => {
    const { files, rows } = await killed(5);
    const [path] = walPaths(files) as [string];
    const torn = damaged(files, path, (copy) => void copy.fill(0, used(copy) - 10));
    const { store, vfs, platform } = await open(torn);
    expect(store.recovery.tornBytes).toBeGreaterThan(0);
    for (let i = 0; i < 5; i++) await platform.settle(store.put(bytes(`new${i}`), bytes("v")));
    expect(walPaths(vfs.files())).not.toContain(path);
    const found = await look(vfs.files());
    if (found instanceof StillwaterError) throw found;
    expect(found.rows).toEqual([
      ...rows.slice(0, 4),
      ...Array.from({ length: 5 }, (_, i) => [`new${i}`, "v"]),
    ]);
  });

  test("[TD-17][FS-defect 1] versions go on above every version that the lost tail may have had", async () => {
    const { files } = await killed(5);
    const [path] = walPaths(files) as [string];
    let state = damaged(files, path, (copy) => void copy.fill(0, used(copy) - 10));
    let newest = 14;
    for (let round = 0; round < 4; round++) {
      const { store, vfs, platform } = await open(state);
      const version = await platform.settle(store.put(bytes(`round${round}`), bytes("v")));
      expect(version).toBeGreaterThan(newest);
      newest = version;
      const [wal] = walPaths(vfs.files()) as [string];
      // The record is torn away: its version must not come back.
      state = damaged(vfs.files(), wal, (copy) => void copy.fill(0, used(copy) - 10));
    }
  });
});

describe("the header", () => {
  const header = {
    checksumId: 1,
    fileNumber: 12,
    capacity: 8192,
    baseVersion: 2 ** 40,
    previousNumber: 9,
    previousLength: 2 ** 33,
    previousChain: 0xfedcba98,
    storeId: Uint8Array.from({ length: 16 }, (_, i) => 240 + i),
  };
  const expected = { path: "/store/000012.wal", fileNumber: 12, storeId: header.storeId };

  function written(): Uint8Array {
    const image = new Uint8Array(SEGMENT_HEADER_BYTES);
    writeSegmentHeader(image, header);
    return image;
  }

  test("comes back as it was written, and no changed bit goes unnoticed", () => {
    const image = written();
    expect(readSegmentHeader(image, image.length, expected)).toEqual(header);
    for (let at = 0; at < image.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const damagedImage = image.slice();
        damagedImage[at] = (damagedImage[at] as number) ^ (1 << bit);
        expect(readSegmentHeader(damagedImage, damagedImage.length, expected)).toBeNull();
      }
    }
    for (let length = 0; length < image.length; length++)
      expect(readSegmentHeader(image, length, expected)).toBeNull();
  });

  test("of another file or store is refused", () => {
    const image = written();
    expect(readSegmentHeader(image, image.length, { ...expected, fileNumber: 13 })).toBeNull();
    const elsewhere = { ...expected, storeId: new Uint8Array(16) };
    expect(() => readSegmentHeader(image, image.length, elsewhere)).toThrow(CorruptionError);
  });

  test("that does not verify before durable records is refused, in the last segment too", async () => {
    const { files } = await killed(3);
    const [path] = walPaths(files) as [string];
    for (let at = 0; at < SEGMENT_HEADER_BYTES; at++) {
      const found = await look(damaged(files, path, (copy) => void (copy[at] = (copy[at] as number) ^ 1)));
      expect(found, `byte ${at}`).toMatchObject({ code: "CORRUPTION", path });
    }
  });
});

test("a segment is read only through its verified image: a file that shrinks under the reader is refused", async () => {
  const { files } = await killed(3);
  const [path] = walPaths(files) as [string];
  const scheduler = new ManualScheduler();
  const vfs = new PlainVFS(scheduler, files);
  vfs.before = (call) => {
    if (call === "read") vfs.setBytes(path, new Uint8Array(10));
  };
  const fileNumber = Number(path.slice(7, -4));
  try {
    readSegment(vfs, "/store", fileNumber, new Uint8Array(16));
    expect.unreachable();
  } catch (error) {
    expect(hasCode(error, "CORRUPTION")).toBe(true);
  }
});
