/** O41 against broken answers: each must be objected to, and the right ones not. */
import { describe, expect, test } from "vitest";
import { Model } from "../../../sim/model/model.js";
import {
  checkBackupVersion,
  checkListed,
  checkRestored,
  type KnownBackup,
} from "../../../sim/oracles/backups.js";
import { OracleFailure, OracleLedger } from "../../../sim/oracles/failure.js";
import { sharedValueBytes } from "../../../sim/workload/bytes.js";
import type { RepositoryReport } from "../../../src/engine/backup/types.js";

const ledger = new OracleLedger();

function breaks(check: () => void): boolean {
  try {
    check();
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(OracleFailure);
    expect((error as OracleFailure).oracle).toBe("O41");
    return true;
  }
}

/** Two puts of one key. */
function twoCommits(): Model {
  const model = new Model();
  for (const writer of [1, 2]) {
    const commit = model.submit(writer, [["put", "key", writer, 20]], "sync");
    model.acknowledge(commit, writer, 0);
  }
  return model;
}

function known(...certain: readonly boolean[]): Map<string, KnownBackup> {
  return new Map(
    certain.map((isCertain, index) => [
      String(index),
      { model: twoCommits(), span: { low: 1, high: 2 }, isCertain },
    ]),
  );
}

function report(
  listed: readonly string[],
  damaged: readonly string[] = [],
  foreign: string[] = [],
): RepositoryReport {
  return {
    backups: listed.map((id) => ({
      id,
      createdAt: 0,
      note: "",
      version: 1,
      bytes: 0,
      tables: 0,
      newBytes: 0,
    })),
    damaged: damaged.map((id) => ({ id, path: id, offset: 0, message: "damaged" })),
    foreign,
  };
}

describe("O41", () => {
  test("an acknowledged backup that is gone, or there in part, breaks it; one whose deletion was cut off may be gone", () => {
    const list = (found: RepositoryReport, may = false): boolean =>
      breaks(() => checkListed(ledger, found, known(true, false), new Set(), 0, may));
    expect(list(report(["0", "1"]))).toBe(false);
    expect(list(report(["0"]))).toBe(false);
    expect(list(report(["1"]))).toBe(true);
    expect(list(report(["1"], ["0"], []), true)).toBe(true);
    expect(list(report(["0"], ["1"]))).toBe(true);
    expect(list(report(["0"], ["1"]), true)).toBe(false);
    expect(list(report(["0"], [], ["/backups/README"]))).toBe(true);
  });

  test("a deleted one that is listed breaks it, and more strangers than calls without an answer do", () => {
    const list = (listed: readonly string[], unanswered: number): boolean =>
      breaks(() => checkListed(ledger, report(listed), known(true), new Set(["9"]), unanswered, false));
    expect(list(["0", "7"], 1)).toBe(false);
    expect(list(["0", "7"], 0)).toBe(true);
    expect(list(["0", "7", "8"], 1)).toBe(true);
    expect(list(["0", "9"], 1)).toBe(true);
  });

  test("a restored state that never was breaks it; any state that the backup may be of does not", () => {
    const [backup] = [...known(true).values()] as [KnownBackup];
    const restored = (writer: number): boolean =>
      breaks(() =>
        checkRestored(ledger, "0", [backup], [{ key: "key", value: sharedValueBytes(writer, 20) }]),
      );
    expect([1, 2, 3].map(restored)).toEqual([false, false, true]);
    expect(breaks(() => checkRestored(ledger, "0", [backup], []))).toBe(true);
    expect(breaks(() => checkRestored(ledger, "0", [], []))).toBe(true);
  });

  test("a version below what had been acknowledged breaks it", () => {
    expect(breaks(() => checkBackupVersion(ledger, "0", 4, 5))).toBe(true);
    expect(breaks(() => checkBackupVersion(ledger, "0", 5, 5))).toBe(false);
  });
});
