/**
 * The simulator tested first (oracle O29): what a crash must keep it keeps, and what it may lose it does lose in some
 * seeds and keeps in others.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CrashKind, SimulationDisk } from "../../../sim/disk/simulation-disk.js";
import type { VFile, VFS } from "../../../src/platform/vfs.js";
import { contentAt, durableFile, type MachineOptions, machine, outcomes, put, text } from "./machine.js";

const SEEDS = 300;
const TORN: MachineOptions = { tearProbability: 1 };
const WHOLE: MachineOptions = { tearProbability: 0 };

/** Runs `life`, crashes, and gives what `look` sees in the next life. */
function after<Seen>(
  seed: number,
  kind: CrashKind,
  life: (vfs: VFS, disk: SimulationDisk) => void,
  look: (vfs: VFS) => Seen,
  options: MachineOptions = {},
): Seen {
  const { disk } = machine(seed, options);
  life(disk.mount(), disk);
  disk.crash(kind);
  return look(disk.mount());
}

describe("what must survive", () => {
  it("a power loss keeps synced bytes of a file whose name is synced", () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const life = (vfs: VFS) => durableFile(vfs, "/a", "kept");
      expect(after(seed, "power-loss", life, (vfs) => contentAt(vfs, "/a"))).toBe("kept");
    }
  });

  it("a power loss keeps what an asynchronous sync has confirmed, and only needs that", () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const { disk, timers } = machine(seed);
      const vfs = disk.mount();
      const file = vfs.createFile("/a");
      vfs.syncDirectory("/");
      put(file, "kept");
      const answers: (Error | null)[] = [];
      file.syncDataLater((error) => answers.push(error));
      put(file, "LOST", 0);
      timers.run();
      expect(answers).toEqual([null]);
      disk.crash("power-loss");
      expect(["kept", "LOST"]).toContain(contentAt(disk.mount(), "/a"));
    }
  });

  it("a power loss keeps every kind of name operation once its directories are synced", () => {
    const life = (vfs: VFS) => {
      vfs.makeDirectory("/d");
      for (const name of ["/a", "/b", "/c", "/d/e"]) vfs.createFile(name);
      vfs.syncDirectory("/");
      vfs.rename("/a", "/d/moved");
      vfs.removeFile("/b");
      vfs.link("/c", "/c2");
      vfs.rename("/c", "/d/e");
      vfs.syncDirectory("/");
      vfs.syncDirectory("/d");
    };
    const look = (vfs: VFS) => [vfs.list("/"), vfs.list("/d")];
    for (let seed = 0; seed < SEEDS; seed++) {
      expect(after(seed, "power-loss", life, look)).toEqual([
        ["c2", "d"],
        ["e", "moved"],
      ]);
    }
  });

  it("a process kill keeps every completed write and name, synced or not", () => {
    const life = (vfs: VFS) => {
      const file = vfs.createFile("/a");
      put(file, "x".repeat(10_000));
      put(file, "end", 20_000);
      vfs.createFile("/b");
      vfs.removeFile("/b");
      vfs.makeDirectory("/d");
      vfs.rename("/a", "/d/a");
      file.truncate(20_002);
    };
    const look = (vfs: VFS) => [vfs.list("/"), contentAt(vfs, "/d/a")];
    const content = `${"x".repeat(10_000)}${"\0".repeat(10_000)}en`;
    for (let seed = 0; seed < SEEDS; seed++) {
      expect(after(seed, "process-kill", life, look, TORN)).toEqual([["d"], content]);
    }
  });

  it("a process kill leaves unsynced what was unsynced: a power loss may still take it", () => {
    const seen = outcomes(SEEDS, (seed) => {
      const { disk } = machine(seed);
      disk.mount().createFile("/a");
      disk.crash("process-kill");
      expect(disk.mount().list("/")).toEqual(["a"]);
      disk.crash("power-loss");
      return disk.mount().list("/").length;
    });
    expect([...seen.keys()].sort()).toEqual([0, 1]);
  });

  it("a clean shutdown loses nothing by itself, and a power loss after it takes what was not synced", () => {
    const seen = outcomes(SEEDS, (seed) => {
      const { disk } = machine(seed);
      put(disk.mount().createFile("/a"), "a");
      disk.shutdown();
      expect(contentAt(disk.mount(), "/a")).toBe("a");
      disk.shutdown();
      disk.crash("power-loss");
      return contentAt(disk.mount(), "/a");
    });
    expect(seen.get(null)).toBeGreaterThan(0);
    expect(seen.get("a")).toBeGreaterThan(0);
  });

  it("every byte is one that its place had since the last sync, and so is the size", () => {
    const step = fc.oneof(
      fc.record({ op: fc.constant("write" as const), position: fc.nat(9000), length: fc.integer({ min: 1, max: 5000 }) }),
      fc.record({ op: fc.constant("truncate" as const), size: fc.nat(9000) }),
      fc.record({ op: fc.constantFrom("sync" as const, "sync later" as const, "kill" as const) }),
    );
    fc.assert(
      fc.property(fc.nat(), fc.array(step, { minLength: 1, maxLength: 25 }), (seed, steps) => {
        const { disk, timers } = machine(seed, TORN);
        let file = disk.mount().createFile("/a");
        file.syncData();
        disk.mountedSync();
        const history = new ByteHistory();
        for (const [index, each] of steps.entries()) {
          if (each.op === "write") {
            const value = index + 1;
            file.write(new Uint8Array(each.length).fill(value), 0, each.length, each.position);
            history.write(each.position, each.length, value);
          } else if (each.op === "truncate") {
            file.truncate(each.size);
            history.truncate(each.size);
          } else if (each.op === "sync") {
            file.syncData();
            history.sync();
          } else if (each.op === "sync later") {
            file.syncDataLater(() => history.sync());
            timers.run();
          } else {
            disk.crash("process-kill");
            file = disk.mount().openFile("/a", "readWrite");
          }
        }
        disk.crash("power-loss");
        history.check(disk.mount().openFile("/a", "read"));
      }),
      { numRuns: 300 },
    );
  });
});
