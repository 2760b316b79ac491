/**
 * A simulated machine for Node programs: one disk, what is known about its files, and a sequence of processes that see
 * it as `node:fs`. Does not own: when it crashes, and whose turn it is.
 */
import { assert } from "../../src/platform/assert.js";
import { Choices } from "../choices/choices.js";
import type { DirectoryNode } from "../disk/name-log.js";
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

/** What is put on a disk before anybody uses it. */
export interface Provision {
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink";
  readonly content?: Uint8Array | string;
  readonly unread?: boolean;
}

/** A machine whose processes have a `node:fs` on a simulated disk. */
export class NodeMachine {
  readonly disk: SimulationDisk;
  /** Numbers of directories whose real entries have not been brought along yet. */
  readonly unread = new Set<number>();
  /** Called when a process looks into a directory. */
  onEnter: ((directory: DirectoryNode, path: string) => void) | null = null;
  readonly #inodes: Inodes;
  readonly #options: MachineOptions;
  #vfs: ReturnType<SimulationDisk["mount"]> | null = null;

  constructor(options: MachineOptions, origin: NodeMachine | null = null, answers: readonly number[] = []) {
    const { disk, choices, timers } = options;
    this.#options = options;
    if (origin === null) {
      this.disk = new SimulationDisk(disk, choices, new Trace(), timers);
      this.#inodes = new Inodes(options.wallMs);
    } else {
      const crash = answers.flatMap((answer, index) => (answer === 0 ? [] : [[index, answer] as const]));
      this.disk = origin.disk.fork(Choices.fromLog(choices.seed, { crash }), new Trace(), timers);
      this.#inodes = origin.#inodes.fork();
      for (const id of origin.unread) this.unread.add(id);
    }
  }

  /** A second machine as this one stands after a crash; `answers` decide what a power loss leaves. */
  crashed(kind: CrashKind, answers: readonly number[]): NodeMachine {
    const copy = new NodeMachine(this.#options, this, answers);
    copy.crash(kind);
    return copy;
  }

  /** A new process. The former one must have ended. */
  mount(): Volume {
    const vfs = this.disk.mount();
    this.#vfs = vfs;
    const { cwd } = this.#options;
    const volume = new Volume({ vfs, root: this.disk.root, inodes: this.#inodes, cwd });
    volume.walker.onEnter = (directory, path) => this.onEnter?.(directory, path);
    return volume;
  }

  /** Ends the process, or the power. */
  crash(kind: CrashKind): void {
    this.#vfs = null;
    this.disk.crash(kind);
  }

  /** Puts something on the disk that has been there, durable, since before. Its directory must be there. */
  provide({ path, kind, content, unread }: Provision): void {
    const vfs = this.#vfs;
    assert(vfs !== null, "a process is there to see it");
    if (kind === "directory") {
      vfs.makeDirectory(path);
    } else {
      const file = vfs.createFile(path);
      if (kind === "file") {
        const bytes = content as Uint8Array; // a file comes with its bytes
        file.write(bytes, 0, bytes.byteLength, 0);
        file.syncData();
      }
      file.close();
    }
    const at = path.lastIndexOf("/");
    vfs.syncDirectory(path.slice(0, at) || "/");
    const node = this.#nodeAt(path);
    if (kind === "symlink") this.#inodes.describe(node, 0o777, content as string);
    if (unread === true) this.unread.add(node.id);
  }

  #nodeAt(path: string): DirectoryNode {
    let node: DirectoryNode = this.disk.root;
    for (const part of path.split("/").filter((one) => one !== "")) {
      const next = node.entries.get(part);
      assert(next !== undefined, "what was just made is there");
      node = next as DirectoryNode; // the last one may be a file: only its number is used
    }
    return node;
  }
}
