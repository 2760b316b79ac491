/**
 * The simulator tested first (oracle O29): what a crash must keep it keeps, whatever the seed. What it may lose is in
 * `crash-states.test.ts`.
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StillwaterError } from "../../../src/platform/errors.js";
import { joinPath } from "../../../src/platform/path.js";
import type { VFile, VFS } from "../../../src/platform/vfs.js";
import { after, contentAt, durableFile, machine, outcomes, put, TORN } from "./machine.js";

const SEEDS = 300;

describe("what must survive", () => {
  it("a power loss keeps synced bytes of a file whose name is synced", () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      expect(
        after(
          seed,
          "power-loss",
          (vfs) => durableFile(vfs, "/a", "kept"),
          (vfs) => contentAt(vfs, "/a"),
        ),
      ).toBe("kept");
    }
  });

  it("a power loss keeps what an asynchronous sync has confirmed, though not what was written after its start", () => {
    const seen = outcomes(SEEDS, (seed) => {
      const { disk, timers } = machine(seed);
      const vfs = disk.mount();
      const file = vfs.createFile("/a");
      vfs.syncDirectory("/");
      put(file, "kept");
      const answers: (Error | null)[] = [];
      file.syncDataLater((error) => answers.push(error));
      put(file, "next");
      timers.run();
      expect(answers).toEqual([null]);
      disk.crash("power-loss");
      return contentAt(disk.mount(), "/a");
    });
    expect([...seen.keys()].sort()).toEqual(["kept", "next"]);
  });

  it("a power loss keeps every kind of name operation once its directories are synced", () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      expect(
        after(
          seed,
          "power-loss",
          (vfs) => {
            vfs.makeDirectory("/d");
            for (const name of ["/a", "/b", "/c", "/d/e"]) vfs.createFile(name);
            vfs.syncDirectory("/");
            vfs.rename("/a", "/d/moved");
            vfs.removeFile("/b");
            vfs.link("/c", "/c2");
            vfs.rename("/c", "/d/e");
            vfs.syncDirectory("/");
            vfs.syncDirectory("/d");
          },
          (vfs) => [vfs.list("/"), vfs.list("/d")],
        ),
      ).toEqual([
        ["c2", "d"],
        ["e", "moved"],
      ]);
    }
  });

  it("a process kill keeps every completed write and name, synced or not", () => {
    const content = `${"x".repeat(10_000)}${"\0".repeat(10_000)}en`;
    for (let seed = 0; seed < SEEDS; seed++) {
      expect(
        after(
          seed,
          "process-kill",
          (vfs) => {
            const file = vfs.createFile("/a");
            put(file, "x".repeat(10_000));
            put(file, "end", 20_000);
            vfs.createFile("/b");
            vfs.removeFile("/b");
            vfs.makeDirectory("/d");
            vfs.rename("/a", "/d/a");
            file.truncate(20_002);
          },
          (vfs) => [vfs.list("/"), contentAt(vfs, "/d/a")],
          TORN,
        ),
      ).toEqual([["d"], content]);
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
    const position = fc.oneof(fc.constantFrom(0, 100, 4096, 8192), fc.nat(9000));
    const step = fc.oneof(
      fc.record({ op: fc.constant("write" as const), position, length: fc.integer({ min: 1, max: 5000 }) }),
      fc.record({ op: fc.constant("truncate" as const), size: position }),
      fc.record({ op: fc.constantFrom("sync" as const, "sync later" as const, "complete" as const) }),
      fc.record({ op: fc.constant("kill" as const) }),
    );
    fc.assert(
      fc.property(fc.nat(), fc.array(step, { minLength: 1, maxLength: 30, size: "max" }), (seed, steps) => {
        const { disk, timers } = machine(seed, TORN);
        const vfs = disk.mount();
        let file = vfs.createFile("/a");
        vfs.syncDirectory("/");
        const history = new ByteHistory();
        for (const [index, each] of steps.entries()) {
          switch (each.op) {
            case "write":
              file.write(new Uint8Array(each.length).fill(index + 1), 0, each.length, each.position);
              history.write(each.position, each.length, index + 1);
              break;
            case "truncate":
              file.truncate(each.size);
              history.truncate(each.size);
              break;
            case "sync":
              file.syncData();
              history.synced(history.now);
              break;
            case "sync later": {
              const { now } = history;
              file.syncDataLater(() => history.synced(now));
              break;
            }
            case "complete":
              timers.run();
              break;
            case "kill":
              disk.crash("process-kill");
              file = disk.mount().openFile("/a", "readWrite");
          }
        }
        disk.crash("power-loss");
        history.check(disk.mount().openFile("/a", "readWrite"));
      }),
      { numRuns: 500 },
    );
  });

  it("a confirmed sync keeps its size and bytes, however often both changed while it was in flight", () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const { disk, timers } = machine(seed);
      const vfs = disk.mount();
      const file = vfs.createFile("/a");
      vfs.syncDirectory("/");
      for (let i = 0; i < 30; i++) {
        if (i === 10) file.syncDataLater(() => undefined);
        put(file, "x", i);
      }
      timers.run();
      disk.crash("power-loss");
      expect(contentAt(disk.mount(), "/a")).toMatch(/^x{10}[x\0]{0,20}$/);
    }
  });

  it("of a page written often without a sync, a bounded number of versions is kept, whatever was in flight", () => {
    const { disk, timers } = machine(1);
    const vfs = disk.mount();
    const file = vfs.createFile("/a");
    vfs.syncDirectory("/");
    file.syncDataLater(() => undefined);
    disk.crash("process-kill");
    timers.run();
    const again = disk.mount().openFile("/a", "readWrite");
    for (let i = 0; i < 50; i++) put(again, `${i}`.repeat(i + 1));
    const [sizes, page] = disk.crashAlternatives();
    expect([sizes, page]).toEqual([9, 5]);
  });

  it("a file that was moved is found, whatever became of the directories it came from and went to", () => {
    const moves: ((vfs: VFS) => void)[] = [
      // Out of a directory that is removed then.
      (vfs) => {
        vfs.rename("/d/x", "/x");
        vfs.removeDirectory("/d");
      },
      // Into a directory that was just made, below another one.
      (vfs) => {
        vfs.makeDirectory("/n");
        vfs.makeDirectory("/n/m");
        vfs.rename("/d/x", "/n/m/x");
        vfs.syncDirectory("/n/m");
      },
      // With its directory, which comes to lie in another and the other in it, one after the other.
      (vfs) => {
        vfs.rename("/d", "/e/d");
        vfs.rename("/e/d", "/d");
        vfs.rename("/e", "/d/e");
      },
      // Out of a directory that an empty one replaces.
      (vfs) => {
        vfs.rename("/d/x", "/x");
        vfs.rename("/e", "/d");
      },
    ];
    for (const move of moves) {
      for (let seed = 0; seed < SEEDS; seed++) {
        const { disk } = machine(seed);
        const vfs = disk.mount();
        vfs.makeDirectory("/d");
        vfs.makeDirectory("/e");
        durableFile(vfs, "/d/x", "x");
        vfs.syncDirectory("/d");
        move(vfs);
        disk.crash("power-loss");
        expect(contents(disk.mount(), "/")).toEqual(["x"]);
      }
    }
  });

  it("a file that was only ever renamed has exactly one name afterwards, whatever else happened", () => {
    const directory = fc.constantFrom("", "/d", "/e", "/d/f");
    const name = fc.tuple(directory, fc.constantFrom("a", "b", "c")).map((parts) => parts.join("/"));
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ op: fc.constant("rename" as const), path: name, to: name }) },
      {
        weight: 1,
        arbitrary: fc.record({ op: fc.constantFrom("remove" as const, "create" as const), path: name }),
      },
      { weight: 1, arbitrary: fc.record({ op: fc.constant("sync" as const), path: directory }) },
      {
        weight: 1,
        arbitrary: fc.record({ op: fc.constantFrom("rmdir" as const, "mkdir" as const), path: directory }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ op: fc.constant("rename" as const), path: directory, to: directory }),
      },
    );
    fc.assert(
      fc.property(fc.nat(), fc.array(step, { minLength: 1, maxLength: 20, size: "max" }), (seed, steps) => {
        const { disk } = machine(seed);
        const vfs = disk.mount();
        for (const made of ["/d", "/e", "/d/f"]) vfs.makeDirectory(made);
        const whole = new Set<string>();
        for (const path of ["/a", "/b", "/d/a", "/e/b", "/d/f/c"]) {
          const file = vfs.createFile(path);
          put(file, path);
          file.syncData();
          whole.add(path);
        }
        for (const path of ["/", "/d", "/e", "/d/f"]) vfs.syncDirectory(path);
        for (const each of steps) {
          const path = each.path === "" ? "/" : each.path;
          try {
            const lost = "to" in each ? each.to : path;
            const victim = vfs.stat(lost)?.kind === "file" ? contentAt(vfs, lost) : null;
            if (each.op === "rename") vfs.rename(path, each.to);
            else if (each.op === "remove") vfs.removeFile(path);
            else if (each.op === "create") vfs.createFile(path).close();
            else if (each.op === "sync") vfs.syncDirectory(path);
            else if (each.op === "mkdir") vfs.makeDirectory(path);
            else vfs.removeDirectory(path);
            const lasts = each.op === "rename" && path === lost;
            if ((each.op === "rename" || each.op === "remove") && victim !== null && !lasts)
              whole.delete(victim);
          } catch (error) {
            expect(error).toBeInstanceOf(StillwaterError);
          }
        }
        disk.crash("power-loss");
        const found = contents(disk.mount(), "/").filter((content) => whole.has(content));
        expect(found.sort()).toEqual([...whole].sort());
      }),
      { numRuns: 600 },
    );
  });
});

/** All states a file went through, and since when they matter. */
class ByteHistory {
  private readonly states: Uint8Array[] = [new Uint8Array(0)];
  private syncedAt = 0;

  get now(): number {
    return this.states.length - 1;
  }

  write(position: number, length: number, value: number): void {
    const next = this.next(Math.max(this.current.length, position + length));
    next.fill(value, position, position + length);
  }

  truncate(size: number): void {
    this.next(size);
  }

  synced(at: number): void {
    this.syncedAt = Math.max(this.syncedAt, at);
  }

  check(file: VFile): void {
    const states = this.states.slice(this.syncedAt);
    const size = file.size();
    expect(states.map((state) => state.length)).toContain(size);
    // Growing shows that nothing was left beyond the end.
    file.truncate(size + 5000);
    const content = new Uint8Array(size + 5000);
    file.read(content, 0, content.length, 0);
    // Beyond the size it had at a time, a place held the zero that growing would show.
    const wrong = content.findIndex((value, at) =>
      at < size ? !states.some((state) => (state[at] ?? 0) === value) : value !== 0,
    );
    expect(wrong, "first byte that was never there").toBe(-1);
  }

  private get current(): Uint8Array {
    return this.states[this.now] as Uint8Array;
  }

  private next(size: number): Uint8Array {
    const state = new Uint8Array(size);
    state.set(this.current.subarray(0, size));
    this.states.push(state);
    return state;
  }
}

function contents(vfs: VFS, directory: string): string[] {
  return vfs.list(directory).flatMap((name) => {
    const path = joinPath(directory, name);
    return vfs.stat(path)?.kind === "directory" ? contents(vfs, path) : [contentAt(vfs, path) as string];
  });
}
