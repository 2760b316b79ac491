/**
 * Damage anywhere: the files of a small store, changed byte by byte. Whatever is hit, opening, every get, both scans and
 * verify give right answers or typed errors. Never wrong or missing data in silence, never a hang, never another error.
 */
import { describe, expect, test } from "vitest";
import type { StoreOptions } from "../../src/engine/options.js";
import { Store } from "../../src/engine/store.js";
import { StillwaterError } from "../../src/platform/errors.js";
import {
  integers,
  type ManualPlatform,
  ManualScheduler,
  manualPlatform,
} from "./fixtures/manual-platform.js";
import { bytes, rowsOf, type TextRow, text } from "./fixtures/model.js";
import { type Files, PlainVFS } from "./fixtures/plain-vfs.js";

const OPTIONS: StoreOptions = {
  memtableBytes: 4096,
  blockBytes: 256,
  level0CompactionFiles: 3,
  levelBaseBytes: 3000,
  levelRatio: 2,
  tableBytes: 1500,
  blockCacheBytes: 65_536,
};

interface Subject {
  readonly files: Files;
  /** Rows in order, as a reader of the undamaged store sees them. */
  readonly rows: readonly TextRow[];
  /** Keys that are not there, deleted ones among them. */
  readonly absent: readonly string[];
  /** Rows that a damaged tail of the log may take: the newest commit of a killed process, and no more. */
  readonly mayLack: readonly string[];
}

async function build(
  options: StoreOptions,
  end: "closed" | "killed" | "killed after a flush",
): Promise<Subject> {
  const scheduler = new ManualScheduler();
  const vfs = new PlainVFS(scheduler);
  const platform = manualPlatform(vfs, scheduler);
  const store = await platform.settle(Store.open("/store", { ...OPTIONS, ...options }, platform));
  const put = (key: string, value: string): Promise<number> =>
    platform.settle(store.put(bytes(key), bytes(value)));
  for (let i = 0; i < 45; i++) await put(`key${String(i % 30).padStart(2, "0")}`, `value ${i} `.repeat(8));
  await platform.settle(store.compact());
  for (let i = 0; i < 12; i++) await put(`key${String(i * 2).padStart(2, "0")}`, `newer ${i} `.repeat(9));
  await platform.settle(store.delete(bytes("key07")));
  await platform.settle(store.deleteRange(bytes("key10"), bytes("key13")));
  await platform.settle(store.flush());
  await put("key07~", "");
  for (let i = 0; i < 5; i++) await put(`log${i}`, `last ${i} `.repeat(5));
  const rows = rowsOf(store);
  const mayLack = end === "killed" ? ["log4"] : [];
  if (end === "closed") await platform.settle(store.close());
  if (end === "killed after a flush") await platform.settle(store.flush());
  return {
    files: vfs.files(),
    rows,
    absent: ["", "key07", "key10", "key11", "key12", "key99", "zzz"],
    mayLack,
  };
}

/** Everything a user can ask of a damaged store; fails the test on a wrong answer. Says whether damage was noticed. */
async function examine(subject: Subject, files: Files, where: string): Promise<boolean> {
  const scheduler = new ManualScheduler();
  const vfs = new PlainVFS(scheduler, files);
  const platform = manualPlatform(vfs, scheduler);
  const outcome = await platform.outcome(Store.open("/store", OPTIONS, platform));
  if (outcome.kind === "rejected") {
    expectTyped(outcome.error, where);
    if (vfs.handles.size + vfs.locks.size > 0)
      expect.fail(`${where}: handles or the lock are left after a refusal`);
    return true;
  }
  const store = outcome.value;
  const lacks = new Set(subject.mayLack.filter((key) => !has(store, key, where)));
  const expected = subject.rows.filter(([key]) => !lacks.has(key));
  let noticed = false;
  for (const [key, value] of expected) noticed = get(store, key, value, where) || noticed;
  for (const key of subject.absent) noticed = get(store, key, undefined, where) || noticed;
  noticed = scan(store, expected, false, where) || noticed;
  noticed = scan(store, expected.toReversed(), true, where) || noticed;
  const report = await platform.outcome(store.verify());
  if (report.kind === "rejected") expectTyped(report.error, where);
  else if (noticed && report.value.problems.length === 0)
    expect.fail(`${where}: reads fail, and verify finds nothing`);
  else noticed = report.value.problems.length > 0;
  await close(store, platform, where);
  return noticed;
}

async function close(store: Store, platform: ManualPlatform, where: string): Promise<void> {
  const outcome = await platform.outcome(store.close());
  if (outcome.kind === "rejected") expectTyped(outcome.error, where);
}

function expectTyped(error: unknown, where: string): void {
  if (!(error instanceof StillwaterError)) throw new Error(`${where}: an untyped error`, { cause: error });
  if (!["CORRUPTION", "UNSUPPORTED_FORMAT", "NOT_A_STORE"].includes(error.code)) {
    throw new Error(`${where}: ${error.code}`, { cause: error });
  }
}

/** True when the read failed with a typed error. */
function get(store: Store, key: string, expected: string | undefined, where: string): boolean {
  try {
    const found = store.getSync(bytes(key));
    const shown = found === undefined ? undefined : text(found);
    if (shown !== expected) expect.fail(`${where}: get "${key}" gives ${shown}, not ${expected}`);
    return false;
  } catch (error) {
    if (!(error instanceof StillwaterError)) throw error;
    expectTyped(error, where);
    return true;
  }
}

function has(store: Store, key: string, where: string): boolean {
  try {
    return store.getSync(bytes(key)) !== undefined;
  } catch (error) {
    expectTyped(error, where);
    return true;
  }
}

/** True when the scan ended in a typed error; what it gave before that must be right. */
function scan(store: Store, expected: readonly TextRow[], reverse: boolean, where: string): boolean {
  let at = 0;
  try {
    const iterator = store.iterator({ reverse });
    for (; iterator.next(); at++) {
      const [key, value] = expected[at] ?? ["(the end)", ""];
      if (text(iterator.key) !== key || text(iterator.value) !== value) {
        expect.fail(`${where}: row ${at} is "${text(iterator.key)}", not "${key}"`);
      }
    }
  } catch (error) {
    if (!(error instanceof StillwaterError)) throw error;
    expectTyped(error, where);
    return true;
  }
  if (at !== expected.length) expect.fail(`${where}: a scan ends after ${at} of ${expected.length} rows`);
  return false;
}

function damaged(files: Files, path: string, change: (image: Uint8Array) => void): Files {
  const image = (files.get(path) as Uint8Array).slice();
  change(image);
  return new Map([...files, [path, image]]);
}

/** Offsets worth a try: all of a small file; of a large one those up to its last byte that is not zero, and some after. */
function offsets(image: Uint8Array, stride: number, phase: number): number[] {
  let used = image.length;
  while (used > 0 && image[used - 1] === 0) used--;
  const found: number[] = [];
  for (let at = phase % stride; at < used; at += stride) found.push(at);
  for (let at = used; at < image.length; at += 1999) found.push(at);
  return found;
}

describe.each([
  ["closed", {}],
  ["killed", {}],
  ["killed after a flush", {}],
  ["closed", { compression: "deflate", checksum: "blake3", bloomBitsPerKey: 0 }],
] as const)("a store that was %s (%o)", (end, options) => {
  test("gives right answers or typed errors, whichever byte is changed", async () => {
    const subject = await build(options, end);
    expect(await examine(subject, subject.files, "undamaged")).toBe(false);
    const tables = [...subject.files.keys()].filter((path) => path.endsWith(".sst"));
    expect(tables.length).toBeGreaterThan(3);
    let tried = 0;
    let noticed = 0;
    for (const [path, image] of subject.files) {
      const stride = path.endsWith(".sst") ? 61 : path.endsWith("CURRENT") ? 3 : 23;
      for (const at of offsets(image, stride, tried)) {
        const mask = [0x01, 0x80, 0xff, 0x10][tried % 4] as number;
        const files = damaged(subject.files, path, (copy) => {
          copy[at] = tried % 5 === 4 ? 0 : (copy[at] as number) ^ mask;
        });
        if (await examine(subject, files, `${path} at byte ${at} of ${image.length}`)) noticed++;
        tried++;
      }
    }
    expect(noticed).toBeGreaterThan(tried / 8);
  });

  test("gives right answers or typed errors, however many bytes are changed", async () => {
    const subject = await build(options, end);
    const next = integers(end.length * 31 + Object.keys(options).length);
    const paths = [...subject.files.keys()];
    for (let run = 0; run < 60; run++) {
      let files = subject.files;
      const hits: string[] = [];
      for (let i = 0; i <= next() % 3; i++) {
        const path = paths[next() % paths.length] as string;
        const at = next() % (files.get(path) as Uint8Array).length;
        const length = 1 + (next() % 600);
        const kind = next() % 3;
        hits.push(`${path} [${at}, ${at + length}) ${kind}`);
        files = damaged(files, path, (copy) => {
          if (kind === 0) copy.fill(0, at, at + length);
          else if (kind === 1) for (let j = at; j < Math.min(at + length, copy.length); j++) copy[j] = next();
          else copy.copyWithin(at, (at + 512) % copy.length, ((at + 512) % copy.length) + length);
        });
      }
      // Damage over a whole tail of the log cannot be told from a torn one; only what is provable is asked for there.
      if (end === "killed" && hits.some((hit) => hit.includes(".wal"))) continue;
      await examine(subject, files, hits.join(", "));
    }
  });

  test("gives right answers or typed errors when files are cut, emptied, missing, or swapped with one another", async () => {
    const subject = await build(options, end);
    const paths = [...subject.files.keys()];
    for (const path of paths) {
      const image = subject.files.get(path) as Uint8Array;
      const isTail = path.endsWith(".wal");
      for (const length of [0, 1, image.length >> 1, image.length - 1]) {
        // A log cut to nothing looks like one that was being created.
        if (isTail && length < 100) continue;
        await examine(
          subject,
          new Map([...subject.files, [path, image.slice(0, length)]]),
          `${path} cut to ${length}`,
        );
      }
      if (isTail) continue;
      await examine(
        subject,
        new Map([...subject.files].filter(([other]) => other !== path)),
        `${path} missing`,
      );
      for (const other of paths) {
        if (other === path || other.endsWith(".wal")) continue;
        const swapped = new Map(subject.files);
        swapped.set(path, subject.files.get(other) as Uint8Array);
        await examine(subject, swapped, `${path} replaced by ${other}`);
      }
    }
  });
});

test("[D24] a compaction that meets damage stops, launders nothing, and the store goes on answering what it can", async () => {
  const subject = await build({}, "closed");
  const tables = [...subject.files.keys()].filter((path) => path.endsWith(".sst"));
  for (const path of tables) {
    const files = damaged(subject.files, path, (copy) => {
      copy[60] = (copy[60] as number) ^ 0xff;
    });
    const scheduler = new ManualScheduler();
    const vfs = new PlainVFS(scheduler, files);
    const platform = manualPlatform(vfs, scheduler);
    const store = await platform.settle(Store.open("/store", OPTIONS, platform));
    await platform.outcome(store.compact());
    for (const [key, value] of subject.rows) get(store, key, value, path);
    const { problems } = await platform.settle(store.verify());
    expect(problems.join()).toContain(path);
    expect(vfs.files().get(path)).toEqual(files.get(path));
    // Writers are told or served, and never left hanging.
    for (let i = 0; i < 200; i++) {
      const outcome = await platform.outcome(store.put(bytes(`new${i}`), bytes("x".repeat(300))));
      if (outcome.kind === "rejected") expect(outcome.error).toMatchObject({ code: "BUSY" });
    }
    expect(text(store.getSync(bytes("new0")) as Uint8Array)).toBe("x".repeat(300));
    await close(store, platform, path);
  }
});
