import { describe, expect, test } from "vitest";
import { Choices } from "../../../sim/choices/choices.js";
import { SimulatedCrash } from "../../../sim/disk/errors.js";
import { SOUND_DISK } from "../../../sim/disk/options.js";
import { SimulationDisk } from "../../../sim/disk/simulation-disk.js";
import { Trace } from "../../../sim/trace/trace.js";
import { CALM_WORLD } from "../../../sim/world/faults.js";
import { type Life, World, type WorldOptions } from "../../../sim/world/world.js";
import { crashPoint } from "../../../src/platform/probes.js";

const OPTIONS: WorldOptions = {
  schedule: "fifo",
  buggify: false,
  faults: CALM_WORLD,
  mutants: [],
  stepsMax: 1000,
  stepsInAllMax: Number.POSITIVE_INFINITY,
  quietMsMax: 1000,
};

function createWorld(options: Partial<WorldOptions> = {}): World<SimulationDisk> {
  const choices = Choices.fromSeed("1");
  const trace = new Trace(false);
  return new World(
    { ...OPTIONS, ...options },
    choices,
    trace,
    (timers) => new SimulationDisk(SOUND_DISK, choices, trace, timers),
  );
}

function pause(life: Life, ms: number): Promise<void> {
  return new Promise((resolve) => {
    life.platform.scheduler.after(ms, resolve);
  });
}

test("a life ends when its main task does, with its value", async () => {
  const world = createWorld();
  const end = await world.live(async (life) => {
    await pause(life, 5);
    return life.number;
  });
  expect(end).toEqual({ kind: "finished", value: 1 });
  expect(world.clock.nowMs()).toBeGreaterThanOrEqual(5);
  expect(world.disk.shutdown()).toEqual([]);
  expect(await world.live(async (life) => life.number)).toEqual({ kind: "finished", value: 2 });
});

test("an error of the main task or of a scheduled one ends the life as failed", async () => {
  const error = new Error("broken");
  expect(await createWorld().live(() => Promise.reject(error))).toEqual({ kind: "failed", error });
  const end = await createWorld().live(async (life) => {
    life.platform.scheduler.defer(() => {
      throw error;
    });
    await pause(life, 100);
  });
  expect(end).toEqual({ kind: "failed", error });
});

test("all promise continuations that are ready run before the next task", async () => {
  const world = createWorld();
  const ran: string[] = [];
  await world.live(async (life) => {
    life.platform.scheduler.defer(() => {
      let chain: Promise<unknown> = Promise.resolve();
      for (let i = 0; i < 200; i++) chain = chain.then(() => undefined);
      void chain.then(() => ran.push("continuation"));
    });
    life.platform.scheduler.defer(() => ran.push("next task"));
    await pause(life, 1);
  });
  expect(ran).toEqual(["continuation", "next task"]);
});

describe("a crash", () => {
  test("at a VFS call ends the life there, and every later call of it", async () => {
    const world = createWorld();
    let second: unknown;
    const end = await world.live(async (life) => {
      const { vfs } = life.platform;
      vfs.makeDirectory("/a");
      world.crashes.arm({ how: "process-kill", at: { calls: 2 } });
      vfs.makeDirectory("/b");
      try {
        vfs.makeDirectory("/c");
      } catch (error) {
        second = error;
      }
      vfs.list("/");
    });
    expect(end).toMatchObject({
      kind: "crashed",
      how: "process-kill",
      where: "VFS call makeDirectory /c",
    });
    expect(second).toBeInstanceOf(SimulatedCrash);
    const names = await world.live(async (life) => life.platform.vfs.list("/"));
    expect(names).toEqual({ kind: "finished", value: ["a", "b"] });
  });

  test("at a crash point ends the life there", async () => {
    const world = createWorld();
    world.crashes.arm({ how: "power-loss", at: { point: "here", hits: 2 } });
    const reached: number[] = [];
    const end = await world.live(async () => {
      for (let i = 1; i < 5; i++) {
        crashPoint("here");
        reached.push(i);
      }
    });
    expect(end).toEqual({ kind: "crashed", how: "power-loss", where: "crash point here" });
    expect(reached).toEqual([1]);
    expect(world.probes.hits.get("here")).toBe(2);
  });

  test("at a time comes between two tasks, and drops what was waiting", async () => {
    const world = createWorld();
    world.crashes.arm({ how: "process-kill", at: { afterMs: 10 } });
    const ran: string[] = [];
    const end = await world.live(async (life) => {
      life.platform.scheduler.after(5, () => ran.push("before"));
      life.platform.scheduler.after(20, () => ran.push("after"));
      await pause(life, 30);
    });
    expect(end).toMatchObject({ kind: "crashed", how: "process-kill" });
    expect(world.clock.nowMs()).toBe(10);
    expect(ran).toEqual(["before"]);
    await world.live((life) => pause(life, 100));
    expect(ran).toEqual(["before"]);
  });

  test("is not survived by a process that swallows it", async () => {
    const world = createWorld();
    const end = await world.live(async (life) => {
      world.crashes.arm({ how: "process-kill", at: { calls: 1 } });
      try {
        life.platform.vfs.list("/");
      } catch {
        return "survived";
      }
      return "never got here";
    });
    expect(end.kind).toBe("crashed");
  });

  test("loses no probe hooks: outside of a life crash points do nothing", async () => {
    const world = createWorld();
    world.crashes.arm({ how: "process-kill", at: { point: "*", hits: 1 } });
    crashPoint("outside");
    expect(world.probes.hits.size).toBe(0);
  });
});

describe("a life that gets nowhere is stuck, not hanging", () => {
  test("when nothing is left to run", async () => {
    const end = await createWorld().live(() => new Promise(() => {}));
    expect(end).toMatchObject({ kind: "stuck", reason: "nothing left to run" });
  });

  test("when it takes turn after turn", async () => {
    const end = await createWorld().live((life) => {
      const again = (): void => life.platform.scheduler.defer(again);
      again();
      return new Promise(() => {});
    });
    expect(end).toMatchObject({ kind: "stuck", reason: "too many steps" });
  });

  test("when it waits and waits", async () => {
    const end = await createWorld().live(async (life) => {
      for (;;) await pause(life, 100);
    });
    expect(end).toMatchObject({ kind: "stuck", reason: "too much virtual time" });
  });

  test("but not when it tells that it gets on", async () => {
    const world = createWorld();
    const end = await world.live(async (life) => {
      for (let i = 0; i < 50; i++) {
        await pause(life, 100);
        world.progress();
      }
    });
    expect(end.kind).toBe("finished");
  });
});

test("a finding that could not be thrown ends the life", async () => {
  const world = createWorld();
  const error = new Error("found");
  world.observer = () => {
    world.finding ??= { error };
  };
  const end = await world.live(async (life) => {
    life.platform.vfs.list("/");
    await pause(life, 1);
  });
  expect(end).toEqual({ kind: "failed", error });
});

test("a life that waits for nothing that will come says what it waits for", async () => {
  const world = createWorld();
  world.describePending = () => ["main task: waiting"];
  const end = await world.live(async () => {
    await new Promise(() => undefined);
  });
  expect(end).toMatchObject({ kind: "stuck", reason: "nothing left to run" });
  if (end.kind === "stuck") expect(end.pending).toEqual(["main task: waiting", "it is 0 ms"]);
});

test("a life whose tasks never end lists those that are ready, and its timers in order", async () => {
  const world = createWorld({ stepsMax: 100 });
  const end = await world.live(async ({ platform }) => {
    const { scheduler } = platform;
    const again = (): void => scheduler.defer(again);
    again();
    scheduler.after(9_000, () => "late");
    scheduler.after(5_000, () => "early");
    await new Promise(() => undefined);
  });
  expect(end).toMatchObject({ kind: "stuck", reason: "too many steps" });
  if (end.kind !== "stuck") return;
  expect(end.pending[1]).toMatch(/^task ready: \(\) => scheduler\.defer\(again\)/);
  expect(end.pending.slice(2)).toEqual([
    expect.stringContaining('timer at 5000 ms: () => "early"'),
    expect.stringContaining('timer at 9000 ms: () => "late"'),
  ]);
});

test("a turn that makes calls without end is ended within one of them, whatever it catches", async () => {
  const world = createWorld();
  let thrown: unknown = null;
  let calls = 0;
  const end = await world.live(async ({ platform }) => {
    platform.scheduler.defer(() => {
      for (; thrown === null || calls < 10; calls++) {
        try {
          platform.vfs.stat("/");
        } catch (error) {
          if (thrown === null) calls = 0;
          thrown = error;
        }
      }
    });
    await new Promise(() => undefined);
  });
  expect(end).toMatchObject({ kind: "stuck", reason: "too many VFS calls in one turn" });
  expect(thrown).toBeInstanceOf(SimulatedCrash);
});
