import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checksumByName } from "../../../src/engine/format/checksum.js";
import { KIND_PUT, KIND_RANGE_DELETE } from "../../../src/engine/format/operation.js";
import { TableBuilder } from "../../../src/engine/table/builder.js";
import { FOOTER_BYTES } from "../../../src/engine/table/footer.js";
import { readSections } from "../../../src/engine/table/sections.js";
import { installProbes } from "../../../src/platform/probes.js";
import { MemoryFile } from "./memory-file.js";
import {
  addRow,
  buildTable,
  expectSameRow,
  getRow,
  numberedRows,
  openTable,
  type Row,
  rowsArbitrary,
  SHAPE,
  type Shape,
  shapeArbitrary,
  text,
} from "./rows.js";

function newBuilder(shape: Shape = SHAPE): { file: MemoryFile; builder: TableBuilder } {
  const file = new MemoryFile();
  return {
    file,
    builder: new TableBuilder({ file, fileNumber: 7, ...shape, checksum: checksumByName(shape.checksum) }),
  };
}

function row(key: string, version: number, size = 0): Row {
  return { key: text(key), version, kind: KIND_PUT, value: new Uint8Array(size) };
}

function size(rows: readonly Row[], compression: "none" | "deflate"): number {
  return buildTable(rows, { ...SHAPE, blockBytes: 1024, compression }).summary.bytes;
}

describe("TableBuilder", () => {
  it("stores no block of several rows in more than blockBytes, and whole words only", () => {
    fc.assert(
      fc.property(rowsArbitrary, shapeArbitrary, (rows, shape) => {
        const { file, summary } = buildTable(rows, shape);
        const { index } = readSections(file, 7, summary.bytes);
        let single = 0;
        for (let block = 0; block < index.blockCount; block++) {
          const bytes = (index.offsets[block + 1] as number) - (index.offsets[block] as number);
          expect(bytes % 4).toBe(0);
          if (bytes > shape.blockBytes) single++;
        }
        const large = rows.filter((row) => row.key.length + row.value.length + 60 > shape.blockBytes).length;
        expect(single).toBeLessThanOrEqual(large);
      }),
      { numRuns: 150 },
    );
  });

  it("fills blocks: one more row would not have fitted", () => {
    const rows = numberedRows(2000, 20);
    const shape = { ...SHAPE, blockBytes: 4096 };
    const { file, summary } = buildTable(rows, shape);
    const { index } = readSections(file, 7, summary.bytes);
    for (let block = 0; block + 1 < index.blockCount; block++) {
      const bytes = (index.offsets[block + 1] as number) - (index.offsets[block] as number);
      expect(bytes).toBeGreaterThan(4096 - 48);
    }
    expect(summary.bytes / rows.length).toBeLessThan(20 + 9 + 6);
  });

  it("writes in chunks, front to back, and the footer last", () => {
    const points: string[] = [];
    const before = installProbes({
      crashPoint: (id) => points.push(id),
      sometimes() {},
      buggify: () => false,
      mutant: () => false,
    });
    let file: MemoryFile;
    try {
      ({ file } = buildTable(numberedRows(3000), { ...SHAPE, chunkBytes: 5000 }));
    } finally {
      installProbes(before);
    }
    expect(points).toHaveLength(file.writes.length);
    expect(points.slice(0, -1).every((id) => id === "sstable.write-block")).toBe(true);
    expect(points.at(-1)).toBe("sstable.write-footer");
    expect(file.writes.at(-1)).toBe(FOOTER_BYTES);
    const chunks = file.writes.filter((bytes) => bytes >= 5000 && bytes < 5000 + 256);
    expect(chunks.length).toBeGreaterThan(file.writes.length - 6);
    expect(file.writes.reduce((sum, bytes) => sum + bytes, 0)).toBe(file.bytes.length);
  });

  it("gives the same bytes for the same rows, whatever the chunk size", () => {
    const rows = numberedRows(500, 30);
    const tables = [1, 100, 4096, 1 << 20].map(
      (chunkBytes) => buildTable(rows, { ...SHAPE, chunkBytes }).file.bytes,
    );
    for (const bytes of tables) expect(Buffer.compare(bytes, tables[0] as Uint8Array)).toBe(0);
  });

  it("estimates the size of the file that finish would leave", () => {
    const { builder } = newBuilder({ ...SHAPE, blockBytes: 1024 });
    for (const [i, row] of numberedRows(4000, 50).entries()) {
      addRow(builder, row);
      if (i === 2000) expect(builder.estimatedBytes).toBeGreaterThan(2000 * 50);
    }
    const estimate = builder.estimatedBytes;
    const { bytes } = builder.finish();
    expect(Math.abs(estimate - bytes)).toBeLessThan(bytes * 0.05);
  });

  it("refuses rows out of order, within a block and across blocks", () => {
    const wrong: [Row, Row][] = [
      [row("b", 5), row("a", 5)],
      [row("b", 5), row("b", 5)],
      [row("b", 5), row("b", 6)],
      [row("b\0", 5), row("b", 5)],
      [row("b", 5, 1000), row("a", 5)],
      [row("b", 5, 1000), row("b", 6)],
      [row("b", 5), row("a", 6, 1000)],
    ];
    for (const [first, second] of wrong) {
      const { builder } = newBuilder();
      addRow(builder, first);
      expect(() => addRow(builder, second)).toThrow(/internal order/);
    }
  });

  it("refuses kinds and versions that a table cannot hold, and an empty table", () => {
    const key = text("k");
    const { builder } = newBuilder();
    expect(() => builder.add(key, 0, 1, 5, KIND_RANGE_DELETE, key, 0, 1)).toThrow(/puts and deletes/);
    expect(() => builder.add(key, 0, 1, 2 ** 53, KIND_PUT, key, 0, 1)).toThrow(/safe integer/);
    expect(() => builder.add(key, 0, 1, -1, KIND_PUT, key, 0, 1)).toThrow(/safe integer/);
    expect(() => builder.finish()).toThrow(/holds something/);
  });

  it("keeps incompressible blocks as they are, and packs the others", () => {
    const noise = numberedRows(200, 40).map((row, i) => ({
      ...row,
      value: Uint8Array.from({ length: 40 }, (_, j) => Math.imul(i * 40 + j + 1, 0x9e3779b1) >>> 24),
    }));
    const even = numberedRows(200, 40);
    expect(size(even, "deflate")).toBeLessThan(0.6 * size(even, "none"));
    expect(size(noise, "deflate")).toBeLessThanOrEqual(size(noise, "none"));
    const reader = openTable(buildTable(noise, { ...SHAPE, blockBytes: 1024, compression: "deflate" }));
    for (const row of noise) expectSameRow(getRow(reader, row.key, 100) as Row, row);
    reader.close();
  });
});
