/** Faults of calls and of whole process lives: what each call says and does when it is denied, interrupted, full, stuck. */
import { describe, expect, it } from "vitest";
import type { SimulationDisk } from "../../../sim/disk/simulation-disk.js";
import type { VFile, VFS } from "../../../src/platform/vfs.js";
import { codeOf, contentAt, counted, durableFile, machine, outcomes, put, text } from "./machine.js";

const SEEDS = 100;

/** A life that begins with faults on, over a disk with a durable file "/a" made without any. */
function life(disk: SimulationDisk): VFS {
  disk.faultsOff();
  durableFile(disk.mount(), "/a", "old");
  disk.crash("process-kill");
  disk.faultsOn();
  return disk.mount();
}

describe("errors on names", () => {
  const CALLS: readonly [string, (vfs: VFS) => unknown][] = [
    ["createFile", (vfs) => vfs.createFile("/new")],
    ["removeFile", (vfs) => vfs.removeFile("/a")],
    ["rename", (vfs) => vfs.rename("/a", "/new")],
    ["link", (vfs) => vfs.link("/a", "/new")],
    ["makeDirectory", (vfs) => vfs.makeDirectory("/new")],
  ];

  it("S21, S29: leave everything as it was", () => {
    for (const faults of [{ nameError: 1 }, { interrupted: 1 }]) {
      for (const [name, call] of CALLS) {
        const vfs = life(machine(1, { faults }).disk);
        expect(
          codeOf(() => call(vfs)),
          name,
        ).toBe("IO");
        expect(vfs.list("/")).toEqual(["a"]);
      }
    }
  });

  it("S32: report an error although they did it", () => {
    for (const [name, call] of CALLS) {
      const made = machine(1, { faults: { errorThoughDone: 1 } });
      const vfs = life(made.disk);
      expect(
        codeOf(() => call(vfs)),
        name,
      ).toBe("IO");
      expect(vfs.list("/"), name).not.toEqual(["a"]);
      expect(counted(made, "S32 error though done")).toBe(1);
    }
  });

  it("S32: a sync that reports an error and is done, of a file and of a directory", () => {
    const made = machine(1, { faults: { errorThoughDone: 1 } });
    made.disk.faultsOff();
    const vfs = made.disk.mount();
    const file = vfs.createFile("/a");
    put(file, "new");
    made.disk.faultsOn();
    expect(codeOf(() => file.syncData())).toBe("IO");
    expect(codeOf(() => vfs.syncDirectory("/"))).toBe("IO");
    expect(contentAt(made.disk.snapshotDurable(), "/a")).toBe("new");
  });
});

describe("S29: interrupted transfers", () => {
  it("are tried again by the loops of production, also those of readLater", () => {
    const made = machine(2, { faults: { interrupted: 0.4 } });
    made.disk.faultsOff();
    const file = made.disk.mount().createFile("/a");
    made.disk.faultsOn();
    const codes = outcomes(60, (round) => {
      const content = `round ${round}`;
      const code = codeOf(() => put(file, content));
      return code === "ok" ? codeOf(() => expect(text(file).startsWith(content)).toBe(true)) : code;
    });
    // EAGAIN is not tried again: nothing says when.
    expect([...codes.keys()].sort()).toEqual(["IO", "ok"]);
    const answers: (string | number)[] = [];
    for (let i = 0; i < 40; i++) {
      file.readLater(new Uint8Array(5), 0, 5, 0, (error, length) => answers.push(error?.message ?? length));
    }
    made.timers.run();
    expect(answers.filter((answer) => answer === 5).length).toBeGreaterThan(20);
    expect(answers.some((answer) => String(answer).includes("EINTR"))).toBe(false);
  });

  it("of syncs are errors, and nothing is durable", () => {
    const made = machine(1, { faults: { interrupted: 1 } });
    made.disk.faultsOff();
    const file = made.disk.mount().createFile("/a");
    put(file, "new");
    made.disk.faultsOn();
    expect(codeOf(() => file.syncData())).toBe("IO");
    made.disk.faultsOff();
    file.syncData();
    expect(text(file)).toBe("new");
  });
});

describe("S23: errors of close", () => {
  it("come once, from a handle that has written, and give the handle back", () => {
    const made = machine(1, { faults: { closeError: 1 } });
    const vfs = life(made.disk);
    const reader = vfs.openFile("/a", "readWrite");
    expect(codeOf(() => reader.close())).toBe("ok");
    const writer = vfs.openFile("/a", "readWrite");
    put(writer, "new");
    expect(["IO", "NO_SPACE"]).toContain(codeOf(() => writer.close()));
    expect(codeOf(() => writer.close())).toBe("ok");
    expect(made.disk.shutdown()).toEqual([]);
    expect(contentAt(made.disk.mount(), "/a")).toBe("new");
  });
});

describe("S24, S25: space", () => {
  it("delayed allocation takes every write, and says so at the sync, or when a name more is needed", () => {
    const made = machine(1, { capacityBytes: 8192, delayedAllocation: true });
    const vfs = made.disk.mount();
    const file = vfs.createFile("/a");
    put(file, "x".repeat(20_000));
    expect(text(file)).toBe("x".repeat(20_000));
    expect(codeOf(() => file.syncData())).toBe("NO_SPACE");
    expect(codeOf(() => vfs.rename("/a", "/b"))).toBe("NO_SPACE");
    expect(codeOf(() => vfs.link("/a", "/b"))).toBe("NO_SPACE");
    made.disk.setCapacity(40_960);
    vfs.rename("/a", "/b");
    put(file, "y".repeat(20_000));
    file.syncData();
    expect(made.disk.snapshotDurable().stat("/b")).toBeNull();
    expect([counted(made, "S24 no space at sync"), counted(made, "S24 no space for a name")]).toEqual([1, 2]);
  });

  it("a quota says EDQUOT, which is a lack of space too", () => {
    const { disk } = machine(1, { capacityBytes: 4096, spaceErrno: "EDQUOT" });
    const file = disk.mount().createFile("/a");
    expect(codeOf(() => put(file, "x".repeat(5000)))).toBe("NO_SPACE");
    expect(() => put(file, "x", 5000)).toThrow(/EDQUOT/);
  });

  it("EFBIG: a file does not grow; what it has can be written over", () => {
    const made = machine(1, { faults: { fileTooBig: 1 } });
    const file = life(made.disk).openFile("/a", "readWrite");
    expect(codeOf(() => put(file, "longer"))).toBe("IO");
    expect(codeOf(() => file.truncate(100))).toBe("IO");
    put(file, "new");
    expect(text(file)).toBe("new");
    expect(counted(made, "S25 file too big")).toBe(2);
  });
});

describe("S26: a limit of open files", () => {
  it("refuses the next one, counts what is closed as free, and ends with the faults", () => {
    const made = machine(1, { openFilesMax: 2 });
    const vfs = life(made.disk);
    const files: VFile[] = [vfs.openFile("/a", "read"), vfs.createFile("/b")];
    expect(codeOf(() => vfs.openFile("/a", "read"))).toBe("TOO_MANY_OPEN_FILES");
    expect(codeOf(() => vfs.createFile("/c"))).toBe("TOO_MANY_OPEN_FILES");
    expect(vfs.list("/")).toEqual(["a", "b"]);
    files[0]?.close();
    vfs.openFile("/a", "read");
    made.disk.faultsOff();
    vfs.openFile("/a", "read");
    expect(counted(made, "S26 too many open files")).toBe(2);
  });
});

describe("faults of a whole life", () => {
  it("S27: from some time on changes are denied, by EROFS on open files too, until faults end or the life does", () => {
    const seen = outcomes(SEEDS, (seed) => {
      const made = machine(seed, { faults: { accessDenied: 1 } });
      const vfs = life(made.disk);
      const file = vfs.openFile("/a", "readWrite");
      made.timers.after(10_000, () => undefined);
      made.timers.run();
      const code = codeOf(() => vfs.removeFile("/a"));
      const onFile = codeOf(() => put(file, "new"));
      expect(onFile).toBe(code === "READ_ONLY" ? "READ_ONLY" : "ok");
      expect(text(file)).toBe(code === "READ_ONLY" ? "old" : "new");
      made.disk.faultsOff();
      vfs.removeFile("/a");
      return code;
    });
    expect([...seen.keys()].sort()).toEqual(["ACCESS_DENIED", "READ_ONLY"]);
  });

  it("S35: calls hang, a watchdog is told how the life ends, and with the faults what hung completes", () => {
    const ends = outcomes(SEEDS, (seed) => {
      const made = machine(seed, { faults: { stuckCalls: 1 } });
      const file = life(made.disk).openFile("/a", "readWrite");
      made.timers.after(10_000, () => undefined);
      made.timers.run();
      let told = "";
      made.disk.onStuck = (endsIn) => {
        told = endsIn;
      };
      let done = 0;
      for (let i = 0; i < 3; i++) file.syncDataLater(() => done++);
      made.timers.run();
      expect([done, made.disk.wasStuck]).toEqual([0, true]);
      made.disk.faultsOff();
      made.timers.run();
      expect(done).toBe(3);
      return told;
    });
    expect([...ends.keys()].sort()).toEqual(["power-loss", "process-kill"]);
  });

  it("S35: a crash takes what hung along", () => {
    const made = machine(1, { faults: { stuckCalls: 1 } });
    const file = life(made.disk).openFile("/a", "readWrite");
    made.timers.after(10_000, () => undefined);
    made.timers.run();
    file.syncDataLater(() => expect.unreachable("its process is gone"));
    made.disk.onStuck = (endsIn) => made.disk.crash(endsIn);
    made.timers.run();
    made.disk.faultsOff();
    made.disk.mount();
    made.timers.run();
    expect(made.disk.wasStuck).toBe(false);
  });

  it("S36: for a while calls are slower by the factor of a stall", () => {
    const latency = { minimumMs: 1, meanMs: 1, stallProbability: 0, stallFactor: 50 };
    const seen = outcomes(SEEDS, (seed) => {
      const made = machine(seed, { latency, faults: { slowWindow: 1 } });
      const file = life(made.disk).openFile("/a", "readWrite");
      for (let i = 0; i < 100; i++) {
        made.timers.after(i * 30, () => file.syncDataLater(() => undefined));
      }
      made.timers.run();
      return counted(made, "S36 slow window") > 0;
    });
    expect(seen.get(true)).toBeGreaterThan(SEEDS / 2);
  });
});

describe("S42: stale sizes", () => {
  it("stat gives the size before the last change of a file that is being written, and no other is wrong", () => {
    const made = machine(1, { faults: { staleSize: 1 } });
    const vfs = life(made.disk);
    expect(vfs.stat("/a")?.size).toBe(3);
    const file = vfs.openFile("/a", "readWrite");
    put(file, "longer");
    expect([vfs.stat("/a")?.size, file.size()]).toEqual([3, 6]);
    put(file, "longest", 6);
    expect(vfs.stat("/a")?.size).toBe(6);
    file.syncData();
    expect(vfs.stat("/a")?.size).toBe(13);
    put(file, "!", 13);
    file.close();
    expect(vfs.stat("/a")?.size).toBe(14);
    expect(counted(made, "S42 stale size")).toBe(2);
  });
});
