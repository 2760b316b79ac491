/**
 * The file system as one simulated process sees it: names, space and locks, over the shared state of the disk.
 * Promise: without faults it answers as `NodeVFS` does on the kind of machine that it is, error codes included. After the life has ended every
 * call throws `SimulatedCrash` and changes nothing. Does not own: files' content, crashes.
 */
import type { DataSync, VFile, VFileStat, VFS, VFSCapabilities, VLock } from "../../src/platform/vfs.js";
import { syncDirectory } from "./directory-sync.js";
import type { DiskState, Life, VFSOperation } from "./disk-state.js";
import { lockedError, SimulatedCrash, systemError } from "./errors.js";
import { needUnused } from "./held-files.js";
import type { DirectoryNode } from "./name-log.js";
import type { Machine } from "./options.js";
import type { Path } from "./paths.js";
import { SimulationFile } from "./simulation-file.js";

const DATA_SYNC: Readonly<Record<Machine, DataSync>> = {
  posix: "fdatasync",
  macos: "F_FULLFSYNC",
  windows: "FlushFileBuffers",
};

/** The note that the production lock leaves in a locked directory, and behind it after a crash. */
const LOCK_NOTE = "LOCK";

export class SimulationVFS implements VFS {
  readonly capabilities: VFSCapabilities;
  private readonly disk: DiskState;
  private readonly life: Life;

  constructor(disk: DiskState, life: Life) {
    this.disk = disk;
    this.life = life;
    const { machine, links } = disk.options;
    const isWindows = machine === "windows";
    this.capabilities = {
      directorySync: !isWindows,
      links,
      permanence: true,
      openFilesMove: !isWindows,
      dataSync: DATA_SYNC[machine],
    };
  }

  createFile(text: string): VFile {
    const { disk, life } = this;
    const node = this.change("createFile", text, (path) => {
      disk.needHandle(life, "createFile", path);
      const place = disk.names.find(path, "createFile");
      if (place.node === null) disk.needSpaceForName("createFile", path);
      return disk.names.createFile(path, place, disk.nextSequence());
    });
    return new SimulationFile(disk, life, disk.paths.intern(text), node, true);
  }

  openFile(text: string, mode: "read" | "readWrite"): VFile {
    const path = this.begin("openFile", text);
    const { disk, life } = this;
    const node = disk.names.file(path, "openFile");
    if (mode === "readWrite") disk.needAccess(life, "openFile", path, false);
    disk.needHandle(life, "openFile", path);
    return new SimulationFile(disk, life, path, node, mode === "readWrite");
  }

  removeFile(text: string): void {
    const { disk, life } = this;
    this.change("removeFile", text, (path) => {
      needUnused(disk, life, { operation: "removeFile", subject: path, path });
      disk.releaseIfUnused(disk.names.removeFile(path, disk.nextSequence()));
    });
  }

  rename(from: string, to: string): void {
    const { disk, life } = this;
    this.change("rename", from, (source) => {
      const target = this.second(to);
      for (const path of [source, target])
        needUnused(disk, life, { operation: "rename", subject: source, path });
      this.needSpaceForSecond("rename", source, target);
      const replaced = disk.names.rename(source, target, disk.nextSequence());
      if (replaced !== null) disk.releaseIfUnused(replaced);
    });
  }

  link(from: string, to: string): void {
    const { disk } = this;
    this.change("link", from, (source) => {
      const target = this.second(to);
      if (!disk.options.links) throw systemError("EPERM", "link", from, to);
      this.needSpaceForSecond("link", source, target);
      disk.names.link(source, target, disk.nextSequence());
    });
  }

  makeDirectory(text: string): void {
    const { disk } = this;
    this.change("makeDirectory", text, (path) => {
      const place = disk.names.find(path, "makeDirectory");
      if (place.node === null) disk.needSpaceForName("makeDirectory", path);
      disk.names.makeDirectory(path, place, disk.nextSequence());
    });
  }

  removeDirectory(text: string): void {
    const { disk } = this;
    this.change("removeDirectory", text, (path) => disk.names.removeDirectory(path, disk.nextSequence()));
  }

  list(text: string): string[] {
    const path = this.begin("list", text);
    // Sorted by UTF-16 code unit, as promised.
    return [...this.disk.names.directory(path, "list").entries.keys()].sort();
  }

  syncDirectory(text: string): void {
    const path = this.begin("syncDirectory", text);
    const { disk } = this;
    const directory = disk.names.directory(path, "syncDirectory");
    if (!this.capabilities.directorySync) return;
    const commit = (): void => {
      if (disk.names.log.commitDirectory(directory)) disk.durableVersion++;
    };
    if (disk.leavesOut("syncDirectory", path, commit)) return;
    const error = syncDirectory(disk, path, directory);
    if (error !== null) throw error;
  }

  stat(text: string): VFileStat | null {
    const path = this.begin("stat", text);
    const { disk } = this;
    const isStale = disk.statDice.roll(disk.faultsEnabled) === "staleSize";
    const node = disk.names.peek(path);
    if (node === null) return null;
    if (node.kind === "directory") return { kind: "directory", size: 0 };
    // S42: only a file that somebody is writing has a size that may be out of date.
    if (!isStale || node.handles === 0 || node.sizes.length === 0) return { kind: "file", size: node.size };
    disk.counters.faults["S42 stale size"]++;
    return { kind: "file", size: node.sizes[node.sizes.length - 2]?.size ?? node.mediaSize };
  }

  async lockDirectory(text: string): Promise<VLock> {
    const path = this.begin("lockDirectory", text);
    const { disk, life } = this;
    const directory = disk.names.directory(path, "lockDirectory");
    if (life.locks.has(directory)) throw lockedError(text, `simulated process ${life.number}`);
    life.locks.set(directory, text);
    this.leaveNote(directory);
    let held = true;
    return {
      release: async () => {
        if (!life.alive) throw new SimulatedCrash();
        if (!held) return;
        held = false;
        this.takeNote(directory);
        life.locks.delete(directory);
      },
    };
  }

  private leaveNote(directory: DirectoryNode): void {
    if (directory.entries.has(LOCK_NOTE)) return;
    this.disk.names.create(directory, LOCK_NOTE, this.disk.nextSequence());
  }

  private takeNote(directory: DirectoryNode): void {
    const note = directory.entries.get(LOCK_NOTE);
    if (note?.kind !== "file") return;
    this.disk.names.unlink(directory, LOCK_NOTE, note, this.disk.nextSequence());
    this.disk.releaseIfUnused(note);
  }

  /** A call that changes names, with the faults that all of these may suffer. */
  private change<Result>(operation: VFSOperation, text: string, act: (path: Path) => Result): Result {
    const path = this.begin(operation, text);
    const { disk } = this;
    const fault = disk.nameDice.roll(disk.faultsEnabled);
    disk.needAccess(this.life, operation, path, false);
    if (fault === "interrupted") throw disk.interrupted(disk.nameDice.detail, operation, path);
    if (fault === "nameError") {
      disk.counters.faults["S21 error on a name"]++;
      throw disk.fault("EIO", operation, path);
    }
    const result = act(path);
    if (fault !== "errorThoughDone") return result;
    disk.counters.faults["S32 error though done"]++;
    throw disk.fault("EIO", operation, path);
  }

  /** Where space is allocated late, a name more needs some at once; elsewhere directories have room. */
  private needSpaceForSecond(operation: VFSOperation, source: Path, target: Path): void {
    const { disk } = this;
    if (disk.options.delayedAllocation && disk.names.peek(target) === null) {
      disk.needSpaceForName(operation, source);
    }
  }

  private begin(operation: VFSOperation, text: string): Path {
    const path = this.disk.paths.intern(text);
    this.disk.begin(this.life, operation, path, 0, 0);
    return path;
  }

  /** The second path of a call, which belongs to the trace too. */
  private second(text: string): Path {
    const path = this.disk.paths.intern(text);
    this.disk.trace.event(0, path.id, 0, 0);
    if (this.disk.trace.recording) this.disk.trace.line(`  to ${text}`);
    this.disk.recorder?.secondPath(text);
    return path;
  }
}
