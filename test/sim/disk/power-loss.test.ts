/**
 * The simulator tested first (oracle O29): what a crash must keep it keeps, and what it may lose it does lose in some
 * seeds and keeps in others.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CrashKind, SimulationDisk } from "../../../sim/disk/simulation-disk.js";
import { StillwaterError } from "../../../src/platform/errors.js";
import { joinPath } from "../../../src/platform/path.js";
import type { VFile, VFS } from "../../../src/platform/vfs.js";
import { contentAt, durableFile, type MachineOptions, machine, outcomes, put } from "./machine.js";

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
      fc.record({
        op: fc.constant("write" as const),
        position: fc.nat(9000),
        length: fc.integer({ min: 1, max: 5000 }),
      }),
      fc.record({ op: fc.constant("truncate" as const), size: fc.nat(9000) }),
      fc.record({ op: fc.constantFrom("sync" as const, "sync later" as const, "kill" as const) }),
    );
    fc.assert(
      fc.property(fc.nat(), fc.array(step, { minLength: 1, maxLength: 25 }), (seed, steps) => {
        const { disk, timers } = machine(seed, TORN);
        const vfs = disk.mount();
        let file = vfs.createFile("/a");
        vfs.syncDirectory("/");
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
      { numRuns: 400 },
    );
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
      { numRuns: 1500 },
    );
  });
});

describe("what may survive and may not: both are seen", () => {
  /** Expects exactly these outcomes over the seeds. */
  function sees<Seen>(
    expected: Seen[],
    life: (vfs: VFS) => void,
    look: (vfs: VFS) => Seen,
    options = WHOLE,
  ): void {
    const seen = outcomes(SEEDS, (seed) => JSON.stringify(after(seed, "power-loss", life, look, options)));
    expect([...seen.keys()].sort()).toEqual(expected.map((each) => JSON.stringify(each)).sort());
  }
  const listRoot = (vfs: VFS) => vfs.list("/");
  const a = (vfs: VFS) => contentAt(vfs, "/a");
  const rewrite = (vfs: VFS, path: string, ...contents: string[]) => {
    const file = vfs.openFile(path, "readWrite");
    for (const content of contents) put(file, content);
    file.close();
  };

  it("S6: a create, with synced data", () => {
    const life = (vfs: VFS) => {
      const file = vfs.createFile("/a");
      put(file, "a");
      file.syncData();
    };
    sees([null, "a"], life, a);
  });

  it("S7: an unlink", () => {
    const life = (vfs: VFS) => {
      durableFile(vfs, "/a", "a");
      vfs.removeFile("/a");
    };
    sees([null, "a"], life, a);
  });

  it("S9: a rename, to a free name and over another file", () => {
    const toFree = (vfs: VFS) => {
      durableFile(vfs, "/a", "a");
      vfs.rename("/a", "/b");
    };
    sees([["a"], ["b"]], toFree, listRoot);
    const over = (vfs: VFS) => {
      durableFile(vfs, "/a", "new");
      durableFile(vfs, "/b", "old");
      vfs.rename("/a", "/b");
    };
    const both = (vfs: VFS) => [contentAt(vfs, "/a"), contentAt(vfs, "/b")];
    const expected = [
      ["new", "old"],
      [null, "new"],
    ];
    sees(expected, over, both);
  });

  it("S9: a rename between directories, whole or not, and made durable by the sync of either", () => {
    const life = (vfs: VFS, synced: string[]) => {
      vfs.makeDirectory("/d");
      durableFile(vfs, "/a", "a");
      vfs.rename("/a", "/d/a");
      for (const path of synced) vfs.syncDirectory(path);
    };
    const look = (vfs: VFS) => [vfs.list("/"), vfs.list("/d")];
    const before = [["a", "d"], []];
    const moved = [["d"], ["a"]];
    sees([before, moved], (vfs) => life(vfs, []), look);
    sees([moved], (vfs) => life(vfs, ["/"]), look);
    sees([moved], (vfs) => life(vfs, ["/d"]), look);
  });

  it("S9: a rename before the data of the new file", () => {
    const life = (vfs: VFS) => {
      durableFile(vfs, "/a", "old");
      const file = vfs.createFile("/tmp");
      put(file, "new");
      vfs.rename("/tmp", "/a");
    };
    sees(["old", "", "\0\0\0", "new"], life, a);
  });

  it("S8: an unlink before an earlier rename", () => {
    const life = (vfs: VFS) => {
      durableFile(vfs, "/manifest-1", "1");
      durableFile(vfs, "/current", "1");
      durableFile(vfs, "/tmp", "2");
      vfs.rename("/tmp", "/current");
      vfs.removeFile("/manifest-1");
    };
    const look = (vfs: VFS) => [contentAt(vfs, "/current"), contentAt(vfs, "/manifest-1")];
    const expected = [
      ["1", "1"],
      ["2", "1"],
      ["1", null],
      ["2", null],
    ];
    sees(expected, life, look);
  });

  it("a link, a new directory and the removal of one", () => {
    const link = (vfs: VFS) => {
      durableFile(vfs, "/a", "a");
      vfs.link("/a", "/b");
    };
    sees([["a"], ["a", "b"]], link, listRoot);
    sees([[], ["d"]], (vfs) => vfs.makeDirectory("/d"), listRoot);
    const remove = (vfs: VFS) => {
      vfs.makeDirectory("/d");
      vfs.syncDirectory("/");
      vfs.removeDirectory("/d");
    };
    sees([[], ["d"]], remove, listRoot);
  });

  it("operations on one name survive only in their order", () => {
    const life = (vfs: VFS) => {
      durableFile(vfs, "/a", "1");
      vfs.removeFile("/a");
      const file = vfs.createFile("/a");
      put(file, "2");
      file.syncData();
      vfs.rename("/a", "/b");
    };
    const look = (vfs: VFS) => [contentAt(vfs, "/a"), contentAt(vfs, "/b")];
    const expected = [
      ["1", null],
      [null, null],
      ["2", null],
      [null, "2"],
    ];
    sees(expected, life, look);
  });

  it("a synced directory is lost with all that is in it while its own name is not synced", () => {
    const life = (vfs: VFS) => {
      vfs.makeDirectory("/d");
      vfs.createFile("/d/a");
      vfs.syncDirectory("/d");
    };
    sees([null, ["a"]], life, (vfs) => (vfs.stat("/d") === null ? null : vfs.list("/d")));
  });

  it("S2: an overwrite", () => {
    const life = (vfs: VFS) => {
      durableFile(vfs, "/a", "old");
      rewrite(vfs, "/a", "new");
    };
    sees(["old", "new"], life, a);
  });

  it("S4: any of the versions of a page", () => {
    const life = (vfs: VFS) => {
      durableFile(vfs, "/a", "old");
      rewrite(vfs, "/a", "one", "two", "six");
    };
    sees(["old", "one", "two", "six"], life, a);
  });

  it("S3: writes to two files and to two pages, in any order", () => {
    const files = (vfs: VFS) => {
      durableFile(vfs, "/a", "0");
      durableFile(vfs, "/b", "0");
      rewrite(vfs, "/a", "1");
      rewrite(vfs, "/b", "1");
    };
    sees(["00", "01", "10", "11"], files, (vfs) => `${a(vfs)}${contentAt(vfs, "/b")}`);
    const pages = (vfs: VFS) => {
      durableFile(vfs, "/a", "0".repeat(8192));
      rewrite(vfs, "/a", "1".repeat(8192));
    };
    sees(["00", "01", "10", "11"], pages, (vfs) => `${a(vfs)?.[0]}${a(vfs)?.[8191]}`);
  });

  it("S5: a size without its data, and data without its size", () => {
    const life = (vfs: VFS) => {
      durableFile(vfs, "/a", "ab");
      const file = vfs.openFile("/a", "readWrite");
      put(file, "cd", 2);
    };
    sees(["ab", "abcd", "ab\0\0"], life, a);
  });

  it("S5: what a size without data shows follows the option, and synced bytes stay", () => {
    const life = (vfs: VFS) => {
      durableFile(vfs, "/gone", "secret");
      vfs.openFile("/gone", "read").close();
      vfs.removeFile("/gone");
      durableFile(vfs, "/a", "ab");
      put(vfs.openFile("/a", "readWrite"), "XXXX", 2);
    };
    sees(["ab", "abXXXX", "abcret"], life, a, { ...WHOLE, holeContent: "stale" });
    const seen = outcomes(SEEDS, (seed) => after(seed, "power-loss", life, a, { holeContent: "garbage" }));
    expect(seen.size).toBeGreaterThan(4);
    for (const content of seen.keys()) expect(content).toMatch(/^ab/);
  });

  it("S11: a truncation, undone or done, with or without what was appended after it", () => {
    const life = (vfs: VFS) => {
      durableFile(vfs, "/a", "abcdef");
      const file = vfs.openFile("/a", "readWrite");
      file.truncate(2);
      put(file, "XY", 2);
    };
    // Size 6, 2 or 4; page as before, cut, or cut and appended to.
    const expected = ["abcdef", "ab\0\0\0\0", "abXY\0\0", "ab", "abcd", "ab\0\0", "abXY"];
    sees(expected, life, a);
  });

  it("a sync in flight: nothing, some or all of what it covers", () => {
    const seen = outcomes(SEEDS, (seed) => {
      const life = (vfs: VFS) => {
        durableFile(vfs, "/a", "0".repeat(8192));
        const file = vfs.openFile("/a", "readWrite");
        put(file, "1".repeat(8192));
        file.syncDataLater(() => expect.unreachable("a completion after a crash"));
      };
      return after(seed, "power-loss", life, (vfs) => `${a(vfs)?.[0]}${a(vfs)?.[8191]}`, WHOLE);
    });
    expect([...seen.keys()].sort()).toEqual(["00", "01", "10", "11"]);
  });

  it("S1: a page torn at sectors, as prefix, suffix, any sectors, and within a sector", () => {
    const shapes = new Set<string>();
    for (let seed = 0; seed < SEEDS; seed++) {
      const life = (vfs: VFS) => {
        durableFile(vfs, "/a", "0".repeat(4096));
        rewrite(vfs, "/a", "1".repeat(4096));
      };
      const page = after(seed, "power-loss", life, a, TORN) as string;
      const halves = Array.from({ length: 16 }, (_, half) => page.slice(half * 256, (half + 1) * 256));
      for (const half of halves) expect(half).toMatch(/^(0+|1+)$/);
      const bits = halves.map((half) => half[0]).join("");
      const sectors = bits.match(/../g) ?? [];
      if (sectors.some((sector) => sector === "10" || sector === "01")) shapes.add("within a sector");
      else if (/^1+0+$/.test(bits)) shapes.add("prefix");
      else if (/^0+1+$/.test(bits)) shapes.add("suffix");
      else if (/01+0|10+1/.test(bits)) shapes.add("any");
    }
    expect([...shapes].sort()).toEqual(["any", "prefix", "suffix", "within a sector"]);
  });

  it("S12: bytes beside an unsynced write, only in its sector, only without powersafe overwrite", () => {
    const life = (vfs: VFS) => {
      durableFile(vfs, "/a", "s".repeat(2048));
      put(vfs.openFile("/a", "readWrite"), "W", 700);
    };
    const unsafe: MachineOptions = {
      powersafeOverwrite: false,
      collateralProbability: 1,
      tearProbability: 0,
    };
    let damaged = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const content = Buffer.from(after(seed, "power-loss", life, rawContent, unsafe));
      for (let at = 0; at < 2048; at++) {
        if (at >= 512 && at < 1024) continue;
        expect(content[at]).toBe("s".charCodeAt(0));
      }
      if (content.subarray(512, 1024).some((byte, at) => at !== 188 && byte !== "s".charCodeAt(0))) damaged++;
      expect(after(seed, "power-loss", life, a, { ...unsafe, powersafeOverwrite: true })).toMatch(
        /^s{700}[sW]s{1347}$/,
      );
    }
    expect(damaged).toBe(SEEDS);
  });

  it("each kind that a crash can cause is counted", () => {
    const counted = new Map<string, number>();
    for (let seed = 0; seed < SEEDS; seed++) {
      const { disk } = machine(seed, { powersafeOverwrite: false, collateralProbability: 0.2 });
      const vfs = disk.mount();
      durableFile(vfs, "/a", "0".repeat(9000));
      durableFile(vfs, "/b", "b");
      durableFile(vfs, "/c", "c");
      rewrite(vfs, "/a", "1".repeat(8192), "2".repeat(4096));
      vfs.openFile("/a", "readWrite").truncate(5000);
      put(vfs.createFile("/d"), "d".repeat(5000));
      vfs.rename("/d", "/b");
      vfs.removeFile("/c");
      disk.crash("power-loss");
      for (const [kind, count] of Object.entries(disk.counters.faults)) {
        counted.set(kind, (counted.get(kind) ?? 0) + count);
      }
    }
    const crashKinds = [...counted.keys()].filter((kind) => /^S([1-9]|11|12) /.test(kind));
    expect(crashKinds).toHaveLength(12);
    for (const kind of crashKinds) expect(counted.get(kind), kind).toBeGreaterThan(0);
  });
});

/** What each place of a file held since the last sync, the end of the file included. */
class ByteHistory {
  private current: number[] = [];
  private places: Set<number>[] = [];
  private sizes = new Set([0]);

  write(position: number, length: number, value: number): void {
    while (this.current.length < position) this.current.push(0);
    for (let at = position; at < position + length; at++) this.current[at] = value;
    this.note();
  }

  truncate(size: number): void {
    this.current.length = Math.min(this.current.length, size);
    while (this.current.length < size) this.current.push(0);
    this.note();
  }

  sync(): void {
    this.places = this.current.map((value) => new Set([value]));
    this.sizes = new Set([this.current.length]);
  }

  check(file: VFile): void {
    const size = file.size();
    const content = new Uint8Array(size);
    file.read(content, 0, size, 0);
    expect(this.sizes).toContain(size);
    // Beyond the size it had at a time, a place held the zero that growing would show.
    const wrong = content.findIndex((value, at) => !(this.places[at]?.has(value) ?? value === 0));
    expect(wrong, "first byte that was never there").toBe(-1);
  }

  private note(): void {
    this.sizes.add(this.current.length);
    for (let at = 0; at < Math.max(this.current.length, this.places.length); at++) {
      let place = this.places[at];
      if (place === undefined) {
        place = new Set([0]);
        this.places[at] = place;
      }
      place.add(this.current[at] ?? 0);
    }
  }
}

function contents(vfs: VFS, directory: string): string[] {
  return vfs.list(directory).flatMap((name) => {
    const path = joinPath(directory, name);
    return vfs.stat(path)?.kind === "directory" ? contents(vfs, path) : [contentAt(vfs, path) as string];
  });
}

function rawContent(vfs: VFS): Uint8Array {
  const file = vfs.openFile("/a", "read");
  const content = new Uint8Array(file.size());
  file.read(content, 0, content.length, 0);
  return content;
}
