import { describe, expect, test } from "vitest";
import { Choices } from "../../../sim/choices/choices.js";
import { SOUND_DISK } from "../../../sim/disk/options.js";
import { SimulationDisk } from "../../../sim/disk/simulation-disk.js";
import type { SyncFate, SyncOperation } from "../../../sim/disk/sync-sabotage.js";
import { ENGINE_SITES } from "../../../sim/mutants/engine-sites.js";
import { automaticIds, parseAutomatic } from "../../../sim/mutants/sabotage.js";
import { callingSite } from "../../../sim/mutants/sync-site.js";
import { runSeed, type SeedConfig, seedAt } from "../../../sim/run/seed.js";
import { Trace } from "../../../sim/trace/trace.js";
import { DEFAULT_LIMITS } from "../../../sim/workload/options.js";

const CONFIG: SeedConfig = { limits: DEFAULT_LIMITS, mutants: [], repeatShare: 0, recording: false };

describe("a sabotaged disk", () => {
  /** A disk whose syncs have these fates, one after the other, with two synced files on it. */
  function sabotaged(fates: readonly SyncFate[]) {
    const left = [...fates];
    const asked: [SyncOperation, string][] = [];
    const disk = new SimulationDisk(SOUND_DISK, Choices.fromSeed("1"), new Trace(false), {
      after: (_ms, task) => task(),
      nowMs: () => 0,
    });
    const vfs = disk.mount();
    const files = ["/a", "/b"].map((path) => vfs.createFile(path));
    vfs.syncDirectory("/");
    disk.sabotage = {
      fateOf: (operation, path) => {
        asked.push([operation, path]);
        return left.shift() ?? "done";
      },
    };
    for (const file of files) file.write(new Uint8Array([1]), 0, 1, 0);
    const sizes = () => ["/a", "/b"].map((path) => disk.snapshotDurable().stat(path)?.size);
    return { vfs, a: files[0] as (typeof files)[0], b: files[1] as (typeof files)[0], asked, sizes, disk };
  }

  test("drops a sync, and says that it was done", () => {
    const { a, b, asked, sizes } = sabotaged(["dropped"]);
    a.syncData();
    expect(sizes()).toEqual([0, 0]);
    b.syncData();
    expect(sizes()).toEqual([0, 1]);
    expect(asked).toEqual([
      ["syncData", "/a"],
      ["syncData", "/b"],
    ]);
  });

  test("does a postponed sync when the next one is called, whatever becomes of that one", () => {
    const { a, b, sizes } = sabotaged(["postponed", "dropped", "postponed"]);
    a.syncData();
    expect(sizes()).toEqual([0, 0]);
    b.syncData();
    expect(sizes()).toEqual([1, 0]);
  });

  test("answers an asynchronous sync that it leaves out without an error", () => {
    const { a, b, sizes } = sabotaged(["postponed"]);
    let answer: Error | null | undefined;
    a.syncDataLater((error) => {
      answer = error;
    });
    expect(answer).toBe(null);
    expect(sizes()).toEqual([0, 0]);
    b.syncDataLater(() => {});
    expect(sizes()).toEqual([1, 1]);
  });

  test("leaves out the sync of a directory, and forgets what it has postponed when the process ends", () => {
    const { vfs, disk } = sabotaged(["postponed"]);
    vfs.createFile("/c").close();
    vfs.syncDirectory("/");
    disk.crash("process-kill");
    const next = disk.mount();
    const file = next.createFile("/d");
    file.syncData();
    expect(disk.snapshotDurable().stat("/c")).toBe(null);
    expect(next.stat("/c")).not.toBe(null);
  });
});

describe("sites of syncs", () => {
  test("are found by running seeds: every place of the engine that syncs, by kind, file and function", async () => {
    const sites: Record<string, number> = {};
    // Of the workload that has everything that syncs.
    const limits = { ...DEFAULT_LIMITS, workloads: ["maintenance"] as const };
    for (let i = 0; i < 6; i++) {
      const { counts, failure } = await runSeed(seedAt("1", i), { ...CONFIG, limits, countsSyncs: true });
      expect(failure).toBe(null);
      for (const [site, calls] of Object.entries(counts.syncSites)) sites[site] = (sites[site] ?? 0) + calls;
    }
    const found = Object.keys(sites);
    for (const site of [
      "log@wal/segment:create",
      "directory@wal/segment:create",
      "log@wal/segment:syncLater",
      "table@compaction/job:finish",
      "directory@compaction/job:publish",
      "manifest@manifest/manifest-log:create",
      "manifest@manifest/manifest-log:append",
      "manifest@manifest/manifest-log:seal",
      "current@manifest/current:replaceCurrent",
      "directory@manifest/current:replaceCurrent",
      "parent@store:open",
      "partial@partial-directory:publishPartial",
      "parent@partial-directory:publishPartial",
    ]) {
      expect(found).toContain(site);
    }
    expect(found.filter((site) => site.includes("elsewhere"))).toEqual([]);
    for (const id of automaticIds(found)) expect(parseAutomatic(id)).not.toBe(null);
  });

  test("are counted only when asked for, and counting changes nothing", async () => {
    const plain = await runSeed("1", CONFIG);
    const counting = await runSeed("1", { ...CONFIG, countsSyncs: true });
    expect(plain.counts.syncSites).toEqual({});
    expect(counting.fingerprint).toEqual(plain.fingerprint);
  });

  test("of other programs are named by what their own naming says", () => {
    const naming = { source: /(sabotage\.test)\.[jt]s/, kindOf: () => "anything" };
    function save() {
      return callingSite(naming, "syncData", "/x");
    }
    expect(save()).toBe("anything@sabotage.test:save");
    expect(callingSite(ENGINE_SITES, "syncDirectory", "/")).toBe("parent@elsewhere");
  });
});

describe("automatic mutants", () => {
  test("are killed: a dropped sync of each sort breaks the promise that it kept", async () => {
    for (const id of [
      "drop:parent@store:open",
      "drop:manifest@manifest/manifest-log:create",
      "drop:current@manifest/current:replaceCurrent",
      "drop:table@compaction/job:finish",
      "drop:directory@compaction/job:publish",
    ]) {
      // Of the first seeds one must see it: which one depends on all that seeds draw.
      let oracle: string | null | undefined;
      for (let i = 0; i < 80 && oracle !== "O8"; i++) {
        const { failure, counts } = await runSeed(seedAt("1", i), { ...CONFIG, mutants: [id] });
        oracle = failure?.oracle;
        expect(counts.mutantSites[id] ?? 0).toBeGreaterThan(failure === null ? -1 : 0);
      }
      expect({ id, oracle }).toEqual({ id, oracle: "O8" });
    }
  });
});
