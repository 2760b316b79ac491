/** Each kind of fault that is decided call by call: that it fires, is counted, and does exactly what it says. */
import { describe, expect, it } from "vitest";
import { type ChoiceStream, Choices } from "../../../sim/choices/choices.js";
import { FAULT_STRIDE, FaultDice } from "../../../sim/disk/fault-dice.js";
import { type DiskFault, type FaultProbabilities, NO_FAULTS } from "../../../sim/disk/options.js";
import type { VFS } from "../../../src/platform/vfs.js";
import {
  codeOf,
  contentAt,
  counted,
  durableFile,
  type Machine,
  type MachineOptions,
  machine,
  outcomes,
  put,
  text,
} from "./machine.js";

const SEEDS = 200;

describe("short transfers", () => {
  it("S30, S31: are completed by the loops of production, to the right bytes", () => {
    const made = machine(1, { faults: { shortRead: 0.7, shortWrite: 0.7 } });
    const file = made.disk.mount().createFile("/a");
    for (let round = 0; round < 20; round++) {
      const source = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 7 + round) & 255);
      file.write(source, 0, source.length, 3);
      const target = new Uint8Array(source.length);
      expect(file.read(target, 0, target.length, 3)).toBe(source.length);
      expect(Buffer.compare(source, target)).toBe(0);
    }
    expect(counted(made, "S30 short read")).toBeGreaterThan(20);
    expect(counted(made, "S31 short write")).toBeGreaterThan(20);
  });

  it("S30: do not change what is read at the end of the file, nor what readLater gives", () => {
    const made = machine(2, { faults: { shortRead: 0.7 } });
    const file = made.disk.mount().createFile("/a");
    put(file, "hello");
    expect(text(file)).toBe("hello");
    expect(file.read(new Uint8Array(9), 0, 9, 3)).toBe(2);
    const answers: [Error | null, number][] = [];
    file.readLater(new Uint8Array(9), 0, 9, 1, (error, bytesRead) => answers.push([error, bytesRead]));
    made.timers.run();
    expect(answers).toEqual([[null, 4]]);
  });
});

describe("errors of reads", () => {
  it("S13: fail one read and not the next, and never of bytes that are only in the cache", () => {
    const made = machine(3, { faults: { readError: 0.5 } });
    const file = made.disk.mount().createFile("/a");
    put(file, "dirty");
    for (let i = 0; i < 50; i++) expect(text(file)).toBe("dirty");
    file.syncData();
    const codes = new Set(Array.from({ length: 50 }, () => codeOf(() => text(file))));
    expect(codes).toEqual(new Set(["ok", "IO"]));
    expect(counted(made, "S13 read error")).toBeGreaterThan(5);
  });

  it("S14: fail all reads of a sector, across restarts, until it is rewritten", () => {
    const made = machine(4, { faults: { latentSector: 1 } });
    const { disk } = made;
    disk.damageAllowed = (path, offset) => path === "/a" && offset === 512;
    let vfs = disk.mount();
    durableFile(vfs, "/a", "x".repeat(2000));
    let file = vfs.openFile("/a", "readWrite");
    const target = new Uint8Array(2000);
    expect(codeOf(() => file.read(target, 0, 100, 600))).toBe("IO");
    disk.crash("power-loss");
    vfs = disk.mount();
    file = vfs.openFile("/a", "readWrite");
    expect(codeOf(() => file.read(target, 0, 2000, 0))).toBe("IO");
    expect(file.read(target, 0, 512, 0)).toBe(512);
    expect(codeOf(() => disk.snapshotDurable().openFile("/a", "read").read(target, 0, 2000, 0))).toBe("IO");
    expect(disk.damage).toEqual([{ kind: "latent-sector", path: "/a", offset: 512, length: 512 }]);
    disk.faultsOff();
    put(file, "y".repeat(512), 512);
    file.syncData();
    expect(file.read(target, 0, 2000, 0)).toBe(2000);
    expect(counted(made, "S14 latent sector")).toBe(1);
  });

  it("S15: flip bits of an allowed sector, the same for every reader and after a restart", () => {
    const flips = outcomes(SEEDS, (seed) => {
      const made = machine(seed, { faults: { bitRot: 1 } });
      const { disk } = made;
      disk.damageAllowed = (_, offset) => offset >= 512 && offset < 1024 && disk.damage.length === 0;
      const vfs = disk.mount();
      durableFile(vfs, "/a", "\0".repeat(4096));
      for (let i = 0; i < 200; i++) contentAt(vfs, "/a");
      const rotten = contentBytes(vfs, "/a");
      const wrong = [...rotten.entries()].filter(([, byte]) => byte !== 0);
      expect(wrong.length).toBeGreaterThan(0);
      expect(wrong.every(([at]) => at >= 512 && at < 1024)).toBe(true);
      expect(disk.damage).toEqual([{ kind: "bit-rot", path: "/a", offset: 512, length: 512 }]);
      disk.crash("power-loss");
      expect(Buffer.compare(contentBytes(disk.mount(), "/a"), rotten)).toBe(0);
      expect(counted(made, "S15 bit rot")).toBe(1);
      return wrong.length === 1 ? "one byte" : "a run";
    });
    expect(flips.get("one byte")).toBeGreaterThan(flips.get("a run") ?? SEEDS);
  });

  it("S14, S15: strike nothing without a budget", () => {
    const made = machine(5, { faults: { bitRot: 0.5, latentSector: 0.5 } });
    const vfs = made.disk.mount();
    durableFile(vfs, "/a", "fine");
    for (let i = 0; i < 50; i++) expect(contentAt(vfs, "/a")).toBe("fine");
    expect(made.disk.damage).toEqual([]);
  });

  it("corrupt flips one bit, in the cache and on the medium, whether synced or not", () => {
    const { disk } = machine(6);
    const vfs = disk.mount();
    durableFile(vfs, "/a", "aaaa");
    disk.corrupt("/a", 1, 1);
    expect(contentAt(vfs, "/a")).toBe("acaa");
    expect(contentAt(disk.snapshotDurable(), "/a")).toBe("acaa");
    put(vfs.openFile("/a", "readWrite"), "bbbb");
    disk.corrupt("/a", 1, 1);
    expect(contentAt(vfs, "/a")).toBe("b`bb");
    expect(contentAt(disk.snapshotDurable(), "/a")).toBe("aaaa");
  });
});

describe("S21: errors of writes", () => {
  it("leave nothing, a prefix or all of it, and nothing else", () => {
    const seen = outcomes(SEEDS, (seed) => {
      const made = machine(seed, { faults: { writeError: 1 } });
      made.disk.faultsOff();
      const file = made.disk.mount().createFile("/a");
      put(file, "old!");
      made.disk.faultsOn();
      expect(codeOf(() => put(file, "new!"))).toBe("IO");
      expect(counted(made, "S21 write error")).toBe(1);
      return text(file);
    });
    expect([...seen.keys()].sort()).toEqual(["ned!", "new!", "nld!", "old!"]);
  });
});

describe("S24: a full disk", () => {
  const SMALL: MachineOptions = { capacityBytes: 4 * 4096 };

  it("takes the part of a write that fits, then refuses with NO_SPACE; reads and overwrites go on", () => {
    const made = machine(1, SMALL);
    const vfs = made.disk.mount();
    const file = vfs.createFile("/a");
    expect(codeOf(() => put(file, "x".repeat(20_000), 100))).toBe("NO_SPACE");
    expect(file.size()).toBe(4 * 4096);
    expect(made.disk.usedBytes).toBe(4 * 4096);
    expect(text(file)).toBe("\0".repeat(100) + "x".repeat(4 * 4096 - 100));
    put(file, "y".repeat(16_384));
    expect(codeOf(() => vfs.createFile("/b"))).toBe("NO_SPACE");
    expect(codeOf(() => vfs.makeDirectory("/d"))).toBe("NO_SPACE");
    expect(vfs.list("/")).toEqual(["a"]);
    expect(counted(made, "S24 no space")).toBe(1);
    expect(counted(made, "S24 no space for a name")).toBe(2);
  });

  it("has space again when a file is freed, by its last name and its last handle", () => {
    const made = machine(1, SMALL);
    const vfs = made.disk.mount();
    const file = vfs.createFile("/a");
    vfs.link("/a", "/b");
    put(file, "x".repeat(16_384));
    vfs.removeFile("/a");
    expect(made.disk.usedBytes).toBe(16_384);
    vfs.removeFile("/b");
    expect(made.disk.usedBytes).toBe(16_384);
    file.close();
    expect(made.disk.usedBytes).toBe(0);
    put(vfs.createFile("/c"), "x".repeat(16_384));
  });

  it("counts pages: truncation frees, holes are free, replaced files are freed, a killed process frees", () => {
    const { disk } = machine(1, { capacityBytes: 100 * 4096 });
    const vfs = disk.mount();
    const file = vfs.createFile("/a");
    file.truncate(1_000_000);
    expect(disk.usedBytes).toBe(0);
    put(file, "x", 500_000);
    put(file, "x", 0);
    expect(disk.usedBytes).toBe(2 * 4096);
    file.truncate(10);
    expect(disk.usedBytes).toBe(4096);
    put(vfs.createFile("/b"), "b");
    vfs.rename("/b", "/a");
    expect(disk.usedBytes).toBe(2 * 4096);
    disk.crash("process-kill");
    expect(disk.usedBytes).toBe(4096);
  });

  it("a power loss that brings files back counts them again", () => {
    const seen = outcomes(SEEDS, (seed) => {
      const { disk } = machine(seed, SMALL);
      const vfs = disk.mount();
      durableFile(vfs, "/a", "x".repeat(16_384));
      vfs.removeFile("/a");
      expect(disk.usedBytes).toBe(0);
      disk.crash("power-loss");
      expect(disk.usedBytes).toBe(disk.mount().list("/").length * 16_384);
      return disk.usedBytes;
    });
    expect(seen.size).toBe(2);
  });

  it("follows its quota as the runner moves it", () => {
    const { disk } = machine(1, SMALL);
    const vfs = disk.mount();
    const file = vfs.createFile("/a");
    disk.setCapacity(0);
    expect(codeOf(() => put(file, "x"))).toBe("NO_SPACE");
    disk.setCapacity(4096);
    put(file, "x");
  });
});

describe("time", () => {
  const inOrder = Array.from({ length: 10 }, (_, i) => i);

  it("S34: calls in flight together complete in any order, or in theirs where the option says so", () => {
    const any = completions(1, { reorderCompletions: true });
    expect(any.order).not.toEqual(inOrder);
    expect([...any.order].sort((a, b) => a - b)).toEqual(inOrder);
    expect(counted(any.made, "S34 reordered completion")).toBeGreaterThan(0);
    const ordered = completions(1, { reorderCompletions: false });
    expect(ordered.order).toEqual(inOrder);
    expect(counted(ordered.made, "S34 reordered completion")).toBe(0);
  });

  it("S33: latencies have their minimum and mean, and stalls multiply them", () => {
    const latency = { minimumMs: 2, meanMs: 10, stallProbability: 0, stallFactor: 100 };
    const times = Array.from({ length: SEEDS }, (_, seed) => completions(seed, { latency }).times).flat();
    expect(Math.min(...times)).toBeGreaterThanOrEqual(2);
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
    expect(mean).toBeGreaterThan(9);
    expect(mean).toBeLessThan(11);
    const stalled = completions(1, { latency: { ...latency, stallProbability: 1 } });
    expect(Math.min(...stalled.times)).toBeGreaterThanOrEqual(200);
    expect(counted(stalled.made, "S33 stall")).toBe(10);
  });

  it("without faults everything takes the least time", () => {
    const made = machine(1, { latency: { minimumMs: 2, meanMs: 10, stallProbability: 1, stallFactor: 100 } });
    made.disk.faultsOff();
    const file = made.disk.mount().createFile("/a");
    file.syncDataLater(() => undefined);
    made.timers.run();
    expect(made.timers.nowMs()).toBe(2);
  });
});

describe("decisions about faults", () => {
  const NAMES = ["readError", "latentSector", "shortRead"] as const;
  const dice = (stream: ChoiceStream, ...[readError = 0, latentSector = 0, shortRead = 0]: number[]) =>
    new FaultDice(stream, NAMES, { ...NO_FAULTS, readError, latentSector, shortRead });

  it("strike as often as their probability says, each with any detail", () => {
    const thrown = dice(Choices.fromSeed("dice").stream("disk.read"), 0.1, 0, 0.3);
    const details = new Set<number>();
    const struck = outcomes(10_000, () => {
      const name = thrown.roll(true);
      if (name !== null) details.add(thrown.detail % 64);
      return name;
    });
    expect(struck.get("latentSector")).toBeUndefined();
    expect(Math.abs((struck.get("readError") as number) - 1000)).toBeLessThan(150);
    expect(Math.abs((struck.get("shortRead") as number) - 3000)).toBeLessThan(250);
    expect(details.size).toBe(64);
  });

  /** The details of fifty rolls, -1 where no fault struck. */
  const fates = (stream: ChoiceStream): number[] => {
    const thrown = dice(stream, 0.2);
    return Array.from({ length: 50 }, () => (thrown.roll(true) === null ? -1 : thrown.detail));
  };

  it("use one choice each, so that taking one away leaves the others where they are", () => {
    const choices = Choices.fromSeed("dice");
    const drawn = fates(choices.stream("disk.read"));
    const log = choices.log();
    expect(fates(Choices.fromLog("dice", log).stream("disk.read"))).toEqual(drawn);
    const [first, ...rest] = log["disk.read"] ?? [];
    const index = first?.[0] as number;
    const without = fates(Choices.fromLog("dice", { "disk.read": rest }).stream("disk.read"));
    expect(drawn[index]).not.toBe(-1);
    expect(without).toEqual(drawn.with(index, -1));
  });

  it("are off where their probability is 0, even if a log says otherwise, and when faults are off", () => {
    const log = { "disk.read": [[0, 1] as const] };
    const roll = (probability: number, enabled: boolean) =>
      dice(Choices.fromLog("x", log).stream("disk.read"), probability, 0.5).roll(enabled);
    expect([roll(0.1, true), roll(0, true), roll(0.1, false)]).toEqual(["readError", null, null]);
  });

  it("keep their meaning in logs when a list of faults grows, and what a list does not have is no fault", () => {
    const log = {
      "disk.read": [3, 2, 60].map((number, at) => [at, 1 + number + FAULT_STRIDE * 77] as const),
    };
    const read = (names: readonly DiskFault[]) => {
      const thrown = new FaultDice(Choices.fromLog("x", log).stream("disk.read"), names, ALL_FAULTS);
      return [0, 1, 2].map(() => [thrown.roll(true), thrown.detail]);
    };
    const grown = read([...NAMES, "bitRot"]);
    expect(grown).toEqual([
      ["bitRot", 77],
      ["shortRead", 77],
      [null, 77],
    ]);
    expect(read(NAMES)).toEqual(grown.with(0, [null, 77]));
  });
});

const ALL_FAULTS = Object.fromEntries(
  Object.keys(NO_FAULTS).map((name) => [name, 0.01]),
) as unknown as FaultProbabilities;

function contentBytes(vfs: VFS, path: string): Uint8Array {
  const file = vfs.openFile(path, "read");
  const content = new Uint8Array(file.size());
  file.read(content, 0, content.length, 0);
  file.close();
  return content;
}

/** Submits ten syncs and gives the order in which they complete, and when. */
function completions(
  seed: number,
  options: MachineOptions,
): { order: number[]; made: Machine; times: number[] } {
  const made = machine(seed, options);
  const file = made.disk.mount().createFile("/a");
  const order: number[] = [];
  const times: number[] = [];
  for (let i = 0; i < 10; i++) {
    file.syncDataLater(() => {
      order.push(i);
      times.push(made.timers.nowMs());
    });
  }
  made.timers.run();
  return { order, made, times };
}
