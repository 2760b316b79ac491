import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DirectoryNode } from "../../../sim/disk/name-log.js";
import type { SimulationDisk } from "../../../sim/disk/simulation-disk.js";
import {
  DurableReader,
  type DurableSegment,
  type DurableStore,
} from "../../../sim/oracles/durable-reader.js";
import { OracleLedger } from "../../../sim/oracles/failure.js";
import { checkDurableRemoval } from "../../../sim/oracles/file-lifetime.js";
import { LogAndTables } from "../../../sim/oracles/log-and-tables.js";
import { DurableTables } from "../../../sim/oracles/referential-integrity.js";
import { checksumByName } from "../../../src/engine/format/checksum.js";
import { loadManifest, ManifestLog } from "../../../src/engine/manifest/manifest-log.js";
import type { TableMeta } from "../../../src/engine/manifest/table-meta.js";
import type { VFS } from "../../../src/platform/vfs.js";
import { machine } from "../disk/machine.js";

const ledger = new OracleLedger();
const CRC = checksumByName("crc32");

function table(fileNumber: number, maxVersion = 10): TableMeta {
  return {
    fileNumber,
    bytes: 100,
    smallest: Buffer.from("a"),
    largest: Buffer.from("b"),
    largestExclusive: false,
    minVersion: maxVersion,
    maxVersion,
    entryCount: 1,
    tombstoneCount: 0,
    rangeTombstoneCount: 0,
  };
}

/** A disk with an empty store whose manifest is number 5. */
function created(): { disk: SimulationDisk; vfs: VFS; log: ManifestLog; directory: DirectoryNode } {
  const { disk } = machine(1);
  const vfs = disk.mount();
  vfs.makeDirectory("/store");
  vfs.syncDirectory("/");
  const log = ManifestLog.create(vfs, "/store", CRC, 5, {
    storeId: new Uint8Array(16).fill(7),
    counters: { nextFileNumber: 6, lastVersion: 9, minWalNumber: 6 },
    levels: Array.from({ length: 7 }, () => []),
    editNumber: 0,
  });
  const directory = disk.durableDirectory("/store");
  if (directory === null) expect.unreachable();
  return { disk, vfs, log, directory };
}

function writeTable(vfs: VFS, fileNumber: number, bytes: number): void {
  const file = vfs.createFile(`/store/${String(fileNumber).padStart(6, "0")}.sst`);
  file.write(new Uint8Array(bytes).fill(1), 0, bytes, 0);
  file.syncData();
  file.close();
  vfs.syncDirectory("/store");
}

describe("the reader of what is durable", () => {
  test("finds edit by edit what the store's loader finds from the start", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 40 }), (steps) => {
        const { disk, vfs, log, directory } = created();
        const reader = new DurableReader();
        let next = 10;
        const live: number[] = [];
        for (const step of steps) {
          const added = step === 0 ? [] : [{ level: 0, table: table(next, next) }];
          if (step > 0) writeTable(vfs, next, 100);
          if (step > 0) live.push(next);
          const gone = step === 3 && live.length > 1 ? live.shift() : undefined;
          next++;
          log.append({
            counters: { nextFileNumber: next, lastVersion: next, minWalNumber: 6 },
            added,
            removed: gone === undefined ? [] : [{ level: 0, fileNumber: gone }],
          });
          if (step === 2) continue;
          const seen = reader.read(directory);
          const loaded = loadManifest(disk.snapshotDurable(), "/store");
          expect(seen?.editNumber).toBe(loaded?.editNumber);
          expect(seen?.counters).toEqual(loaded?.counters);
          expect(seen?.levels).toEqual(loaded?.levels);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("starts anew when bytes that it had decoded change, and says what is wrong with them", () => {
    const { disk, log, directory } = created();
    const reader = new DurableReader();
    log.append({
      counters: { nextFileNumber: 7, lastVersion: 9, minWalNumber: 6 },
      added: [],
      removed: [],
    });
    expect(reader.read(directory)?.editNumber).toBe(2);
    disk.corrupt("/store/MANIFEST-000005", 60, 1);
    expect(() => reader.read(directory)).toThrow(/snapshot|verify/);
  });

  test("gives the same answer while only other files change", () => {
    const { vfs, directory } = created();
    const reader = new DurableReader();
    const first = reader.read(directory);
    const file = vfs.openFile("/store/CURRENT", "read");
    file.close();
    expect(reader.read(directory)).toBe(first);
  });
});

describe("O8 at every durable instant", () => {
  test("a table that is not there, or has another size, fails; names are looked up anew when they change", () => {
    const { vfs, directory } = created();
    const tables = new DurableTables(ledger);
    const levels = [[table(10)]];
    expect(() => tables.check(levels, directory)).toThrow(/^O8.*10 is missing/);
    writeTable(vfs, 10, 100);
    expect(() => tables.check(levels, directory)).not.toThrow();
    vfs.removeFile("/store/000010.sst");
    expect(() => tables.check(levels, directory)).not.toThrow();
    vfs.syncDirectory("/store");
    expect(() => tables.check(levels, directory)).toThrow(/^O8.*10 is missing/);
    writeTable(vfs, 11, 99);
    expect(() => tables.check([[table(11)]], directory)).toThrow(/^O8.*99 bytes instead of 100/);
  });
});

function segment(fileNumber: number, versions: [number, number], changes: Partial<DurableSegment> = {}) {
  return {
    fileNumber,
    header: {
      checksumId: 1,
      fileNumber,
      capacity: 4096,
      baseVersion: versions[0],
      previousNumber: fileNumber - 1,
      previousLength: 1000,
      previousChain: 77,
      storeId: new Uint8Array(16),
    },
    lastVersion: versions[1],
    end: 1000,
    chain: 77,
    isSealed: true,
    isEmpty: false,
    follow: () => {},
    ...changes,
  } satisfies DurableSegment;
}

function store(lastVersion: number, segments: DurableSegment[], tables: TableMeta[] = []): DurableStore {
  return {
    manifestNumber: 5,
    editNumber: 1,
    counters: { nextFileNumber: 50, lastVersion, minWalNumber: 6 },
    levels: [tables],
    segments,
    manifestChanged: true,
  };
}

describe("O24", () => {
  test("a table that is newer than its manifest says fails", () => {
    const oracle = new LogAndTables(ledger);
    expect(() => oracle.observe(store(10, [], [table(7, 10)]))).not.toThrow();
    expect(() => oracle.observe(store(10, [], [table(7, 11)]))).toThrow(/^O24.*version 11.*up to 10/);
  });

  test("what moves from log to tables stays held; a segment that goes before its table fails", () => {
    const log = [segment(6, [9, 20]), segment(7, [20, 30], { isSealed: false })];
    const good = new LogAndTables(ledger);
    good.observe(store(9, log));
    expect(() => good.observe(store(20, log.slice(1)))).not.toThrow();
    const bad = new LogAndTables(ledger);
    bad.observe(store(9, log));
    expect(() => bad.observe(store(9, log.slice(0, 1)))).toThrow(/^O24.*up to 30 durably.*up to 20/);
  });

  test("an empty stray file among the segments hides nothing behind it; a segment without a header does", () => {
    const log = [segment(6, [9, 20])];
    const stray = { header: null, lastVersion: 0 };
    const among = (isEmpty: boolean) => () => {
      const oracle = new LogAndTables(ledger);
      oracle.observe(store(9, log));
      oracle.observe(store(9, [segment(5, [0, 0], { ...stray, isEmpty }), ...log]));
    };
    expect(among(true)).not.toThrow();
    expect(among(false)).toThrow(/^O24.*up to 20 durably.*up to 9/);
  });

  test("a power loss may take what was not promised", () => {
    const oracle = new LogAndTables(ledger);
    oracle.observe(store(9, [segment(6, [9, 20])]));
    oracle.powerLost();
    expect(() => oracle.observe(store(9, [segment(6, [9, 15])]))).not.toThrow();
  });

  test("a segment that does not continue the one before, or that tables hold already, fails", () => {
    const observe = (...segments: DurableSegment[]) => {
      return () => new LogAndTables(ledger).observe(store(9, segments));
    };
    const second = segment(7, [20, 30]);
    expect(observe(segment(6, [9, 20]), second)).not.toThrow();
    expect(observe(segment(6, [9, 20], { isSealed: false }), second)).toThrow(/^O24.*7 does not continue/);
    expect(observe(segment(6, [9, 20], { end: 900 }), second)).toThrow(/^O24.*7 does not continue/);
    expect(observe(segment(6, [9, 20], { chain: 1 }), second)).toThrow(/^O24.*7 does not continue/);
    expect(observe(segment(6, [5, 20]))).toThrow(/^O24.*from 6.*go to 9 already/);
    expect(observe(segment(6, [9, 20], { header: null, lastVersion: 0 }))).not.toThrow();
  });
});

describe("O9 against what is durable", () => {
  const durable = store(20, [segment(6, [20, 25]), segment(7, [25, 25])], [table(3)]);
  const removal = (name: string, handles = 0) => {
    return () => checkDurableRemoval(ledger, durable, name, handles);
  };

  test("files that a recovery would need fail, others do not", () => {
    expect(removal("000003.sst")).toThrow(/^O9.*durable manifest names it/);
    expect(removal("000006.wal")).toThrow(/^O9.*versions up to 25/);
    expect(removal("MANIFEST-000005")).toThrow(/^O9.*CURRENT names it/);
    for (const name of ["000002.sst", "000007.wal", "000004.wal", "MANIFEST-000004", "000009.tmp"])
      expect(removal(name)).not.toThrow();
  });

  test("a file that the process has open, as inputs and outputs of a running job are, fails", () => {
    expect(removal("000002.sst", 1)).toThrow(/^O9.*open/);
  });
});
