/**
 * One piece of memory seen as bytes, 16-bit and 32-bit numbers, so that the numeric columns of a block are read in
 * place. A block in it begins at a multiple of 4.
 */
import { assert } from "../../platform/assert.js";

export class BlockMemory {
  readonly bytes: Uint8Array;
  readonly halves: Uint16Array;
  readonly words: Uint32Array;

  constructor(capacityBytes: number) {
    assert(capacityBytes % 4 === 0, "block memory is made of whole words");
    const buffer = new ArrayBuffer(capacityBytes);
    this.bytes = new Uint8Array(buffer);
    this.halves = new Uint16Array(buffer);
    this.words = new Uint32Array(buffer);
  }
}

export const EMPTY_MEMORY = new BlockMemory(0);

/** `bytes` rounded up to whole words. */
export function wholeWords(bytes: number): number {
  return Math.ceil(bytes / 4) * 4;
}
