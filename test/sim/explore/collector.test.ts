/** Which crash states of a run are judged: each one that may differ, once. */
import { describe, expect, test } from "vitest";
import type { SimulationDisk } from "../../../sim/disk/simulation-disk.js";
import { Collector, type CrashState, type Promised } from "../../../sim/explore/collector.js";
import { Model } from "../../../sim/model/model.js";
import type { VFS } from "../../../src/platform/vfs.js";
import { contentAt, machine, put } from "../disk/machine.js";

function diskAfter(life: (vfs: VFS) => void): SimulationDisk {
  const { disk } = machine("collector");
  life(disk.mount());
  return disk;
}

function promised(model = new Model(), isOver?: (path: string) => boolean): Promised {
  return {
    model,
    created: false,
    powerLostBefore: false,
    operations: 0,
    checkpoint: null,
    crashesBefore: [],
    ...(isOver === undefined ? {} : { isOver }),
  };
}

const AT = { calls: 1 };

function contents(states: readonly CrashState[], how: "power-loss" | "process-kill"): string[] {
  return states
    .filter(({ crashes }) => crashes[0]?.how === how)
    .map(({ disk }) => contentAt(disk.mount(), "/a") ?? "(none)")
    .sort();
}

function written(content: string): SimulationDisk {
  return diskAfter((vfs) => put(vfs.createFile("/a"), content));
}

describe("the collector", () => {
  test("takes every state that a power loss may leave once, and the one that a kill leaves", () => {
    const collector = new Collector(new Set());
    collector.look(written("x"), promised(), AT);
    const states = collector.take();
    expect(contents(states, "power-loss")).toEqual(["", "\0", "(none)", "x"]);
    expect(contents(states, "process-kill")).toEqual(["x"]);
    // Two for the name, the size and the page each, and the kill; tears come with logs and manifests only.
    expect(collector.counts).toEqual({ instants: 1, completeInstants: 1, states: 9, distinctStates: 5 });
  });

  test("looks again only when the disk or what is promised has changed", () => {
    const collector = new Collector(new Set());
    const { disk } = machine("collector");
    const file = disk.mount().createFile("/a");
    put(file, "x");
    const model = new Model();
    collector.look(disk, promised(model), AT);
    collector.look(disk, promised(model), AT);
    expect(collector.counts.instants).toBe(1);
    collector.take();
    put(file, "y");
    collector.look(disk, promised(model), AT);
    // What was there before is known; only states with the new byte are new.
    expect(contents(collector.take(), "power-loss")).toEqual(["y"]);
    model.submit(0, [["put", "k", 0, 4]], "sync");
    collector.look(disk, promised(model), AT);
    expect(contents(collector.take(), "power-loss")).toEqual(["", "\0", "(none)", "x", "y"]);
    expect(collector.counts.instants).toBe(3);
  });

  test("takes another disk for another, however alike the two came about", () => {
    const collector = new Collector(new Set());
    collector.look(written("x"), promised(), AT);
    collector.take();
    collector.begin();
    collector.look(written("y"), promised(), AT);
    // Nothing, an empty file and zeros were on the first disk too.
    expect(contents(collector.take(), "power-loss")).toEqual(["y"]);
  });

  test("leaves what is over as it is in every crash", () => {
    const collector = new Collector(new Set());
    const disk = diskAfter((vfs) => {
      put(vfs.createFile("/a"), "x");
      put(vfs.createFile("/old"), "y");
    });
    collector.look(
      disk,
      promised(new Model(), (path) => path === "/old"),
      AT,
    );
    expect(collector.counts.states).toBe(9);
    for (const state of collector.take()) expect(contentAt(state.disk.mount(), "/old")).toBe("y");
  });
});
