/** `salvage`: what damage costs, that it costs no more, and that every cost is said. */
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { type SalvageReport, salvageStore } from "../../src/engine/salvage.js";
import { nodePlatform, open } from "../../src/index.js";
import {
  contentsOf,
  crashedStore,
  fileEndingWith,
  flipByte,
  rowOf,
  stillwater,
  temporaryFolder,
} from "./command.js";

const folder = temporaryFolder();
const crashed = join(folder, "crashed");
const IN_TABLE = 1000;
const IN_LOG = 200;

beforeAll(() => crashedStore(crashed, IN_TABLE, IN_LOG));

/** A copy of the crashed store to damage. */
function copy(name: string): string {
  const directory = join(folder, name);
  cpSync(crashed, directory, { recursive: true });
  return directory;
}

function salvage(directory: string): { readonly code: number | null; readonly report: SalvageReport } {
  const { code, out, error } = stillwater(["salvage", directory, `${directory}-new`, "--json"]);
  expect(error).toBe("");
  return { code, report: JSON.parse(out) as SalvageReport };
}

/** Numbers of the rows in a store; each has its right value. */
function numbersIn(directory: string): number[] {
  const { code, out } = stillwater(["export", directory]);
  expect(code).toBe(0);
  return out
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const { key, value } = JSON.parse(line) as { readonly key: string; readonly value: string };
      const number = Number(key.slice(4));
      expect([key, value]).toEqual(rowOf(number));
      return number;
    });
}

function offsetOf(path: string, text: string): number {
  return readFileSync(path).indexOf(text);
}

const all = Array.from({ length: IN_TABLE + IN_LOG }, (_, number) => number);

describe("salvage", () => {
  it("of a store that is whole gives all of it, with versions that go on, and changes nothing", () => {
    const directory = copy("whole");
    const before = contentsOf(directory);
    const { code, report } = salvage(directory);
    expect({ code, ...report }).toMatchObject({
      code: 0,
      isConsistent: true,
      usedManifest: true,
      rows: all.length,
      findings: [],
    });
    expect(contentsOf(directory)).toEqual(before);
    expect(numbersIn(`${directory}-new`)).toEqual(all);
    const { out } = stillwater(["put", `${directory}-new`, "key", "value", "--json"]);
    expect((JSON.parse(out) as { version: number }).version).toBeGreaterThan(all.length);
  });

  it("of a table with a flipped byte loses one block, and says which, where and what", () => {
    const directory = copy("table");
    const table = fileEndingWith(directory, ".sst");
    flipByte(table, 20_000);
    const before = contentsOf(directory);
    const { code, report } = salvage(directory);
    expect(code).toBe(1);
    expect(report).toMatchObject({ isConsistent: false, usedManifest: true });
    expect(report.findings).toHaveLength(1);
    const [finding] = report.findings;
    expect(finding).toMatchObject({ kind: "lost", path: table });
    const { offset, bytes } = finding as { readonly offset: number; readonly bytes: number };
    expect(offset).toBeLessThanOrEqual(20_000);
    expect(offset + bytes).toBeGreaterThan(20_000);
    expect(bytes).toBeLessThanOrEqual(4096);

    const left = new Set(numbersIn(`${directory}-new`));
    const lost = all.filter((number) => !left.has(number));
    expect(lost.length).toBeGreaterThan(0);
    expect(lost).toEqual(lost.map((_, i) => (lost[0] as number) + i));
    const [before1, after1] = [rowOf((lost[0] as number) - 1)[0], rowOf((lost.at(-1) as number) + 1)[0]];
    expect(finding?.message).toContain(`keys from "${before1}" to "${after1}"`);
    expect(contentsOf(directory)).toEqual(before);
  });

  it("of a log with a flipped byte keeps every commit before it, and says where it ends", () => {
    const directory = copy("log");
    const log = fileEndingWith(directory, ".wal");
    flipByte(log, offsetOf(log, rowOf(1050)[0]));
    const refused = stillwater(["get", directory, "key-00000", "--json"]);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.error)).toMatchObject({ error: { code: "CORRUPTION", path: log } });

    const { code, report } = salvage(directory);
    expect(code).toBe(1);
    expect(report).toMatchObject({ isConsistent: false, usedManifest: true, segmentsRead: 1 });
    expect(report.findings).toEqual([
      {
        kind: "lost",
        path: log,
        offset: expect.any(Number),
        bytes: expect.any(Number),
        message: expect.any(String),
      },
    ]);
    expect(numbersIn(`${directory}-new`)).toEqual(all.slice(0, 1050));
  });

  it("tells people that order is no longer guaranteed", () => {
    const directory = copy("people");
    const log = fileEndingWith(directory, ".wal");
    flipByte(log, offsetOf(log, rowOf(1100)[0]));
    const { code, out } = stillwater(["salvage", directory, `${directory}-new`]);
    expect(code).toBe(1);
    expect(out).toMatch(
      /^lost: .*\.wal at byte \d+, [\d,]+ bytes: what a log segment holds after version \d+/m,
    );
    expect(out).toContain("This is not the store as of any one moment");
  });

  it("does without the header of the log", () => {
    const directory = copy("header");
    flipByte(fileEndingWith(directory, ".wal"), 40);
    const { code, report } = salvage(directory);
    expect(code).toBe(0);
    expect(report.findings).toEqual([expect.objectContaining({ kind: "doubtful", offset: 0 })]);
    expect(numbersIn(`${directory}-new`)).toEqual(all);
  });

  it.each(["CURRENT", "MANIFEST"])("does without %s, and says that old data may be back", (name) => {
    const directory = copy(`without-${name}`);
    for (const file of readdirSync(directory)) if (file.startsWith(name)) rmSync(join(directory, file));
    const { code, report } = salvage(directory);
    expect({ code, ...report }).toMatchObject({ code: 0, isConsistent: false, usedManifest: false });
    expect(report.findings).toEqual([
      expect.objectContaining({ kind: "doubtful", message: expect.stringContaining("may be back") }),
    ]);
    expect(numbersIn(`${directory}-new`)).toEqual(all);
  });

  it("of a store with a table missing gives the rest", () => {
    const directory = copy("missing");
    rmSync(fileEndingWith(directory, ".sst"));
    const { code, report } = salvage(directory);
    expect(code).toBe(1);
    expect(report.findings).toEqual([expect.objectContaining({ kind: "lost" })]);
    expect(numbersIn(`${directory}-new`)).toEqual(all.slice(IN_TABLE));
  });

  it("refuses a target that is there, one inside of the store, and what is no store", () => {
    const directory = copy("refuse");
    expect(stillwater(["salvage", directory, crashed]).error).toMatch(/^stillwater: EXISTS: /);
    expect(stillwater(["salvage", directory, join(directory, "x")]).code).toBe(2);
    expect(stillwater(["salvage", join(folder, "absent"), join(folder, "x")]).error).toContain("NOT_A_STORE");
    expect(stillwater(["salvage", folder, `${folder}-x`]).error).toContain("NOT_A_STORE");
  });
});

describe("salvage after any damage", () => {
  const history = join(folder, "history");
  /** Every value that was ever written to a key. */
  const written = new Map<string, Set<string>>();
  /** The whole store after each commit, as text. */
  const states = new Set<string>();

  /** Four generations of overlapping rows, with deletes and range deletes, over tables and log. */
  beforeAll(async () => {
    const store = await open(`${history}-original`, {
      backgroundThread: false,
      blockBytes: 512,
      memtableBytes: 64 * 1024,
    });
    const current = new Map<string, string>();
    for (let generation = 0; generation < 4; generation++) {
      for (let number = generation; number < 200; number += generation + 1) {
        const [key, value] = rowOf(number, generation);
        written.set(key, (written.get(key) ?? new Set()).add(value));
        if (number % 7 === generation) {
          void store.delete(Buffer.from(key));
          current.delete(key);
        } else {
          void store.put(Buffer.from(key), Buffer.from(value));
          current.set(key, value);
        }
        states.add(textOf(current));
      }
      const [begin, end] = [rowOf(40 * generation)[0], rowOf(40 * generation + 9)[0]];
      await store.deleteRange(Buffer.from(begin), Buffer.from(end));
      for (const key of current.keys()) if (key >= begin && key < end) current.delete(key);
      states.add(textOf(current));
      if (generation < 3) await store.flush();
    }
    cpSync(`${history}-original`, history, { recursive: true });
    await store.close();
  });

  it("never fails, never changes the store, never makes up a value, and knows what it has lost", async () => {
    const undamaged = await salvaged(history);
    expect(undamaged.report.findings).toEqual([]);
    const names = readdirSync(history).filter(
      (name) => statSync(join(history, name)).isFile() && name !== "LOCK",
    );
    const damage = fc.array(
      fc.record({
        name: fc.constantFrom(...names),
        place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        mask: fc.integer({ min: 1, max: 255 }),
        cut: fc.boolean(),
      }),
      { minLength: 1, maxLength: 3 },
    );
    await fc.assert(
      fc.asyncProperty(damage, async (faults) => {
        const directory = join(folder, "damaged");
        rmSync(directory, { recursive: true, force: true });
        cpSync(history, directory, { recursive: true });
        for (const { name, place, mask, cut } of faults) {
          const bytes = readFileSync(join(directory, name));
          // A log is mostly empty; damage falls on what is written.
          const used = bytes.findLastIndex((byte) => byte !== 0) + 1;
          const at = Math.floor(place * used);
          if (at < used) bytes[at] = (bytes[at] as number) ^ mask;
          writeFileSync(join(directory, name), cut && name.endsWith(".wal") ? bytes.subarray(0, at) : bytes);
        }
        const before = contentsOf(directory);
        const { rows, report } = await salvaged(directory);
        expect(contentsOf(directory)).toEqual(before);
        for (const [key, value] of rows) expect(written.get(key)?.has(value), `${key}: ${value}`).toBe(true);
        if (report.isConsistent) expect(states.has(textOf(rows))).toBe(true);
        if (report.findings.length === 0) expect(rows).toEqual(undamaged.rows);
      }),
      { numRuns: 60 },
    );
  });

  async function salvaged(
    directory: string,
  ): Promise<{ readonly rows: ReadonlyMap<string, string>; readonly report: SalvageReport }> {
    const target = join(folder, "salvaged");
    rmSync(target, { recursive: true, force: true });
    const { vfs, random } = nodePlatform();
    const report = await salvageStore({ vfs, random, directory, target });
    const store = await open(target, { backgroundThread: false, createIfMissing: false });
    const rows = new Map(
      store
        .scan()
        .toArray()
        .map(([key, value]) => [String(key), String(value)]),
    );
    const { problems } = await store.verify();
    expect(problems).toEqual([]);
    expect(report.rows).toBe(rows.size);
    await store.close();
    return { rows, report };
  }
});

/** Rows in key order. */
function textOf(rows: ReadonlyMap<string, string>): string {
  return JSON.stringify([...rows].sort(([a], [b]) => (a < b ? -1 : 1)));
}
