/**
 * The fault `logRot`: damage to the log within the budget of what must be detected (simulation.md B4): flips one bit in a record that had
 * surely been durable, because a later record of its segment says so or a later segment follows it. The store must then
 * refuse to open, or not need the record any more; opening without the commit is what the durability oracle catches.
 * The newest synced records are spared: their loss cannot be told from a torn tail by any reader of the log.
 */
import { parseFileName, walPath } from "../../src/engine/files.js";
import { checksumById } from "../../src/engine/format/checksum.js";
import {
  FRAME_HEADER_BYTES,
  FrameHeader,
  frameBytes,
  nextSector,
  readFrame,
} from "../../src/engine/format/frame.js";
import { loadManifest } from "../../src/engine/manifest/manifest-log.js";
import { readSegmentHeader, SEGMENT_FRAMES_START } from "../../src/engine/wal/segment-header.js";
import type { VFS } from "../../src/platform/vfs.js";
import type { ChoiceStream } from "../choices/choices.js";
import type { SimulationDisk } from "../disk/simulation-disk.js";
import { STORE_DIRECTORY } from "./session.js";

/** A short checksum does not fill its field, and what is beside it means nothing. */
const CHECKSUM_FIELD_BYTES = 16;

interface Frame {
  readonly path: string;
  readonly at: number;
  readonly bytes: number;
}

/** Called after a power loss, when what is durable is all there is. False when no record qualifies. */
export function rotLog(disk: SimulationDisk, choices: ChoiceStream): boolean {
  const durable = disk.snapshotDurable();
  const manifest = durable.stat(STORE_DIRECTORY) === null ? null : loadManifest(durable, STORE_DIRECTORY);
  if (manifest === null) return false;
  const segments = durable
    .list(STORE_DIRECTORY)
    .map(parseFileName)
    .filter(({ kind, number }) => kind === "wal" && number >= manifest.counters.minWalNumber)
    .filter(({ number }) => durable.stat(walPath(STORE_DIRECTORY, number))?.kind === "file")
    .map(({ number }) => readFrames(durable, number, manifest.storeId))
    .filter((segment) => segment !== null);
  // A segment whose successor has a header is whole, to its seal; the end of such a one is a place of its own.
  const isFollowed = segments.length > 1 && choices.chance(0.5, "damage.at-end");
  const frames = isFollowed
    ? segments.slice(0, -1).flatMap(({ frames: all }) => all.slice(-2))
    : segments.flatMap(({ frames: all, provenTo }, index) =>
        index < segments.length - 1 ? all : all.filter(({ at }) => at < provenTo),
      );
  if (frames.length === 0) return false;
  const { path, at, bytes } = frames[choices.below(frames.length, "damage.frame")] as Frame; // below(n) < n
  const byte = CHECKSUM_FIELD_BYTES + choices.below(bytes - CHECKSUM_FIELD_BYTES, "damage.byte");
  disk.corrupt(path, at + byte, choices.below(8, "damage.bit"));
  return true;
}

/** The frames of a segment, and how far one of them says that it is durable. Null without a valid header. */
function readFrames(
  vfs: VFS,
  fileNumber: number,
  storeId: Uint8Array,
): { readonly frames: readonly Frame[]; readonly provenTo: number } | null {
  const path = walPath(STORE_DIRECTORY, fileNumber);
  const file = vfs.openFile(path, "read");
  const bytes = new Uint8Array(file.size());
  file.read(bytes, 0, bytes.length, 0);
  file.close();
  const header = readSegmentHeader(bytes, bytes.length, { path, fileNumber, storeId });
  if (header === null) return null;
  const codec = { checksum: checksumById(header.checksumId), fileNumber };
  const frame = new FrameHeader();
  const frames: Frame[] = [];
  let provenTo = 0;
  let at = SEGMENT_FRAMES_START;
  for (;;) {
    if (!readFrame(codec, bytes, at, bytes.length, frame)) {
      const aligned = nextSector(at);
      if (aligned === at || !readFrame(codec, bytes, aligned, bytes.length, frame)) break;
      at = aligned;
    }
    // Padding may rot unnoticed and harmlessly, so only the bytes that carry something count.
    frames.push({ path, at, bytes: FRAME_HEADER_BYTES + frame.payloadBytes });
    provenTo = Math.max(provenTo, frame.durableTo);
    at += frameBytes(frame.payloadBytes);
  }
  return { frames, provenTo };
}
