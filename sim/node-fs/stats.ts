/**
 * `fs.Stats`, `fs.BigIntStats` and `fs.Dirent` of simulated files, as instances of Node's own classes, so that
 * `instanceof` and their methods hold. Does not own: the facts (`inodes.ts`).
 */
import fs from "node:fs";
import type { TreeNode } from "../disk/name-log.js";
import type { Inodes } from "./inodes.js";
import type { DirectoryEntry } from "./volume.js";

const BLOCK_BYTES = 4096;
const SECTOR_BYTES = 512;
/** The number of the simulated device: none that Linux gives out. */
const DEVICE = 0x5357;

const BIG_PROTOTYPE: object = Object.getPrototypeOf(fs.statSync("/", { bigint: true }));
const TIMES = ["atime", "mtime", "ctime", "birthtime"] as const;

export function statsOf(node: TreeNode, inodes: Inodes, big: boolean): fs.Stats | fs.BigIntStats {
  const inode = inodes.of(node);
  const bytes =
    node.kind === "file" ? (inode.target === null ? node.size : Buffer.byteLength(inode.target)) : 0;
  const numbers = {
    dev: DEVICE,
    mode: inode.mode,
    nlink: node.kind === "file" ? node.links : 2 + countDirectories(node.entries.values()),
    uid: inode.uid,
    gid: inode.gid,
    rdev: 0,
    blksize: BLOCK_BYTES,
    ino: node.id,
    size: node.kind === "file" ? bytes : BLOCK_BYTES,
    blocks: (node.kind === "file" ? node.allocatedPages : 1) * (BLOCK_BYTES / SECTOR_BYTES),
  };
  const timesMs = [inode.accessedMs, inode.modifiedMs, inode.changedMs, inode.bornMs];
  const stats: Record<string, unknown> = Object.create(big ? BIG_PROTOTYPE : fs.Stats.prototype);
  for (const [name, value] of Object.entries(numbers)) stats[name] = big ? BigInt(value) : value;
  TIMES.forEach((name, index) => {
    const timeMs = timesMs[index] as number; // four of each
    stats[`${name}Ms`] = big ? BigInt(Math.trunc(timeMs)) : timeMs;
    if (big) stats[`${name}Ns`] = BigInt(Math.round(timeMs * 1000)) * 1000n;
  });
  // Newer versions of Node have accessors for the dates in the prototype: a property of the object goes before them.
  TIMES.forEach((name, index) => {
    const value = new Date(timesMs[index] as number);
    Object.defineProperty(stats, name, { value, writable: true, enumerable: true, configurable: true });
  });
  return stats as unknown as fs.Stats | fs.BigIntStats; // has all fields of the class whose prototype it has
}

const { UV_DIRENT_DIR, UV_DIRENT_FILE, UV_DIRENT_LINK } = fs.constants as unknown as Readonly<
  Record<"UV_DIRENT_DIR" | "UV_DIRENT_FILE" | "UV_DIRENT_LINK", number>
>; // in the constants of every Node, but not in its types
const TYPES = { file: UV_DIRENT_FILE, directory: UV_DIRENT_DIR, symlink: UV_DIRENT_LINK };

type DirentConstructor = new (name: string | Buffer, type: number, path: string) => fs.Dirent;

/** `path` is the directory as the caller named it. */
export function direntOf(entry: DirectoryEntry, name: string | Buffer, path: string): fs.Dirent {
  return new (fs.Dirent as unknown as DirentConstructor)(name, TYPES[entry.kind], path);
}

function countDirectories(nodes: Iterable<TreeNode>): number {
  let count = 0;
  for (const node of nodes) if (node.kind === "directory") count++;
  return count;
}
