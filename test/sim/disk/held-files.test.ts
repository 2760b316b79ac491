/**
 * The rules of Windows (S28): what somebody has open keeps its name, names become durable along with the next file that
 * is synced. Verifies the disk; that the engine lives with it is for the swarm.
 */
import { describe, expect, test } from "vitest";
import { codeOf, contentAt, durableFile, type MachineOptions, machine, outcomes, put } from "./machine.js";

const WINDOWS: MachineOptions = { machine: "windows", personality: "journal-strict" };
const SCANNED: MachineOptions = { ...WINDOWS, faults: { fileHeld: 1 } };

describe("a file that the process itself has open", () => {
  test("can be neither removed, nor moved, nor replaced, nor moved with its directory, and that is no fault", () => {
    const { disk } = machine(1, WINDOWS);
    const vfs = disk.mount();
    durableFile(vfs, "/other", "other");
    vfs.makeDirectory("/d");
    const file = vfs.createFile("/d/a");
    const calls = [
      () => vfs.removeFile("/d/a"),
      () => vfs.rename("/d/a", "/b"),
      () => vfs.rename("/other", "/d/a"),
      () => vfs.rename("/d", "/e"),
    ];
    for (const call of calls) expect(codeOf(call)).toBe("FILE_BUSY");
    expect([vfs.list("/"), vfs.list("/d")]).toEqual([["d", "other"], ["a"]]);
    expect(disk.counters.faults["S28 file in use"]).toBe(0);
    file.close();
    vfs.rename("/d", "/e");
    vfs.rename("/other", "/e/a");
    vfs.removeFile("/e/a");
    expect(vfs.list("/e")).toEqual([]);
  });

  test("may lose the names that it was not opened by", () => {
    const vfs = machine(1, WINDOWS).disk.mount();
    durableFile(vfs, "/a", "text");
    const file = vfs.openFile("/a", "read");
    vfs.makeDirectory("/copy");
    vfs.link("/a", "/copy/a");
    vfs.rename("/copy", "/kept");
    vfs.removeFile("/kept/a");
    expect(codeOf(() => vfs.removeFile("/a"))).toBe("FILE_BUSY");
    file.close();
  });

  test("may go on other machines", () => {
    for (const kind of ["posix", "macos"] as const) {
      const vfs = machine(1, { machine: kind }).disk.mount();
      const file = vfs.createFile("/a");
      vfs.removeFile("/a");
      expect(vfs.list("/")).toEqual([]);
      file.close();
    }
  });
});

describe("a file that somebody else looks at", () => {
  test("is refused for a while after it was closed, then no longer; with faults off at once", () => {
    const found = outcomes(40, (seed) => {
      const { disk, timers } = machine(seed, SCANNED);
      const vfs = disk.mount();
      durableFile(vfs, "/a", "text");
      const code = codeOf(() => vfs.removeFile("/a"));
      if (vfs.stat("/a") === null) return "let go";
      expect(code).toBe("FILE_BUSY");
      expect(disk.counters.faults["S28 file in use"]).toBe(1);
      expect(contentAt(vfs, "/a")).toBe("text");
      if (seed % 2 === 0) disk.faultsOff();
      else timers.after(5000, () => undefined);
      timers.run();
      vfs.removeFile("/a");
      return "held";
    });
    expect(found.get("held")).toBeGreaterThan(20);
  });

  test("is free on a machine of another kind, whatever the odds", () => {
    for (let seed = 0; seed < 20; seed++) {
      const vfs = machine(seed, { faults: { fileHeld: 1 } }).disk.mount();
      durableFile(vfs, "/a", "text");
      vfs.removeFile("/a");
    }
  });
});

describe("names on Windows", () => {
  test("become durable with the next file that is synced, in order, and by no sync of their directory", () => {
    const found = outcomes(60, (seed) => {
      const { disk } = machine(seed, WINDOWS);
      const vfs = disk.mount();
      durableFile(vfs, "/a", "one");
      vfs.rename("/a", "/b");
      vfs.syncDirectory("/");
      const isSynced = seed % 2 === 0;
      if (isSynced) {
        const file = vfs.createFile("/c");
        put(file, "two");
        file.syncData();
        file.close();
      }
      disk.crash("power-loss");
      const names = disk.mount().list("/").join();
      if (isSynced) expect(names).toBe("b,c");
      return names;
    });
    expect([...found.keys()].sort()).toEqual(["a", "b", "b,c"]);
  });

  test("the capabilities say what a machine can do", () => {
    const capabilities = (options: MachineOptions) => machine(1, options).disk.mount().capabilities;
    expect(capabilities({})).toEqual({
      directorySync: true,
      links: true,
      permanence: true,
      openFilesMove: true,
      dataSync: "fdatasync",
    });
    expect(capabilities(WINDOWS)).toMatchObject({
      directorySync: false,
      openFilesMove: false,
      dataSync: "FlushFileBuffers",
    });
    expect(capabilities({ machine: "macos", links: false })).toMatchObject({
      directorySync: true,
      links: false,
      openFilesMove: true,
      dataSync: "F_FULLFSYNC",
    });
  });
});
