import { describe, expect, it } from "vitest";
import { KIND_DELETE, KIND_PUT } from "../../../src/engine/format/operation.js";
import { TableReader } from "../../../src/engine/table/reader.js";
import { MemoryFile } from "./memory-file.js";
import { buildTable, getRow, newCache, type Row, SHAPE, text } from "./rows.js";

/** Every column, two versions of a key over two blocks, an oversize block, range tombstones and a filter. */
const ROWS: Row[] = [
  { key: text("apple"), version: 2 ** 40 + 12, kind: KIND_PUT, value: text("red") },
  { key: text("apple"), version: 11, kind: KIND_DELETE, value: text("") },
  { key: text("apricot"), version: 11, kind: KIND_DELETE, value: text("") },
  { key: text("apricots"), version: 13, kind: KIND_PUT, value: text("orange") },
  { key: text("banana"), version: 14, kind: KIND_PUT, value: new Uint8Array(70).fill(0x79) },
];
const FRAGMENTS = [{ begin: text("b"), end: text("c"), versions: [15, 12] }];

/** The file of these rows in blocks of at most 96 bytes, crc32, not packed, as format 1 was released. */
const GOLDEN = [
  "01000000200000000c000000000100006c707061180005006170706c65726564",
  "00000002bcd67541030003004d0000000b0000000000000000656c706f636972",
  "6f63697239003c00410003000500060000000000000000000200000002020161",
  "70706c657269636f747269636f74736f72616e6765000001b977c8f001000000",
  "640000000e00000000000000616e61621800060062616e616e61797979797979",
  "7979797979797979797979797979797979797979797979797979797979797979",
  "7979797979797979797979797979797979797979797979797979797979797979",
  "00000002825654580101620163020f0300000002c806dac10100000006000000",
  "0000400000001000100204000080000000040088000020000001044400000200",
  "0000000202000000000040050000100000000000000000000400000000000000",
  "00000002a1f61caf03000000010000000000000028000000540000006c000000",
  "050000000d000000130000000c000000000100000d000000000000000e000000",
  "000000006170706c6561707269636f747362616e616e610000000003470bf8dc",
  "056170706c650163010b8c80808080200502026e000000027ecc5fe3e8000000",
  "000000001000000000000000500000000000000058000000000000001c000000",
  "0000000007000000000000000100010052d05df45354494c4c535354",
];

const SHAPE_96 = { ...SHAPE, blockBytes: 96 };

describe("table format 1", () => {
  it("is written as it always was, byte for byte", () => {
    const { file } = buildTable(ROWS, SHAPE_96, FRAGMENTS);
    const lines: string[] = [];
    for (let at = 0; at < file.bytes.length; at += 32) {
      lines.push(Buffer.from(file.bytes.subarray(at, at + 32)).toString("hex"));
    }
    expect(lines).toEqual(GOLDEN);
  });

  it("is read as it always was", () => {
    const file = new MemoryFile("/table/000007.sst", Uint8Array.from(Buffer.from(GOLDEN.join(""), "hex")));
    const reader = TableReader.open({
      file,
      fileNumber: 7,
      expectedBytes: file.bytes.length,
      cache: newCache(),
    });
    expect(reader.filterError).toBeNull();
    expect(reader.rangeTombstones).toEqual(FRAGMENTS);
    for (const row of ROWS) expect(getRow(reader, row.key, row.version)).toEqual(row);
    expect(reader.verify()).toMatchObject({
      blockCount: 3,
      entryCount: 5,
      tombstoneCount: 2,
      rangeTombstoneCount: 2,
    });
    reader.close();
  });
});
