/**
 * Stripes against the definition of visibility, for every short history: of the versions of one key a compaction may
 * drop only what no reader can see, and what must stay hidden must stay hidden. Readers are those of the snapshots, and
 * everybody who reads at or above the newest version.
 */
import { expect, test } from "vitest";
import { BaseLevelCheck } from "../../../src/engine/compaction/base-level.js";
import { StripeRule } from "../../../src/engine/compaction/stripes.js";
import { KIND_DELETE, KIND_PUT } from "../../../src/engine/format/operation.js";
import type { TableMeta } from "../../../src/engine/manifest/table-meta.js";
import { bytes } from "../fixtures/model.js";

interface Entry {
  readonly version: number;
  readonly kind: number;
}

/** What a reader at `version` sees: the version of the put, 0 for nothing. `below`: an older put lies under the job. */
function visible(
  rows: readonly Entry[],
  tombstones: readonly number[],
  below: boolean,
  version: number,
): number {
  const row = rows.find((one) => one.version <= version);
  const covering = tombstones.find((one) => one <= version) ?? 0;
  if (row !== undefined && covering <= row.version) return row.kind === KIND_PUT ? row.version : 0;
  if (covering > 0) return 0;
  return below ? 1 : 0;
}

/** As the compaction does it for one key: its rows newest first, under one fragment of range tombstones. */
function compact(
  rows: readonly Entry[],
  tombstones: readonly number[],
  snapshots: readonly number[],
  isBase: boolean,
): { readonly rows: Entry[]; readonly tombstones: number[] } {
  const rule = new StripeRule(snapshots);
  rule.beginKey();
  const kept = rows.filter(({ version, kind }) => {
    const end = rule.stripeEnd(rule.stripeOf(version));
    const covering = tombstones.find((one) => one <= end) ?? 0;
    return rule.keeps(version, kind, covering, isBase);
  });
  return { rows: kept, tombstones: rule.keptTombstones(tombstones, isBase) };
}

function subsets(values: readonly number[], maxSize: number): number[][] {
  return values.reduce<number[][]>(
    (all, value) => [...all, ...all.filter(({ length }) => length < maxSize).map((one) => [...one, value])],
    [[]],
  );
}

/** Every assignment of put, delete, or nothing to the versions, newest first. */
function* histories(count: number): Generator<Entry[]> {
  for (let code = 0; code < 3 ** count; code++) {
    const rows: Entry[] = [];
    for (let i = 0, rest = code; i < count; i++, rest = Math.floor(rest / 3)) {
      if (rest % 3 > 0) rows.push({ version: 10 + 2 * i, kind: rest % 3 === 1 ? KIND_PUT : KIND_DELETE });
    }
    yield rows.reverse();
  }
}

test("[D29][D30][D31] every history of six versions, under every three snapshots: readers see after a compaction what they saw before", () => {
  const versions = Array.from({ length: 6 }, (_, i) => 10 + 2 * i);
  const snapshotLists = subsets([9, ...versions.flatMap((version) => [version, version + 1])], 3);
  let tried = 0;
  for (const rows of histories(6)) {
    for (const snapshots of snapshotLists) {
      for (const isBase of [true, false]) {
        const after = compact(rows, [], snapshots, isBase);
        for (const reader of [...snapshots, 100]) {
          const expected = visible(rows, [], !isBase, reader);
          if (visible(after.rows, [], !isBase, reader) !== expected) {
            expect.fail(`${JSON.stringify({ rows, snapshots, isBase, reader, kept: after.rows, expected })}`);
          }
        }
        tried++;
      }
    }
  }
  expect(tried).toBeGreaterThan(300_000);
});

test("[D30][D31] the same with range tombstones over the key, in histories of four versions", () => {
  const versions = Array.from({ length: 4 }, (_, i) => 10 + 2 * i);
  const snapshotLists = subsets(
    versions.flatMap((version) => [version, version + 1]),
    3,
  );
  // A tombstone may have a row's version: the same batch deletes the range and then puts the key.
  const tombstoneLists = subsets([9, 10, 11, 12, 13, 14, 15, 16, 17], 2).map((list) => list.reverse());
  let tried = 0;
  for (const rows of histories(4)) {
    for (const snapshots of snapshotLists) {
      for (const tombstones of tombstoneLists) {
        for (const isBase of [true, false]) {
          const after = compact(rows, tombstones, snapshots, isBase);
          for (const reader of [...snapshots, 100]) {
            const expected = visible(rows, tombstones, !isBase, reader);
            if (visible(after.rows, after.tombstones, !isBase, reader) !== expected) {
              expect.fail(
                `${JSON.stringify({ rows, tombstones, snapshots, isBase, reader, after, expected })}`,
              );
            }
          }
          tried++;
        }
      }
    }
  }
  expect(tried).toBeGreaterThan(100_000);
});

test("[FS-defect 14] without snapshots one version of a key remains, and of a deleted key at the bottom none", () => {
  for (const rows of histories(6)) {
    const bottom = compact(rows, [], [], true);
    const newest = rows[0];
    expect(bottom.rows).toEqual(newest === undefined || newest.kind === KIND_DELETE ? [] : [newest]);
    expect(compact(rows, [], [], false).rows).toEqual(newest === undefined ? [] : [newest]);
    expect(compact(rows, [50, 20], [], true)).toEqual({ rows: [], tombstones: [] });
    expect(compact(rows, [50, 20], [], false)).toEqual({ rows: [], tombstones: [50] });
  }
});

test("a version belongs to the stripe of the oldest snapshot that sees it", () => {
  const rule = new StripeRule([10, 20, 30]);
  expect(
    [1, 10, 11, 20, 21, 30, 31, Number.MAX_SAFE_INTEGER].map((version) => rule.stripeOf(version)),
  ).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  expect([0, 1, 2, 3].map((stripe) => rule.stripeEnd(stripe))).toEqual([10, 20, 30, Number.MAX_SAFE_INTEGER]);
});

function table(fileNumber: number, first: string, last: string, largestExclusive = false): TableMeta {
  return {
    fileNumber,
    bytes: 100,
    smallest: bytes(first),
    largest: bytes(last),
    largestExclusive,
    minVersion: 1,
    maxVersion: 2,
    entryCount: 1,
    tombstoneCount: 0,
    rangeTombstoneCount: 0,
  };
}

test("[D28] a key is at the bottom only where no older table of any level covers it, for every ascending walk", () => {
  const older = [
    [table(1, "b", "d"), table(2, "f", "h", true), table(3, "m", "p")],
    [table(4, "a", "a"), table(5, "h", "i")],
    [table(6, "o", "z")],
  ];
  const keys = [...Array(26).keys()].map((i) => String.fromCharCode(97 + i));
  const covered = (key: string): boolean =>
    older.some((tables) =>
      tables.some((one) => {
        const first = Buffer.from(one.smallest).toString();
        const last = Buffer.from(one.largest).toString();
        return key >= first && (key < last || (key === last && !one.largestExclusive));
      }),
    );
  for (let step = 1; step < 6; step++) {
    const check = new BaseLevelCheck(older);
    for (let i = 0; i < keys.length; i += step) {
      const key = keys[i] as string;
      expect(check.isBaseLevel(bytes(key)), key).toBe(!covered(key));
    }
  }
  const check = new BaseLevelCheck(older);
  for (const begin of keys) {
    for (const end of keys.filter((key) => key > begin)) {
      const between = keys
        .flatMap((key) => [key, `${key}5`])
        .some((key) => key >= begin && key < end && covered(key));
      const bounds = older.flat().some((one) => one.smallest[0] === end.charCodeAt(0));
      if (!bounds)
        expect(check.isBaseLevelForRange(bytes(begin), bytes(end)), `${begin}..${end}`).toBe(!between);
    }
  }
});
