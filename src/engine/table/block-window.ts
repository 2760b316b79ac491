/**
 * The data blocks of one table read past the cache, for compaction and verification: every block is read from the file
 * and proved, whatever the cache holds, so that damage cannot travel on under a fresh checksum. A walk in either
 * direction reads ahead and needs one system call for many blocks. After `load` the block stands at `memory`, `base`.
 */
import { hasCode } from "../../platform/errors.js";
import type { BlockFile } from "./block-file.js";
import { BlockMemory, EMPTY_MEMORY, wholeWords } from "./block-memory.js";

export class BlockWindow {
  memory: BlockMemory = EMPTY_MEMORY;
  base = 0;

  private readonly file: BlockFile;
  private readonly windowBytes: number;
  private window: BlockMemory = EMPTY_MEMORY;
  /** Blocks [first, end) stand in the window as stored. */
  private first = 0;
  private end = 0;
  private previous = -2;

  constructor(file: BlockFile, windowBytes: number) {
    this.file = file;
    this.windowBytes = Math.min(wholeWords(windowBytes), file.offsetOf(file.index.blockCount));
  }

  load(block: number): void {
    if (block < this.first || block >= this.end) this.read(block);
    this.previous = block;
    const { file } = this;
    const at = file.offsetOf(block) - file.offsetOf(this.first);
    const payloadBytes = file.prove(block, this.window.bytes, at);
    if (file.mayBePacked && file.isPacked(block, this.window.bytes, at)) {
      const body = file.unpack(block, this.window.bytes.subarray(at, at + payloadBytes));
      this.memory = new BlockMemory(wholeWords(body.length));
      this.memory.bytes.set(body);
      this.base = 0;
      file.requireSound(block, this.memory, 0, body.length);
    } else {
      this.memory = this.window;
      this.base = at;
      file.requireSound(block, this.memory, at, payloadBytes);
    }
  }

  release(): void {
    this.memory = EMPTY_MEMORY;
    this.window = EMPTY_MEMORY;
    this.first = 0;
    this.end = 0;
    this.previous = -2;
  }

  /** Reads `block`, and its successors or predecessors when the last step went that way. */
  private read(block: number): void {
    const { offsets, blockCount } = this.file.index;
    let first = block;
    let end = block + 1;
    if (block === this.previous + 1) {
      const limit = (offsets[block] as number) + this.windowBytes;
      while (end < blockCount && (offsets[end + 1] as number) <= limit) end++;
    } else if (block === this.previous - 1) {
      const limit = (offsets[end] as number) - this.windowBytes;
      while (first > 0 && (offsets[first - 1] as number) >= limit) first--;
    }
    this.first = 0;
    this.end = 0;
    if (end - first > 1) {
      try {
        this.readRange(block, first, end);
        return;
      } catch (error) {
        if (!hasCode(error, "IO") && !hasCode(error, "CORRUPTION")) throw error;
        // A neighbour that was not asked for may be what cannot be read; whether this block can is found out below.
        first = block;
        end = block + 1;
      }
    }
    this.readRange(block, first, end);
  }

  private readRange(block: number, first: number, end: number): void {
    const { file } = this;
    const offset = file.offsetOf(first);
    const length = file.offsetOf(end) - offset;
    if (length > this.window.bytes.length || this.window.bytes.length > this.windowBytes) {
      this.window = new BlockMemory(end - first > 1 ? this.windowBytes : length);
    }
    const got = file.file.read(this.window.bytes, 0, length, offset);
    if (got !== length) throw file.corruption("the table ends inside a data block", block);
    this.first = first;
    this.end = end;
  }
}
