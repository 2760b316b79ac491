/**
 * The simulator tested first (oracle O29): of each kind of unsynced thing, that a power loss takes it in some seeds and
 * keeps it in others, and that no other state is ever seen.
 */
import { describe, expect, it } from "vitest";
import type { VFS } from "../../../src/platform/vfs.js";
import {
  after,
  contentAt,
  durableFile,
  type MachineOptions,
  machine,
  outcomes,
  put,
  TORN,
  WHOLE,
} from "./machine.js";

const SEEDS = 300;

describe("what may survive and may not: both are seen", () => {
  it("S6: a create, with synced data", () => {
    sees(
      [null, "a"],
      (vfs) => {
        const file = vfs.createFile("/a");
        put(file, "a");
        file.syncData();
      },
      a,
    );
  });

  it("S7: an unlink", () => {
    sees(
      [null, "a"],
      (vfs) => {
        durableFile(vfs, "/a", "a");
        vfs.removeFile("/a");
      },
      a,
    );
  });

  it("S9: a rename, to a free name and over another file", () => {
    sees(
      [["a"], ["b"]],
      (vfs) => {
        durableFile(vfs, "/a", "a");
        vfs.rename("/a", "/b");
      },
      listRoot,
    );
    const expected = [
      ["new", "old"],
      [null, "new"],
    ];
    sees(
      expected,
      (vfs) => {
        durableFile(vfs, "/a", "new");
        durableFile(vfs, "/b", "old");
        vfs.rename("/a", "/b");
      },
      (vfs) => [contentAt(vfs, "/a"), contentAt(vfs, "/b")],
    );
  });

  it("S9: a rename between directories, whole or not, and made durable by the sync of either", () => {
    const before = [["a", "d"], []];
    const moved = [["d"], ["a"]];
    sees([before, moved], (vfs) => moveBetween(vfs, []), listBoth);
    sees([moved], (vfs) => moveBetween(vfs, ["/"]), listBoth);
    sees([moved], (vfs) => moveBetween(vfs, ["/d"]), listBoth);
  });

  it("S9: a rename before the data of the new file", () => {
    sees(
      ["old", "", "\0\0\0", "new"],
      (vfs) => {
        durableFile(vfs, "/a", "old");
        const file = vfs.createFile("/tmp");
        put(file, "new");
        vfs.rename("/tmp", "/a");
      },
      a,
    );
  });

  it("S8: an unlink before an earlier rename", () => {
    const expected = [
      ["1", "1"],
      ["2", "1"],
      ["1", null],
      ["2", null],
    ];
    sees(
      expected,
      (vfs) => {
        durableFile(vfs, "/manifest-1", "1");
        durableFile(vfs, "/current", "1");
        durableFile(vfs, "/tmp", "2");
        vfs.rename("/tmp", "/current");
        vfs.removeFile("/manifest-1");
      },
      (vfs) => [contentAt(vfs, "/current"), contentAt(vfs, "/manifest-1")],
    );
  });

  it("a link, a new directory and the removal of one", () => {
    sees(
      [["a"], ["a", "b"]],
      (vfs) => {
        durableFile(vfs, "/a", "a");
        vfs.link("/a", "/b");
      },
      listRoot,
    );
    sees([[], ["d"]], (vfs) => vfs.makeDirectory("/d"), listRoot);
    sees(
      [[], ["d"]],
      (vfs) => {
        vfs.makeDirectory("/d");
        vfs.syncDirectory("/");
        vfs.removeDirectory("/d");
      },
      listRoot,
    );
  });

  it("operations on one name survive only in their order", () => {
    const expected = [
      ["1", null],
      [null, null],
      ["2", null],
      [null, "2"],
    ];
    sees(
      expected,
      (vfs) => {
        durableFile(vfs, "/a", "1");
        vfs.removeFile("/a");
        const file = vfs.createFile("/a");
        put(file, "2");
        file.syncData();
        vfs.rename("/a", "/b");
      },
      (vfs) => [contentAt(vfs, "/a"), contentAt(vfs, "/b")],
    );
  });

  it("a synced directory is lost with all that is in it while its own name is not synced", () => {
    sees(
      [null, "", "\0", "a"],
      (vfs) => {
        vfs.makeDirectory("/d");
        put(vfs.createFile("/d/a"), "a");
        vfs.syncDirectory("/d");
      },
      (vfs) => contentAt(vfs, "/d/a"),
    );
  });

  it("S2: an overwrite", () => {
    sees(
      ["old", "new"],
      (vfs) => {
        durableFile(vfs, "/a", "old");
        rewrite(vfs, "/a", "new");
      },
      a,
    );
  });

  it("S4: any of the versions of a page", () => {
    sees(
      ["old", "one", "two", "six"],
      (vfs) => {
        durableFile(vfs, "/a", "old");
        rewrite(vfs, "/a", "one", "two", "six");
      },
      a,
    );
  });

  it("S3: writes to two files and to two pages, in any order", () => {
    sees(
      ["00", "01", "10", "11"],
      (vfs) => {
        durableFile(vfs, "/a", "0");
        durableFile(vfs, "/b", "0");
        rewrite(vfs, "/a", "1");
        rewrite(vfs, "/b", "1");
      },
      (vfs) => `${a(vfs)}${contentAt(vfs, "/b")}`,
    );
    sees(
      ["00", "01", "10", "11"],
      (vfs) => {
        durableFile(vfs, "/a", "0".repeat(8192));
        rewrite(vfs, "/a", "1".repeat(8192));
      },
      (vfs) => `${a(vfs)?.[0]}${a(vfs)?.[8191]}`,
    );
  });

  it("S5: a size without its data, and data without its size", () => {
    sees(
      ["ab", "abcd", "ab\0\0"],
      (vfs) => {
        durableFile(vfs, "/a", "ab");
        const file = vfs.openFile("/a", "readWrite");
        put(file, "cd", 2);
      },
      a,
    );
  });

  it("S5: what a size without data shows follows the option, and synced bytes stay", () => {
    sees(["ab", "abXXXX", "abcret"], growAfterDelete, a, { ...WHOLE, holeContent: "stale" });
    const seen = outcomes(SEEDS, (seed) =>
      after(seed, "power-loss", growAfterDelete, a, { holeContent: "garbage" }),
    );
    expect(seen.size).toBeGreaterThan(4);
    for (const content of seen.keys()) expect(content).toMatch(/^ab/);
  });

  it("S11: a truncation, undone or done, with or without what was appended after it", () => {
    // Size 6, 2 or 4; page as before, cut, or cut and appended to.
    const expected = ["abcdef", "ab\0\0\0\0", "abXY\0\0", "ab", "abcd", "ab\0\0", "abXY"];
    sees(
      expected,
      (vfs) => {
        durableFile(vfs, "/a", "abcdef");
        const file = vfs.openFile("/a", "readWrite");
        file.truncate(2);
        put(file, "XY", 2);
      },
      a,
    );
  });

  it("a sync in flight: nothing, some or all of what it covers", () => {
    const seen = outcomes(SEEDS, (seed) => {
      return after(
        seed,
        "power-loss",
        (vfs) => {
          durableFile(vfs, "/a", "0".repeat(8192));
          const file = vfs.openFile("/a", "readWrite");
          put(file, "1".repeat(8192));
          file.syncDataLater(() => expect.unreachable("a completion after a crash"));
        },
        (vfs) => `${a(vfs)?.[0]}${a(vfs)?.[8191]}`,
        WHOLE,
      );
    });
    expect([...seen.keys()].sort()).toEqual(["00", "01", "10", "11"]);
  });

  it("S1: a page torn at sectors, as prefix, suffix, any sectors, and within a sector", () => {
    const shapes = new Set<string>();
    for (let seed = 0; seed < SEEDS; seed++) {
      const page = after(
        seed,
        "power-loss",
        (vfs) => {
          durableFile(vfs, "/a", "0".repeat(4096));
          rewrite(vfs, "/a", "1".repeat(4096));
        },
        a,
        TORN,
      ) as string;
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
    const unsafe: MachineOptions = {
      powersafeOverwrite: false,
      collateralProbability: 1,
      tearProbability: 0,
    };
    let damaged = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const content = Buffer.from(after(seed, "power-loss", overwriteOneByte, rawContent, unsafe));
      const outside = Buffer.concat([content.subarray(0, 512), content.subarray(1024)]).toString();
      expect(outside).toBe("s".repeat(1536));
      if (content.subarray(512, 1024).some((byte, at) => at !== 188 && byte !== "s".charCodeAt(0))) damaged++;
      expect(after(seed, "power-loss", overwriteOneByte, a, { ...unsafe, powersafeOverwrite: true })).toMatch(
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

function listRoot(vfs: VFS): string[] {
  return vfs.list("/");
}

function a(vfs: VFS): string | null {
  return contentAt(vfs, "/a");
}

function rewrite(vfs: VFS, path: string, ...contents: string[]): void {
  const file = vfs.openFile(path, "readWrite");
  for (const content of contents) put(file, content);
  file.close();
}

function rawContent(vfs: VFS): Uint8Array {
  const file = vfs.openFile("/a", "read");
  const content = new Uint8Array(file.size());
  file.read(content, 0, content.length, 0);
  return content;
}

/** A durable file moves to another durable directory, then these are synced. */
function moveBetween(vfs: VFS, synced: string[]): void {
  vfs.makeDirectory("/d");
  durableFile(vfs, "/a", "a");
  vfs.rename("/a", "/d/a");
  for (const path of synced) vfs.syncDirectory(path);
}

/** A file grows, unsynced, after another was deleted. */
function growAfterDelete(vfs: VFS): void {
  durableFile(vfs, "/gone", "secret");
  vfs.openFile("/gone", "read").close();
  vfs.removeFile("/gone");
  durableFile(vfs, "/a", "ab");
  put(vfs.openFile("/a", "readWrite"), "XXXX", 2);
}

/** One byte of a durable sector is overwritten, unsynced. */
function overwriteOneByte(vfs: VFS): void {
  durableFile(vfs, "/a", "s".repeat(2048));
  put(vfs.openFile("/a", "readWrite"), "W", 700);
}

function listBoth(vfs: VFS): string[][] {
  return [vfs.list("/"), vfs.list("/d")];
}
