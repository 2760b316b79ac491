/**
 * Reading and copying large files beside other work: in pieces, each read without blocking, with a turn for everybody
 * else after each. Every byte that passes goes into a SHA-256, so that a copy is known to be what was read.
 */
import { createHash } from "node:crypto";
import { CorruptionError } from "../../platform/errors.js";
import type { Scheduler } from "../../platform/platform.js";
import { mutant } from "../../platform/probes.js";
import type { VFile } from "../../platform/vfs.js";
import { TableReader } from "../table/reader.js";
import { verifyTableInSteps } from "../table/verify.js";
import { isDescribedBy } from "../verify.js";
import type { BackupTable } from "./descriptor.js";
import type { BackupWorld } from "./types.js";

const PIECE_BYTES = 512 * 1024;

/** Told of every piece; may throw to end the work. */
export type OnPiece = (bytes: number) => void;

/** SHA-256 of a file, hexadecimal. O(bytes). */
export async function hashFile(world: BackupWorld, path: string, onPiece: OnPiece): Promise<string> {
  const file = world.vfs.openFile(path, "read");
  try {
    return await pass(world.scheduler, file, null, onPiece);
  } finally {
    file.close();
  }
}

/** Copies a file and makes its bytes durable; its name is durable after a sync of the directory. Gives its SHA-256. */
export async function copyHashed(
  world: BackupWorld,
  from: string,
  to: string,
  onPiece: OnPiece,
): Promise<string> {
  const source = world.vfs.openFile(from, "read");
  try {
    const target = world.vfs.createFile(to);
    try {
      const sha256 = await pass(world.scheduler, source, target, onPiece);
      if (!mutant("K11-backup-copy-not-synced")) await synced(target);
      return sha256;
    } finally {
      target.close();
    }
  } finally {
    source.close();
  }
}

/**
 * Reads a table that a backup has and checks every byte: against its SHA-256, and as a table by itself, which says where
 * the damage is. Throws `CORRUPTION` with the offset, and file errors.
 */
export async function proveTable(
  world: BackupWorld,
  path: string,
  table: BackupTable,
  onPiece: OnPiece,
): Promise<void> {
  const sha256 = mutant("K16-backup-verified-by-its-names")
    ? table.sha256
    : await hashFile(world, path, onPiece);
  await checkRows(world, path, table, () => onPiece(0));
  if (sha256 === table.sha256) return;
  throw new CorruptionError("the file is another table than the one that was backed up", { path, offset: 0 });
}

/** Reads a table and checks it by itself, and against what the manifest says of it. */
export async function checkRows(
  world: BackupWorld,
  path: string,
  { meta }: Pick<BackupTable, "meta">,
  onStep: () => void,
): Promise<void> {
  const file = world.vfs.openFile(path, "read");
  try {
    const { fileNumber, bytes: expectedBytes } = meta;
    const { summary } = TableReader.open({ file, fileNumber, expectedBytes, cache: null });
    if (!isDescribedBy(summary, meta)) {
      throw new CorruptionError("the table is not what the manifest says of it", { path, offset: 0 });
    }
    const work = verifyTableInSteps(file, fileNumber, expectedBytes);
    while (work.next().done !== true) {
      await turn(world.scheduler);
      onStep();
    }
  } finally {
    file.close();
  }
}

async function pass(
  scheduler: Scheduler,
  source: VFile,
  target: VFile | null,
  onPiece: OnPiece,
): Promise<string> {
  const hash = createHash("sha256");
  const piece = new Uint8Array(Math.min(PIECE_BYTES, source.size() + 1));
  for (let at = 0; ; ) {
    const length = await readPiece(source, piece, at);
    onPiece(length);
    hash.update(piece.subarray(0, length));
    target?.write(piece, 0, length, at);
    at += length;
    if (length < piece.length) return hash.digest("hex");
    await turn(scheduler);
  }
}

function readPiece(file: VFile, piece: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    file.readLater(piece, 0, piece.length, position, (error, length) => {
      if (error === null) resolve(length);
      else reject(error);
    });
  });
}

function synced(file: VFile): Promise<void> {
  return new Promise((resolve, reject) => {
    file.syncDataLater((error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

/** Lets everything else that is ready run first. */
export function turn(scheduler: Scheduler): Promise<void> {
  return new Promise((resolve) => scheduler.defer(resolve));
}
