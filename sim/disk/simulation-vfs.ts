/**
 * The file system as one simulated process sees it: names, space and locks, over the shared state of the disk.
 * Promise: without faults it answers as `NodeVFS` does on Linux, error codes included. After the life has ended every
 * call throws `SimulatedCrash` and changes nothing. Does not own: files' content, crashes.
 */
import type { VFile, VFileStat, VFS, VFSCapabilities, VLock } from "../../src/platform/vfs.js";
import type { DiskState, Life, VFSOperation } from "./disk-state.js";
import { lockedError, SimulatedCrash } from "./errors.js";
import type { DirectoryNode } from "./name-log.js";
import type { Path } from "./paths.js";
import { SimulationFile } from "./simulation-file.js";

/** The note that the production lock leaves in a locked directory, and behind it after a crash. */
const LOCK_NOTE = "LOCK";

export class SimulationVFS implements VFS {
  readonly capabilities: VFSCapabilities = { directorySync: true, links: true };
  private readonly disk: DiskState;
  private readonly life: Life;

  constructor(disk: DiskState, life: Life) {
    this.disk = disk;
    this.life = life;
  }

  createFile(text: string): VFile {
    const path = this.begin("createFile", text);
    const { disk } = this;
    const place = disk.names.find(path, "createFile");
    if (place.node === null) disk.needSpaceForName("createFile", path);
    const node = disk.names.createFile(path, place, disk.nextSequence());
    return new SimulationFile(disk, this.life, path, node, true);
  }

  openFile(text: string, mode: "read" | "readWrite"): VFile {
    const path = this.begin("openFile", text);
    const node = this.disk.names.file(path, "openFile");
    return new SimulationFile(this.disk, this.life, path, node, mode === "readWrite");
  }

  removeFile(text: string): void {
    const path = this.begin("removeFile", text);
    this.disk.releaseIfUnused(this.disk.names.removeFile(path, this.disk.nextSequence()));
  }

  rename(from: string, to: string): void {
    const source = this.begin("rename", from);
    const target = this.second(to);
    const replaced = this.disk.names.rename(source, target, this.disk.nextSequence());
    if (replaced !== null) this.disk.releaseIfUnused(replaced);
  }

  link(from: string, to: string): void {
    const source = this.begin("link", from);
    this.disk.names.link(source, this.second(to), this.disk.nextSequence());
  }

  makeDirectory(text: string): void {
    const path = this.begin("makeDirectory", text);
    const { disk } = this;
    const place = disk.names.find(path, "makeDirectory");
    if (place.node === null) disk.needSpaceForName("makeDirectory", path);
    disk.names.makeDirectory(path, place, disk.nextSequence());
  }

  removeDirectory(text: string): void {
    const path = this.begin("removeDirectory", text);
    this.disk.names.removeDirectory(path, this.disk.nextSequence());
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
    const commit = (): void => {
      if (disk.names.log.commitDirectory(directory)) disk.durableVersion++;
    };
    if (disk.leavesOut("syncDirectory", path, commit)) return;
    disk.counters.syncs++;
    if (disk.syncDice.roll(disk.faultsEnabled) === "syncError") {
      disk.counters.faults["S22 sync error"]++;
      if (disk.options.syncFailure !== "dirty-keep") disk.names.log.forsakeDirectory(directory);
      throw disk.fault("EIO", "syncDirectory", path);
    }
    commit();
  }

  stat(text: string): VFileStat | null {
    const node = this.disk.names.peek(this.begin("stat", text));
    if (node === null) return null;
    return node.kind === "file" ? { kind: "file", size: node.size } : { kind: "directory", size: 0 };
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
