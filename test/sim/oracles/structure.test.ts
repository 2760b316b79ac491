import { describe, expect, test } from "vitest";
import { Model } from "../../../sim/model/model.js";
import { OracleLedger } from "../../../sim/oracles/failure.js";
import { checkFailedOpening, checkNoOrphans, checkRemoval } from "../../../sim/oracles/file-lifetime.js";
import { FileNumbers } from "../../../sim/oracles/file-numbers.js";
import {
  checkCommitVersion,
  checkRecoveredVersion,
  ManifestMonotonicity,
} from "../../../sim/oracles/manifest-monotonicity.js";
import { checkDurableStore, checkLiveFiles, checkSeal } from "../../../sim/oracles/referential-integrity.js";
import { checkShape } from "../../../sim/oracles/shape.js";
import { manifestName } from "../../../src/engine/files.js";
import { checksumByName } from "../../../src/engine/format/checksum.js";
import { loadManifest, ManifestLog } from "../../../src/engine/manifest/manifest-log.js";
import type { TableMeta } from "../../../src/engine/manifest/table-meta.js";
import type { StoreInspection } from "../../../src/engine/store-types.js";
import { hasCode } from "../../../src/platform/errors.js";
import { machine } from "../disk/machine.js";

const ledger = new OracleLedger();

function inspection(changes: Partial<StoreInspection> = {}): StoreInspection {
  return {
    levels: [],
    immutableMemtables: 0,
    walNumbers: [],
    manifestNumber: 5,
    editNumber: 7,
    nextFileNumber: 9,
    lastVersion: 100,
    minWalNumber: 4,
    liveFiles: ["000003.sst", "CURRENT", "MANIFEST-000005"],
    snapshots: [],
    openTables: 0,
    debtBytes: 0,
    failedStop: false,
    backgroundBusy: false,
    damagedTables: [],
    ...changes,
  };
}

function trying(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!hasCode(error, "IO")) throw error;
  }
}

describe("O7", () => {
  test("numbers that go back fail, each by its name", () => {
    for (const name of [
      "manifestNumber",
      "editNumber",
      "nextFileNumber",
      "lastVersion",
      "minWalNumber",
    ] as const) {
      const oracle = new ManifestMonotonicity(ledger);
      oracle.observeEngine(inspection());
      oracle.observeEngine(inspection());
      expect(() => oracle.observeEngine(inspection({ [name]: 1 }))).toThrow(new RegExp(`^O7.*${name}`));
    }
  });

  test("what was only in memory may be gone in the next life", () => {
    const oracle = new ManifestMonotonicity(ledger);
    oracle.observeEngine(inspection());
    oracle.newLife();
    expect(() => oracle.observeEngine(inspection({ nextFileNumber: 8 }))).not.toThrow();
  });

  test("versions of commits rise in the order of submission, and are never used again", () => {
    const model = new Model();
    const [first, second, third] = [1, 2, 3].map((n) => model.submit(n, [["delete", "a"]], "sync"));
    if (first === undefined || second === undefined || third === undefined) expect.unreachable();
    model.acknowledge(second, 20, 0);
    expect(() => checkCommitVersion(ledger, model, first, 19)).not.toThrow();
    expect(() => checkCommitVersion(ledger, model, first, 20)).toThrow(/^O7/);
    expect(() => checkCommitVersion(ledger, model, third, 20)).toThrow(/^O7/);
    expect(() => checkCommitVersion(ledger, model, third, Number.NaN)).toThrow(/^O7/);
    model.resolve(1, 10);
    const later = model.submit(4, [["delete", "a"]], "sync");
    expect(() => checkCommitVersion(ledger, model, later, 20)).toThrow(/^O7/);
    expect(() => checkCommitVersion(ledger, model, later, 21)).not.toThrow();
  });

  test("a store that recovers below a version that it holds fails", () => {
    const model = new Model();
    model.acknowledge(model.submit(1, [["delete", "a"]], "sync"), 20, 0);
    expect(() => checkRecoveredVersion(ledger, model, 1, 20)).not.toThrow();
    expect(() => checkRecoveredVersion(ledger, model, 1, 19)).toThrow(/^O7/);
  });
});

describe("O8", () => {
  test("a durable state without CURRENT is fine until the store was created", () => {
    const { disk } = machine(1);
    disk.mount();
    const durable = disk.snapshotDurable();
    expect(checkDurableStore(ledger, durable, "/store", false)).toBeNull();
    expect(() => checkDurableStore(ledger, durable, "/store", true)).toThrow(/^O8/);
  });

  test("a durable CURRENT whose manifest is gone fails at once, without a crash", () => {
    const { disk } = machine(1);
    const vfs = disk.mount();
    vfs.makeDirectory("/store");
    vfs.syncDirectory("/");
    const levels = Array.from({ length: 7 }, () => []);
    ManifestLog.create(vfs, "/store", checksumByName("crc32"), 5, {
      storeId: new Uint8Array(16).fill(7),
      counters: { nextFileNumber: 6, lastVersion: 9, minWalNumber: 6 },
      levels,
      editNumber: 0,
    }).close();
    const check = () => checkDurableStore(ledger, disk.snapshotDurable(), "/store", true);
    expect(check()).toMatchObject({ manifestNumber: 5, editNumber: 1 });
    vfs.removeFile(`/store/${manifestName(5)}`);
    expect(check()).toMatchObject({ manifestNumber: 5 });
    vfs.syncDirectory("/store");
    expect(check).toThrow(/^O8.*missing/);
  });

  test("a seal that processes see fails unless the edits before it are on the medium", () => {
    const failing = (what: "nothing" | "the seal" | "the edit before it") => () => {
      const { disk } = machine(1, { syncFailure: "clean-keep", faults: { syncError: 1e-9 } });
      const vfs = disk.mount();
      vfs.makeDirectory("/store");
      vfs.syncDirectory("/");
      const counters = { nextFileNumber: 6, lastVersion: 100, minWalNumber: 6 };
      const state = { storeId: new Uint8Array(16), counters, levels: [], editNumber: 0 };
      const log = ManifestLog.create(vfs, "/store", checksumByName("crc32"), 5, state);
      // A snapshot, and three edits with their marks: the next edit ends the first page, the seal begins the second.
      const edit = { counters, added: [], removed: [] };
      for (let count = 0; count < 3; count++) log.append(edit);
      if (what === "the edit before it") disk.failSync(1);
      trying(() => log.append(edit));
      if (what === "the seal") disk.failSync(1);
      trying(() => log.seal());
      const seen = disk.crashedCopy([], "process-kill").mount();
      expect(loadManifest(seen, "/store")).toMatchObject({ isSealed: true, editNumber: 5 });
      checkSeal(ledger, seen, disk.snapshotDurable(), "/store");
    };
    expect(failing("nothing")).not.toThrow();
    expect(failing("the seal")).not.toThrow();
    expect(failing("the edit before it")).toThrow(/^O8.*sealed at edit 5.*at edit 4/);
  });

  test("a live file that is not in the directory fails", () => {
    expect(() =>
      checkLiveFiles(ledger, inspection(), ["000003.sst", "CURRENT", "MANIFEST-000005"]),
    ).not.toThrow();
    expect(() => checkLiveFiles(ledger, inspection(), ["CURRENT", "MANIFEST-000005"])).toThrow(/^O8.*000003/);
  });
});

describe("O9", () => {
  test("removing a live file fails, removing another does not", () => {
    expect(() => checkRemoval(ledger, inspection(), "000002.sst")).not.toThrow();
    expect(() => checkRemoval(ledger, inspection(), "000003.sst")).toThrow(/^O9/);
  });

  test("a file that nothing refers to fails when everything has come to rest", () => {
    const names = ["000003.sst", "CURRENT", "LOCK", "MANIFEST-000005", "quarantine"];
    expect(() => checkNoOrphans(ledger, inspection(), names)).not.toThrow();
    for (const orphan of ["000002.sst", "000002.wal", "MANIFEST-000001", "000009.tmp"]) {
      expect(() => checkNoOrphans(ledger, inspection(), [...names, orphan])).toThrow(/^O9/);
    }
  });

  test("a table that a failed open has neither removed nor tried to remove fails, if it came to be", () => {
    const numbers = new FileNumbers();
    numbers.opening();
    for (const name of ["000005.sst", "000006.sst", "000007.wal"]) numbers.creating(ledger, name);
    numbers.removing("000006.sst");
    const failed = (...names: string[]): (() => void) => {
      return () => checkFailedOpening(ledger, new Set(names), numbers.tablesKept);
    };
    expect(failed("000004.sst", "000006.sst", "000007.wal")).not.toThrow();
    expect(failed("000005.sst")).toThrow(/^O9.*000005\.sst/);
    // The manifest may have come to name it.
    numbers.creating(ledger, "MANIFEST-000008");
    expect(failed("000005.sst")).not.toThrow();
    numbers.opening();
    expect(failed("000005.sst", "000006.sst")).not.toThrow();
  });
});

describe("O10", () => {
  const table = (
    fileNumber: number,
    smallest: string,
    largest: string,
    versions: [number, number],
    open = false,
  ): TableMeta => ({
    fileNumber,
    bytes: 100,
    smallest: Buffer.from(smallest),
    largest: Buffer.from(largest),
    largestExclusive: open,
    minVersion: versions[0],
    maxVersion: versions[1],
    entryCount: 1,
    tombstoneCount: 0,
    rangeTombstoneCount: 0,
  });
  const shape =
    (...levels: TableMeta[][]) =>
    () =>
      checkShape(ledger, levels);

  test("tables apart, and runs newest first, pass", () => {
    expect(
      shape(
        [table(9, "a", "z", [20, 30]), table(8, "a", "z", [10, 19])],
        [table(1, "a", "c", [1, 5]), table(2, "d", "f", [1, 9])],
        [table(3, "a", "c", [1, 2], true), table(4, "c", "c", [1, 2])],
      ),
    ).not.toThrow();
  });

  test("a key in two tables of a level, wrong order, crossed bounds or versions, or a table twice fail", () => {
    expect(shape([], [table(1, "a", "c", [1, 5]), table(2, "c", "f", [1, 9])])).toThrow(/^O10.*shares keys/);
    expect(shape([], [table(2, "d", "f", [1, 9]), table(1, "a", "c", [1, 5])])).toThrow(/^O10/);
    expect(shape([], [table(1, "c", "a", [1, 5])])).toThrow(/^O10/);
    expect(shape([], [table(1, "a", "a", [1, 5], true)])).toThrow(/^O10/);
    expect(shape([], [table(1, "a", "b", [5, 1])])).toThrow(/^O10/);
    expect(shape([table(1, "a", "b", [1, 5])], [table(1, "c", "d", [1, 5])])).toThrow(/^O10.*twice/);
    expect(shape([table(8, "a", "z", [10, 20]), table(9, "a", "z", [20, 30])])).toThrow(/^O10.*older/);
  });
});
