/**
 * Completes short transfers: the operating system may move fewer bytes than asked, without an error, and a caller that
 * forgets the rest writes holes; and it may be interrupted before it has moved any, which means that it wants to be
 * asked again. Implementations of `VFile` give single transfers; this class loops.
 */
import { StillwaterError } from "./errors.js";
import { isInterrupted } from "./node/errno.js";
import { mutant } from "./probes.js";
import type { VFile } from "./vfs.js";

/** A transfer that moves nothing this many times in a row is an error, not an endless loop. */
const EMPTY_WRITES_MAX = 100;

export abstract class PositionalFile implements VFile {
  abstract readonly path: string;

  /** One read; may return fewer bytes than asked, 0 only at the end of the file. An error by EINTR is tried again. */
  protected abstract readOnce(
    target: Uint8Array,
    targetStart: number,
    length: number,
    position: number,
  ): number;
  /** One write; may accept fewer bytes than asked. An error by EINTR is tried again. */
  protected abstract writeOnce(
    source: Uint8Array,
    sourceStart: number,
    length: number,
    position: number,
  ): number;

  abstract truncate(size: number): void;
  abstract syncData(): void;
  abstract syncDataLater(done: (error: Error | null) => void): void;
  abstract readLater(
    target: Uint8Array,
    targetStart: number,
    length: number,
    position: number,
    done: (error: Error | null, bytesRead: number) => void,
  ): void;
  abstract size(): number;
  abstract close(): void;

  read(target: Uint8Array, targetStart: number, length: number, position: number): number {
    let done = 0;
    while (done < length) {
      let moved: number;
      try {
        moved = this.readOnce(target, targetStart + done, length - done, position + done);
      } catch (error) {
        if (wasInterrupted(error)) continue;
        throw error;
      }
      if (moved === 0) break;
      done += moved;
    }
    return done;
  }

  write(source: Uint8Array, sourceStart: number, length: number, position: number): void {
    let done = 0;
    let empty = 0;
    while (done < length) {
      let moved: number;
      try {
        moved = this.writeOnce(source, sourceStart + done, length - done, position + done);
      } catch (error) {
        if (wasInterrupted(error)) continue;
        throw error;
      }
      done += moved;
      if (mutant("E2-short-write-not-continued")) return;
      empty = moved === 0 ? empty + 1 : 0;
      if (empty > EMPTY_WRITES_MAX) {
        throw new StillwaterError(
          "IO",
          `${this.path} accepts no more bytes, without an error. Check the disk.`,
          {
            path: this.path,
            offset: position + done,
            operation: "write",
          },
        );
      }
    }
  }
}

/** Whether a single transfer failed by an interruption, having done nothing. */
export function wasInterrupted(error: unknown): boolean {
  return error instanceof StillwaterError && isInterrupted(error.cause);
}
