/**
 * What a user's scenario and check see of the simulated machine: their own `node:fs`, or the bare `VFS`, with virtual
 * time and seeded chance. Does not own: when the machine goes down (`seed-run.ts`).
 */
import type { Clock, Platform, Random, Scheduler } from "../../src/platform/platform.js";
import type { VFS } from "../../src/platform/vfs.js";
import type { Choices } from "../choices/choices.js";
import type { CrashKind, SimulationDisk } from "../disk/simulation-disk.js";
import type { Inodes } from "../node-fs/inodes.js";
import { createNodeFS, type SimulatedFS } from "../node-fs/node-fs.js";
import { Volume } from "../node-fs/volume.js";
import type { Life } from "../world/world.js";

/** The directory of the scenario: there and durable before it begins, and the working directory of its `fs`. */
export const SCENARIO_DIRECTORY = "/data";

/** A process on the simulated machine: files, time, chance. */
export interface SimulatedProcess<Input> {
  /** `node:fs`, whole, on the simulated disk; also `fs.promises`. */
  readonly fs: SimulatedFS;
  /** The same disk as the store's own interface to files. */
  readonly vfs: VFS;
  /** All of the store's platform, for `Store.open(directory, options, platform)`. */
  readonly platform: Platform;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly directory: string;
  /** What fast-check drew, or `undefined`. */
  readonly input: Input;
}

/** What the scenario of `simulate` works with. */
export interface ScenarioContext<Input, Promised> extends SimulatedProcess<Input> {
  /** From here on this is promised: the check is told of it, whenever the machine goes down afterwards. */
  acknowledge(what: Promised): void;
  /** The machine goes down here. Never returns. */
  crash(how?: CrashKind): never;
}

/** What the check of `simulate` is given after the restart. */
export interface CheckContext<Input, Promised> extends SimulatedProcess<Input> {
  /** What had been acknowledged when the machine went down. */
  readonly acknowledged: readonly Promised[];
  readonly crash: CrashKind;
  /** Whether the scenario had come to its end before. */
  readonly finished: boolean;
}

export function simulatedProcess<Input>(
  life: Life,
  disk: SimulationDisk,
  inodes: Inodes,
  choices: Choices,
  input: Input,
): SimulatedProcess<Input> {
  const { vfs, clock, random, scheduler } = life.platform;
  const volume = new Volume({ vfs, root: disk.root, inodes, cwd: () => SCENARIO_DIRECTORY });
  const order = choices.stream("schedule");
  const { fs } = createNodeFS(volume, {
    turn: (task) => scheduler.defer(task),
    pick: (calls) => order.below(calls, "schedule.call"),
    below: (n) => random.nextUint32() % n,
  });
  return { fs, vfs, platform: life.platform, clock, random, scheduler, directory: SCENARIO_DIRECTORY, input };
}
