/** What each personality makes durable, and what of the rest a power loss may leave (simulation.md B1). */
import { describe, expect, it } from "vitest";
import type { SyncPersonality } from "../../../sim/disk/options.js";
import type { VFS } from "../../../src/platform/vfs.js";
import { contentAt, durableFile, machine, outcomes, put } from "./machine.js";

const SEEDS = 300;
const JOURNALS = ["journal-ordered", "journal-strict"] as const;

/** What is seen after a power loss at the end of `life`, over many seeds. */
function seen(personality: SyncPersonality, life: (vfs: VFS) => void, look: (vfs: VFS) => string): string[] {
  const found = outcomes(SEEDS, (seed) => {
    const { disk } = machine(seed, { personality, tearProbability: 0.3, holeContent: "garbage" });
    life(disk.mount());
    disk.crash("power-loss");
    return look(disk.mount());
  });
  return [...found.keys()].sort();
}

const names = (vfs: VFS): string => vfs.list("/").join(" ");

/** A file with content whose bytes are synced and whose name is not. */
function syncedFile(vfs: VFS, path: string): void {
  const file = vfs.createFile(path);
  put(file, "new");
  file.syncData();
  file.close();
}

describe("names", () => {
  it("survive in any subset by POSIX, and in journals as a prefix of their order", () => {
    const life = (vfs: VFS): void => {
      for (const path of ["/a", "/b", "/c"]) vfs.createFile(path).close();
    };
    expect(seen("posix-strict", life, names)).toHaveLength(8);
    for (const journal of JOURNALS) expect(seen(journal, life, names)).toEqual(["", "a", "a b", "a b c"]);
  });

  it("in journals an unlink does not overtake a rename before it", () => {
    const life = (vfs: VFS): void => {
      durableFile(vfs, "/old", "old");
      durableFile(vfs, "/new", "new");
      vfs.rename("/new", "/name");
      vfs.removeFile("/old");
    };
    expect(seen("posix-strict", life, names)).toContain("new");
    for (const journal of JOURNALS) {
      expect(seen(journal, life, names)).toEqual(["name", "name old", "new old"]);
    }
  });

  it("of a new file are durable with the sync of the file in journals, and not by POSIX", () => {
    const life = (vfs: VFS): void => syncedFile(vfs, "/a");
    expect(seen("posix-strict", life, names)).toEqual(["", "a"]);
    for (const journal of JOURNALS) expect(seen(journal, life, names)).toEqual(["a"]);
  });

  it("of all changes before are durable with the sync of any file in a strict journal", () => {
    const life = (vfs: VFS): void => {
      durableFile(vfs, "/a", "a");
      const other = vfs.openFile("/a", "readWrite");
      vfs.createFile("/b").close();
      put(other, "x");
      other.syncData();
    };
    expect(seen("journal-ordered", life, names)).toEqual(["a", "a b"]);
    expect(seen("journal-strict", life, names)).toEqual(["a b"]);
  });

  it("that a directory's sync makes durable take along, in journals, what was done before elsewhere", () => {
    const life = (vfs: VFS): void => {
      vfs.makeDirectory("/d");
      vfs.syncDirectory("/");
      vfs.createFile("/first").close();
      vfs.createFile("/d/second").close();
      vfs.syncDirectory("/d");
    };
    expect(seen("posix-strict", life, names)).toEqual(["d", "d first"]);
    for (const journal of JOURNALS) expect(seen(journal, life, names)).toEqual(["d first"]);
  });
});

describe("sizes", () => {
  const grow = (vfs: VFS): void => {
    durableFile(vfs, "/a", "old");
    put(vfs.openFile("/a", "readWrite"), "x".repeat(3 * 4096), 3);
  };

  it("in journals never reach beyond data that did arrive", () => {
    const look = (vfs: VFS): string => {
      const content = contentAt(vfs, "/a") ?? "";
      return /^old(x*)$/.test(content) ? "old and data" : "a hole";
    };
    expect(seen("posix-strict", grow, look)).toEqual(["a hole", "old and data"]);
    for (const journal of JOURNALS) expect(seen(journal, grow, look)).toEqual(["old and data"]);
  });

  it("in journals grown without data show zeros, never garbage", () => {
    const life = (vfs: VFS): void => {
      durableFile(vfs, "/a", "old");
      vfs.openFile("/a", "readWrite").truncate(9000);
    };
    const look = (vfs: VFS): string =>
      (contentAt(vfs, "/a") ?? "").replace(/^old/, "").replaceAll("\0", "") || "zeros";
    for (const journal of JOURNALS) expect(seen(journal, life, look)).toEqual(["zeros"]);
  });
});

it("overwriting synced bytes is as free in journals as by POSIX", () => {
  const life = (vfs: VFS): void => {
    durableFile(vfs, "/a", "old");
    put(vfs.openFile("/a", "readWrite"), "new");
  };
  const look = (vfs: VFS): string => contentAt(vfs, "/a") ?? "-";
  for (const personality of ["posix-strict", ...JOURNALS] as const) {
    expect(seen(personality, life, look)).toEqual(["new", "old"]);
  }
});
