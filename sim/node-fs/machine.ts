/**
 * A simulated machine for Node programs: one disk, what is known about its files, and a sequence of processes that see
 * it as `node:fs`. Does not own: when it crashes, and whose turn it is.
 */
import type { Choices } from "../choices/choices.js";
import type { DiskOptions } from "../disk/options.js";
import { type CrashKind, type DiskTimers, SimulationDisk } from "../disk/simulation-disk.js";
import { Trace } from "../trace/trace.js";
import { Inodes } from "./inodes.js";
import { Volume } from "./volume.js";

export interface MachineOptions {
  readonly disk: DiskOptions;
  readonly choices: Choices;
  readonly timers: DiskTimers;
  readonly wallMs: () => number;
  readonly cwd: () => string;
}

export class NodeMachine {
  readonly disk: SimulationDisk;
  readonly #inodes: Inodes;
  readonly #cwd: () => string;

  constructor(options: MachineOptions) {
    this.disk = new SimulationDisk(options.disk, options.choices, new Trace(), options.timers);
    this.#inodes = new Inodes(options.wallMs);
    this.#cwd = options.cwd;
  }

  /** A new process. The former one must have ended. */
  mount(): Volume {
    const vfs = this.disk.mount();
    return new Volume({ vfs, root: this.disk.root, inodes: this.#inodes, cwd: this.#cwd });
  }

  /** Ends the process, or the power. */
  crash(kind: CrashKind): void {
    this.disk.crash(kind);
  }
}
