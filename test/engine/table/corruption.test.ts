import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checksumByName } from "../../../src/engine/format/checksum.js";
import { KIND_DELETE } from "../../../src/engine/format/operation.js";
import { encodeFooter, FOOTER_BYTES } from "../../../src/engine/table/footer.js";
import { sealBlock } from "../../../src/engine/table/format.js";
import type { TableReader } from "../../../src/engine/table/reader.js";
import { readSections } from "../../../src/engine/table/sections.js";
import { verifyTable } from "../../../src/engine/table/verify.js";
import { CorruptionError, hasCode } from "../../../src/platform/errors.js";
import { installProbes } from "../../../src/platform/probes.js";
import { MemoryFile } from "./memory-file.js";
import {
  type BuiltTable,
  buildTable,
  expectRow,
  expectSameRow,
  getRow,
  newCache,
  numberedRows,
  openTable,
  type Row,
  rowAt,
  SHAPE,
  type Shape,
  text,
} from "./rows.js";

const ROWS: Row[] = numberedRows(60, 24).map((row, i) =>
  i % 9 === 4 ? { ...row, kind: KIND_DELETE, version: 90 } : row,
);
const FRAGMENTS = [{ begin: text("key000002"), end: text("key000007"), versions: [60, 50] }];

function damaged(table: BuiltTable, change: (bytes: Uint8Array) => void): BuiltTable {
  const bytes = table.file.bytes.slice();
  change(bytes);
  return { file: new MemoryFile(table.file.path, bytes), summary: table.summary };
}

function flip(at: number): (bytes: Uint8Array) => void {
  return (bytes) => {
    bytes[at] = (bytes[at] as number) ^ 0x10;
  };
}

/** As `toEqual`, for what is compared tens of thousands of times. */
function expectSame(got: unknown, wanted: unknown): void {
  if (!isDeepStrictEqual(got, wanted)) expect(got).toEqual(wanted);
}

/** Runs a read: its own expectations must hold, or it fails with a corruption error that names the file. */
function rightOrRefused(path: string, read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    expectSame(error.path, path);
    expectSame(error.message.includes(path), true);
    return false;
  }
}

/** Every kind of read on a table with one damaged place. Returns how many were refused. */
function readEverything(table: BuiltTable, fillCache: boolean): number {
  const { path } = table.file;
  let reader: TableReader | null = null;
  let refused = 0;
  const attempt = (read: (open: TableReader) => void): void => {
    const open = reader;
    if (open !== null && !rightOrRefused(path, () => read(open))) refused++;
  };
  if (!rightOrRefused(path, () => (reader = openTable(table)))) refused++;
  attempt((open) => expectSame(open.rangeTombstones, FRAGMENTS));
  attempt((open) => expectSame(open.summary, table.summary));
  for (const row of ROWS) attempt((open) => expectSameRow(getRow(open, row.key, 1000) as Row, row));
  attempt((open) => expectSame(getRow(open, text("key000030x"), 1000), undefined));
  for (const forward of [true, false]) {
    attempt((open) => {
      const cursor = open.cursor({ fillCache });
      try {
        if (forward) cursor.seekFirst();
        else cursor.seekLast();
        for (const row of forward ? ROWS : ROWS.toReversed()) {
          expectRow(cursor, row);
          if (forward) cursor.next();
          else cursor.previous();
        }
        expectSame(cursor.valid, false);
      } catch (error) {
        if (error instanceof CorruptionError) expectSame(cursor.valid, false);
        throw error;
      } finally {
        cursor.close();
      }
    });
  }
  attempt((open) => {
    open.verify();
    if (open.filterError !== null) throw open.filterError;
  });
  reader = reader as TableReader | null;
  reader?.close();
  return refused;
}

describe("every damaged byte of a table", () => {
  // Tens of thousands of errors are made here and none is shown.
  const { stackTraceLimit } = Error;
  beforeAll(() => {
    Error.stackTraceLimit = 0;
  });
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  const shapes: Record<string, Shape> = {
    crc32: SHAPE,
    "crc32, packed": { ...SHAPE, compression: "deflate" },
    blake3: { ...SHAPE, checksum: "blake3", blockBytes: 512 },
  };
  for (const [name, shape] of Object.entries(shapes)) {
    it(`gives right answers or a corruption error naming the file, never a wrong answer, and is always found (${name})`, () => {
      const table = buildTable(ROWS, shape, FRAGMENTS);
      expect(table.file.bytes.length).toBeGreaterThan(1200);
      expect(table.file.bytes.length).toBeLessThan(5000);
      expect(readEverything(table, true)).toBe(0);
      const patterns = [0x01, 0x80, 0xff];
      for (let at = 0; at < table.file.bytes.length; at++) {
        const flipped = (pattern: number): BuiltTable =>
          damaged(table, (bytes) => {
            bytes[at] = (bytes[at] as number) ^ pattern;
          });
        // In plain JavaScript BLAKE3 is slow: there, all reads are tried for every fourth byte only.
        if (shape.checksum === "crc32" || at % 4 === 0) {
          const refused = readEverything(flipped(patterns[at % 3] as number), at % 2 === 0);
          if (refused === 0) expect.fail(`damage of byte ${at} went unnoticed`);
        }
        for (const pattern of shape.checksum === "crc32" ? patterns : [0x40]) {
          const { file, summary } = flipped(pattern);
          expect(rightOrRefused(file.path, () => verifyTable(file, 7, summary.bytes))).toBe(false);
        }
      }
    });
  }

  it("is refused at open when the file is cut or grown", () => {
    const table = buildTable(ROWS);
    for (let size = 0; size < table.file.bytes.length; size += 13) {
      const cut = { ...table, file: new MemoryFile(table.file.path, table.file.bytes.slice(0, size)) };
      expect(() => openTable(cut)).toThrow(CorruptionError);
      const short = { file: cut.file, summary: { ...table.summary, bytes: size } };
      expect(() => openTable(short)).toThrow(CorruptionError);
    }
    const grown = Uint8Array.from([...table.file.bytes, 0]);
    expect(() => openTable({ ...table, file: new MemoryFile(table.file.path, grown) })).toThrow(
      CorruptionError,
    );
  });
});

describe("damage to one part", () => {
  const table = buildTable(ROWS, SHAPE, FRAGMENTS);
  const { footer, index } = readSections(table.file, 7, table.summary.bytes);
  const offset = (block: number): number => index.offsets[block] as number;
  const filterAt = footer.dataBytes + footer.rangeTombstoneBytes;

  it("of a data block leaves all other blocks readable, and names the block's offset", () => {
    const reader = openTable(damaged(table, flip(offset(2) + 20)));
    const refused: number[] = [];
    for (const row of ROWS) {
      try {
        expectSameRow(getRow(reader, row.key, 1000) as Row, row);
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptionError);
        refused.push((error as CorruptionError).offset as number);
      }
    }
    expect(refused.length).toBeGreaterThan(1);
    expect(refused.length).toBeLessThan(ROWS.length / 3);
    expect(new Set(refused)).toEqual(new Set([offset(2)]));

    // A walk stops at the block, and goes on behind it when it is positioned there.
    const cursor = reader.cursor({ fillCache: false });
    const seen: Row[] = [];
    expect(() => {
      for (cursor.seekFirst(); cursor.valid; cursor.next()) seen.push(rowAt(cursor));
    }).toThrow(CorruptionError);
    expect(cursor.valid).toBe(false);
    const behind = seen.length + refused.length;
    cursor.seekAtOrAfter((ROWS[behind] as Row).key);
    for (const row of ROWS.slice(behind)) {
      expectRow(cursor, row);
      cursor.next();
    }
    cursor.close();
    reader.close();
  });

  it("of the filter is survived: answers stay right, and the damage is reported", () => {
    for (const bad of [flip(filterAt + 9), flip(filterAt)]) {
      const reader = openTable(damaged(table, bad));
      expect(reader.filterError).toMatchObject({
        code: "CORRUPTION",
        offset: filterAt,
        path: table.file.path,
      });
      for (const row of ROWS) expectSameRow(getRow(reader, row.key, 1000) as Row, row);
      expect(() => reader.verify()).toThrow(CorruptionError);
      reader.close();
    }
    const unreadable = damaged(table, () => undefined);
    unreadable.file.badOffset = filterAt + 5;
    const reader = openTable(unreadable);
    expect(reader.filterError).toMatchObject({ code: "IO" });
    for (const row of ROWS) expectSameRow(getRow(reader, row.key, 1000) as Row, row);
    reader.close();
  });

  it("of index, properties, range tombstones or footer is refused at open", () => {
    const propertiesAt = table.summary.bytes - FOOTER_BYTES - footer.propertiesBytes;
    for (const at of [
      footer.dataBytes + 3,
      filterAt + footer.filterBytes + 3,
      propertiesAt,
      table.summary.bytes - 1,
    ]) {
      const bad = damaged(table, flip(at));
      expect(() => openTable(bad)).toThrow(CorruptionError);
      expect(bad.file.closed).toBe(false);
    }
  });

  it("of a sector fails only the reads that need it", () => {
    const bad = damaged(table, () => undefined);
    const reader = openTable(bad);
    bad.file.badOffset = offset(3) + 1;
    const cursor = reader.cursor({ fillCache: false });
    cursor.seekFirst();
    for (let i = 0; cursor.blockNumber < 2; i++) {
      expectRow(cursor, ROWS[i]);
      cursor.next();
    }
    expect(() => {
      while (cursor.valid) cursor.next();
    }).toThrow(expect.objectContaining({ code: "IO" }));
    cursor.seekLast();
    expectRow(cursor, ROWS.at(-1));
    cursor.close();
    reader.close();
  });
});

describe("intact bytes in the wrong place (D5, D26)", () => {
  const rows = numberedRows(60, 24);
  const table = buildTable(rows);
  const { index } = readSections(table.file, 7, table.summary.bytes);
  const range = (block: number): [number, number] => [
    index.offsets[block] as number,
    index.offsets[block + 1] as number,
  ];

  /** Two blocks that are stored in equally many bytes. */
  const twins = ((): [number, number] => {
    for (let a = 0; a < index.blockCount; a++) {
      for (let b = a + 1; b < index.blockCount; b++) {
        if (range(a)[1] - range(a)[0] === range(b)[1] - range(b)[0]) return [a, b];
      }
    }
    throw new Error("the table has no two blocks of one length");
  })();

  it("a block of the same length copied over another one is refused", () => {
    const [from, to] = range(twins[0]);
    const [at] = range(twins[1]);
    const reader = openTable(damaged(table, (bytes) => bytes.copyWithin(at, from, to)));
    let refused = 0;
    for (const row of rows) {
      if (!rightOrRefused(table.file.path, () => expectSameRow(getRow(reader, row.key, 1000) as Row, row)))
        refused++;
    }
    expect(refused).toBeGreaterThan(1);
    reader.close();
  });

  it("the same block of another table is refused, and so is a whole other table", () => {
    const newer = buildTable(
      rows.map((row) => ({ ...row, value: new Uint8Array(24).fill(0xee) })),
      SHAPE,
      [],
      8,
    );
    const [from, to] = range(1);
    const reader = openTable(damaged(table, (bytes) => bytes.set(newer.file.bytes.subarray(from, to), from)));
    expect(() => rows.map((row) => getRow(reader, row.key, 1000))).toThrow(CorruptionError);
    reader.close();
    expect(() => openTable({ file: newer.file, summary: table.summary })).toThrow(CorruptionError);
  });

  it("goes unnoticed under mutant E5, so that the mutant can be killed", () => {
    const before = installProbes({
      crashPoint() {},
      sometimes() {},
      buggify: () => false,
      mutant: (id) => id.startsWith("E5-"),
    });
    try {
      const unbound = buildTable(rows);
      const [from, to] = range(twins[0]);
      const [at] = range(twins[1]);
      const reader = openTable(damaged(unbound, (bytes) => bytes.copyWithin(at, from, to)));
      const wrong = rows.filter((row) => getRow(reader, row.key, 1000) === undefined);
      expect(wrong.length).toBeGreaterThan(1);
      reader.close();
    } finally {
      installProbes(before);
    }
  });
});

describe("compaction reads (D24)", () => {
  it("prove every block anew, whatever the cache holds", () => {
    const table = buildTable(ROWS);
    const reader = openTable(table, newCache());
    for (const row of ROWS) getRow(reader, row.key, 1000);
    table.file.bytes[30] = (table.file.bytes[30] as number) ^ 1;
    expect(getRow(reader, (ROWS[0] as Row).key, 1000)).toBeDefined();
    const cursor = reader.cursor({ fillCache: false });
    expect(() => cursor.seekFirst()).toThrow(CorruptionError);
    cursor.close();
    reader.close();
  });
});

describe("files of a later version", () => {
  it("are refused as such, not as damaged", () => {
    const table = buildTable(numberedRows(3));
    const footerAt = table.summary.bytes - FOOTER_BYTES;
    const crc32 = checksumByName("crc32");
    const later = (at: number, value: number): BuiltTable =>
      damaged(table, (bytes) => {
        bytes[footerAt + at] = value;
        crc32.write(bytes, footerAt + 52, 7, footerAt, bytes, footerAt, footerAt + 52);
      });
    for (const bad of [later(48, 2), later(50, 9), later(51, 9)]) {
      expect(() => openTable(bad)).toThrow(expect.objectContaining({ code: "UNSUPPORTED_FORMAT" }));
    }
    const deflate = buildTable(numberedRows(3), { ...SHAPE, compression: "deflate" });
    const { footer, index } = readSections(deflate.file, 7, deflate.summary.bytes);
    const length = index.offsets[1] as number;
    sealBlock(
      footer,
      deflate.file.bytes,
      0,
      length - 4 - 2 - (deflate.file.bytes[length - 5] as number),
      9,
      0,
    );
    const reader = openTable(deflate);
    let code = "";
    try {
      getRow(reader, text("key000000"), 1000);
    } catch (error) {
      if (hasCode(error, "UNSUPPORTED_FORMAT")) ({ code } = error);
    }
    expect(code).toBe("UNSUPPORTED_FORMAT");
    reader.close();
    expect(encodeFooter(footer, footerAt)).toHaveLength(FOOTER_BYTES);
  });
});
