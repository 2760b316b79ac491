/** A file in memory for table tests: counts calls, and can be damaged and cut under a reader's feet. */
import { StillwaterError } from "../../../src/platform/errors.js";
import { PositionalFile } from "../../../src/platform/positional-file.js";

export class MemoryFile extends PositionalFile {
  readonly path: string;
  bytes: Uint8Array;
  reads = 0;
  writes: number[] = [];
  closed = false;
  /** Reads that touch this offset fail as a latent sector error does. */
  badOffset = -1;

  constructor(path = "/table/000007.sst", bytes: Uint8Array = new Uint8Array(0)) {
    super();
    this.path = path;
    this.bytes = bytes;
  }

  protected readOnce(target: Uint8Array, targetStart: number, length: number, position: number): number {
    if (this.closed) throw new StillwaterError("CLOSED", "the file is closed", { path: this.path });
    this.reads++;
    if (this.badOffset >= position && this.badOffset < position + length) {
      throw new StillwaterError("IO", "the sector cannot be read", { path: this.path, offset: position });
    }
    const part = this.bytes.subarray(position, position + length);
    target.set(part, targetStart);
    return part.length;
  }

  protected writeOnce(source: Uint8Array, sourceStart: number, length: number, position: number): number {
    this.writes.push(length);
    if (this.bytes.length < position + length) {
      const grown = new Uint8Array(position + length);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes.set(source.subarray(sourceStart, sourceStart + length), position);
    return length;
  }

  truncate(size: number): void {
    this.bytes = this.bytes.slice(0, size);
  }

  syncData(): void {
    throw new StillwaterError("ASSERTION", "a table does not sync itself");
  }

  syncDataLater(): void {
    throw new StillwaterError("ASSERTION", "a table does not sync itself");
  }

  readLater(): void {
    throw new StillwaterError("ASSERTION", "a table reads synchronously");
  }

  size(): number {
    return this.bytes.length;
  }

  close(): void {
    this.closed = true;
  }
}
