/** The manifest: what it records comes back whole, or opening is refused with file and place. Never a silent rollback. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checksumByName } from "../../../src/engine/format/checksum.js";
import {
  FRAME_COMMITS,
  FRAME_EDIT,
  FRAME_HEADER_BYTES,
  FrameHeader,
  frameBytes,
  nextSector,
  readFrame,
  readUint32,
  sealFrame,
  writeUint32,
  writeUint64,
} from "../../../src/engine/format/frame.js";
import { type Current, readCurrent, replaceCurrent } from "../../../src/engine/manifest/current.js";
import {
  decodeEdit,
  encodeEdit,
  type ManifestCounters,
  type ManifestEdit,
} from "../../../src/engine/manifest/edit.js";
import { loadManifest, ManifestLog, type ManifestState } from "../../../src/engine/manifest/manifest-log.js";
import type { TableMeta } from "../../../src/engine/manifest/table-meta.js";
import { applyEdit, checkLevels, LEVEL_COUNT, type Levels } from "../../../src/engine/manifest/tree.js";
import { VersionSet } from "../../../src/engine/manifest/version-set.js";
import { StillwaterError } from "../../../src/platform/errors.js";
import { ManualScheduler } from "../fixtures/manual-platform.js";
import { bytes } from "../fixtures/model.js";
import { type Call, failure, PlainVFS } from "../fixtures/plain-vfs.js";

const DIRECTORY = "/store";
const STORE_ID = Uint8Array.from({ length: 16 }, (_, i) => i * 17);
const CRC32 = checksumByName("crc32");

function table(
  fileNumber: number,
  first: string,
  last: string,
  versions: readonly [number, number],
): TableMeta {
  return {
    fileNumber,
    bytes: 100 + fileNumber,
    smallest: bytes(first),
    largest: bytes(last),
    largestExclusive: false,
    minVersion: versions[0],
    maxVersion: versions[1],
    entryCount: 5,
    tombstoneCount: 1,
    rangeTombstoneCount: 0,
  };
}

function emptyLevels(): TableMeta[][] {
  return Array.from({ length: LEVEL_COUNT }, () => []);
}

function counters(nextFileNumber: number, lastVersion: number, minWalNumber: number): ManifestCounters {
  return { nextFileNumber, lastVersion, minWalNumber };
}

function disk(): PlainVFS {
  const vfs = new PlainVFS(new ManualScheduler());
  vfs.makeDirectory(DIRECTORY);
  return vfs;
}

/** Creates the file of a table, so that loading finds it. */
function touch(vfs: PlainVFS, meta: TableMeta): void {
  vfs.setBytes(`${DIRECTORY}/${String(meta.fileNumber).padStart(6, "0")}.sst`, new Uint8Array(meta.bytes));
}

const PATH = `${DIRECTORY}/MANIFEST-000003`;

/** A manifest of a snapshot and four edits, and the states after each of them. */
function written(): { vfs: PlainVFS; states: ManifestState[] } {
  const vfs = disk();
  let state: ManifestState = {
    storeId: STORE_ID,
    counters: counters(4, 9, 4),
    levels: emptyLevels(),
    editNumber: 0,
  };
  const log = ManifestLog.create(vfs, DIRECTORY, CRC32, 3, state);
  const states = [{ ...state, editNumber: log.editNumber }];
  const tables = [
    table(5, "a", "m", [10, 20]),
    table(7, "c", "z", [21, 30]),
    table(9, "b", "y", [31, 40]),
    table(11, "a", "z", [10, 40]),
  ];
  for (const one of tables) touch(vfs, one);
  const edits: ManifestEdit[] = tables.slice(0, 3).map((one, i) => ({
    counters: counters(6 + 2 * i, 20 + 10 * i, 5 + 2 * i),
    added: [{ level: 0, table: one }],
    removed: [],
  }));
  edits.push({
    counters: counters(12, 40, 9),
    added: [{ level: 1, table: tables[3] as TableMeta }],
    removed: [5, 7, 9].map((fileNumber) => ({ level: 0, fileNumber })),
  });
  for (const edit of edits) {
    log.append(edit);
    state = {
      ...state,
      counters: edit.counters,
      levels: applyEdit(state.levels, edit),
      editNumber: log.editNumber,
    };
    states.push(state);
  }
  log.close();
  return { vfs, states };
}

function stateOf(loaded: ReturnType<typeof loadManifest>): unknown {
  if (loaded === null) return null;
  const { storeId, counters: found, levels, editNumber } = loaded;
  return { storeId, counters: found, levels, editNumber };
}

function refusal(call: () => unknown): StillwaterError | null {
  try {
    call();
    return null;
  } catch (error) {
    if (error instanceof StillwaterError) return error;
    throw error;
  }
}

describe("edits", () => {
  const anyTable = fc.record<TableMeta>({
    fileNumber: fc.nat(),
    bytes: fc.maxSafeNat(),
    smallest: fc.uint8Array({ maxLength: 20 }),
    largest: fc.uint8Array({ maxLength: 300 }),
    largestExclusive: fc.boolean(),
    minVersion: fc.maxSafeNat(),
    maxVersion: fc.maxSafeNat(),
    entryCount: fc.maxSafeNat(),
    tombstoneCount: fc.nat(),
    rangeTombstoneCount: fc.nat(),
  });
  const anyEdit = fc.record<ManifestEdit>({
    counters: fc.record({
      nextFileNumber: fc.maxSafeNat(),
      lastVersion: fc.maxSafeNat(),
      minWalNumber: fc.maxSafeNat(),
    }),
    added: fc.array(fc.record({ level: fc.nat(6), table: anyTable }), { maxLength: 4 }),
    removed: fc.array(fc.record({ level: fc.nat(6), fileNumber: fc.maxSafeNat() }), { maxLength: 4 }),
  });

  test("come back from bytes as they were", () => {
    fc.assert(
      fc.property(anyEdit, (edit) => {
        expect(decodeEdit(encodeEdit(edit), PATH, 0)).toEqual(edit);
      }),
    );
  });

  test("decode arbitrary bytes to an edit or a typed error, and nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        const error = refusal(() => decodeEdit(noise, PATH, 24));
        if (error !== null) expect(["CORRUPTION", "UNSUPPORTED_FORMAT"]).toContain(error.code);
      }),
      { numRuns: 2000 },
    );
  });

  test("with a field that must be understood and is not are of a newer format; one that may be ignored is", () => {
    const edit: ManifestEdit = { counters: counters(4, 9, 4), added: [], removed: [] };
    const known = encodeEdit(edit);
    const must = Uint8Array.from([...known, 63, 1, 5]);
    const may = Uint8Array.from([...known, 64, 1, 5]);
    expect(refusal(() => decodeEdit(must, PATH, 0))).toMatchObject({
      code: "UNSUPPORTED_FORMAT",
      path: PATH,
    });
    expect(decodeEdit(may, PATH, 0)).toEqual(edit);
  });
});

describe("the manifest", () => {
  test("loads as the state after its last edit, whichever that is", () => {
    const { vfs, states } = written();
    expect(stateOf(loadManifest(vfs, DIRECTORY))).toEqual(states.at(-1));
  });

  test("a new manifest of any state loads as that state, level 0 newest first", () => {
    const levels: TableMeta[][] = emptyLevels();
    levels[0] = [table(9, "a", "z", [31, 40]), table(12, "b", "c", [21, 30]), table(5, "a", "z", [10, 20])];
    levels[2] = [table(6, "a", "b", [1, 5]), table(4, "c", "d", [1, 5])];
    const vfs = disk();
    for (const level of levels) for (const one of level) touch(vfs, one);
    const state: ManifestState = {
      storeId: STORE_ID,
      counters: counters(20, 40, 13),
      levels,
      editNumber: 77,
    };
    ManifestLog.create(vfs, DIRECTORY, checksumByName("blake3"), 15, state).close();
    expect(stateOf(loadManifest(vfs, DIRECTORY))).toEqual({ ...state, editNumber: 78 });
  });

  test("[D19] with any bit changed is refused with file and place, or still loads whole: the last edit, too, is proved to have been durable", () => {
    const { vfs, states } = written();
    const image = vfs.files().get(PATH) as Uint8Array;
    let refused = 0;
    for (let at = 0; at < image.length; at++) {
      if (image[at] === 0 && at % 8 !== 0) continue;
      const damaged = image.slice();
      damaged[at] = (damaged[at] as number) ^ (1 << (at % 8));
      vfs.setBytes(PATH, damaged);
      let loaded: ReturnType<typeof loadManifest> = null;
      const error = refusal(() => {
        loaded = loadManifest(vfs, DIRECTORY);
      });
      if (error !== null) {
        refused++;
        expect([error.code, error.path]).toEqual(["CORRUPTION", PATH]);
        expect(error.offset).toBeLessThanOrEqual(at);
      } else {
        expect(stateOf(loaded)).toEqual(states.at(-1));
      }
    }
    expect(refused).toBeGreaterThan(100);
  });

  test("[D19] cut anywhere, as a crash in an append leaves it, is the state of an edit before, and cut before the snapshot refused", () => {
    const { vfs, states } = written();
    const image = vfs.files().get(PATH) as Uint8Array;
    const seen = new Set<number>();
    for (let length = image.length; length >= 0; length--) {
      vfs.setBytes(PATH, image.slice(0, length));
      for (const { levels } of states) for (const level of levels) for (const one of level) touch(vfs, one);
      let loaded: ReturnType<typeof loadManifest> = null;
      const error = refusal(() => {
        loaded = loadManifest(vfs, DIRECTORY);
      });
      if (error === null) {
        const found = stateOf(loaded);
        seen.add(states.findIndex((state) => state.editNumber === (found as ManifestState).editNumber));
        expect(states).toContainEqual(found);
      } else {
        expect(error).toMatchObject({ code: "CORRUPTION", path: PATH });
        expect(length).toBeLessThan(200);
      }
    }
    expect(seen).toEqual(new Set([0, 1, 2, 3, 4]));
  });

  test("[D2] a table that is missing, cut or grown is refused, naming the table", () => {
    for (const change of ["missing", "cut", "grown", "empty"]) {
      const { vfs } = written();
      const path = `${DIRECTORY}/000011.sst`;
      if (change === "missing") vfs.removeFile(path);
      else vfs.setBytes(path, new Uint8Array(change === "cut" ? 110 : change === "grown" ? 112 : 0));
      expect(refusal(() => loadManifest(vfs, DIRECTORY))).toMatchObject({ code: "CORRUPTION", path });
    }
  });

  test.each([
    ["the next file number", counters(7, 30, 7)],
    ["the last version", counters(12, 29, 9)],
    ["the first live log segment", counters(12, 40, 6)],
  ])("an edit that takes back %s is refused", (_name, backwards) => {
    const { vfs, states } = written();
    const base = states[2] as ManifestState;
    const log = ManifestLog.create(vfs, DIRECTORY, CRC32, 6, {
      ...base,
      counters: { ...base.counters, nextFileNumber: 10 },
    });
    log.append({ counters: backwards, added: [], removed: [] });
    log.close();
    expect(refusal(() => loadManifest(vfs, DIRECTORY))).toMatchObject({
      code: "CORRUPTION",
      path: `${DIRECTORY}/MANIFEST-000006`,
    });
  });

  test.each<readonly [string, Pick<ManifestEdit, "added" | "removed">]>([
    ["removes a table that is not there", { added: [], removed: [{ level: 1, fileNumber: 5 }] }],
    ["removes from a level that does not exist", { added: [], removed: [{ level: 7, fileNumber: 11 }] }],
    [
      "adds to a level that does not exist",
      { added: [{ level: 7, table: table(11, "a", "b", [1, 2]) }], removed: [] },
    ],
    ["adds a table twice", { added: [{ level: 2, table: table(11, "a", "b", [1, 2]) }], removed: [] }],
    [
      "adds a table over another of its level",
      { added: [{ level: 1, table: table(5, "m", "n", [1, 2]) }], removed: [] },
    ],
    [
      "adds a table whose bounds are inverted",
      { added: [{ level: 3, table: table(5, "n", "m", [1, 2]) }], removed: [] },
    ],
    [
      "adds a table whose versions are inverted",
      { added: [{ level: 3, table: table(5, "m", "n", [2, 1]) }], removed: [] },
    ],
  ])("an edit that %s is refused", (_name, change) => {
    const { vfs, states } = written();
    const log = ManifestLog.create(vfs, DIRECTORY, CRC32, 10, states.at(-1) as ManifestState);
    log.append({ ...change, counters: counters(12, 40, 9) });
    log.close();
    expect(refusal(() => loadManifest(vfs, DIRECTORY))).toMatchObject({ code: "CORRUPTION" });
  });

  test("[D19] a gap in the edit numbers and a record of another kind are refused, though every frame is whole", () => {
    for (const [number, type] of [
      [5, FRAME_EDIT],
      [7, FRAME_EDIT],
      [6, FRAME_COMMITS],
      [6, FRAME_EDIT],
    ] as const) {
      const { vfs } = written();
      const image = vfs.files().get(PATH) as Uint8Array;
      let last = 0;
      const header = new FrameHeader();
      const codec = { checksum: CRC32, fileNumber: 3 };
      for (let at = 0; at < image.length; at += 8)
        if (readFrame(codec, image, at, image.length, header)) last = at;
      const payload = encodeEdit({ counters: counters(12, 40, 9), added: [], removed: [] });
      const at = nextSector(image.length);
      const longer = new Uint8Array(at + frameBytes(payload.length));
      longer.set(image);
      longer.set(payload, at + FRAME_HEADER_BYTES);
      Object.assign(header, { payloadBytes: payload.length, type, count: 0, number, durableTo: at });
      header.chain = readUint32(image, last);
      sealFrame(codec, longer, at, at, header);
      vfs.setBytes(PATH, longer);
      const error = refusal(() => loadManifest(vfs, DIRECTORY));
      if (number === 6 && type === FRAME_EDIT) expect(error).toBeNull();
      else expect(error).toMatchObject({ code: "CORRUPTION", path: PATH, offset: at });
    }
  });

  test("[D20] an edit whose write or sync fails is an error, not half an edit", () => {
    for (const call of ["write", "syncData"] satisfies Call[]) {
      const { vfs, states } = written();
      const log = ManifestLog.create(vfs, DIRECTORY, CRC32, 10, states.at(-1) as ManifestState);
      vfs.before = (made, path) => {
        if (made === call) throw failure("IO", made, path);
      };
      expect(refusal(() => log.append({ counters: counters(12, 40, 9), added: [], removed: [] }))?.code).toBe(
        "IO",
      );
      vfs.before = null;
      log.close();
      expect(loadManifest(vfs, DIRECTORY)?.levels).toEqual(states.at(-1)?.levels);
    }
  });
});

describe("CURRENT", () => {
  const current: Current = { manifestNumber: 2 ** 40 + 3, checksumId: 2, storeId: STORE_ID };

  test("comes back as it was written, and any changed bit, byte more or byte less is refused", () => {
    const vfs = disk();
    replaceCurrent(vfs, DIRECTORY, current);
    expect(readCurrent(vfs, DIRECTORY)).toEqual(current);
    const path = `${DIRECTORY}/CURRENT`;
    const image = vfs.files().get(path) as Uint8Array;
    for (let at = 0; at < image.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = image.slice();
        damaged[at] = (damaged[at] as number) ^ (1 << bit);
        vfs.setBytes(path, damaged);
        expect(refusal(() => readCurrent(vfs, DIRECTORY))).toMatchObject({ code: "CORRUPTION", path });
      }
    }
    for (const length of [0, 1, 63]) {
      vfs.setBytes(path, image.slice(0, length));
      expect(refusal(() => readCurrent(vfs, DIRECTORY))).toMatchObject({ code: "CORRUPTION", path });
    }
    vfs.setBytes(path, Uint8Array.from([...image, 0]));
    expect(refusal(() => readCurrent(vfs, DIRECTORY))).toMatchObject({ code: "CORRUPTION", path });
    vfs.setBytes(path, new Uint8Array(64));
    expect(refusal(() => readCurrent(vfs, DIRECTORY))).toMatchObject({ code: "CORRUPTION", path });
  });

  test("of a newer format is UNSUPPORTED_FORMAT, not damage, and says what to do", () => {
    const vfs = disk();
    replaceCurrent(vfs, DIRECTORY, current);
    const image = vfs.bytesOf(`${DIRECTORY}/CURRENT`);
    writeUint32(image, 8, readUint32(image, 8) + 1);
    CRC32.write(image, 60, 0, 0, image, 0, 60);
    const error = refusal(() => readCurrent(vfs, DIRECTORY));
    expect(error?.code).toBe("UNSUPPORTED_FORMAT");
    expect(error?.message).toContain("newer");
  });

  test("absent is no store; naming a manifest that is missing, empty or another one's is refused", () => {
    const { vfs } = written();
    const files = vfs.files();
    const image = files.get(PATH) as Uint8Array;
    vfs.removeFile(PATH);
    expect(refusal(() => loadManifest(vfs, DIRECTORY))).toMatchObject({ code: "CORRUPTION", path: PATH });
    vfs.setBytes(PATH, new Uint8Array(0));
    expect(refusal(() => loadManifest(vfs, DIRECTORY))).toMatchObject({ code: "CORRUPTION", path: PATH });
    vfs.setBytes(PATH, new Uint8Array(4096));
    expect(refusal(() => loadManifest(vfs, DIRECTORY))).toMatchObject({ code: "CORRUPTION", path: PATH });
    vfs.setBytes(PATH, image);
    replaceCurrent(vfs, DIRECTORY, { manifestNumber: 3, checksumId: 1, storeId: new Uint8Array(16) });
    expect(refusal(() => loadManifest(vfs, DIRECTORY))).toMatchObject({ code: "CORRUPTION", path: PATH });
    vfs.removeFile(`${DIRECTORY}/CURRENT`);
    expect(loadManifest(vfs, DIRECTORY)).toBeNull();
  });

  test("with an unknown checksum algorithm is of a newer format", () => {
    const { vfs } = written();
    replaceCurrent(vfs, DIRECTORY, { manifestNumber: 3, checksumId: 99, storeId: STORE_ID });
    expect(refusal(() => loadManifest(vfs, DIRECTORY))?.code).toBe("UNSUPPORTED_FORMAT");
    const image = vfs.bytesOf(`${DIRECTORY}/CURRENT`);
    writeUint64(image, 16, 4);
    expect(refusal(() => loadManifest(vfs, DIRECTORY))?.code).toBe("CORRUPTION");
  });

  test("[D1][FS-defect 2] is replaced by: manifest synced, directory synced, new CURRENT synced, renamed, directory synced", () => {
    const vfs = disk();
    const calls: string[] = [];
    vfs.before = (call, path) => {
      if (["syncData", "syncDirectory", "rename", "removeFile", "write"].includes(call))
        calls.push(`${call} ${path.slice(path.lastIndexOf("/") + 1)}`);
    };
    const state: ManifestState = {
      storeId: STORE_ID,
      counters: counters(4, 9, 4),
      levels: emptyLevels(),
      editNumber: 0,
    };
    ManifestLog.create(vfs, DIRECTORY, CRC32, 3, state).close();
    expect(calls).toEqual([
      "write MANIFEST-000003",
      "syncData MANIFEST-000003",
      "syncDirectory store",
      "write 000003.tmp",
      "syncData 000003.tmp",
      "rename 000003.tmp",
      "syncDirectory store",
    ]);
  });
});

describe("the tree", () => {
  test("[D34][FS-defect 12] level 0 is ordered by version, whatever the file numbers and the order of arrival", () => {
    const runs = [table(30, "a", "z", [10, 19]), table(4, "a", "z", [20, 29]), table(17, "a", "z", [30, 39])];
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
    ]) {
      let levels: Levels = emptyLevels();
      for (const index of order) {
        levels = applyEdit(levels, {
          counters: counters(99, 99, 99),
          added: [{ level: 0, table: runs[index] as TableMeta }],
          removed: [],
        });
      }
      expect(levels[0]?.map(({ fileNumber }) => fileNumber)).toEqual([17, 4, 30]);
    }
    const overlapping = table(5, "a", "z", [15, 25]);
    const levels = applyEdit(emptyLevels(), {
      counters: counters(99, 99, 99),
      added: [{ level: 0, table: runs[0] as TableMeta }],
      removed: [],
    });
    expect(
      refusal(() =>
        applyEdit(levels, {
          counters: counters(99, 99, 99),
          added: [{ level: 0, table: overlapping }],
          removed: [],
        }),
      )?.code,
    ).toBe("ASSERTION");
  });

  test("[D27] tables of a deeper level share no key, exclusive ends included", () => {
    const levels = emptyLevels();
    const left = { ...table(1, "a", "m", [1, 2]), largestExclusive: true };
    levels[1] = [left, table(2, "m", "z", [1, 2])];
    checkLevels(levels);
    levels[1] = [{ ...left, largestExclusive: false }, table(2, "m", "z", [1, 2])];
    expect(refusal(() => checkLevels(levels))?.code).toBe("ASSERTION");
  });

  test("an edit leaves the shape it was applied to as it was", () => {
    const before = emptyLevels();
    before[1] = [table(1, "a", "m", [1, 2])];
    const copy = structuredClone(before);
    applyEdit(before, {
      counters: counters(9, 9, 9),
      added: [{ level: 1, table: table(2, "n", "z", [1, 2]) }],
      removed: [{ level: 1, fileNumber: 1 }],
    });
    expect(before).toEqual(copy);
  });

  test("[D7] a table is obsolete when the last shape that names it is given up, and not a moment before", () => {
    const one = emptyLevels();
    one[1] = [table(1, "a", "b", [1, 2]), table(2, "c", "d", [1, 2])];
    const two = emptyLevels();
    two[1] = [table(2, "c", "d", [1, 2]), table(3, "e", "f", [1, 2])];
    const three = emptyLevels();
    const obsolete: number[] = [];
    const set = new VersionSet(one, ({ fileNumber }) => obsolete.push(fileNumber));
    const reader = set.current;
    reader.hold();
    const second = set.current;
    second.hold();
    set.install(two);
    expect(obsolete).toEqual([]);
    set.install(three);
    expect(obsolete).toEqual([3]);
    expect(set.liveTables()).toEqual([1, 2]);
    reader.release();
    expect(obsolete).toEqual([3]);
    second.release();
    expect(obsolete.sort()).toEqual([1, 2, 3]);
    expect([set.heldCount, set.liveTables()]).toEqual([1, []]);
  });
});

test("a mark that a power loss took, under an edit that it kept, is a torn tail: nobody had synced the mark", () => {
  const { vfs, states } = written();
  const image = vfs.bytesOf(PATH).slice();
  const codec = { checksum: CRC32, fileNumber: 3 };
  const frame = new FrameHeader();
  // The last edit of the manifest, whose own mark goes too: the power fails while its sync is under way.
  let lastEdit = 0;
  for (
    let at = 0;
    readFrame(codec, image, at, image.length, frame);
    at = nextSector(at + frameBytes(frame.payloadBytes))
  ) {
    if (frame.type === FRAME_EDIT) lastEdit = at;
  }
  readFrame(codec, image, lastEdit, image.length, frame);
  image.fill(0, nextSector(lastEdit + frameBytes(frame.payloadBytes)));
  image.fill(0, lastEdit - 512, lastEdit);
  vfs.setBytes(PATH, image);
  expect(loadManifest(vfs, DIRECTORY)?.editNumber).toBe((states.at(-2) as ManifestState).editNumber);
});
