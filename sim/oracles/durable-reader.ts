/**
 * Reads what is durable of a store, after every change of it, at the cost of what changed: the manifest and the log are
 * append-only, so what has been decoded stays decoded as long as the medium still holds the same pages there. Written
 * without the store's own loader, whose word it is compared with after each crash (`sim/run/durable-watch.ts`).
 *
 * Promises: the answer is a function of the medium alone; every frame has been proved by its checksum once.
 * Throws `CORRUPTION` and `ASSERTION` for what does not decode; naming the broken promise is for the oracle that asked.
 * A log segment ends where no frame verifies; whether that is a torn tail or damage is not asked here.
 * Does not own: the content of tables.
 */
import { CURRENT_NAME, type FileName, manifestName, parseFileName } from "../../src/engine/files.js";
import { checksumById, checksumByName } from "../../src/engine/format/checksum.js";
import {
  FRAME_COMMITS,
  FRAME_EDIT,
  FRAME_HEADER_BYTES,
  FRAME_MARK,
  FRAME_SEAL,
  type FrameCodec,
  FrameHeader,
  frameBytes,
  nextSector,
  readFrame,
  readUint32,
  readUint64,
  scanFrames,
} from "../../src/engine/format/frame.js";
import { decodeEdit, type ManifestCounters } from "../../src/engine/manifest/edit.js";
import { EMPTY_LEVELS, type Levels, LevelsBuilder } from "../../src/engine/manifest/tree.js";
import {
  readSegmentHeader,
  SEGMENT_FRAMES_START,
  type SegmentHeader,
} from "../../src/engine/wal/segment-header.js";
import { assert } from "../../src/platform/assert.js";
import { CorruptionError } from "../../src/platform/errors.js";
import type { FileNode } from "../disk/file-node.js";
import type { DirectoryNode } from "../disk/name-log.js";
import { MediumImage } from "./medium-image.js";

const CURRENT_BYTES = 64;

/** One live log segment, as far as it is durable, and was when it was last followed. */
export interface DurableSegment {
  /** Decodes what has become durable since. */
  follow(): void;
  readonly fileNumber: number;
  /** Null: the segment was being created. */
  readonly header: SegmentHeader | null;
  /** A file without a byte is no segment, whatever its name says. */
  readonly isEmpty: boolean;
  /** Newest version in it. */
  readonly lastVersion: number;
  readonly end: number;
  readonly chain: number;
  readonly isSealed: boolean;
}

export interface DurableStore {
  readonly manifestNumber: number;
  readonly editNumber: number;
  readonly counters: ManifestCounters;
  readonly levels: Levels;
  /** Segments that recovery would read, oldest first; to be followed before they are asked anything. */
  readonly segments: readonly DurableSegment[];
  /** Whether the manifest is another one, or has got longer, since the last look. */
  readonly manifestChanged: boolean;
}

export class DurableReader {
  #current: CurrentFollower | null = null;
  #manifest: ManifestFollower | null = null;
  #segments: readonly SegmentFollower[] = [];
  /** What the files were found by; while it stands nobody has to look for them again. */
  #directory: DirectoryNode | null = null;
  #directoryVersion = -1;
  #minWalNumber = -1;
  readonly #parsed = new Map<string, FileName>();
  #store: DurableStore | null = null;

  /** Null when the directory has no CURRENT. The same object while neither manifest nor names have changed. */
  read(directory: DirectoryNode): DurableStore | null {
    const isSame = this.#directory === directory && this.#directoryVersion === directory.durableVersion;
    this.#directory = directory;
    this.#directoryVersion = directory.durableVersion;
    const current = this.#followCurrent(directory, isSame);
    if (current === null) {
      this.#store = null;
      return null;
    }
    const { facts } = current;
    if (!isSame || this.#manifest?.facts !== facts) {
      const node = fileNamed(directory, manifestName(facts.manifestNumber));
      if (node === null) throw damaged(CURRENT_NAME, "CURRENT names a manifest that is missing");
      if (this.#manifest?.node !== node) this.#manifest = new ManifestFollower(node, facts);
    }
    const manifest = this.#manifest as ManifestFollower; // made above, at the latest
    const manifestChanged = manifest.follow();
    const { minWalNumber } = manifest.counters;
    if (!isSame || this.#minWalNumber !== minWalNumber) {
      this.#segments = this.#listSegments(directory, minWalNumber, facts.storeId);
      this.#minWalNumber = minWalNumber;
    } else if (!manifestChanged && this.#store !== null) {
      return this.#store;
    }
    this.#store = {
      manifestNumber: facts.manifestNumber,
      editNumber: manifest.editNumber,
      counters: manifest.counters,
      levels: manifest.levels,
      segments: this.#segments,
      manifestChanged,
    };
    return this.#store;
  }

  #followCurrent(directory: DirectoryNode, isSame: boolean): CurrentFollower | null {
    if (!isSame) {
      const node = fileNamed(directory, CURRENT_NAME);
      if (node === null) this.#current = null;
      else if (this.#current?.node !== node) this.#current = new CurrentFollower(node);
    }
    this.#current?.follow();
    return this.#current;
  }

  #listSegments(directory: DirectoryNode, minWalNumber: number, storeId: Uint8Array): SegmentFollower[] {
    const known = new Map(this.#segments.map((segment) => [segment.node, segment]));
    const segments: SegmentFollower[] = [];
    for (const [name, node] of directory.durable) {
      const { kind, number } = this.#parse(name);
      if (kind !== "wal" || number < minWalNumber || node.kind !== "file") continue;
      segments.push(known.get(node) ?? new SegmentFollower(node, number, name, storeId));
    }
    return segments.sort((a, b) => a.fileNumber - b.fileNumber);
  }

  #parse(name: string): FileName {
    let parsed = this.#parsed.get(name);
    if (parsed === undefined) {
      parsed = parseFileName(name);
      this.#parsed.set(name, parsed);
    }
    return parsed;
  }
}

/** The file that bears this name durably. */
export function fileNamed(directory: DirectoryNode, name: string): FileNode | null {
  const node = directory.durable.get(name);
  return node?.kind === "file" ? node : null;
}

interface CurrentFacts {
  readonly manifestNumber: number;
  readonly checksumId: number;
  readonly storeId: Uint8Array;
}

class CurrentFollower {
  readonly node: FileNode;
  readonly #image: MediumImage;
  facts: CurrentFacts;

  constructor(node: FileNode) {
    this.node = node;
    this.#image = new MediumImage(node);
    this.#image.refresh(0);
    this.facts = this.#decode();
  }

  follow(): void {
    if (!this.#image.refresh(CURRENT_BYTES)) this.facts = this.#decode();
  }

  #decode(): CurrentFacts {
    const { bytes, size } = this.#image;
    if (size !== CURRENT_BYTES || !checksumByName("crc32").verify(bytes, 60, 0, 0, bytes, 0, 60)) {
      throw damaged(CURRENT_NAME, "CURRENT does not verify");
    }
    return {
      checksumId: readUint32(bytes, 12),
      manifestNumber: readUint64(bytes, 16),
      storeId: bytes.slice(24, 40),
    };
  }
}

/** One manifest file, decoded as far as it goes. */
class ManifestFollower {
  readonly node: FileNode;
  readonly facts: CurrentFacts;
  readonly #path: string;
  readonly #image: MediumImage;
  readonly #codec: FrameCodec;
  readonly #seed: number;
  #builder = new LevelsBuilder(EMPTY_LEVELS);
  #end = 0;
  #chain: number;
  #isSealed = false;
  editNumber = 0;
  counters: ManifestCounters = { nextFileNumber: 0, lastVersion: 0, minWalNumber: 0 };
  levels: Levels = EMPTY_LEVELS;

  constructor(node: FileNode, facts: CurrentFacts) {
    const { manifestNumber, checksumId, storeId } = facts;
    this.node = node;
    this.facts = facts;
    this.#path = manifestName(manifestNumber);
    this.#image = new MediumImage(node);
    this.#codec = { checksum: checksumById(checksumId), fileNumber: manifestNumber };
    this.#seed = (readUint32(storeId, 0) ^ Math.imul(manifestNumber, 0x85ebca6b)) >>> 0;
    this.#chain = this.#seed;
  }

  /** Decodes what is new; true when anything was. */
  follow(): boolean {
    if (!this.#image.refresh(this.#end)) this.#startAnew();
    else if (this.#image.unchanged) return false;
    const before = this.editNumber;
    const { bytes, size } = this.#image;
    const scan = scanFrames(
      this.#codec,
      this.#path,
      bytes,
      { start: this.#end, limit: size, chain: this.#chain },
      (frame, at) => this.#visit(frame, at),
    );
    this.#end = scan.end;
    this.#chain = scan.chain;
    if (this.editNumber === 0) throw damaged(this.#path, "the manifest holds no valid snapshot");
    if (this.editNumber === before) return false;
    this.levels = this.#builder.finish();
    return true;
  }

  #visit(frame: { type: number; number: number; payloadBytes: number }, at: number): void {
    if (this.#isSealed) throw damaged(this.#path, "the manifest goes on after its seal");
    if (frame.type === FRAME_SEAL && frame.number === this.editNumber) {
      this.#isSealed = true;
      return;
    }
    if (frame.type === FRAME_MARK && frame.number === this.editNumber) return;
    if (frame.type !== FRAME_EDIT) throw damaged(this.#path, "the manifest holds a foreign record");
    if (this.editNumber !== 0 && frame.number !== this.editNumber + 1) {
      throw damaged(this.#path, `edit ${frame.number} follows edit ${this.editNumber}`);
    }
    const start = at + FRAME_HEADER_BYTES;
    const edit = decodeEdit(this.#image.bytes.slice(start, start + frame.payloadBytes), this.#path, at);
    this.#builder.apply(edit);
    this.counters = edit.counters;
    this.editNumber = frame.number;
  }

  #startAnew(): void {
    this.#builder = new LevelsBuilder(EMPTY_LEVELS);
    this.#end = 0;
    this.#chain = this.#seed;
    this.#isSealed = false;
    this.editNumber = 0;
  }
}

/** One log segment, decoded as far as it goes. */
class SegmentFollower implements DurableSegment {
  readonly node: FileNode;
  readonly fileNumber: number;
  readonly #path: string;
  readonly #storeId: Uint8Array;
  readonly #image: MediumImage;
  header: SegmentHeader | null = null;
  lastVersion = 0;
  end = 0;
  chain = 0;
  isSealed = false;

  constructor(node: FileNode, fileNumber: number, path: string, storeId: Uint8Array) {
    this.node = node;
    this.fileNumber = fileNumber;
    this.#path = path;
    this.#storeId = storeId;
    this.#image = new MediumImage(node);
  }

  get isEmpty(): boolean {
    return this.node.mediaSize === 0;
  }

  follow(): void {
    if (!this.#image.refresh(this.end)) this.header = null;
    const { bytes, size } = this.#image;
    if (this.header === null) this.#begin(bytes, size);
    const { header } = this;
    // A segment has its full size from the start, and most of it is holes.
    if (header === null || this.#image.unchanged) return;
    const codec = { checksum: checksumById(header.checksumId), fileNumber: this.fileNumber };
    const frame = new FrameHeader();
    while (this.#next(codec, bytes, size, frame)) {
      if (this.isSealed) throw damaged(this.#path, "a log segment goes on after its seal");
      if (frame.type === FRAME_SEAL) this.isSealed = true;
      if (frame.type !== FRAME_COMMITS) continue;
      if (frame.number !== this.lastVersion + 1) {
        throw damaged(this.#path, `a log record has version ${frame.number} after ${this.lastVersion}`);
      }
      this.lastVersion += frame.count;
    }
  }

  /** Steps over the next frame, if it is there: right behind the last one, or at the next sector. */
  #next(codec: FrameCodec, bytes: Uint8Array, size: number, frame: FrameHeader): boolean {
    for (const at of [this.end, nextSector(this.end)]) {
      if (!readFrame(codec, bytes, at, size, frame) || frame.chain !== this.chain) continue;
      this.chain = readUint32(bytes, at);
      this.end = at + frameBytes(frame.payloadBytes);
      return true;
    }
    return false;
  }

  #begin(bytes: Uint8Array, size: number): void {
    const { fileNumber } = this;
    this.header = readSegmentHeader(bytes, size, { path: this.#path, fileNumber, storeId: this.#storeId });
    if (this.header === null) return;
    assert(this.header.fileNumber === fileNumber, "a header belongs to its file");
    this.lastVersion = this.header.baseVersion;
    this.end = SEGMENT_FRAMES_START;
    this.chain = this.header.previousChain;
    this.isSealed = false;
  }
}

function damaged(path: string, what: string): CorruptionError {
  return new CorruptionError(what, { path });
}
