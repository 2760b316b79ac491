/**
 * S40: files that are none of the store's, found in its directory when it is opened: left there by a crash of something
 * else, an editor, a file manager, a backup tool. What has a name of the store's own kind may be cleared away or ignored;
 * what has a foreign name must be left alone, bytes and all; and nothing of the store may be lost by either.
 * Planted durably before an open, by choices of the stream `strays`.
 */
import {
  manifestName,
  parseFileName,
  QUARANTINE_NAME,
  tableName,
  temporaryName,
  walName,
} from "../../src/engine/files.js";
import { StillwaterError } from "../../src/platform/errors.js";
import { joinPath, parentPath } from "../../src/platform/path.js";
import type { VFS } from "../../src/platform/vfs.js";
import type { ChoiceStream } from "../choices/choices.js";
import { OracleFailure } from "../oracles/failure.js";
import { type Session, STORE_DIRECTORY } from "./session.js";

/** Names that no store gives. A name with a slash at its end is a directory. */
const FOREIGN = [
  ".DS_Store",
  "CURRENT.bak",
  "CURRENT~",
  "MANIFEST",
  "000001.sst.part",
  "12.wal",
  "desktop.ini",
  "lost+found/",
  "notes/",
] as const;
const STRAYS_AT_ONCE = 3;
/** How far beyond the highest number in the directory a stray one may lie. */
const NUMBERS_AHEAD = 20;
const LENGTHS = [0, 1, 17, 512, 4096, 5000] as const;
const FILLS = [0x00, 0xff, 0x5a] as const;

/** What was planted under a foreign name: null is a directory. */
export type ForeignFiles = Map<string, Uint8Array | null>;

/** To be called while no store is open. Nothing is planted before there is a store. */
export function plantStrays(session: Session): void {
  const { world, options, disk, life } = session;
  const choices = world.choices.stream("strays");
  if (!session.created || !choices.chance(options.world.strayProbability, "stray.plants")) return;
  // A full disk takes no files of others either.
  if (session.spaceLimited) return;
  const { vfs } = life.platform;
  const { sabotage } = disk;
  // What others sync is none of the engine's syncs.
  disk.sabotage = null;
  disk.faultsOff();
  try {
    for (let left = 1 + choices.below(STRAYS_AT_ONCE, "stray.count"); left > 0; left--)
      plantOne(session, vfs, choices);
  } finally {
    disk.sabotage = sabotage;
    if (session.faultsAreOn) disk.faultsOn();
  }
}

/** A file whose sync takes the names along that were made before it. */
const WITNESS = "/witness";

function plantOne(session: Session, vfs: VFS, choices: ChoiceStream): void {
  const isForeign = choices.chance(0.3, "stray.foreign");
  const name = isForeign
    ? (FOREIGN[choices.below(FOREIGN.length, "stray.name")] as string) // below(n) < n
    : ownName(vfs, choices);
  const drawnLength = LENGTHS[choices.below(LENGTHS.length, "stray.length")] as number; // below(n) < n
  // Any other content in the midst of the log could be a segment that has rotted, and refusing it is right.
  const length = parseFileName(name).kind === "wal" ? 0 : drawnLength;
  const fill = FILLS[choices.below(FILLS.length, "stray.fill")] as number; // below(n) < n
  const isDirectory = name.endsWith("/") || (!isForeign && choices.chance(0.15, "stray.directory"));
  const path = joinPath(STORE_DIRECTORY, name.replace(/\/$/, ""));
  if (vfs.stat(path) !== null) return;
  const bytes = new Uint8Array(length).fill(fill);
  if (isForeign || isDirectory) session.perhapsForeign.add(path);
  if (isDirectory) vfs.makeDirectory(path);
  else writeFile(vfs, path, bytes);
  makeDurable(vfs, path);
  session.world.faultCounts["S40 stray file"]++;
  if (isForeign || isDirectory) session.foreignFiles.set(path, isDirectory ? null : bytes);
}

/** A name that a store might have given, with a number that is not in use, below or above those that are. */
function ownName(vfs: VFS, choices: ChoiceStream): string {
  const names = vfs.list(STORE_DIRECTORY);
  // In quarantine too: a table that is put there must not find a stray directory under its name (seed 700421).
  const quarantine = joinPath(STORE_DIRECTORY, QUARANTINE_NAME);
  const quarantined = vfs.stat(quarantine)?.kind === "directory" ? vfs.list(quarantine) : [];
  const taken = new Set([...names, ...quarantined].map((name) => parseFileName(name).number));
  const highest = Math.max(...taken);
  let number = 1 + choices.below(highest + NUMBERS_AHEAD, "stray.number");
  while (taken.has(number)) number++;
  // Behind the newest segment even an empty one says that the former was complete, and refusing it may be right.
  const newestLog = Math.max(
    0,
    ...names.map(parseFileName).map(({ kind, number: own }) => (kind === "wal" ? own : 0)),
  );
  const makers = [temporaryName, tableName, walName, manifestName] as const;
  const maker = makers[choices.below(makers.length, "stray.kind")] as (fileNumber: number) => string; // below(n) < n
  if (maker === walName && newestLog > 0 && number > newestLog) return temporaryName(number);
  const inQuarantine = choices.chance(0.1, "stray.quarantine");
  if (!inQuarantine || vfs.stat(joinPath(STORE_DIRECTORY, QUARANTINE_NAME)) === null) return maker(number);
  return joinPath(QUARANTINE_NAME, maker(number));
}

/** The name of what was planted. A file that was synced has its own, where directories cannot be. */
function makeDurable(vfs: VFS, path: string): void {
  syncDirectory(vfs, parentPath(path));
  if (vfs.capabilities.directorySync || vfs.stat(path)?.kind !== "directory") return;
  const file = vfs.stat(WITNESS) === null ? vfs.createFile(WITNESS) : vfs.openFile(WITNESS, "readWrite");
  try {
    file.syncData();
  } finally {
    file.close();
  }
}

/** Whoever syncs next is told of an earlier failure (S22 reported late), and others do not care. */
function syncDirectory(vfs: VFS, path: string): void {
  try {
    vfs.syncDirectory(path);
  } catch (error) {
    if (!(error instanceof StillwaterError)) throw error;
  }
}

function writeFile(vfs: VFS, path: string, bytes: Uint8Array): void {
  const file = vfs.createFile(path);
  try {
    file.write(bytes, 0, bytes.length, 0);
    file.syncData();
  } finally {
    file.close();
  }
}

function readFile(vfs: VFS, path: string, length: number): Uint8Array {
  const file = vfs.openFile(path, "read");
  try {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, file.read(bytes, 0, length, 0));
  } finally {
    file.close();
  }
}

/** What is foreign must be there, as it was. */
export function checkForeignFiles(session: Session): void {
  const { vfs } = session.life.platform;
  for (const [path, bytes] of session.foreignFiles) {
    const stat = vfs.stat(path);
    const kind = bytes === null ? "directory" : "file";
    if (stat === null) throw new OracleFailure("O9", `${path} is gone, a ${kind} that is not the store's`);
    if (stat.kind !== kind || (bytes !== null && stat.size !== bytes.length)) {
      throw new OracleFailure("O9", `${path}, a ${kind} that is not the store's, has become another`);
    }
    if (bytes === null) continue;
    if (Buffer.compare(readFile(vfs, path, bytes.length), bytes) !== 0) {
      throw new OracleFailure("O9", `${path}, a file that is not the store's, has other bytes`);
    }
  }
}
