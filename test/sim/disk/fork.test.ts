/** Copies of a simulated disk: as it stands, and as a given power loss would leave it (for explorers and lints). */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Choices } from "../../../sim/choices/choices.js";
import { itemText } from "../../../sim/disk/crash-items.js";
import type { SimulationDisk } from "../../../sim/disk/simulation-disk.js";
import { Trace } from "../../../sim/trace/trace.js";
import { StillwaterError } from "../../../src/platform/errors.js";
import type { VFS } from "../../../src/platform/vfs.js";
import { contentAt, durableFile, ManualTimers, machine, put } from "./machine.js";

const NAMES = ["/a", "/b", "/d/a", "/d/b"] as const;
/** Tears of pages are part of the answers: state + alternatives * tear. */
const ANSWER_MAX = 5000;

type Step =
  | { readonly kind: "create" | "sync" | "unlink"; readonly name: string }
  | { readonly kind: "write"; readonly name: string; readonly position: number; readonly text: string }
  | { readonly kind: "truncate"; readonly name: string; readonly size: number }
  | { readonly kind: "rename" | "link"; readonly name: string; readonly to: string }
  | { readonly kind: "syncDirectory"; readonly name: string };

const name = fc.constantFrom(...NAMES);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom("create", "sync", "unlink"), name }),
  fc.record({
    kind: fc.constant("write"),
    name,
    position: fc.constantFrom(0, 1, 500, 4090, 9000),
    text: fc.constantFrom("x", "yy", "z".repeat(600), "w".repeat(5000)),
  }),
  fc.record({ kind: fc.constant("truncate"), name, size: fc.constantFrom(0, 3, 4096, 6000) }),
  fc.record({ kind: fc.constantFrom("rename", "link"), name, to: name }),
  fc.record({ kind: fc.constant("syncDirectory"), name: fc.constantFrom("/", "/d") }),
) as fc.Arbitrary<Step>;
const steps = fc.array(step, { maxLength: 14 });
const answers = fc.array(fc.oneof(fc.constant(0), fc.nat(ANSWER_MAX)), { maxLength: 24 });

/** What a file system refuses, it refuses in the same way each time. */
function take(vfs: VFS, one: Step): void {
  try {
    if (one.kind === "create") vfs.createFile(one.name).close();
    else if (one.kind === "unlink") vfs.removeFile(one.name);
    else if (one.kind === "rename") vfs.rename(one.name, one.to);
    else if (one.kind === "link") vfs.link(one.name, one.to);
    else if (one.kind === "syncDirectory") vfs.syncDirectory(one.name);
    else {
      const file = vfs.openFile(one.name, "readWrite");
      if (one.kind === "write") put(file, one.text, one.position);
      else if (one.kind === "truncate") file.truncate(one.size);
      else file.syncData();
      file.close();
    }
  } catch (error) {
    if (!(error instanceof StillwaterError)) throw error;
  }
}

/** A disk on which these things happened; `/d` is there and durable. */
function diskAfter(happened: readonly Step[], crash: readonly number[] = []): SimulationDisk {
  const log = { crash: crash.flatMap((answer, index) => (answer === 0 ? [] : [[index, answer] as const])) };
  const { disk } = machine("fork", {}, log);
  const vfs = disk.mount();
  vfs.makeDirectory("/d");
  vfs.syncDirectory("/");
  for (const one of happened) take(vfs, one);
  return disk;
}

/** Names and bytes as processes see them, and what is durable. Ends the process that is there. */
function everything(disk: SimulationDisk): unknown {
  const durable = disk.hashDurable();
  const items = disk.crashItems().map(itemText);
  disk.crash("process-kill");
  const vfs = disk.mount();
  const content =
    [...vfs.list("/"), ...vfs.list("/d")].join() + NAMES.map((path) => contentAt(vfs, path)).join("|");
  return { durable, items, content, used: disk.usedBytes };
}

function forkOf(disk: SimulationDisk): SimulationDisk {
  return disk.fork(Choices.fromLog("fork", {}), new Trace(), new ManualTimers());
}

describe("a fork of a disk", () => {
  it("sees nothing of what happens to the original afterwards, and the other way round", () => {
    fc.assert(
      fc.property(steps, steps, steps, answers, (before, there, here, crash) => {
        const disk = diskAfter(before, crash);
        const fork = forkOf(disk);
        const forkVfs = fork.mount();
        for (const one of there) take(forkVfs, one);
        disk.crash("process-kill");
        const vfs = disk.mount();
        for (const one of here) take(vfs, one);
        expect(everything(fork)).toEqual(everything(diskAfter([...before, ...there])));
        const alone = diskAfter([...before, ...here], crash);
        expect(everything(disk)).toEqual(everything(alone));
        disk.crash("power-loss");
        alone.crash("power-loss");
        expect(everything(disk)).toEqual(everything(alone));
      }),
      { numRuns: 300 },
    );
  });

  it("keeps the versions of a page although the original goes on to forget its oldest ones", () => {
    const { disk } = machine("versions");
    const vfs = disk.mount();
    durableFile(vfs, "/a", "0");
    const file = vfs.openFile("/a", "readWrite");
    for (const version of "1234") put(file, version);
    const fork = forkOf(disk);
    for (const version of "56789") put(file, version);
    expect(statesOf(fork, (there) => contentAt(there, "/a"))).toEqual(["0", "1", "2", "3", "4"]);
  });

  it("has no process: what one held open or locked is free there", async () => {
    const { disk } = machine("free");
    const vfs = disk.mount();
    const file = vfs.createFile("/a");
    put(file, "x");
    vfs.removeFile("/a");
    await vfs.lockDirectory("/");
    const fork = forkOf(disk);
    expect(fork.usedBytes).toBe(0);
    await expect(fork.mount().lockDirectory("/")).resolves.toBeDefined();
    expect(disk.usedBytes).toBe(4096);
  });
});

describe("a crashed copy", () => {
  it("is what the crash with the same answers leaves, and the original is as it was", () => {
    fc.assert(
      fc.property(steps, answers, (before, crash) => {
        const disk = diskAfter(before, crash);
        const untouched = disk.hashDurable();
        const copy = disk.crashedCopy(crash);
        expect(disk.hashDurable()).toBe(untouched);
        disk.crash("power-loss");
        expect(copy.hashDurable()).toBe(disk.hashDurable());
        expect(everything(copy)).toEqual(everything(disk));
      }),
      { numRuns: 500 },
    );
  });

  it("holds the garbage of the crash that it stands for, where unwritten blocks show garbage", () => {
    const { disk } = machine("garbage", { holeContent: "garbage" }, { crash: [[1, 1]] });
    const vfs = disk.mount();
    durableFile(vfs, "/a", "ab");
    put(vfs.openFile("/a", "readWrite"), "XXXX", 2);
    const copy = disk.crashedCopy([0, 1]);
    disk.crash("power-loss");
    expect(contentAt(copy.mount(), "/a")).toBe(contentAt(disk.mount(), "/a"));
  });

  it("over all answers is each legal state and no other", () => {
    const size = statesAfter((vfs) => {
      durableFile(vfs, "/a", "ab");
      put(vfs.openFile("/a", "readWrite"), "cd", 2);
    });
    expect(size).toEqual(["ab", "ab\0\0", "abcd"]);
    const truncated = statesAfter((vfs) => {
      durableFile(vfs, "/a", "abcdef");
      const file = vfs.openFile("/a", "readWrite");
      file.truncate(2);
      put(file, "XY", 2);
    });
    expect(truncated).toEqual(["ab", "ab\0\0", "ab\0\0\0\0", "abXY", "abXY\0\0", "abcd", "abcdef"]);
    const renamed = statesAfter((vfs) => {
      durableFile(vfs, "/a", "old");
      put(vfs.createFile("/tmp"), "new");
      vfs.rename("/tmp", "/a");
    });
    expect(renamed).toEqual(["", "\0\0\0", "new", "old"]);
  });
});

describe("what a crash would decide", () => {
  it("is said in words: names, sizes, and the bytes that differ", () => {
    const { disk } = machine("words");
    const vfs = disk.mount();
    durableFile(vfs, "/a", "old");
    vfs.makeDirectory("/d");
    put(vfs.createFile("/d/new"), "12");
    vfs.rename("/a", "/d/a");
    put(vfs.openFile("/d/a", "readWrite"), "d..!", 2);
    expect(disk.crashItems().map(itemText)).toEqual([
      "mkdir /d",
      "create /d/new",
      "rename /a -> /d/a",
      "size of /d/a from 3 to 6",
      "bytes 3 to 6 of /d/a",
      "size of /d/new from 0 to 2",
      "bytes 0 to 2 of /d/new",
    ]);
    expect(disk.crashItems().map(({ sequences }) => sequences.length + 1)).toEqual(disk.crashAlternatives());
  });
});

function statesAfter(life: (vfs: VFS) => void): string[] {
  const { disk } = machine("legal");
  life(disk.mount());
  return statesOf(disk, (vfs) => contentAt(vfs, "/a") ?? "(none)");
}

/** What is seen after each power loss that may come now, sorted. */
function statesOf(disk: SimulationDisk, look: (vfs: VFS) => string | null): string[] {
  const alternatives = disk.crashAlternatives();
  const seen = new Set<string>();
  const visit = (chosen: readonly number[]): void => {
    if (chosen.length < alternatives.length) {
      const count = alternatives[chosen.length] as number; // in range
      for (let answer = 0; answer < count; answer++) visit([...chosen, answer]);
      return;
    }
    seen.add(look(disk.crashedCopy(chosen).mount()) ?? "(none)");
  };
  visit([]);
  return [...seen].sort();
}
