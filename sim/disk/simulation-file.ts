/**
 * One open file of a simulated process: single transfers with their faults, syncs with theirs. The loops that complete
 * short transfers are production's (`PositionalFile`), which is what short transfers are injected for.
 * Promise: without faults it answers as `NodeFile` does. Does not own: content (`file-node.ts`), what a failed sync
 * does to it (`file-sync.ts`).
 */
import { assert } from "../../src/platform/assert.js";
import { closedError } from "../../src/platform/node/errno.js";
import { PositionalFile, wasInterrupted } from "../../src/platform/positional-file.js";
import type { DiskState, Life, VFSOperation } from "./disk-state.js";
import { readOnlyError } from "./errors.js";
import type { FileNode } from "./file-node.js";
import { type SyncCall, syncFile } from "./file-sync.js";
import { perhapsHold } from "./held-files.js";
import { damageBits, damageLatentSector, unreadableOffset } from "./media-damage.js";
import type { READ_FAULTS } from "./options.js";
import { PAGE_BYTES } from "./page.js";
import type { Path } from "./paths.js";
import { spoilAnswer, spoiltCopy, swapSector } from "./transfer-damage.js";

export class SimulationFile extends PositionalFile {
  readonly path: string;
  readonly node: FileNode;
  /** Failures of syncs that this handle has reported or was opened after. */
  syncFailuresSeen: number;
  private readonly disk: DiskState;
  private readonly life: Life;
  private readonly interned: Path;
  private readonly writable: boolean;
  private closed = false;
  private hasWritten = false;

  constructor(disk: DiskState, life: Life, path: Path, node: FileNode, writable: boolean) {
    super();
    this.disk = disk;
    this.life = life;
    this.path = path.text;
    this.interned = path;
    this.node = node;
    this.writable = writable;
    this.syncFailuresSeen = node.syncFailures;
    node.handles++;
    life.handles.add(this);
  }

  protected override readOnce(
    target: Uint8Array,
    targetStart: number,
    length: number,
    position: number,
  ): number {
    this.begin("read", position, length);
    assertRange(target, targetStart, length, position);
    return this.transferIn("read", target, targetStart, length, position);
  }

  protected override writeOnce(
    source: Uint8Array,
    sourceStart: number,
    length: number,
    position: number,
  ): number {
    const { disk, node } = this;
    this.begin("write", position, length);
    this.assertWritable("write");
    assertRange(source, sourceStart, length, position);
    disk.traceData(source, sourceStart, length);

    disk.needAccess(this.life, "write", this.interned, true);

    const fault = disk.writeDice.roll(disk.faultsEnabled);
    const { detail } = disk.writeDice;
    let accepted = length;
    let bytes = source;
    let start = sourceStart;
    if (fault === "writeError") accepted = acceptedByFailure(detail, length);
    else if (fault === "shortWrite" && length > 1) {
      accepted = 1 + (detail % (length - 1));
      disk.counters.faults["S31 short write"]++;
    } else if (fault === "interrupted") throw disk.interrupted(detail, "write", this.interned, position);
    else if (fault === "fileTooBig") this.refuseGrowth("write", position + length);
    else if (fault === "writeCorruption") {
      const spoilt = spoiltCopy(
        disk,
        this.interned,
        source.subarray(sourceStart, sourceStart + length),
        position,
        detail,
      );
      if (spoilt !== null) {
        bytes = spoilt;
        start = 0;
      }
    }
    const fits = accepted === 0 ? 0 : disk.fitting(node, position, accepted);
    if (fits > 0) {
      const before = node.allocatedPages;
      node.write(bytes, start, fits, position, disk.nextSequence());
      disk.usedPages += node.allocatedPages - before;
      disk.counters.bytesWritten += fits;
      this.hasWritten = true;
    }
    if (fault === "writeError") {
      disk.counters.faults["S21 write error"]++;
      throw disk.fault("EIO", "write", this.interned, position);
    }
    if (fits === 0) {
      disk.counters.faults["S24 no space"]++;
      throw disk.fault(disk.options.spaceErrno, "write", this.interned, position);
    }
    return fits;
  }

  override truncate(size: number): void {
    this.begin("truncate", size, 0);
    this.assertWritable("truncate");
    assert(Number.isSafeInteger(size) && size >= 0, "a file's size is a whole number of bytes");
    const { disk, node } = this;
    const fault = disk.nameDice.roll(disk.faultsEnabled);
    disk.needAccess(this.life, "truncate", this.interned, true);
    if (fault === "fileTooBig") this.refuseGrowth("truncate", size);
    if (fault === "nameError") {
      disk.counters.faults["S21 error on a name"]++;
      throw disk.fault("EIO", "truncate", this.interned, size);
    }
    disk.accounting(node, () => node.truncate(size, disk.nextSequence()));
    this.hasWritten = true;
  }

  override syncData(): void {
    this.begin("syncData", 0, 0);
    const { disk, life, interned } = this;
    if (disk.leavesOut("syncData", interned, () => this.commitAll())) return;
    const fault = disk.rollSync(interned);
    const { detail } = disk.syncDice;
    const covered = disk.currentSequence;
    const error = syncFile(disk, interned, this, { life, operation: "syncData", covered, fault, detail });
    if (error !== null) throw error;
  }

  override syncDataLater(done: (error: Error | null) => void): void {
    const { disk, life, node, interned } = this;
    disk.begin(life, "syncDataLater", interned, 0, 0);
    if (this.closed) {
      disk.completions.later(life, interned, null, () => done(closedError("syncDataLater", this.path)));
      return;
    }
    if (disk.leavesOut("syncDataLater", interned, () => this.commitAll())) {
      disk.completions.later(life, interned, null, () => done(null));
      return;
    }
    const fault = disk.rollSync(interned);
    const { detail } = disk.syncDice;
    const covered = disk.currentSequence;
    node.syncsInFlight++;
    disk.completions.later(life, interned, node, () => {
      node.syncsInFlight--;
      const call: SyncCall = { life, operation: "syncDataLater", covered, fault, detail };
      done(syncFile(disk, interned, this, call));
    });
  }

  override readLater(
    target: Uint8Array,
    targetStart: number,
    length: number,
    position: number,
    done: (error: Error | null, bytesRead: number) => void,
  ): void {
    const { disk, life, interned } = this;
    disk.begin(life, "readLater", interned, position, length);
    assertRange(target, targetStart, length, position);
    if (this.closed) {
      disk.completions.later(life, interned, null, () => done(closedError("readLater", this.path), 0));
      return;
    }
    disk.completions.later(life, interned, null, () => {
      let moved = 0;
      let error: Error | null = null;
      try {
        while (moved < length) {
          const part = this.transferAgain(target, targetStart + moved, length - moved, position + moved);
          if (part === 0) break;
          moved += part;
        }
      } catch (failure) {
        assert(failure instanceof Error, "transfers throw errors");
        error = failure;
      }
      done(error, moved);
    });
  }

  override size(): number {
    this.begin("size", 0, 0);
    return this.node.size;
  }

  override close(): void {
    this.disk.begin(this.life, "close", this.interned, 0, 0);
    if (this.closed) return;
    const { disk, node } = this;
    this.closed = true;
    this.life.handles.delete(this);
    node.handles--;
    disk.releaseIfUnused(node);
    perhapsHold(disk, node, this.path);
    // S23: what a close says of earlier writes; the handle is gone whatever it says.
    if (!this.hasWritten || disk.closeDice.roll(disk.faultsEnabled) === null) return;
    disk.counters.faults["S23 close error"]++;
    throw disk.fault(
      disk.closeDice.detail % 2 === 0 ? "EIO" : disk.options.spaceErrno,
      "close",
      this.interned,
    );
  }

  /** One read of `readLater`, again and again while it is interrupted. */
  private transferAgain(target: Uint8Array, targetStart: number, length: number, position: number): number {
    for (;;) {
      try {
        return this.transferIn("readLater", target, targetStart, length, position);
      } catch (error) {
        if (!wasInterrupted(error)) throw error;
      }
    }
  }

  /** One read with its faults. Returns 0 only at the end of the file. */
  private transferIn(
    operation: VFSOperation,
    target: Uint8Array,
    targetStart: number,
    length: number,
    position: number,
  ): number {
    const { disk, node, interned } = this;
    let moved = Math.min(length, node.size - position);
    if (moved <= 0) return 0;
    const fault = disk.readDice.roll(disk.faultsEnabled);
    const { detail } = disk.readDice;
    if (fault !== null) moved = this.sufferRead(operation, fault, detail, moved, position);
    const unreadable = unreadableOffset(node, position, moved, false);
    if (unreadable !== null) throw disk.fault("EIO", operation, interned, unreadable);
    node.read(target, targetStart, moved, position);
    if (fault === "readCorruption") {
      spoilAnswer(disk, interned, node, { target, start: targetStart, length: moved, position }, detail);
    } else if (fault === "misdirectedRead") {
      swapSector(disk, interned, node, { target, start: targetStart, length: moved, position }, detail);
    }
    disk.counters.bytesRead += moved;
    return moved;
  }

  /** Returns how many bytes the read may still move. */
  private sufferRead(
    operation: VFSOperation,
    fault: (typeof READ_FAULTS)[number],
    detail: number,
    length: number,
    position: number,
  ): number {
    const { disk, node, interned } = this;
    const { faults } = disk.counters;
    switch (fault) {
      case "readError":
        // What is dirty comes from the cache, not from the medium, and so cannot fail.
        if (node.dirty.has(Math.floor(position / PAGE_BYTES))) return length;
        faults["S13 read error"]++;
        throw disk.fault("EIO", operation, interned, position);
      case "latentSector":
        damageLatentSector(disk, interned, node, position, length, detail);
        return length;
      case "bitRot":
        damageBits(disk, interned, node, position, length, detail);
        return length;
      case "shortRead":
        if (length === 1) return length;
        faults["S30 short read"]++;
        return 1 + (detail % (length - 1));
      case "eviction":
        if (node.forsaken.size === 0) return length;
        faults["B5 eviction"]++;
        disk.evict(node);
        return length;
      case "interrupted":
        throw disk.interrupted(detail, operation, interned, position);
      default:
        return length;
    }
  }

  /** What a sync that was postponed does in the end: it does not fail, for nobody would hear of it. */
  private commitAll(): void {
    this.node.commit(this.disk.currentSequence);
    this.disk.durableVersion++;
  }

  /** S25: throws when the file would get longer. */
  private refuseGrowth(operation: VFSOperation, size: number): void {
    const { disk, node, interned } = this;
    if (size <= node.size) return;
    disk.counters.faults["S25 file too big"]++;
    throw disk.fault("EFBIG", operation, interned, size);
  }

  private begin(operation: VFSOperation, a: number, b: number): void {
    this.disk.begin(this.life, operation, this.interned, a, b);
    if (this.closed) throw closedError(operation, this.path);
  }

  private assertWritable(operation: VFSOperation): void {
    if (!this.writable) throw readOnlyError(operation, this.path);
  }
}

/** S21: nothing, a prefix or all of it is in the page cache although the write failed. */
function acceptedByFailure(detail: number, length: number): number {
  const way = detail % 3;
  if (way === 0) return 0;
  return way === 1 ? Math.floor(detail / 3) % length : length;
}

function assertRange(bytes: Uint8Array, start: number, length: number, position: number): void {
  assert(
    Number.isSafeInteger(start) && Number.isSafeInteger(length) && start >= 0 && length >= 0,
    "a transfer's start and length are whole numbers",
  );
  assert(start + length <= bytes.length, "a transfer lies inside its buffer");
  assert(Number.isSafeInteger(position) && position >= 0, "a file position is a whole number");
}
