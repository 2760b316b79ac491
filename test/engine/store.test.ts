/**
 * The store against a versioned map, under random commits, snapshots, iterators, background work, reopenings and kills,
 * with options so small that everything happens all the time. Every read must be equal; every version must be new.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Batch } from "../../src/engine/batch.js";
import type { StoreOptions } from "../../src/engine/options.js";
import type { StoreIterator } from "../../src/engine/read/store-iterator.js";
import type { Snapshot } from "../../src/engine/snapshots.js";
import { Store } from "../../src/engine/store.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import type { Platform } from "../../src/platform/platform.js";
import { ManualPlatform, ManualScheduler, manualPlatform } from "./fixtures/manual-platform.js";
import {
  bytes,
  Model,
  type ModelOperation,
  type ModelRange,
  reverseRowsOf,
  rowsOf,
  type TextRow,
  text,
} from "./fixtures/model.js";
import { failure, PlainVFS } from "./fixtures/plain-vfs.js";

const KEYS = ["", "a", "a\0", "ab", "b", "ba", "bb", "c", "\x7f", "\x80", "\xff", "\xff\xff"];
const key = fc.constantFrom(...KEYS);
const value = fc.oneof(
  fc.constantFrom("", "1"),
  fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.constantFrom(30, 200, 700))
    .map(([byte, length]) => String.fromCharCode(byte).repeat(length)),
);

const operation: fc.Arbitrary<ModelOperation> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("put" as const), key, value }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("deleteRange" as const), begin: key, end: key }) },
);

const range: fc.Arbitrary<ModelRange> = fc.record({
  begin: fc.option(key, { freq: 2 }),
  end: fc.option(key, { freq: 2 }),
  reverse: fc.boolean(),
  limit: fc.constantFrom(Infinity, Infinity, 0, 1, 3),
});

type Step =
  | {
      readonly do: "commit";
      readonly operations: readonly ModelOperation[];
      readonly how: "sync" | "buffered" | "blocking";
    }
  | { readonly do: "burst"; readonly commits: readonly (readonly ModelOperation[])[] }
  | { readonly do: "snapshot" | "flush" | "compact" | "checkpoint" | "reopen" | "kill" | "verify" }
  | { readonly do: "closeSnapshot" | "readSnapshot" | "closeIterator"; readonly index: number }
  | { readonly do: "iterate"; readonly range: ModelRange; readonly index: number }
  | { readonly do: "advance"; readonly index: number; readonly count: number }
  | { readonly do: "seek"; readonly index: number; readonly key: string }
  | { readonly do: "turns"; readonly count: number }
  | { readonly do: "scan"; readonly range: ModelRange };

const index = fc.nat(5);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("commit" as const),
      operations: fc.array(operation, { maxLength: 5 }),
      how: fc.constantFrom("sync" as const, "buffered" as const, "blocking" as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("burst" as const),
      commits: fc.array(fc.array(operation, { minLength: 1, maxLength: 4 }), { maxLength: 8 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("snapshot" as const, "flush" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("compact" as const, "reopen" as const, "kill" as const) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("checkpoint" as const, "verify" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("closeSnapshot" as const, "readSnapshot" as const, "closeIterator" as const),
      index,
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("iterate" as const), range, index }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("advance" as const),
      index,
      count: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("seek" as const), index, key }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("turns" as const), count: fc.nat(40) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("scan" as const), range }) },
);

const options: fc.Arbitrary<StoreOptions> = fc.record({
  memtableBytes: fc.constant(4096),
  immutableMemtablesMax: fc.integer({ min: 1, max: 4 }),
  blockBytes: fc.constantFrom(256, 512, 4096),
  blockCacheBytes: fc.constantFrom(0, 2048, 1 << 20),
  tableCacheBytes: fc.constantFrom(0, 4096, 1 << 20),
  bloomBitsPerKey: fc.constantFrom(0, 10),
  compression: fc.constantFrom("none" as const, "deflate" as const),
  checksum: fc.constantFrom("crc32" as const, "blake3" as const),
  groupCommitsMax: fc.constantFrom(1, 3, 512),
  compaction: fc.constantFrom("leveled" as const, "tiered" as const),
  levelBaseBytes: fc.constantFrom(1024, 8192),
  levelRatio: fc.integer({ min: 2, max: 4 }),
  tableBytes: fc.constantFrom(1024, 2048),
  level0CompactionFiles: fc.integer({ min: 1, max: 4 }),
  beatRows: fc.constantFrom(1, 3, 100),
});

interface HeldIterator {
  readonly iterator: StoreIterator;
  /** Everything of its range, without limit, in iteration order. */
  readonly rows: readonly TextRow[];
  readonly isReverse: boolean;
  at: number;
  left: number;
}

/** One store, its model, and what is held on both. */
class Run {
  private store: Store;
  private readonly model = new Model();
  private newest = 9;
  private snapshots: Snapshot[] = [];
  private iterators: HeldIterator[] = [];
  private checkpoints = 0;
  private platform: Platform;
  private readonly settings: StoreOptions;
  /** Null on a real event loop. */
  private manual: ManualPlatform | null;

  private constructor(store: Store, platform: Platform, settings: StoreOptions) {
    this.store = store;
    this.platform = platform;
    this.manual = platform instanceof ManualPlatform ? platform : null;
    this.settings = settings;
  }

  static async start(platform: Platform, settings: StoreOptions): Promise<Run> {
    const opening = Store.open("/store", settings, platform);
    const store = platform instanceof ManualPlatform ? await platform.settle(opening) : await opening;
    return new Run(store, platform, settings);
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const one of steps) await this.step(one);
    await this.check();
    await this.settle(this.store.close());
  }

  private settle<T>(promise: Promise<T>): Promise<T> {
    return this.manual === null ? promise : this.manual.settle(promise);
  }

  private async step(one: Step): Promise<void> {
    switch (one.do) {
      case "commit":
        await this.commit(one.operations, one.how);
        return;
      case "burst": {
        const batches = one.commits
          .map((operations) => ({ operations, batch: batchOf(operations) }))
          .filter(({ batch }) => batch.count > 0);
        const versions = await this.settle(Promise.all(batches.map(({ batch }) => this.store.write(batch))));
        versions.forEach((version, i) => this.committed(version, batches[i]?.operations ?? []));
        return;
      }
      case "snapshot":
        this.snapshots.push(this.store.snapshot());
        return;
      case "closeSnapshot":
        this.snapshots.splice(one.index, 1)[0]?.close();
        return;
      case "readSnapshot":
        this.readSnapshot(this.snapshots[one.index]);
        return;
      case "iterate":
        this.iterate(one.range, this.snapshots[one.index]);
        return;
      case "advance":
        this.advance(this.iterators[one.index], one.count);
        return;
      case "seek":
        this.seek(this.iterators[one.index], one.key);
        return;
      case "closeIterator":
        this.iterators.splice(one.index, 1)[0]?.iterator.close();
        return;
      case "scan":
        this.scan(one.range);
        return;
      case "turns":
        for (let i = 0; i < one.count && this.manual !== null; i++) await this.manual.turn();
        return;
      case "flush":
        await this.settle(this.store.flush());
        expect(this.store.inspect().immutableMemtables).toBe(0);
        return;
      case "compact":
        await this.settle(this.store.compact());
        return;
      case "verify":
        expect((await this.settle(this.store.verify())).problems).toEqual([]);
        return;
      case "checkpoint":
        await this.checkpoint();
        return;
      case "reopen":
        await this.settle(this.store.close());
        await this.reopened(this.platform);
        return;
      case "kill":
        if (this.manual !== null) {
          const files = (this.manual.vfs as PlainVFS).files();
          const scheduler = new ManualScheduler();
          await this.reopened(manualPlatform(new PlainVFS(scheduler, files), scheduler));
        }
    }
  }

  private async commit(
    operations: readonly ModelOperation[],
    how: "sync" | "buffered" | "blocking",
  ): Promise<void> {
    const batch = batchOf(operations);
    let version: number;
    if (how === "blocking") {
      try {
        version = this.store.writeSync(batch);
      } catch (error) {
        expect(error).toMatchObject({ code: "BUSY" });
        return;
      }
    } else {
      version = await this.settle(this.store.write(batch, { durability: how }));
    }
    if (batch.count === 0) expect(version).toBe(this.store.version);
    else this.committed(version, operations);
  }

  private committed(version: number, operations: readonly ModelOperation[]): void {
    expect(version).toBeGreaterThan(this.newest);
    this.newest = version;
    this.model.commit(version, operations);
  }

  private async reopened(platform: Platform): Promise<void> {
    for (const { iterator } of this.iterators) {
      if (this.platform === platform)
        expect(() => iterator.seek(bytes("a"))).toThrow(expect.objectContaining({ code: "CLOSED" }));
    }
    this.snapshots = [];
    this.iterators = [];
    this.platform = platform;
    this.manual = platform instanceof ManualPlatform ? platform : null;
    this.store = await this.settle(Store.open("/store", this.settings, platform));
    expect(this.store.recovery.created).toBe(false);
    expect(this.store.version).toBeGreaterThanOrEqual(this.newest);
    this.newest = this.store.version;
    await this.check();
  }

  /** All reads of now. */
  private async check(): Promise<void> {
    const rows = this.model.rows(this.newest);
    expect(rowsOf(this.store)).toEqual(rows);
    expect(reverseRowsOf(this.store)).toEqual(rows.toReversed());
    for (const name of KEYS) {
      const found = this.store.getSync(bytes(name));
      expect(found === undefined ? undefined : text(found), name).toBe(this.model.get(name, this.newest));
    }
    const paged: TextRow[] = [];
    if (this.manual === null)
      for await (const [name, found] of this.store.scan()) paged.push([text(name), text(found)]);
    else paged.push(...rows);
    expect(paged).toEqual(rows);
  }

  private readSnapshot(snapshot: Snapshot | undefined): void {
    if (snapshot === undefined) return;
    for (const name of KEYS) {
      const found = this.store.getSync(bytes(name), { snapshot });
      expect(found === undefined ? undefined : text(found)).toBe(this.model.get(name, snapshot.version));
    }
    const rows = this.store.scan({ snapshot }).toArray();
    expect(rows.map(([name, found]) => [text(name), text(found)])).toEqual(this.model.rows(snapshot.version));
  }

  private scan(one: ModelRange): void {
    const rows = this.store.scan(scanOptions(one)).toArray();
    expect(rows.map(([name, found]) => [text(name), text(found)])).toEqual(
      this.model.rows(this.store.version, one),
    );
  }

  private iterate(one: ModelRange, snapshot: Snapshot | undefined): void {
    if (this.iterators.length >= 6) return;
    const iterator = this.store.iterator({
      ...scanOptions(one),
      ...(snapshot === undefined ? {} : { snapshot }),
    });
    expect(iterator.version).toBe(snapshot?.version ?? this.store.version);
    const rows = this.model.rows(iterator.version, { ...one, limit: Infinity });
    this.iterators.push({ iterator, rows, isReverse: one.reverse, at: 0, left: one.limit });
  }

  private advance(held: HeldIterator | undefined, count: number): void {
    if (held === undefined) return;
    for (let i = 0; i < count; i++) {
      const expected = held.left > 0 ? held.rows[held.at] : undefined;
      expect(held.iterator.next()).toBe(expected !== undefined);
      if (expected === undefined) {
        held.left = 0;
        expect(() => held.iterator.key).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
        continue;
      }
      expect([text(held.iterator.key), text(held.iterator.value)]).toEqual(expected);
      held.at++;
      held.left--;
    }
  }

  private seek(held: HeldIterator | undefined, name: string): void {
    if (held === undefined) return;
    const { iterator, rows } = held;
    if (held.left === 0) {
      // Exhausted, or of a limit that lets nothing through: then it is closed as soon as it was asked.
      if (iterator.next()) expect.unreachable();
      expect(() => iterator.seek(bytes(name))).toThrow(expect.objectContaining({ code: "CLOSED" }));
      return;
    }
    iterator.seek(bytes(name));
    const at = rows.findIndex(([found]) => (held.isReverse ? found <= name : found >= name));
    held.at = at < 0 ? rows.length : at;
  }

  private async checkpoint(): Promise<void> {
    const target = `/checkpoint${this.checkpoints++}`;
    const before = this.newest;
    const version = await this.settle(this.store.checkpoint(target));
    expect(version).toBeGreaterThanOrEqual(before);
    const copy = await this.settle(Store.open(target, this.settings, this.platform));
    expect(rowsOf(copy)).toEqual(this.model.rows(this.newest));
    await this.settle(copy.put(bytes("only in the copy"), bytes("1")));
    await this.settle(copy.compact());
    await this.settle(copy.close());
  }
}

function scanOptions(one: ModelRange): {
  gte?: Uint8Array;
  lt?: Uint8Array;
  reverse: boolean;
  limit?: number;
} {
  return {
    ...(one.begin === null ? {} : { gte: bytes(one.begin) }),
    ...(one.end === null ? {} : { lt: bytes(one.end) }),
    ...(one.limit === Infinity ? {} : { limit: one.limit }),
    reverse: one.reverse,
  };
}

function batchOf(operations: readonly ModelOperation[]): Batch {
  const batch = new Batch();
  for (const one of operations) {
    if (one.kind === "put") batch.put(bytes(one.key), bytes(one.value));
    else if (one.kind === "delete") batch.delete(bytes(one.key));
    else batch.deleteRange(bytes(one.begin), bytes(one.end));
  }
  return batch;
}

describe("equals a versioned map", () => {
  test("[D36][D37][D38][TD-17][FS-defect 1] in every read, turn by turn, over reopenings and kills", async () => {
    await fc.assert(
      fc.asyncProperty(options, fc.array(step, { minLength: 10, maxLength: 60 }), async (settings, steps) => {
        const scheduler = new ManualScheduler();
        const run = await Run.start(manualPlatform(new PlainVFS(scheduler), scheduler), settings);
        await run.run(steps);
      }),
      { numRuns: 150 },
    );
  });

  test("on MemoryVFS and a real event loop", async () => {
    await fc.assert(
      fc.asyncProperty(options, fc.array(step, { minLength: 10, maxLength: 40 }), async (settings, steps) => {
        const run = await Run.start(nodePlatform({ vfs: await createMemoryVFS(), workers: false }), settings);
        await run.run(steps);
      }),
      { numRuns: 25 },
    );
  });
});

async function opened(
  settings: StoreOptions = {},
): Promise<{ store: Store; platform: ManualPlatform; vfs: PlainVFS }> {
  const scheduler = new ManualScheduler();
  const vfs = new PlainVFS(scheduler);
  const platform = manualPlatform(vfs, scheduler);
  return { store: await platform.settle(Store.open("/store", settings, platform)), platform, vfs };
}

function tables(vfs: PlainVFS): string[] {
  return [...vfs.files().keys()].filter((path) => path.endsWith(".sst"));
}

describe("what is deleted or overwritten", () => {
  test("[D28][FS-defect 14] takes no space after compact: nothing is left of a store whose keys are all deleted", async () => {
    for (const compaction of ["leveled", "tiered"] as const) {
      const { store, platform, vfs } = await opened({
        memtableBytes: 4096,
        compaction,
        levelBaseBytes: 4096,
        tableBytes: 2048,
      });
      for (let i = 0; i < 60; i++)
        await platform.settle(store.put(bytes(`k${i % 20}`), bytes("x".repeat(300))));
      await platform.settle(store.compact());
      expect(store.stats().levels.reduce((sum, { entries }) => sum + entries, 0)).toBe(20);
      for (let i = 0; i < 10; i++) await platform.settle(store.delete(bytes(`k${i}`)));
      await platform.settle(store.deleteRange(bytes("k"), bytes("l")));
      await platform.settle(store.compact());
      expect(rowsOf(store)).toEqual([]);
      expect(tables(vfs)).toEqual([]);
      await platform.settle(store.close());
    }
  });

  test("[FS-defect 14] takes no space after compact either when a snapshot had held it and is closed by then", async () => {
    for (const compaction of ["leveled", "tiered"] as const) {
      const { store, platform } = await opened({ memtableBytes: 4096, compaction });
      await platform.settle(store.put(bytes("k"), bytes("old")));
      const snapshot = store.snapshot();
      await platform.settle(store.put(bytes("k"), bytes("new")));
      await platform.settle(store.compact());
      expect(text(store.getSync(bytes("k"), { snapshot }) as Uint8Array)).toBe("old");
      expect(store.stats().levels.reduce((sum, { entries }) => sum + entries, 0)).toBe(2);
      snapshot.close();
      await platform.settle(store.compact());
      expect(store.stats().levels.reduce((sum, { entries }) => sum + entries, 0)).toBe(1);
      await platform.settle(store.close());
    }
  });

  test("[CX-11] stays deleted when older data of it lies deeper, whichever levels are compacted when", async () => {
    const { store, platform } = await opened({
      memtableBytes: 4096,
      levelBaseBytes: 2048,
      tableBytes: 1024,
      level0CompactionFiles: 1,
    });
    for (let round = 0; round < 6; round++) {
      for (let i = 0; i < 30; i++)
        await platform.settle(store.put(bytes(`k${String(i).padStart(2, "0")}`), bytes("x".repeat(200))));
      await platform.settle(store.flush());
    }
    for (let i = 0; i < 30; i += 2) {
      await platform.settle(store.delete(bytes(`k${String(i).padStart(2, "0")}`)));
      await platform.settle(store.flush());
      await platform.pass(0);
      expect(rowsOf(store)).toHaveLength(30 - i / 2 - 1);
    }
    await platform.settle(store.put(bytes("k00"), bytes("revived")));
    await platform.settle(store.compact());
    expect(text(store.getSync(bytes("k00")) as Uint8Array)).toBe("revived");
    expect(rowsOf(store)).toHaveLength(16);
    await platform.settle(store.close());
  });
});

describe("pins", () => {
  test("[D7][D36] an iterator keeps the files that it reads, and they go when it ends: closed or exhausted", async () => {
    for (const end of ["close", "exhaust"]) {
      const { store, platform, vfs } = await opened({
        tableCacheBytes: 0,
        blockCacheBytes: 0,
        memtableBytes: 4096,
      });
      for (let i = 0; i < 40; i++)
        await platform.settle(store.put(bytes(`k${String(i).padStart(2, "0")}`), bytes("x".repeat(200))));
      await platform.settle(store.flush());
      const before = tables(vfs);
      const iterator = store.iterator();
      expect(iterator.next()).toBe(true);
      for (let i = 0; i < 40; i++)
        await platform.settle(store.put(bytes(`k${String(i).padStart(2, "0")}`), bytes("new")));
      await platform.settle(store.compact());
      expect(tables(vfs)).toEqual(expect.arrayContaining(before));
      expect(store.stats().openIterators).toBe(1);
      for (let i = 1; i < 40 && end === "exhaust"; i++) {
        expect(iterator.next()).toBe(true);
        expect(text(iterator.value)).toBe("x".repeat(200));
      }
      if (end === "exhaust") expect(iterator.next()).toBe(false);
      else iterator.close();
      expect(store.stats().openIterators).toBe(0);
      await platform.pass(0);
      for (const path of before) expect(tables(vfs)).not.toContain(path);
      expect(new Set(tables(vfs).map((path) => path.slice(7)))).toEqual(
        new Set(store.inspect().liveFiles.filter((name) => name.endsWith(".sst"))),
      );
      await platform.settle(store.close());
    }
  });

  test("[D29] a snapshot taken while a compaction runs sees what was visible then, whatever that compaction drops", async () => {
    for (let turns = 0; turns < 60; turns += 4) {
      const { store, platform } = await opened({
        memtableBytes: 4096,
        beatRows: 1,
        level0CompactionFiles: 1,
        level0StallFiles: 20,
        level0LimitFiles: 30,
      });
      for (let i = 0; i < 30; i++)
        await platform.settle(store.put(bytes(`k${i % 5}`), bytes(`${i}`.padEnd(300, "."))));
      for (let i = 0; i < turns; i++) await platform.turn();
      const snapshot = store.snapshot();
      const expected = rowsOf(store);
      for (let i = 0; i < 20; i++)
        await platform.settle(store.put(bytes(`k${i % 5}`), bytes("later".padEnd(300, "."))));
      await platform.settle(store.compact());
      const rows = store
        .scan({ snapshot })
        .toArray()
        .map(([name, found]) => [text(name), text(found)]);
      expect(rows).toEqual(expected);
      await platform.settle(store.close());
    }
  });

  test("a snapshot of another opening, and a closed one, are refused", async () => {
    const { store, platform } = await opened();
    const snapshot = store.snapshot();
    snapshot.close();
    snapshot.close();
    expect(() => store.getSync(bytes("k"), { snapshot })).toThrow(
      expect.objectContaining({ code: "SNAPSHOT_CLOSED" }),
    );
    expect(() => store.iterator({ snapshot })).toThrow(expect.objectContaining({ code: "SNAPSHOT_CLOSED" }));
    const other = store.snapshot();
    await platform.settle(store.close());
    const again = await platform.settle(Store.open("/store", {}, platform));
    expect(() => again.getSync(bytes("k"), { snapshot: other })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
    await platform.settle(again.close());
  });
});

describe("background work", () => {
  test("[D50] goes in bounded steps: no turn handles more rows than beatRows", async () => {
    const { store, platform } = await opened({
      beatRows: 10,
      memtableBytes: 1 << 20,
      level0CompactionFiles: 1,
      level0StallFiles: 9,
    });
    for (const round of [1, 2]) {
      const batch = new Batch();
      for (let i = 0; i < 2000; i++) batch.put(bytes(`k${i}`), bytes(`${round}`));
      await platform.settle(store.write(batch));
      const before = platform.turnCount;
      await platform.settle(store.flush());
      expect(platform.turnCount - before).toBeGreaterThan(200);
    }
    const before = platform.turnCount;
    await platform.settle(store.compact());
    expect(platform.turnCount - before).toBeGreaterThan(200);
    await platform.settle(store.close());
  });

  test("[D21] the manifest is written anew now and then, and stays small, with one CURRENT that names it", async () => {
    const { store, platform, vfs } = await opened({ memtableBytes: 4096 });
    const numbers = new Set<number>();
    let largest = 0;
    for (let i = 0; i < 1300; i++) {
      await platform.settle(store.put(bytes(`k${i % 10}`), bytes("v")));
      await platform.settle(store.flush());
      numbers.add(store.inspect().manifestNumber);
      if (i % 100 === 0) {
        for (const [path, { length }] of vfs.files())
          if (path.includes("MANIFEST")) largest = Math.max(largest, length);
      }
    }
    expect(numbers.size).toBeGreaterThan(1);
    expect(numbers.size).toBeLessThan(6);
    expect([...vfs.files().keys()].filter((path) => path.includes("MANIFEST"))).toHaveLength(1);
    expect(largest).toBeLessThan(2_000_000);
    await platform.settle(store.close());
    const again = await platform.settle(Store.open("/store", {}, platform));
    expect(rowsOf(again)).toHaveLength(10);
    await platform.settle(again.close());
  });

  test("[D5] file numbers are never used twice, over reopenings, failed jobs and kills", async () => {
    const used = new Set<string>();
    let scheduler = new ManualScheduler();
    let vfs = new PlainVFS(scheduler);
    for (let life = 0; life < 12; life++) {
      const platform = manualPlatform(vfs, scheduler);
      let failing = 0;
      vfs.before = (call, path) => {
        if (call === "createFile") {
          const number = (/(\d{6})/.exec(path) as RegExpExecArray)[1] as string;
          const id = path.endsWith(".tmp") ? `${number}.tmp` : number;
          expect(used.has(id), `${path} in life ${life}`).toBe(false);
          used.add(id);
        }
        if (call === "write" && path.endsWith(".sst") && ++failing % 5 === 0)
          throw failure("NO_SPACE", call, path);
      };
      const store = await platform.settle(
        Store.open("/store", { memtableBytes: 4096, level0CompactionFiles: 2 }, platform),
      );
      for (let i = 0; i < 30; i++) await platform.settle(store.put(bytes(`k${i}`), bytes("x".repeat(300))));
      for (let i = 0; i < 20 * life; i++) await platform.turn();
      if (life % 2 === 0) await platform.settle(store.close());
      scheduler = new ManualScheduler();
      vfs = new PlainVFS(scheduler, vfs.files());
    }
  });
});

test("an iterator that was closed says so, also right after a seek, and is not taken for one at its end", async () => {
  const scheduler = new ManualScheduler();
  const platform = manualPlatform(new PlainVFS(scheduler), scheduler);
  const store = await platform.settle(Store.open("/store", {}, platform));
  await platform.settle(store.put(bytes("a"), bytes("1")));
  const closed = expect.objectContaining({ code: "CLOSED" });
  const seeked = store.iterator();
  seeked.seek(bytes("a"));
  const stepped = store.iterator();
  expect(stepped.next()).toBe(true);
  const fresh = store.iterator();
  const exhausted = store.iterator();
  while (exhausted.next());
  await platform.settle(store.close());
  for (const iterator of [seeked, stepped, fresh]) expect(() => iterator.next()).toThrow(closed);
  expect(exhausted.next()).toBe(false);
  expect(() => exhausted.seek(bytes("a"))).toThrow(closed);
});
