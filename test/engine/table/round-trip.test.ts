import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareKeys, keyAfter } from "../../../src/engine/format/bytes.js";
import { KIND_DELETE, KIND_PUT } from "../../../src/engine/format/operation.js";
import { installProbes } from "../../../src/platform/probes.js";
import {
  buildTable,
  cacheArbitrary,
  expectRow,
  expectSameRow,
  getRow,
  inOrder,
  keyArbitrary,
  modelGet,
  modelLowerBound,
  newCache,
  openTable,
  type Row,
  rowsArbitrary,
  SHAPE,
  shapeArbitrary,
  text,
} from "./rows.js";

const RUNS = { numRuns: 150 };

describe("a table against a sorted array", () => {
  it("finds for every key and version the newest row that is not newer", () => {
    fc.assert(
      fc.property(
        rowsArbitrary,
        shapeArbitrary,
        cacheArbitrary,
        fc.array(keyArbitrary, { maxLength: 20 }),
        (rows, shape, cacheOptions, absent) => {
          const reader = openTable(
            buildTable(rows, shape),
            newCache(cacheOptions.capacityBytes, cacheOptions.slotBytes),
          );
          for (const key of [...rows.map((row) => row.key), ...absent]) {
            const versions = rows.filter((row) => compareKeys(row.key, key) === 0).map((row) => row.version);
            for (const version of [
              ...versions.flatMap((v) => [v - 1, v, v + 1]),
              0,
              Number.MAX_SAFE_INTEGER,
            ]) {
              const wanted = modelGet(rows, key, version);
              const got = getRow(reader, key, version);
              if (got !== undefined && wanted !== undefined) expectSameRow(got, wanted);
              else expect(got).toEqual(wanted);
            }
          }
          reader.close();
        },
      ),
      RUNS,
    );
  });

  it("walks the same rows in both directions, cached and past the cache", () => {
    fc.assert(
      fc.property(
        rowsArbitrary,
        shapeArbitrary,
        cacheArbitrary,
        fc.boolean(),
        fc.constantFrom(100, 2000, 65_536),
        (rows, shape, cacheOptions, fillCache, readAheadBytes) => {
          const cache = newCache(cacheOptions.capacityBytes, cacheOptions.slotBytes);
          const reader = openTable(buildTable(rows, shape), cache);
          const cursor = reader.cursor({ fillCache, readAheadBytes });
          cursor.seekFirst();
          for (const row of rows) {
            expectRow(cursor, row);
            cursor.next();
          }
          expectRow(cursor, undefined);
          cursor.seekLast();
          for (const row of rows.toReversed()) {
            expectRow(cursor, row);
            cursor.previous();
          }
          expectRow(cursor, undefined);
          cursor.close();
          reader.close();
          expect(cache.accountedBytes).toBe(0);
        },
      ),
      RUNS,
    );
  });

  it("seeks before and at or after any key, and turns round anywhere", () => {
    fc.assert(
      fc.property(
        rowsArbitrary,
        shapeArbitrary,
        cacheArbitrary,
        fc.boolean(),
        fc.array(keyArbitrary, { maxLength: 10 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
        (rows, shape, cacheOptions, fillCache, absent, steps) => {
          const cache = newCache(cacheOptions.capacityBytes, cacheOptions.slotBytes);
          const reader = openTable(buildTable(rows, shape), cache);
          const cursor = reader.cursor({ fillCache });
          const present = rows.flatMap((row) => [row.key, keyAfter(row.key), row.key.subarray(0, -1)]);
          for (const [i, key] of [...present, ...absent].entries()) {
            const bound = modelLowerBound(rows, key);
            let at = i % 2 === 0 ? bound : bound - 1;
            if (i % 2 === 0) cursor.seekAtOrAfter(key);
            else cursor.seekBefore(key);
            expectRow(cursor, rows[at]);
            for (const forward of steps) {
              if (!cursor.valid) break;
              if (forward) cursor.next();
              else cursor.previous();
              at += forward ? 1 : -1;
              expectRow(cursor, rows[at]);
            }
          }
          cursor.close();
          reader.close();
        },
      ),
      RUNS,
    );
  });

  it("says of itself what it holds, and verifies", () => {
    fc.assert(
      fc.property(rowsArbitrary, shapeArbitrary, (rows, shape) => {
        const table = buildTable(rows, shape);
        const versions = rows.map((row) => row.version);
        const deletes = rows.filter((row) => row.kind === KIND_DELETE).length;
        expect(table.summary).toEqual({
          fileNumber: 7,
          bytes: table.file.bytes.length,
          smallest: rows[0]?.key,
          largest: rows[rows.length - 1]?.key,
          largestExclusive: false,
          minVersion: Math.min(...versions),
          maxVersion: Math.max(...versions),
          entryCount: rows.length,
          tombstoneCount: deletes,
          rangeTombstoneCount: 0,
          rawBytes: rows.reduce((sum, row) => sum + row.key.length + row.value.length, 0),
        });
        const reader = openTable(table);
        expect(reader.summary).toEqual(table.summary);
        expect(reader.filterError).toBeNull();
        expect(reader.rangeTombstones).toEqual([]);
        expect(reader.verify()).toMatchObject({ entryCount: rows.length, tombstoneCount: deletes });
        reader.close();
      }),
      RUNS,
    );
  });
});

describe("mutant R5, a reverse seek that includes the equal key", () => {
  it("is told apart by one seek", () => {
    const rows = [1, 2, 3].map((i) => ({ key: text(`k${i}`), version: 1, kind: KIND_PUT, value: text("v") }));
    const cursor = openTable(buildTable(rows)).cursor({ fillCache: true });
    cursor.seekBefore(text("k2"));
    expectRow(cursor, rows[0]);
    const before = installProbes({
      crashPoint() {},
      sometimes() {},
      buggify: () => false,
      mutant: (id) => id.startsWith("R5-"),
    });
    try {
      cursor.seekBefore(text("k2"));
      expectRow(cursor, rows[1]);
    } finally {
      installProbes(before);
      cursor.close();
    }
  });
});

describe("rows of particular shapes", () => {
  it("keeps thousands of versions of one key apart, over many blocks, at logarithmic cost", () => {
    const key = text("counter");
    const around = [text("a"), text("counter\0"), text("z")].map((other) => ({
      key: other,
      version: 5,
      kind: KIND_PUT,
      value: other,
    }));
    const versions = Array.from({ length: 3000 }, (_, i) => ({
      key,
      version: 10 + 2 * i,
      kind: i % 7 === 0 ? KIND_DELETE : KIND_PUT,
      value: text(String(i)),
    }));
    const rows = inOrder([...around, ...versions]);
    const table = buildTable(rows);
    const cache = newCache();
    const reader = openTable(table, cache);
    for (let version = 9; version < 6020; version += 7) {
      const loads = cache.hits + cache.misses;
      const got = getRow(reader, key, version);
      const wanted = modelGet(rows, key, version);
      if (got !== undefined && wanted !== undefined) expectSameRow(got, wanted);
      else expect(got).toEqual(wanted);
      expect(cache.hits + cache.misses - loads).toBeLessThanOrEqual(1);
    }
    const cursor = reader.cursor({ fillCache: true });
    cursor.seekAtOrAfter(key);
    expectRow(cursor, rows[1]);
    cursor.seekBefore(key);
    expectRow(cursor, rows[0]);
    cursor.seekBefore(text("counter\0"));
    expectRow(cursor, rows[3000]);
    cursor.close();
    expect(reader.verify().entryCount).toBe(rows.length);
    reader.close();
  });

  it("holds the largest key and values from nothing to megabytes", () => {
    const sizes = [0, 1, 200, 255, 256, 4096, 70_000, 3 * 1024 * 1024];
    const rows = inOrder(
      sizes.flatMap((size) => [
        { key: text(`v${size}`), version: 3, kind: KIND_PUT, value: new Uint8Array(size).fill(size % 251) },
        {
          key: new Uint8Array(Math.min(size, 65_535)).fill(0xff),
          version: 9,
          kind: KIND_DELETE,
          value: text(""),
        },
      ]),
    );
    for (const compression of ["none", "deflate"] as const) {
      const reader = openTable(buildTable(rows, { ...SHAPE, compression }), newCache(100_000));
      for (const row of rows) expectSameRow(getRow(reader, row.key, 100) as Row, row);
      expect(reader.verify().entryCount).toBe(rows.length);
      const cursor = reader.cursor({ fillCache: true });
      cursor.seekFirst();
      for (const row of rows) {
        expectRow(cursor, row);
        cursor.next();
      }
      cursor.close();
      reader.close();
    }
  });

  it("orders bytes as unsigned, 0x80 and above included (D44)", () => {
    const rows = inOrder(
      Array.from({ length: 256 }, (_, i) => [
        { key: Uint8Array.from([i]), version: 1, kind: KIND_PUT, value: Uint8Array.from([i]) },
        {
          key: Uint8Array.from([7, 7, 7, i, 255 - i]),
          version: 1,
          kind: KIND_PUT,
          value: Uint8Array.from([i]),
        },
      ]).flat(),
    );
    const reader = openTable(buildTable(rows));
    for (const [i, row] of rows.entries()) {
      expectSameRow(getRow(reader, row.key, 1) as Row, row);
      const cursor = reader.cursor({ fillCache: true });
      cursor.seekBefore(row.key);
      expectRow(cursor, rows[i - 1]);
      cursor.close();
    }
    reader.close();
  });

  it("keeps versions that are further apart than 32 bits", () => {
    const versions = [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52, Number.MAX_SAFE_INTEGER];
    const rows = inOrder(
      versions.map((version) => ({ key: text("k"), version, kind: KIND_PUT, value: text(String(version)) })),
    );
    const reader = openTable(buildTable(rows));
    for (const row of rows) expectSameRow(getRow(reader, row.key, row.version) as Row, row);
    reader.close();
  });
});
