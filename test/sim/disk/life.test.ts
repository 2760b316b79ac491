/** Process lives: what ends with one, what the disk shows to the runner, and that everything can be repeated. */
import { describe, expect, it } from "vitest";
import type { ChoiceLog } from "../../../sim/choices/choices.js";
import { Sfc32 } from "../../../sim/choices/random.js";
import { SimulatedCrash } from "../../../sim/disk/errors.js";
import { StillwaterError } from "../../../src/platform/errors.js";
import type { VFile } from "../../../src/platform/vfs.js";
import { contentAt, durableFile, type Machine, type MachineOptions, machine, put } from "./machine.js";

describe("the end of a life", () => {
  it("makes every later call of it throw SimulatedCrash and do nothing", async () => {
    const { disk, timers } = machine(1);
    const vfs = disk.mount();
    const file = vfs.createFile("/a");
    put(file, "kept");
    const lock = await vfs.lockDirectory("/");
    disk.crash("process-kill");
    const target = new Uint8Array(4);
    const calls: (() => unknown)[] = [
      () => vfs.createFile("/b"),
      () => vfs.openFile("/a", "read"),
      () => vfs.removeFile("/a"),
      () => vfs.rename("/a", "/b"),
      () => vfs.link("/a", "/b"),
      () => vfs.makeDirectory("/d"),
      () => vfs.removeDirectory("/d"),
      () => vfs.list("/"),
      () => vfs.syncDirectory("/"),
      () => vfs.stat("/a"),
      () => file.read(target, 0, 4, 0),
      () => file.write(target, 0, 4, 0),
      () => file.truncate(0),
      () => file.syncData(),
      () => file.syncDataLater(() => expect.unreachable()),
      () => file.readLater(target, 0, 4, 0, () => expect.unreachable()),
      () => file.size(),
      () => file.close(),
    ];
    for (const call of calls) expect(call).toThrow(SimulatedCrash);
    await expect(vfs.lockDirectory("/")).rejects.toThrow(SimulatedCrash);
    await expect(lock.release()).rejects.toThrow(SimulatedCrash);
    timers.run();
    expect(contentAt(disk.mount(), "/a")).toBe("kept");
  });

  it("drops the calls in flight", () => {
    const { disk, timers } = machine(1);
    const file = disk.mount().createFile("/a");
    put(file, "a");
    file.syncDataLater(() => expect.unreachable());
    file.readLater(new Uint8Array(1), 0, 1, 0, () => expect.unreachable());
    disk.crash("process-kill");
    disk.mount();
    timers.run();
    expect(contentAt(disk.snapshotDurable(), "/a")).toBeNull();
  });

  it("may come from the hook, inside any call, before that call does anything", () => {
    const { disk } = machine(1);
    const vfs = disk.mount();
    disk.onCall = (operation, path) => {
      if (operation === "createFile" && path === "/b") disk.crash("process-kill");
    };
    vfs.createFile("/a");
    expect(() => vfs.createFile("/b")).toThrow(SimulatedCrash);
    expect(disk.mount().list("/")).toEqual(["a"]);
  });

  it("may come between the transfers of one write: a part of it is there", () => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 50; seed++) {
      const { disk } = machine(seed, { faults: { shortWrite: 0.5 } });
      const file = disk.mount().createFile("/a");
      let writes = 0;
      disk.onCall = (operation) => {
        if (operation === "write" && ++writes === 2) disk.crash("process-kill");
      };
      try {
        put(file, "12345678");
      } catch (error) {
        expect(error).toBeInstanceOf(SimulatedCrash);
      }
      lengths.add(disk.counters.processKills === 0 ? 8 : (disk.mount().stat("/a")?.size ?? 0));
    }
    expect(lengths.size).toBeGreaterThan(3);
  });

  it("frees the lock of a directory, and leaves its note behind as a killed process does", async () => {
    for (const kind of ["process-kill", "power-loss"] as const) {
      const { disk } = machine(1);
      await disk.mount().lockDirectory("/");
      disk.crash(kind);
      const lock = await disk.mount().lockDirectory("/");
      await lock.release();
      expect(disk.shutdown()).toEqual([]);
    }
    const { disk } = machine(1);
    const vfs = disk.mount();
    await vfs.lockDirectory("/");
    disk.crash("process-kill");
    expect(disk.mount().list("/")).toEqual(["LOCK"]);
  });

  it("by shutdown tells what was left open", async () => {
    const { disk } = machine(1);
    const vfs = disk.mount();
    const file = vfs.createFile("/a");
    vfs.createFile("/b").close();
    vfs.makeDirectory("/d");
    await vfs.lockDirectory("/d");
    file.syncDataLater(() => undefined);
    expect(disk.shutdown()).toEqual(["open file /a", "locked directory /d", "call in flight on /a"]);
    expect(() => vfs.list("/")).toThrow(SimulatedCrash);
    disk.mount();
    expect(disk.shutdown()).toEqual([]);
  });

  it("must come before the next one begins", () => {
    const { disk } = machine(1);
    disk.mount();
    expect(() => disk.mount()).toThrow(StillwaterError);
  });
});

describe("the durable view", () => {
  it("shows only what would survive the loss of everything unsynced, and follows the disk", () => {
    const { disk } = machine(1);
    const vfs = disk.mount();
    const view = disk.snapshotDurable();
    durableFile(vfs, "/a", "synced");
    const file = vfs.openFile("/a", "readWrite");
    put(file, "WRITTEN, longer");
    vfs.rename("/a", "/b");
    vfs.makeDirectory("/d");
    expect(view.list("/")).toEqual(["a"]);
    expect(contentAt(view, "/a")).toBe("synced");
    expect(view.stat("/a")).toEqual({ kind: "file", size: 6 });
    expect(view.stat("/b")).toBeNull();
    file.syncData();
    vfs.syncDirectory("/");
    expect(view.list("/")).toEqual(["b", "d"]);
    expect(contentAt(view, "/b")).toBe("WRITTEN, longer");
  });

  it("refuses every change, and leaves calls, trace and choices alone", async () => {
    const { disk, trace, timers } = machine(1);
    durableFile(disk.mount(), "/a", "a");
    const before = [trace.hash(), disk.counters.calls];
    const view = disk.snapshotDurable();
    const file = view.openFile("/a", "read");
    const readOnly = expect.objectContaining({ code: "READ_ONLY" });
    const changes: (() => unknown)[] = [
      () => view.createFile("/b"),
      () => view.openFile("/a", "readWrite"),
      () => view.removeFile("/a"),
      () => view.rename("/a", "/b"),
      () => view.link("/a", "/b"),
      () => view.makeDirectory("/d"),
      () => view.removeDirectory("/d"),
      () => put(file, "x"),
      () => file.truncate(0),
    ];
    for (const change of changes) expect(change).toThrow(readOnly);
    expect(() => view.list("/none")).toThrow(expect.objectContaining({ code: "NOT_FOUND" }));
    expect(() => view.list("/a")).toThrow(expect.objectContaining({ code: "NOT_DIRECTORY" }));
    expect(() => view.openFile("/", "read")).toThrow(expect.objectContaining({ code: "IS_DIRECTORY" }));
    const answers: unknown[] = [];
    file.syncData();
    file.syncDataLater((error) => answers.push(error));
    file.readLater(new Uint8Array(9), 0, 9, 0, (error, bytesRead) => answers.push(error, bytesRead));
    timers.run();
    expect(answers).toEqual([null, null, 1]);
    await (await view.lockDirectory("/")).release();
    file.close();
    expect(() => file.size()).toThrow(expect.objectContaining({ code: "CLOSED" }));
    expect([trace.hash(), disk.counters.calls]).toEqual(before);
  });

  it("hashes the same for the same durable state, and differently for any difference", () => {
    const hashes = new Set<string>();
    const states: ((made: Machine) => void)[] = [
      () => undefined,
      ({ disk }) => durableFile(disk.mount(), "/a", "a"),
      ({ disk }) => durableFile(disk.mount(), "/a", "b"),
      ({ disk }) => durableFile(disk.mount(), "/b", "a"),
      ({ disk }) => durableFile(disk.mount(), "/a", "a\0"),
      ({ disk }) => durableFile(disk.mount(), "/a", `${"\0".repeat(5000)}a`),
      ({ disk }) => {
        const vfs = disk.mount();
        vfs.makeDirectory("/a");
        vfs.syncDirectory("/");
      },
      ({ disk }) => {
        const vfs = disk.mount();
        durableFile(vfs, "/a", "a");
        vfs.link("/a", "/b");
        vfs.syncDirectory("/");
      },
      ({ disk }) => {
        const vfs = disk.mount();
        durableFile(vfs, "/a", "a");
        durableFile(vfs, "/b", "a");
      },
    ];
    for (const state of states) hashes.add(hashAfter(state));
    expect(hashes.size).toBe(states.length);
    expect(hashes).toContain(
      hashAfter(({ disk }) => {
        const vfs = disk.mount();
        durableFile(vfs, "/a", "");
        const file = vfs.openFile("/a", "readWrite");
        put(file, "a", 5000);
        file.syncData();
        put(file, "unsynced");
        vfs.createFile("/c");
      }),
    );
  });

  it("has a version that grows with every change of what is durable", () => {
    const { disk } = machine(1);
    const vfs = disk.mount();
    const file = vfs.createFile("/a");
    const versions = [disk.durableVersion];
    put(file, "a");
    vfs.stat("/a");
    versions.push(disk.durableVersion);
    file.syncData();
    versions.push(disk.durableVersion);
    file.syncData();
    versions.push(disk.durableVersion);
    vfs.syncDirectory("/");
    versions.push(disk.durableVersion);
    vfs.syncDirectory("/");
    versions.push(disk.durableVersion);
    expect(versions).toEqual([0, 0, 1, 1, 2, 2]);
  });
});

describe("determinism", () => {
  const EVERYTHING: MachineOptions = {
    capacityBytes: 64 * 4096,
    powersafeOverwrite: false,
    collateralProbability: 0.3,
    holeContent: "garbage",
    faults: {
      readError: 0.02,
      latentSector: 0.02,
      bitRot: 0.02,
      shortRead: 0.1,
      shortWrite: 0.1,
      writeError: 0.02,
      syncError: 0.05,
      eviction: 0.05,
    },
    latency: { minimumMs: 0.1, meanMs: 2, stallProbability: 0.1, stallFactor: 10 },
  };

  /** A few lives of random calls, the same for the same seed, and everything that came of them. */
  function run(seed: number, log?: ChoiceLog): { outcome: unknown; log: ChoiceLog } {
    const made = machine(seed, EVERYTHING, log);
    const { disk, choices, trace, timers } = made;
    const random = new Sfc32(String(seed), "calls");
    const answers: unknown[] = [];
    disk.damageAllowed = () => true;
    for (let life = 0; life < 4; life++) {
      const vfs = disk.mount();
      const files: VFile[] = [];
      for (let i = 0; i < 60; i++) {
        const path = `/${random.below(4)}`;
        const file = files[random.below(files.length)];
        const at = random.below(9000);
        const calls: (() => unknown)[] = [
          () => files.push(vfs.createFile(path)),
          () => files.push(vfs.openFile(path, "readWrite")),
          () => vfs.removeFile(path),
          () => vfs.rename(path, `/${random.below(4)}`),
          () => vfs.syncDirectory("/"),
          () => file?.write(new Uint8Array(at + 1).fill(i), 0, at + 1, random.below(9000)),
          () => file?.read(new Uint8Array(at + 1), 0, at + 1, 0),
          () => file?.truncate(at),
          () => file?.syncData(),
          () => file?.syncDataLater((error) => answers.push(error?.message)),
          () => timers.run(),
        ];
        try {
          answers.push(calls[random.below(calls.length)]?.());
        } catch (error) {
          answers.push((error as Error).message);
        }
      }
      disk.crash(random.below(3) === 0 ? "process-kill" : "power-loss");
    }
    const outcome = {
      answers,
      trace: trace.hash(),
      durable: disk.hashDurable(),
      counters: disk.counters,
      next: [choices.stream("disk.read").next, choices.stream("crash").next, choices.stream("latency").next],
    };
    return { outcome, log: choices.log() };
  }

  it("the same seed gives the same answers, trace, durable state and number of choices", () => {
    for (let seed = 0; seed < 20; seed++) expect(run(seed)).toEqual(run(seed));
  });

  it("the log of a run replays it exactly, without drawing", () => {
    for (let seed = 0; seed < 20; seed++) {
      const drawn = run(seed);
      const stored = JSON.parse(JSON.stringify(drawn.log)) as ChoiceLog;
      expect(run(seed, stored)).toEqual(drawn);
    }
  });

  it("different seeds give different traces", () => {
    const traces = Array.from({ length: 20 }, (_, seed) => (run(seed).outcome as { trace: string }).trace);
    expect(new Set(traces).size).toBe(20);
  });

  it("the empty log is a run without faults, in which a crash loses nothing", () => {
    const made = machine(1, EVERYTHING, {});
    const file = made.disk.mount().createFile("/a");
    put(file, "all of it, unsynced");
    made.disk.crash("power-loss");
    expect(contentAt(made.disk.mount(), "/a")).toBe("all of it, unsynced");
  });

  it("an explorer can name every state of a crash by one answer for each unsynced thing", () => {
    // The rename, the size (which did not change), the page.
    expect(statesFor({}).alternatives).toEqual([2, 1, 3]);
    const found = [0, 1].flatMap((rename) =>
      [0, 1, 2].map((page) => {
        const crash = [[0, rename] as const, [2, page] as const].filter(([, answer]) => answer !== 0);
        return statesFor({ crash }).found;
      }),
    );
    expect(found).toEqual(["b2", "b1", "b0", "2", "1", "0"]);
  });
});

function hashAfter(life: (made: Machine) => void): string {
  const made = machine(1);
  life(made);
  return made.disk.hashDurable();
}

/** A rename and two writes, unsynced, then a power loss with this log. */
function statesFor(log: ChoiceLog): { alternatives: readonly number[]; found: string } {
  const { disk } = machine(1, { tearProbability: 0 }, log);
  const vfs = disk.mount();
  durableFile(vfs, "/a", "0");
  const file = vfs.openFile("/a", "readWrite");
  put(file, "1");
  put(file, "2");
  vfs.rename("/a", "/b");
  const alternatives = disk.crashAlternatives();
  disk.crash("power-loss");
  const next = disk.mount();
  return { alternatives, found: contentAt(next, "/a") ?? `b${contentAt(next, "/b")}` };
}
