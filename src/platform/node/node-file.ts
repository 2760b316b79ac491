/**
 * One open file of `NodeVFS`: single positioned transfers, and the life of its descriptor.
 * Promise: a call after `close()` fails with `CLOSED` without touching the number, which may belong to another file
 * by then; a descriptor closes only after the asynchronous calls on it have ended; EINTR is tried again where
 * that is harmless (transfers, size) and reported where it is not (sync, close).
 */
import { setImmediate } from "node:timers";
import { assert } from "../assert.js";
import { StillwaterError } from "../errors.js";
import { PositionalFile } from "../positional-file.js";
import { closedError, fileSystemError, isInterrupted } from "./errno.js";
import type { NodeFileSystem } from "./node-file-system.js";

export class NodeFile extends PositionalFile {
  readonly path: string;
  private readonly fs: NodeFileSystem;
  private readonly descriptor: number;
  private readonly writable: boolean;
  private closed = false;
  /** Asynchronous calls that still use the descriptor. */
  private inFlight = 0;

  constructor(fs: NodeFileSystem, path: string, descriptor: number, writable: boolean) {
    super();
    this.fs = fs;
    this.path = path;
    this.descriptor = descriptor;
    this.writable = writable;
  }

  protected override readOnce(
    target: Uint8Array,
    targetStart: number,
    length: number,
    position: number,
  ): number {
    this.assertOpen("read");
    assertRange(target, targetStart, length, position);
    try {
      return this.fs.readSync(this.descriptor, target, targetStart, length, position);
    } catch (error) {
      throw fileSystemError(error, "read", this.path, position);
    }
  }

  protected override writeOnce(
    source: Uint8Array,
    sourceStart: number,
    length: number,
    position: number,
  ): number {
    this.assertWritable("write");
    assertRange(source, sourceStart, length, position);
    try {
      return this.fs.writeSync(this.descriptor, source, sourceStart, length, position);
    } catch (error) {
      throw fileSystemError(error, "write", this.path, position);
    }
  }

  override truncate(size: number): void {
    this.assertWritable("truncate");
    assert(Number.isSafeInteger(size) && size >= 0, "a file's size is a whole number of bytes");
    for (;;) {
      try {
        this.fs.ftruncateSync(this.descriptor, size);
        return;
      } catch (error) {
        if (!isInterrupted(error)) throw fileSystemError(error, "truncate", this.path, size);
      }
    }
  }

  override syncData(): void {
    this.assertOpen("syncData");
    try {
      this.fs.fdatasyncSync(this.descriptor);
    } catch (error) {
      throw fileSystemError(error, "syncData", this.path);
    }
  }

  override syncDataLater(done: (error: Error | null) => void): void {
    if (this.closed) {
      setImmediate(() => done(closedError("syncDataLater", this.path)));
      return;
    }
    this.inFlight++;
    this.fs.fdatasync(this.descriptor, (error) => {
      const failure = error ? fileSystemError(error, "syncDataLater", this.path) : null;
      done(this.endAsynchronous(failure));
    });
  }

  override readLater(
    target: Uint8Array,
    targetStart: number,
    length: number,
    position: number,
    done: (error: Error | null, bytesRead: number) => void,
  ): void {
    assertRange(target, targetStart, length, position);
    if (this.closed || length === 0) {
      const failure = this.closed ? closedError("readLater", this.path) : null;
      setImmediate(() => done(failure, 0));
      return;
    }
    this.inFlight++;
    let moved = 0;
    const end = (error: Error | null): void => done(this.endAsynchronous(error), moved);
    const step = (): void => {
      const at = position + moved;
      this.fs.read(this.descriptor, target, targetStart + moved, length - moved, at, (error, bytesRead) => {
        if (error) {
          if (isInterrupted(error)) step();
          else end(fileSystemError(error, "readLater", this.path, at));
          return;
        }
        moved += bytesRead;
        if (bytesRead === 0 || moved === length) end(null);
        else step();
      });
    };
    step();
  }

  override size(): number {
    this.assertOpen("size");
    for (;;) {
      try {
        return this.fs.fstatSync(this.descriptor).size;
      } catch (error) {
        if (!isInterrupted(error)) throw fileSystemError(error, "size", this.path);
      }
    }
  }

  override close(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.inFlight === 0) this.closeDescriptor();
  }

  /** Ends one asynchronous call. A close that waited for it and fails is reported through it: there is no other way. */
  private endAsynchronous(failure: Error | null): Error | null {
    assert(this.inFlight > 0, "an asynchronous call on a file ends once");
    this.inFlight--;
    if (!this.closed || this.inFlight > 0) return failure;
    try {
      this.closeDescriptor();
      return failure;
    } catch (error) {
      return failure ?? (error as Error);
    }
  }

  /** Never called twice, whatever comes back: after a failed close the number may belong to someone else. */
  private closeDescriptor(): void {
    try {
      this.fs.closeSync(this.descriptor);
    } catch (error) {
      throw fileSystemError(error, "close", this.path);
    }
  }

  private assertOpen(operation: string): void {
    if (this.closed) throw closedError(operation, this.path);
  }

  private assertWritable(operation: string): void {
    this.assertOpen(operation);
    if (this.writable) return;
    const message = `${operation} of ${this.path} needs a file opened with "readWrite"; this one was opened with "read".`;
    throw new StillwaterError("READ_ONLY", message, { path: this.path, operation });
  }
}

function assertRange(bytes: Uint8Array, start: number, length: number, position: number): void {
  assert(
    Number.isSafeInteger(start) && Number.isSafeInteger(length) && start >= 0 && length >= 0,
    "a transfer's start and length are whole numbers",
  );
  assert(start + length <= bytes.length, "a transfer lies inside its buffer");
  assert(Number.isSafeInteger(position) && position >= 0, "a file position is a whole number");
}
