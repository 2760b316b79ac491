/**
 * One real process whose `node:fs` is simulated: the machine it sees, the files it started with, its clock, its chance.
 * The machine may be exchanged, so that one process can look at many crash states. Does not own: recording, checking.
 */
import { syncBuiltinESMExports } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Choices } from "../choices/choices.js";
import { Sfc32 } from "../choices/random.js";
import { type DiskOptions, SOUND_DISK, type SyncPersonality } from "../disk/options.js";
import { NodeMachine } from "../node-fs/machine.js";
import { createNodeFS, type NodeFS } from "../node-fs/node-fs.js";
import type { Volume } from "../node-fs/volume.js";
import { installFileSystem } from "./install.js";
import { RealFiles } from "./real-files.js";
import { installSeededChance } from "./seeded-chance.js";
import { VirtualTime } from "./virtual-time.js";

export interface SessionOptions {
  /** Absolute. */
  readonly mount: string;
  readonly allowWrite: boolean;
  /** Null: real time and chance. "0": calls in flight complete in the order in which they were made. */
  readonly seed: string | null;
  readonly personality: SyncPersonality;
}

/** Where this code is: lines of it are not the program's. */
export const OWN_FOLDER = join(dirname(fileURLToPath(import.meta.url)), "..");

const realImmediate = setImmediate;
const realNow = Date.now;

export function diskOf(personality: SyncPersonality): DiskOptions {
  return { ...SOUND_DISK, personality };
}

export class Session {
  readonly options: SessionOptions;
  readonly time: VirtualTime;
  readonly files: RealFiles;
  #current: NodeFS | null = null;

  constructor(options: SessionOptions) {
    this.options = options;
    this.files = new RealFiles(options.mount);
    this.time = new VirtualTime(() => (this.#current?.pool.pending ?? 0) > 0);
  }

  /** From here on this process has no other file system, time and chance. */
  install(): void {
    const { mount, allowWrite, seed } = this.options;
    installFileSystem({ mount, allowWrite, current: () => this.current.fs });
    if (seed !== null) {
      this.time.install();
      installSeededChance(seed);
    }
    // ES modules see what has been replaced only from here on.
    syncBuiltinESMExports();
  }

  get current(): NodeFS {
    if (this.#current === null) throw new Error("No simulated process is running.");
    return this.#current;
  }

  /** An empty machine. */
  createMachine(): NodeMachine {
    const { personality, seed } = this.options;
    const machine = new NodeMachine({
      disk: diskOf(personality),
      choices: Choices.fromSeed(seed ?? "0"),
      timers: { after: (_delayMs, task) => void realImmediate(task), nowMs: () => this.time.nowMs() },
      wallMs: () => (seed === null ? realNow() : this.time.wallMs()),
      cwd: () => process.cwd(),
    });
    machine.disk.onCall = () => this.time.tick();
    return machine;
  }

  /** Starts a process on a machine: what this process does with `node:fs` goes there from now on. */
  enter(machine: NodeMachine): { readonly volume: Volume; readonly nodeFS: NodeFS } {
    machine.onEnter = (directory, path) => this.files.enter(machine, directory, path);
    const volume = machine.mount();
    const seed = this.options.seed ?? "0";
    const order = seed === "0" ? null : new Sfc32(seed, "pool");
    const names = new Sfc32(seed, "names");
    const nodeFS = createNodeFS(volume, {
      turn: (task) => void realImmediate(task),
      pick: (choices) => order?.below(choices) ?? 0,
      below: (n) => names.below(n),
    });
    this.#current = nodeFS;
    return { volume, nodeFS };
  }
}
