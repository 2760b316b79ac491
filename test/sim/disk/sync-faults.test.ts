/** Syncs that fail (S22), by personality (B5): what the cache, the medium, the next sync and a crash show then. */
import { describe, expect, it } from "vitest";
import type { VFile, VFS } from "../../../src/platform/vfs.js";
import {
  codeOf,
  contentAt,
  counted,
  durableFile,
  type Machine,
  type MachineOptions,
  machine,
  outcomes,
  put,
  text,
} from "./machine.js";

const SEEDS = 200;

describe("S22: errors of syncs", () => {
  const FAILING: MachineOptions = { faults: { syncError: 1 }, tearProbability: 0 };
  /** A file that held OLD durably, NEW in the cache, after a sync of which all pages failed. */
  function failed(seed: number, options: MachineOptions): Machine & { vfs: VFS; file: VFile } {
    const made = machine(seed, { ...FAILING, ...options });
    const vfs = made.disk.mount();
    made.disk.faultsOff();
    durableFile(vfs, "/a", "OLD");
    const file = vfs.openFile("/a", "readWrite");
    put(file, "NEWER");
    made.disk.faultsOn();
    expect(codeOf(() => file.syncData())).toBe("IO");
    expect(counted(made, "S22 sync error")).toBe(1);
    made.disk.faultsOff();
    return { ...made, vfs, file };
  }
  it("clean-keep: the cache keeps the new bytes, the next sync succeeds, the medium keeps the old ones", () => {
    const seen = outcomes(SEEDS, (seed) => {
      const made = failed(seed, { syncFailure: "clean-keep" });
      expect(text(made.file)).toBe("NEWER");
      expect(["OLD", "NEW"]).toContain(durableAt(made));
      made.file.syncData();
      const onMedium = durableAt(made);
      // The size is metadata, which the second sync did write: OLD, then the hole it made.
      expect(["OLD\0\0", "NEWER"]).toContain(onMedium);
      expect(text(made.file)).toBe("NEWER");
      made.disk.crash("process-kill");
      const vfs = made.disk.mount();
      expect(contentAt(vfs, "/a")).toBe("NEWER");
      made.disk.dropCaches();
      expect(contentAt(vfs, "/a")).toBe(onMedium);
      made.disk.crash("power-loss");
      expect(contentAt(made.disk.mount(), "/a")).toBe(onMedium);
      return onMedium;
    });
    expect(seen.size).toBe(2);
  });

  it("strike the n-th sync when that is asked for, and never in a run whose syncs do not fail", () => {
    for (const [syncError, expected] of [
      [1e-9, ["ok", "ok", "IO", "ok"]],
      [0, ["ok", "ok", "ok", "ok"]],
    ] as const) {
      const made = machine(1, { faults: { syncError } });
      const file = made.disk.mount().createFile("/a");
      made.disk.failSync(3);
      const codes = [1, 2, 3, 4].map((byte) => {
        put(file, String(byte));
        return codeOf(() => file.syncData());
      });
      expect(codes).toEqual(expected);
    }
  });

  it("strike the n-th sync of what is wanted, and let others pass", () => {
    const made = machine(1, { faults: { syncError: 1e-9 } });
    const vfs = made.disk.mount();
    const [a, b] = [vfs.createFile("/a"), vfs.createFile("/b")];
    made.disk.failSync(2, (path) => path === "/b");
    const codes = [a, b, a, b, b].map((file) => {
      put(file, "1");
      return codeOf(() => file.syncData());
    });
    expect(codes).toEqual(["ok", "ok", "ok", "IO", "ok"]);
  });

  it("clean-keep: a page that is written again goes to the medium whole, the lost bytes with it", () => {
    const made = failed(1, { syncFailure: "clean-keep" });
    put(made.file, "!", 5);
    made.file.syncData();
    expect(durableAt(made)).toBe("NEWER!");
  });

  it("clean-keep: the old bytes show without a crash once the cache evicts the page", () => {
    const evicted = outcomes(SEEDS, (seed) => {
      const made = failed(seed, { syncFailure: "clean-keep", faults: { syncError: 1, eviction: 0.5 } });
      made.disk.faultsOn();
      for (let i = 0; i < 10; i++) text(made.file);
      return `${counted(made, "B5 eviction") > 0} ${text(made.file)}`;
    });
    expect(evicted.get("true OLD\0\0")).toBeGreaterThan(0);
  });

  it("clean-keep: the second sync of a truncation frees the pages, though not one of them was written", () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const made = machine(seed, FAILING);
      const vfs = made.disk.mount();
      made.disk.faultsOff();
      durableFile(vfs, "/a", "OLD");
      const file = vfs.openFile("/a", "readWrite");
      made.disk.faultsOn();
      file.truncate(0);
      expect(syncCode(file)).toBe("IO");
      made.disk.faultsOff();
      file.syncData();
      file.truncate(3);
      file.syncData();
      expect(durableAt(made)).toBe("\0\0\0");
    }
  });

  it("clean-revert: the cache falls back to the old bytes and size", () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const made = failed(seed, { syncFailure: "clean-revert" });
      expect(text(made.file)).toBe("OLD");
      made.file.syncData();
      expect(durableAt(made)).toBe("OLD");
      expect(made.disk.usedBytes).toBe(4096);
    }
  });

  it("dirty-keep: the next sync really writes", () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const made = failed(seed, { syncFailure: "dirty-keep" });
      expect(text(made.file)).toBe("NEWER");
      made.file.syncData();
      expect(durableAt(made)).toBe("NEWER");
    }
  });

  it("are reported once to each handle that was open, and to none opened later", () => {
    const made = machine(1, FAILING);
    const vfs = made.disk.mount();
    const first = vfs.createFile("/a");
    const second = vfs.openFile("/a", "read");
    put(first, "new");
    expect(syncCode(first)).toBe("IO");
    made.disk.faultsOff();
    const third = vfs.openFile("/a", "read");
    expect([syncCode(first), syncCode(second), syncCode(second), syncCode(third)]).toEqual([
      "ok",
      "IO",
      "ok",
      "ok",
    ]);
  });

  it("of many pages may be of some only", () => {
    const seen = outcomes(SEEDS, (seed) => {
      const made = machine(seed, FAILING);
      const vfs = made.disk.mount();
      made.disk.faultsOff();
      durableFile(vfs, "/a", "0".repeat(8192));
      const file = vfs.openFile("/a", "readWrite");
      put(file, "1".repeat(8192));
      made.disk.faultsOn();
      expect(codeOf(() => file.syncData())).toBe("IO");
      const content = durableAt(made) as string;
      return `${content[0]}${content[8191]}`;
    });
    expect([...seen.keys()].sort()).toEqual(["00", "01", "10", "11"]);
  });

  it("reach the caller of syncDataLater", () => {
    const made = machine(1, FAILING);
    const file = made.disk.mount().createFile("/a");
    put(file, "new");
    const answers: unknown[] = [];
    file.syncDataLater((error) => answers.push(error));
    made.timers.run();
    expect(answers).toEqual([
      expect.objectContaining({ code: "IO", operation: "syncDataLater", path: "/a" }),
    ]);
  });

  it("of a directory leave its names unsynced; clean ones are passed over by the next sync", () => {
    for (const syncFailure of ["clean-keep", "dirty-keep"] as const) {
      const seen = outcomes(SEEDS, (seed) => {
        const { disk } = machine(seed, { ...FAILING, syncFailure });
        const vfs = disk.mount();
        vfs.createFile("/a");
        expect(codeOf(() => vfs.syncDirectory("/"))).toBe("IO");
        disk.faultsOff();
        vfs.syncDirectory("/");
        disk.crash("power-loss");
        return disk.mount().list("/").length;
      });
      expect([...seen.keys()].sort(), syncFailure).toEqual(syncFailure === "dirty-keep" ? [1] : [0, 1]);
    }
  });
});

function durableAt({ disk }: Machine): string | null {
  return contentAt(disk.snapshotDurable(), "/a");
}

function syncCode(file: VFile): string {
  return codeOf(() => file.syncData());
}
