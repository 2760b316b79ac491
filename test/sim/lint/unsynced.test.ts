/** The durability lint for any program: what a promise stands on and is not durable. */
import { describe, expect, test } from "vitest";
import { itemText } from "../../../sim/disk/crash-items.js";
import type { SimulationDisk } from "../../../sim/disk/simulation-disk.js";
import { findMissing, lintAcknowledgement } from "../../../sim/lint/unsynced.js";
import type { VFS } from "../../../src/platform/vfs.js";
import { contentAt, durableFile, machine, put } from "../disk/machine.js";

function diskAfter(life: (vfs: VFS) => void): SimulationDisk {
  const { disk } = machine("lint");
  life(disk.mount());
  return disk;
}

async function missing(disk: SimulationDisk, holds: (vfs: VFS) => boolean): Promise<string[] | null> {
  const items = await findMissing(disk, async (crashed) => holds(crashed.mount()));
  return items?.map(itemText) ?? null;
}

/** Write to a temporary file and rename, with nothing synced but what `syncs` says. */
function replaceFile(vfs: VFS, syncs: { file: boolean; directory: boolean }): void {
  durableFile(vfs, "/config", "old");
  const file = vfs.createFile("/config.tmp");
  put(file, "new");
  if (syncs.file) file.syncData();
  vfs.rename("/config.tmp", "/config");
  if (syncs.directory) vfs.syncDirectory("/");
}

describe("by paths", () => {
  test("a file stands on its bytes, its size, its name and the directories above it", () => {
    const disk = diskAfter((vfs) => {
      vfs.makeDirectory("/d");
      put(vfs.createFile("/d/log"), "12");
      put(vfs.createFile("/other"), "34");
    });
    expect(lintAcknowledgement(disk, ["/d/log"]).map(itemText)).toEqual([
      "mkdir /d",
      "create /d/log",
      "size of /d/log from 0 to 2",
      "bytes 0 to 2 of /d/log",
    ]);
  });

  test("a directory stands on the names in it, and a rename on what it replaced it with", () => {
    const disk = diskAfter((vfs) => replaceFile(vfs, { file: true, directory: false }));
    const expected = ["create /config.tmp", "rename /config.tmp -> /config"];
    expect(lintAcknowledgement(disk, ["/config"]).map(itemText)).toEqual(expected);
    expect(lintAcknowledgement(disk, ["/"]).map(itemText)).toEqual(expected);
  });

  test("nothing is missing once it is synced", () => {
    const disk = diskAfter((vfs) => replaceFile(vfs, { file: true, directory: true }));
    expect(lintAcknowledgement(disk, ["/config", "/"])).toEqual([]);
  });
});

describe("by trial", () => {
  const holdsNew = (vfs: VFS): boolean => contentAt(vfs, "/config") === "new";

  test("each thing that breaks the promise alone is named", async () => {
    const disk = diskAfter((vfs) => replaceFile(vfs, { file: false, directory: false }));
    expect(await missing(disk, holdsNew)).toEqual([
      "create /config.tmp",
      "rename /config.tmp -> /config",
      "size of /config from 0 to 3",
      "bytes 0 to 3 of /config",
    ]);
    const renamed = diskAfter((vfs) => replaceFile(vfs, { file: false, directory: true }));
    expect(await missing(renamed, holdsNew)).toEqual([
      "size of /config from 0 to 3",
      "bytes 0 to 3 of /config",
    ]);
  });

  test("things that break it together only are a set of which none can be spared", async () => {
    const disk = diskAfter((vfs) => {
      for (const path of ["/a", "/b", "/c"]) put(vfs.createFile(path), "x");
    });
    const oneOfTwo = (vfs: VFS): boolean => contentAt(vfs, "/a") === "x" || contentAt(vfs, "/b") === "x";
    const found = await missing(disk, oneOfTwo);
    expect(found).toHaveLength(2);
    expect(found?.join()).toMatch(/\/a.*\/b/);
  });

  test("a promise that is kept misses nothing, and the disk is as it was", async () => {
    const disk = diskAfter((vfs) => replaceFile(vfs, { file: true, directory: true }));
    const before = disk.hashDurable();
    expect(await missing(disk, holdsNew)).toBeNull();
    expect(disk.hashDurable()).toBe(before);
  });
});
