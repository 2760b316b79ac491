/**
 * Reads stored blocks of one table and proves each before anything of it is believed. What does not verify is a
 * `CorruptionError` that names file and offset; the other blocks stay readable. Keeps no block.
 */
import { CorruptionError } from "../../platform/errors.js";
import type { VFile } from "../../platform/vfs.js";
import type { ChecksumAlgorithm } from "../format/checksum.js";
import type { BlockMemory } from "./block-memory.js";
import { COMPRESSION_NONE, decompressBody, requireKnownCompression } from "./compression.js";
import { bodyIsSound } from "./data-block.js";
import { compressionIdOf, openBlock, type TableIdentity } from "./format.js";
import type { TableIndex } from "./index-block.js";

export class BlockFile implements TableIdentity {
  readonly file: VFile;
  readonly fileNumber: number;
  readonly checksum: ChecksumAlgorithm;
  readonly index: TableIndex;
  /** Whether data blocks of this table may be packed. */
  readonly mayBePacked: boolean;

  constructor(
    file: VFile,
    fileNumber: number,
    checksum: ChecksumAlgorithm,
    index: TableIndex,
    mayBePacked: boolean,
  ) {
    this.file = file;
    this.fileNumber = fileNumber;
    this.checksum = checksum;
    this.index = index;
    this.mayBePacked = mayBePacked;
  }

  offsetOf(block: number): number {
    return this.index.offsets[block] as number;
  }

  storedBytesOf(block: number): number {
    return (this.index.offsets[block + 1] as number) - (this.index.offsets[block] as number);
  }

  /** Reads block `block` as stored to `memory.bytes[at…)` and proves it. Returns the payload's length. */
  readStored(block: number, memory: BlockMemory, at: number): number {
    const length = this.storedBytesOf(block);
    const offset = this.offsetOf(block);
    const got = this.file.read(memory.bytes, at, length, offset);
    if (got !== length) throw this.corruption("the table ends inside a data block", block);
    return this.prove(block, memory.bytes, at);
  }

  /** Proves block `block`, which has been read to `bytes[at…)`. Returns the payload's length. */
  prove(block: number, bytes: Uint8Array, at: number): number {
    const payloadBytes = openBlock(this, bytes, at, this.storedBytesOf(block), this.offsetOf(block));
    if (payloadBytes < 0) throw this.corruption("a data block does not verify", block);
    return payloadBytes;
  }

  /** Whether a proved stored block is packed. */
  isPacked(block: number, bytes: Uint8Array, at: number): boolean {
    const id = compressionIdOf(this, bytes, at, this.storedBytesOf(block));
    requireKnownCompression(id, this.file.path, this.offsetOf(block));
    return id !== COMPRESSION_NONE;
  }

  unpack(block: number, packed: Uint8Array): Uint8Array {
    try {
      return decompressBody(packed);
    } catch (cause) {
      throw this.corruption("a data block does not decompress", block, cause);
    }
  }

  /** Throws unless the body at `memory.bytes[base…)` is one that rows can be read from. */
  requireSound(block: number, memory: BlockMemory, base: number, bodyBytes: number): void {
    if (!bodyIsSound(memory, base, bodyBytes)) throw this.corruption("a data block is malformed", block);
  }

  corruption(message: string, block: number, cause?: unknown): CorruptionError {
    return new CorruptionError(message, { path: this.file.path, offset: this.offsetOf(block), cause });
  }
}
