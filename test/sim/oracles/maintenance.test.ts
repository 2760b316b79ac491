/** Promises about what is done to a store rather than with it: opening, closing, flushing, copying, numbering. */
import { describe, expect, test } from "vitest";
import { Choices } from "../../../sim/choices/choices.js";
import { SOUND_DISK } from "../../../sim/disk/options.js";
import { SimulationDisk } from "../../../sim/disk/simulation-disk.js";
import { checkCheckpointVersion, checkWholeCopy } from "../../../sim/oracles/checkpoint.js";
import { checkFailureTold } from "../../../sim/oracles/error-honesty.js";
import { FailStop } from "../../../sim/oracles/fail-stop.js";
import { OracleLedger } from "../../../sim/oracles/failure.js";
import { FileNumbers } from "../../../sim/oracles/file-numbers.js";
import { checkQuietOpening } from "../../../sim/oracles/idempotent-recovery.js";
import { Trace } from "../../../sim/trace/trace.js";
import { checksumByName } from "../../../src/engine/format/checksum.js";
import { ManifestLog } from "../../../src/engine/manifest/manifest-log.js";
import { EMPTY_LEVELS } from "../../../src/engine/manifest/tree.js";

const ledger = new OracleLedger();

describe("O7", () => {
  test("a second file under a number fails, of whatever kind, until the store is opened anew", () => {
    const numbers = new FileNumbers();
    // Strays that lie there before are nobody's.
    for (const name of ["000007.wal", "000007.sst"]) numbers.creating(ledger, name);
    numbers.opening();
    numbers.creating(ledger, "000007.wal");
    numbers.creating(ledger, "MANIFEST-000008");
    // CURRENT's temporary file bears the manifest's number, and other names have none.
    for (const name of ["000008.tmp", "000008.tmp", "LOCK"]) numbers.creating(ledger, name);
    expect(() => numbers.creating(ledger, "000007.sst")).toThrow(/^O7.*000007\.sst.*000007\.wal/);
    expect(() => numbers.creating(ledger, "000008.sst")).toThrow(/^O7/);
    numbers.opening();
    expect(() => numbers.creating(ledger, "000007.sst")).not.toThrow();
  });
});

test("O13: a store that was closed in order and writes when it is opened fails", () => {
  expect(() => checkQuietOpening(ledger, 0)).not.toThrow();
  expect(() => checkQuietOpening(ledger, 576)).toThrow(/^O13.*576 bytes/);
});

test("O16: a store that stops while it is being closed, and says nothing, fails", () => {
  expect(() => checkFailureTold(ledger, false, false)).not.toThrow();
  expect(() => checkFailureTold(ledger, true, true)).not.toThrow();
  expect(() => checkFailureTold(ledger, false, true)).toThrow(/^O16/);
});

test("O17: a flush that was called after the stop and succeeds fails", () => {
  const oracle = new FailStop(ledger);
  expect(() => oracle.maintained("flush", oracle.stopped)).not.toThrow();
  oracle.stop("commit 3 failed", 3);
  expect(() => oracle.maintained("flush", oracle.stopped)).toThrow(/^O17.*flush.*commit 3 failed/);
});

describe("O20", () => {
  test("a checkpoint below what had been acknowledged fails", () => {
    expect(() => checkCheckpointVersion(ledger, 12, 12)).not.toThrow();
    expect(() => checkCheckpointVersion(ledger, 11, 12)).toThrow(/^O20.*version 11.*12/);
  });

  /** A disk with an empty store at `/copy`, of which the given steps have been left out. */
  function copyOn(left: { readonly seal?: boolean; readonly name?: boolean }) {
    const disk = new SimulationDisk(SOUND_DISK, Choices.fromSeed("1"), new Trace(false), {
      after: () => {},
      nowMs: () => 0,
    });
    const vfs = disk.mount();
    vfs.makeDirectory("/copy");
    const state = {
      storeId: new Uint8Array(16),
      counters: { nextFileNumber: 2, lastVersion: 9, minWalNumber: 2 },
      levels: EMPTY_LEVELS,
      editNumber: 0,
    };
    const log = ManifestLog.create(vfs, "/copy", checksumByName("crc32"), 1, state);
    if (left.seal !== true) log.seal();
    if (left.name !== true) vfs.syncDirectory("/");
    return disk.snapshotDurable();
  }

  test("a copy that is whole on the medium passes; without its name, or its seal, it fails", () => {
    const before = ledger.evaluations.O20;
    expect(() => checkWholeCopy(ledger, copyOn({}), "/copy", "made")).not.toThrow();
    expect(() => checkWholeCopy(ledger, copyOn({ name: true }), "/copy", "made")).toThrow(/^O20.*\/copy/);
    expect(() => checkWholeCopy(ledger, copyOn({ seal: true }), "/copy", "made")).toThrow(/not sealed/);
    expect(ledger.evaluations.O20).toBe(before + 3);
  });
});
