/** Faults of class D on the way to and from the medium: S10, S16 to S20, and syncs that lie. Each strikes where it may only. */
import { describe, expect, it } from "vitest";
import type { VFS } from "../../../src/platform/vfs.js";
import {
  contentAt,
  counted,
  durableFile,
  type Machine,
  type MachineOptions,
  machine,
  outcomes,
  put,
} from "./machine.js";

const SEEDS = 100;
const KEEP_ALL = { crash: [] };

/** Two files of two pages each, "/a" all a and "/b" all b, durable; faults are off until `disk.faultsOn()`. */
function twoFiles(seed: number, options: MachineOptions): Machine & { vfs: VFS } {
  const made = machine(seed, options);
  made.disk.damageAllowed = () => true;
  made.disk.faultsOff();
  const vfs = made.disk.mount();
  durableFile(vfs, "/a", "a".repeat(8192));
  durableFile(vfs, "/b", "b".repeat(8192));
  made.disk.faultsOn();
  return { ...made, vfs };
}

function wrongBytes(content: string | null, right: string): number[] {
  return [...(content ?? "").split("").entries()].filter(([, c]) => c !== right).map(([at]) => at);
}

describe("bytes damaged on their way", () => {
  it("S16: one read is wrong by a bit, the next one right, and nothing on the disk has changed", () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const made = twoFiles(seed, { faults: { readCorruption: 1 } });
      const before = made.disk.hashDurable();
      expect(wrongBytes(contentAt(made.vfs, "/a"), "a")).toHaveLength(1);
      made.disk.faultsOff();
      expect(contentAt(made.vfs, "/a")).toBe("a".repeat(8192));
      expect(made.disk.hashDurable()).toBe(before);
      expect(counted(made, "S16 wrong bytes read")).toBe(1);
      expect(made.disk.damage).toMatchObject([{ kind: "wrong-read", path: "/a", length: 1 }]);
    }
  });

  it("S17: what is written has a flipped bit, in the cache and after a sync on the medium", () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const made = twoFiles(seed, { faults: { writeCorruption: 1 } });
      const file = made.vfs.openFile("/a", "readWrite");
      put(file, "c".repeat(600), 100);
      file.syncData();
      const wrong = wrongBytes(contentAt(made.vfs, "/a")?.slice(100, 700) ?? null, "c");
      expect(wrong).toHaveLength(1);
      expect(contentAt(made.disk.snapshotDurable(), "/a")).toBe(contentAt(made.vfs, "/a"));
      expect(made.disk.damage).toMatchObject([{ kind: "wrong-write", offset: 100 + (wrong[0] as number) }]);
    }
  });

  it("S19: one read has another sector's bytes in the place of one of its own", () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const made = machine(seed, { faults: { misdirectedRead: 1 } });
      made.disk.damageAllowed = () => true;
      made.disk.faultsOff();
      const content = Array.from({ length: 16 }, (_, sector) => String(sector % 10).repeat(512)).join("");
      const vfs = made.disk.mount();
      durableFile(vfs, "/a", content);
      made.disk.faultsOn();
      const read = contentAt(vfs, "/a") ?? "";
      made.disk.faultsOff();
      expect(contentAt(vfs, "/a")).toBe(content);
      const wrong = [...content.match(/.{512}/g)!.entries()].filter(
        ([sector, right]) => read.slice(sector * 512, sector * 512 + 512) !== right,
      );
      // Two sectors may hold the same bytes, and then nobody can tell.
      expect(wrong.length).toBe(counted(made, "S19 misdirected read"));
      expect(made.disk.damage.length).toBe(wrong.length);
    }
  });

  it("S16, S17, S19 strike nothing without a budget, nor what comes from a dirty page", () => {
    const faults = { readCorruption: 0.3, writeCorruption: 0.4, misdirectedRead: 0.3 };
    const made = twoFiles(1, { faults });
    made.disk.damageAllowed = (path) => path === "/elsewhere";
    const file = made.vfs.openFile("/a", "readWrite");
    for (let i = 0; i < 20; i++) put(file, "a".repeat(8192));
    for (let i = 0; i < 20; i++) expect(contentAt(made.vfs, "/a")).toBe("a".repeat(8192));
    made.disk.damageAllowed = () => true;
    // Pages are dirty still.
    for (let i = 0; i < 20; i++) expect(contentAt(made.vfs, "/a")).toBe("a".repeat(8192));
    expect(made.disk.damage).toEqual([]);
  });
});

describe("writes that a sync has confirmed", () => {
  function overwritten(seed: number, options: MachineOptions): Machine & { vfs: VFS } {
    const made = twoFiles(seed, options);
    const file = made.vfs.openFile("/a", "readWrite");
    put(file, "A".repeat(8192));
    file.syncData();
    file.close();
    made.disk.faultsOff();
    expect(contentAt(made.vfs, "/a")).toBe("A".repeat(8192));
    made.disk.crash("power-loss");
    return { ...made, vfs: made.disk.mount() };
  }

  it("S20: a page keeps its old bytes, which a power loss shows", () => {
    const seen = outcomes(SEEDS, (seed) => {
      const made = overwritten(seed, { faults: { lostWrite: 1 } });
      expect(counted(made, "S20 write never made")).toBe(1);
      const [damage] = made.disk.damage;
      const page = (damage?.offset ?? -1) / 4096;
      expect(contentAt(made.vfs, "/a")).toBe(
        page === 0 ? "a".repeat(4096) + "A".repeat(4096) : "A".repeat(4096) + "a".repeat(4096),
      );
      return page;
    });
    expect([...seen.keys()].sort()).toEqual([0, 1]);
  });

  it("S20: what was on a block that is new to the file shows, with its content valid for somebody else", () => {
    const made = machine(1, { faults: { lostWrite: 1 }, holeContent: "stale" });
    made.disk.damageAllowed = () => true;
    const vfs = made.disk.mount();
    made.disk.faultsOff();
    durableFile(vfs, "/old", "o".repeat(4096));
    vfs.removeFile("/old");
    made.disk.faultsOn();
    durableFile(vfs, "/new", "n".repeat(4096));
    made.disk.crash("power-loss");
    expect(contentAt(made.disk.mount(), "/new")).toBe("o".repeat(4096));
  });

  it("S18: a sector keeps its old bytes and another place has them instead, in this file or one beside it", () => {
    const seen = outcomes(400, (seed) => {
      const made = overwritten(seed, { faults: { misdirectedWrite: 1 } });
      const [kept, hit] = made.disk.damage;
      expect(kept).toMatchObject({ kind: "misdirected-write", path: "/a", length: 512 });
      const a = contentAt(made.vfs, "/a") ?? "";
      const b = contentAt(made.vfs, "/b") ?? "";
      expect(wrongBytes(a, "A")).toEqual(Array.from({ length: 512 }, (_, i) => (kept?.offset ?? 0) + i));
      const elsewhere = wrongBytes(b, "b");
      if (hit?.path !== "/b") return "same file";
      expect(elsewhere).toEqual(Array.from({ length: 512 }, (_, i) => hit.offset + i));
      expect(b.slice(hit.offset, hit.offset + 512)).toBe("A".repeat(512));
      return "other file";
    });
    expect([...seen.keys()].sort()).toEqual(["other file", "same file"]);
  });

  it("S18: there is one pair of places at a time", () => {
    const made = twoFiles(3, { faults: { misdirectedWrite: 1 } });
    for (let i = 0; i < 20; i++) {
      const file = made.vfs.openFile(i % 2 === 0 ? "/a" : "/b", "readWrite");
      put(file, "x".repeat(8192));
      file.syncData();
      file.close();
    }
    expect(counted(made, "S18 misdirected write")).toBeLessThan(20);
    expect(made.disk.damage.length).toBeGreaterThan(0);
  });

  it("S18, S20 leave files alone for which there is no budget", () => {
    for (let seed = 0; seed < 20; seed++) {
      const made = twoFiles(seed, { faults: { misdirectedWrite: 0.5, lostWrite: 0.5 } });
      made.disk.damageAllowed = (path) => path === "/b";
      const file = made.vfs.openFile("/a", "readWrite");
      put(file, "A".repeat(8192));
      file.syncData();
      made.disk.crash("power-loss");
      made.disk.faultsOff();
      const vfs = made.disk.mount();
      expect([contentAt(vfs, "/a"), contentAt(vfs, "/b")]).toEqual(["A".repeat(8192), "b".repeat(8192)]);
    }
  });
});

describe("S10: a rename that is not one step", () => {
  const renamed = (seed: number, splitRenameProbability: number) => {
    const made = machine(seed, { splitRenameProbability });
    const vfs = made.disk.mount();
    durableFile(vfs, "/old", "OLD");
    durableFile(vfs, "/new", "NEW");
    vfs.rename("/new", "/old");
    made.disk.crash("power-loss");
    const after = made.disk.mount();
    return { made, shown: ["/old", "/new"].map((path) => contentAt(after, path) ?? "-").join(" ") };
  };

  it("leaves both names, no new one, or the new one with the file it had; and only then it is damage", () => {
    const seen = outcomes(400, (seed) => {
      const { made, shown } = renamed(seed, 0.8);
      expect(made.disk.lossShows).toBe(made.disk.damage.length > 0);
      expect(counted(made, "S10 split rename") > 0).toBe(!["NEW -", "OLD NEW"].includes(shown));
      return shown;
    });
    expect([...seen.keys()].sort()).toEqual(["- -", "NEW -", "NEW NEW", "OLD -", "OLD NEW"]);
  });

  it("does not happen at probability 0, and never to a rename that a sync has covered", () => {
    const seen = outcomes(SEEDS, (seed) => renamed(seed, 0).shown);
    expect([...seen.keys()].sort()).toEqual(["NEW -", "OLD NEW"]);
    for (let seed = 0; seed < 20; seed++) {
      const made = machine(seed, { splitRenameProbability: 1 });
      const vfs = made.disk.mount();
      durableFile(vfs, "/new", "NEW");
      vfs.rename("/new", "/old");
      vfs.syncDirectory("/");
      made.disk.crash("power-loss");
      expect(made.disk.mount().list("/")).toEqual(["old"]);
    }
  });
});

describe("S22: syncs that lie", () => {
  function lied(seed: number, options: MachineOptions): Machine & { vfs: VFS } {
    const made = machine(seed, { ...options, tearProbability: 0 }, KEEP_ALL);
    return { ...made, vfs: made.disk.mount() };
  }

  it("late-report: the sync succeeds, the next one fails, the one after it succeeds; the medium keeps the old", () => {
    const log = { "disk.sync": [[0, 1] as const] };
    const made = machine(1, { syncFailure: "late-report", faults: { syncError: 0.5 } }, log);
    const vfs = made.disk.mount();
    const file = vfs.createFile("/a");
    put(file, "NEW");
    file.syncData();
    expect(made.disk.isLying).toBe(true);
    expect(() => file.syncData()).toThrow(/syncData/);
    file.syncData();
    expect(contentAt(vfs, "/a")).toBe("NEW");
    vfs.syncDirectory("/");
    made.disk.crash("power-loss");
    expect(made.disk.lossShows).toBe(true);
    expect(contentAt(made.disk.mount(), "/a")).toBe("\0\0\0");
    expect(counted(made, "S22 reported late")).toBe(1);
  });

  it("no-report: nobody is told, and eviction is enough to show it", () => {
    const log = { "disk.sync": [[0, 1] as const] };
    const made = machine(1, { syncFailure: "no-report", faults: { syncError: 0.5 } }, log);
    const file = made.disk.mount().createFile("/a");
    put(file, "NEW");
    file.syncData();
    file.syncData();
    expect([made.disk.isLying, made.disk.lossShows]).toEqual([true, false]);
    made.disk.dropCaches();
    expect(made.disk.lossShows).toBe(true);
    expect(made.disk.damage).toMatchObject([{ kind: "sync-lied", path: "/a" }]);
  });

  it("sync-lies: a sync takes effect with one that is written through, or never; a kill takes nothing", () => {
    const seen = outcomes(SEEDS, (seed) => {
      const made = machine(seed, { personality: "sync-lies" });
      const vfs = made.disk.mount();
      durableFile(vfs, "/a", "one");
      durableFile(vfs, "/b", "two");
      const { isLying } = made.disk;
      made.disk.crash("process-kill");
      expect(made.disk.mount().list("/")).toEqual(["a", "b"]);
      made.disk.crash("power-loss");
      expect(made.disk.lossShows).toBe(isLying);
      const after = made.disk.mount();
      if (!isLying) expect([contentAt(after, "/a"), contentAt(after, "/b")]).toEqual(["one", "two"]);
      return isLying;
    });
    expect(seen.size).toBe(2);
  });

  it("sync-lies: the benign answer is an honest drive", () => {
    const made = lied(1, { personality: "sync-lies" });
    durableFile(made.vfs, "/a", "one");
    expect(made.disk.isLying).toBe(false);
    expect(contentAt(made.disk.snapshotDurable(), "/a")).toBe("one");
  });
});
