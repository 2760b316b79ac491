/** A simulated disk with hand-cranked time, for the tests of this folder. */

import { type ChoiceLog, Choices } from "../../../sim/choices/choices.js";
import type { FaultKind } from "../../../sim/disk/counters.js";
import {
  type DiskOptions,
  type FaultProbabilities,
  NO_FAULTS,
  SOUND_DISK,
} from "../../../sim/disk/options.js";
import { type CrashKind, type DiskTimers, SimulationDisk } from "../../../sim/disk/simulation-disk.js";
import { Trace } from "../../../sim/trace/trace.js";
import { StillwaterError } from "../../../src/platform/errors.js";
import type { VFile, VFS } from "../../../src/platform/vfs.js";

/** Virtual time: tasks run when `run` is called, in order of their time. */
export class ManualTimers implements DiskTimers {
  private time = 0;
  private tasks: { readonly at: number; readonly task: () => void }[] = [];

  after(delayMs: number, task: () => void): void {
    this.tasks.push({ at: this.time + delayMs, task });
  }

  nowMs(): number {
    return this.time;
  }

  /** Runs all tasks, those that they add included. */
  run(): void {
    for (;;) {
      this.tasks.sort((a, b) => a.at - b.at);
      const next = this.tasks.shift();
      if (next === undefined) return;
      this.time = Math.max(this.time, next.at);
      next.task();
    }
  }
}

export interface Machine {
  readonly disk: SimulationDisk;
  readonly choices: Choices;
  readonly trace: Trace;
  readonly timers: ManualTimers;
}

export type MachineOptions = Omit<Partial<DiskOptions>, "faults"> & {
  readonly faults?: Partial<FaultProbabilities>;
};

export function machine(seed: number | string, options: MachineOptions = {}, log?: ChoiceLog): Machine {
  const text = String(seed);
  const choices = log === undefined ? Choices.fromSeed(text) : Choices.fromLog(text, log);
  const trace = new Trace();
  const timers = new ManualTimers();
  const all = { ...SOUND_DISK, ...options, faults: { ...NO_FAULTS, ...options.faults } };
  return { disk: new SimulationDisk(all, choices, trace, timers), choices, trace, timers };
}

export function put(file: VFile, content: string, position = 0): void {
  const source = Buffer.from(content);
  file.write(source, 0, source.length, position);
}

export function text(file: VFile): string {
  const target = new Uint8Array(file.size());
  const length = file.read(target, 0, target.length, 0);
  return Buffer.from(target.subarray(0, length)).toString();
}

/** Content of the file of this name, or null when there is none. */
export function contentAt(vfs: VFS, path: string): string | null {
  if (vfs.stat(path) === null) return null;
  const file = vfs.openFile(path, "read");
  try {
    return text(file);
  } finally {
    file.close();
  }
}

/** A file with this content, synced, with a durable name in "/". */
export function durableFile(vfs: VFS, path: string, content: string): void {
  const file = vfs.createFile(path);
  put(file, content);
  file.syncData();
  file.close();
  vfs.syncDirectory("/");
}

/** What `look` gives for each of the seeds, and how often. */
export function outcomes<Outcome>(seeds: number, look: (seed: number) => Outcome): Map<Outcome, number> {
  const found = new Map<Outcome, number>();
  for (let seed = 0; seed < seeds; seed++) {
    const outcome = look(seed);
    found.set(outcome, (found.get(outcome) ?? 0) + 1);
  }
  return found;
}

export const TORN: MachineOptions = { tearProbability: 1 };
export const WHOLE: MachineOptions = { tearProbability: 0 };

/** Runs `life`, crashes, and gives what `look` sees in the next life. */
export function after<Seen>(
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

export function counted(made: Machine, kind: FaultKind): number {
  return made.disk.counters.faults[kind];
}

/** Makes the call, and gives the code it fails with, or "ok". */
export function codeOf(call: () => unknown): string {
  try {
    call();
    return "ok";
  } catch (error) {
    if (error instanceof StillwaterError) return error.code;
    throw error;
  }
}
