/** `stats`, `verify` and `compact`. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  crashedStore,
  fileEndingWith,
  flipByte,
  jsonOf,
  stillwater,
  storeWithRows,
  temporaryFolder,
} from "./command.js";

const folder = temporaryFolder();

describe("stats", () => {
  it("shows the shape of the tree, to people and to programs", async () => {
    const store = join(folder, "stats");
    await storeWithRows(store, 100);
    const { code, out, error } = stillwater(["stats", store]);
    expect({ code, error }).toEqual({ code: 0, error: "" });
    expect(out).toMatch(/^version +109$/m);
    expect(out).toMatch(/^0 +1 +100 +[\d,]+  █{30} 100 %$/m);
    expect(out).toContain("nothing needs a look");
    const found = jsonOf(["stats", store]);
    expect(found).toMatchObject({ directory: store, version: 109, damagedTables: [], failure: null });
    expect((found["levels"] as unknown[])[0]).toEqual({ tables: 1, entries: 100, bytes: expect.any(Number) });
  });

  it("gives metrics to programs and to Prometheus, and not both at once", async () => {
    const store = join(folder, "metrics");
    await storeWithRows(store, 100);
    expect(jsonOf(["stats", store])["metrics"]).toMatchObject({ gauges: { version: 109, failed_stop: 0 } });
    const { out } = stillwater(["stats", store, "--prometheus"]);
    expect(out).toMatch(/^stillwater_level_entries\{level="0"\} 100$/m);
    expect(stillwater(["stats", store, "--prometheus", "--read-only"]).out).toMatch(
      /^stillwater_version 109$/m,
    );
    expect(stillwater(["stats", store, "--prometheus", "--json"]).code).not.toBe(0);
  });

  it("says what opening had to recover, once", async () => {
    const store = join(folder, "crashed");
    await crashedStore(store, 10, 5);
    expect(stillwater(["stats", store]).error).toContain("5 commits recovered from its log");
    expect(stillwater(["stats", store]).error).toBe("");
  });
});

describe("verify", () => {
  it("finds nothing wrong with a store that is sound", async () => {
    const store = join(folder, "sound");
    await storeWithRows(store, 500);
    expect(jsonOf(["verify", store])).toEqual({
      ok: true,
      problems: [],
      tables: 1,
      entries: 500,
      bytes: expect.any(Number),
      logSegments: 0,
    });
    expect(stillwater(["verify", store]).out).toMatch(/^sound: 1 table, 500 rows, [\d,]+ bytes\n$/);
  });

  it("names file and place of damage, and ends with code 1", async () => {
    const store = join(folder, "damaged");
    await storeWithRows(store, 500);
    const table = fileEndingWith(store, ".sst");
    flipByte(table, 9000);
    const { code, out } = stillwater(["verify", store, "--json"]);
    expect(code).toBe(1);
    const report = JSON.parse(out) as { readonly ok: boolean; readonly problems: readonly string[] };
    expect(report.ok).toBe(false);
    expect(report.problems).toHaveLength(1);
    expect(report.problems[0]).toContain(`a data block does not verify (${table} at byte `);
    expect(stillwater(["verify", store])).toMatchObject({
      code: 1,
      out: expect.stringContaining("1 problem in"),
    });
  });
});

describe("compact", () => {
  it("gives back the space of what was deleted, and keeps the rest", () => {
    const store = join(folder, "compact");
    for (const key of ["a", "b", "c"]) stillwater(["put", store, key, "value"]);
    stillwater(["delete", store, "b"]);
    const { before, after } = jsonOf(["compact", store]);
    expect(before).toMatchObject({ entries: 4 });
    expect(after).toMatchObject({ entries: 2 });
    expect(stillwater(["scan", store]).out).toBe("a\tvalue\nc\tvalue\n");
  });
});
