import * as fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import {
  BlockCache,
  type CachedTable,
  type LargeBlock,
  SLOT_LARGE,
  SLOT_NONE,
} from "../../../src/engine/table/block-cache.js";
import { BlockMemory } from "../../../src/engine/table/block-memory.js";
import { installProbes } from "../../../src/platform/probes.js";
import {
  buildTable,
  expectRow,
  expectSameRow,
  getRow,
  newCache,
  numberedRows,
  openTable,
  type Row,
  SHAPE,
} from "./rows.js";

afterEach(() => {
  installProbes(null);
});

function buggify(...sites: string[]): void {
  installProbes({
    crashPoint() {},
    sometimes() {},
    buggify: (site) => sites.includes(site),
    mutant: () => false,
  });
}

/** What a block of the model is filled with: never the byte of another one. */
function stamp(table: number, block: number): number {
  return 1 + table * 16 + block;
}

describe("BlockCache against a model under random operations", () => {
  type Step = {
    readonly what: "read" | "large" | "pin" | "unpin" | "drop" | "evict";
    readonly table: number;
    readonly block: number;
  };
  const steps: fc.Arbitrary<Step[]> = fc.array(
    fc.record({
      what: fc.constantFrom(
        "read",
        "read",
        "read",
        "read",
        "large",
        "large",
        "pin",
        "pin",
        "unpin",
        "drop",
        "evict",
      ),
      table: fc.nat(2),
      block: fc.nat(15),
    }),
    { maxLength: 200 },
  );

  it("never loses, moves or overwrites a pinned block, never mixes blocks up, and keeps its accounts", () => {
    fc.assert(
      fc.property(
        steps,
        fc.constantFrom(0, 100, 256, 640, 4096),
        fc.boolean(),
        (operations, capacityBytes, mangle) => {
          if (mangle) buggify("block-cache.mangle");
          else installProbes(null);
          const cache = new BlockCache({ capacityBytes, slotBytes: 64 });
          const tables: CachedTable[] = [0, 1, 2].map(() => cache.addTable(16));
          const pinned: { table: number; block: number; slot: number; large: LargeBlock | null }[] = [];
          const check = (table: number, block: number): void => {
            const slot = (tables[table] as CachedTable).slots[block] as number;
            if (slot === SLOT_NONE) return;
            const large = slot === SLOT_LARGE ? cache.touchLarge(tables[table] as CachedTable, block) : null;
            const memory = large === null ? cache.memoryOf(slot) : large.memory;
            const base = large === null ? cache.baseOf(slot) : 0;
            const length = large === null ? 64 : large.memory.bytes.length;
            expect(
              memory.bytes.subarray(base, base + length).every((byte) => byte === stamp(table, block)),
            ).toBe(true);
          };
          for (const { what, table, block } of operations) {
            const owner = tables[table] as CachedTable;
            const slot = owner.slots[block] as number;
            if (what === "read" && slot === SLOT_NONE) {
              const reserved = cache.reserve();
              if (reserved >= 0) {
                cache
                  .memoryOf(reserved)
                  .bytes.fill(stamp(table, block), cache.baseOf(reserved), cache.baseOf(reserved) + 64);
                if (block === 15) cache.release(reserved);
                else cache.assign(reserved, owner, block);
              }
            } else if (what === "read" && slot >= 0) {
              cache.touch(slot);
            } else if (what === "large" && slot === SLOT_NONE) {
              const memory = new BlockMemory(100 + 4 * block);
              memory.bytes.fill(stamp(table, block));
              const large = cache.addLarge(memory, owner, block);
              expect(owner.slots[block]).toBe(large === null ? SLOT_NONE : SLOT_LARGE);
            } else if (what === "pin" && slot !== SLOT_NONE) {
              const large = slot === SLOT_LARGE ? cache.touchLarge(owner, block) : null;
              if (large === null) cache.pin(slot);
              else large.pins++;
              pinned.push({ table, block, slot, large });
            } else if (what === "unpin") {
              const pin = pinned.pop();
              if (pin?.large) pin.large.pins--;
              else if (pin !== undefined) cache.unpin(pin.slot);
            } else if (what === "drop" && pinned.every((pin) => pin.table !== table)) {
              cache.dropTable(owner);
              expect(owner.slots.every((each) => each === SLOT_NONE) && owner.large.size === 0).toBe(true);
            } else if (what === "evict") {
              cache.evictAll();
            }
            for (const pin of pinned)
              expect((tables[pin.table] as CachedTable).slots[pin.block]).toBe(pin.slot);
            for (let t = 0; t < 3; t++) for (let b = 0; b < 16; b++) check(t, b);
            expect(cache.memoryBytes).toBeLessThanOrEqual(capacityBytes * 1.125);
            expect(cache.accountedBytes).toBeLessThanOrEqual(cache.memoryBytes);
            expect(cache.pinCount).toBe(pinned.length);
          }
          for (const pin of pinned) {
            if (pin.large === null) cache.unpin(pin.slot);
            else pin.large.pins--;
          }
          for (const table of tables) cache.dropTable(table);
          expect(cache.accountedBytes).toBe(0);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("BlockCache", () => {
  it("takes no memory before the first block, and grows in steps", () => {
    const cache = new BlockCache({ capacityBytes: 64 << 20, slotBytes: 4096 });
    expect(cache.memoryBytes).toBe(0);
    expect(cache.reserve()).toBe(0);
    expect(cache.memoryBytes).toBe(1 << 20);
    for (let i = 0; i < 256; i++) cache.reserve();
    expect(cache.memoryBytes).toBe(2 << 20);
  });

  it("gives a block that was used again a second chance", () => {
    const cache = new BlockCache({ capacityBytes: 4 * 64, slotBytes: 64 });
    const table = cache.addTable(10);
    const load = (block: number): void => cache.assign(cache.reserve(), table, block);
    for (let block = 0; block < 4; block++) load(block);
    cache.touch(table.slots[0] as number);
    cache.touch(table.slots[2] as number);
    load(4);
    load(5);
    expect([...table.slots].map((slot) => slot >= 0)).toEqual([
      true,
      false,
      true,
      false,
      true,
      true,
      ...Array.from({ length: 4 }, () => false),
    ]);
  });

  it("hands out no slot when all are pinned, and asserts that pins are given back", () => {
    const cache = new BlockCache({ capacityBytes: 2 * 64, slotBytes: 64 });
    const table = cache.addTable(3);
    for (let block = 0; block < 2; block++) {
      cache.assign(cache.reserve(), table, block);
      cache.pin(table.slots[block] as number);
    }
    expect(cache.reserve()).toBe(-1);
    expect(() => cache.dropTable(table)).toThrow(/no cursor is open/);
    cache.unpin(table.slots[1] as number);
    const freed = cache.reserve();
    expect(table.slots[1]).toBe(SLOT_NONE);
    cache.release(freed);
    expect(() => cache.unpin(freed)).toThrow(/as often as/);
  });

  it("prefers slots to large blocks when it grows, and leaves large ones an eighth", () => {
    const cache = new BlockCache({ capacityBytes: 1024, slotBytes: 64 });
    const large = cache.addTable(8);
    const small = cache.addTable(100);
    for (let block = 0; block < 8; block++)
      expect(cache.addLarge(new BlockMemory(128), large, block)).not.toBeNull();
    expect(cache.addLarge(new BlockMemory(2048), small, 99)).toBeNull();
    for (let block = 0; block < 16; block++) cache.assign(cache.reserve(), small, block);
    expect(large.large.size).toBe(1);
    expect(cache.accountedBytes).toBe(1024 + 128);
  });
});

describe("tables on a shared cache", () => {
  const rows = numberedRows(400, 16);

  it("answer alike with any cache, also one that evicts and mangles all the time", () => {
    for (const capacityBytes of [0, 256, 1024, 1 << 20]) {
      for (const sites of [[], ["block-cache.evict-all", "block-cache.mangle"]]) {
        buggify(...sites);
        const cache = newCache(capacityBytes);
        const readers = [1, 2, 3].map((number) => openTable(buildTable(rows, SHAPE, [], number), cache));
        const cursors = readers.map((reader) => reader.cursor({ fillCache: true }));
        for (const cursor of cursors) cursor.seekFirst();
        for (const [i, row] of rows.entries()) {
          for (const cursor of cursors) {
            expectRow(cursor, row);
            const far = rows[(i * 37) % rows.length] as Row;
            for (const reader of readers) expectSameRow(getRow(reader, far.key, 1000) as Row, far);
            expectRow(cursor, row);
          }
          for (const cursor of cursors) cursor.next();
        }
        for (const cursor of cursors) cursor.close();
        expect(cache.pinCount).toBe(0);
        for (const reader of readers) reader.close();
        expect(cache.accountedBytes).toBe(0);
        for (const reader of readers) reader.close();
      }
    }
  });

  it("read each block once while it stays cached, and count hits and misses", () => {
    const cache = newCache();
    const table = buildTable(rows);
    const reader = openTable(table, cache);
    const { blockCount } = reader.verify();
    table.file.reads = 0;
    for (let round = 0; round < 3; round++) for (const row of rows) getRow(reader, row.key, 1000);
    expect(table.file.reads).toBe(blockCount);
    expect(cache.misses).toBe(blockCount);
    expect(cache.hits).toBe(3 * rows.length - blockCount);
    const cursor = reader.cursor({ fillCache: true });
    for (cursor.seekFirst(); cursor.valid; cursor.next());
    cursor.close();
    expect(table.file.reads).toBe(blockCount);
    reader.close();
    expect(table.file.closed).toBe(true);
  });

  it("give a slot back when its block does not verify", () => {
    const cache = newCache(256);
    const table = buildTable(rows);
    const reader = openTable(table, cache);
    table.file.bytes[5] = (table.file.bytes[5] as number) ^ 1;
    for (let i = 0; i < 5; i++) expect(() => getRow(reader, (rows[0] as Row).key, 1000)).toThrow();
    expect(cache.accountedBytes).toBe(0);
    // The only slot is still there for a block that verifies.
    for (let i = 0; i < 2; i++) {
      expectSameRow(getRow(reader, (rows[399] as Row).key, 1000) as Row, rows[399] as Row);
    }
    expect(cache.hits).toBe(1);
    reader.close();
  });

  it("read ahead past the cache: one call for many blocks, in both directions", () => {
    const cache = newCache();
    const table = buildTable(rows);
    const reader = openTable(table, cache);
    const { blockCount } = reader.verify();
    for (const forward of [true, false]) {
      table.file.reads = 0;
      const cursor = reader.cursor({ fillCache: false, readAheadBytes: 10 * 256 });
      if (forward) for (cursor.seekFirst(); cursor.valid; cursor.next());
      else for (cursor.seekLast(); cursor.valid; cursor.previous());
      cursor.close();
      expect(table.file.reads).toBeLessThan(blockCount / 5);
    }
    expect(cache.misses).toBe(0);
    expect(cache.accountedBytes).toBe(0);
    reader.close();
  });

  it("does not let a cursor outlive its table unnoticed", () => {
    const reader = openTable(buildTable(rows));
    const cursor = reader.cursor({ fillCache: true });
    cursor.seekFirst();
    expect(() => reader.close()).toThrow(/no cursor is open/);
    cursor.close();
    cursor.close();
  });
});
