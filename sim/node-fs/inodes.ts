/**
 * What POSIX knows about a file beyond its bytes: mode, owner, times, the target of a symbolic link. Kept beside the
 * disk's nodes, by their numbers, which copies of a disk share. This metadata has no durability of its own: after a crash it is as it
 * was last set, since no promise about data hangs on it. Does not own: bytes, sizes, names.
 */
import { constants } from "node:fs";
import type { TreeNode } from "../disk/name-log.js";

const { S_IFDIR, S_IFLNK, S_IFREG } = constants;
const UMASK = 0o022;

export interface Inode {
  /** Type and permission bits. */
  mode: number;
  uid: number;
  gid: number;
  accessedMs: number;
  modifiedMs: number;
  changedMs: number;
  readonly bornMs: number;
  /** The text of a symbolic link; null for everything else. */
  target: string | null;
}

export type InodeKind = "file" | "directory" | "symlink";

export class Inodes {
  readonly #known = new Map<number, Inode>();
  readonly #wallMs: () => number;

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  /** For a copy of the disk, whose nodes have the same numbers. */
  fork(): Inodes {
    const fork = new Inodes(this.#wallMs);
    for (const [id, inode] of this.#known) fork.#known.set(id, { ...inode });
    return fork;
  }

  /** A node that was never described is a plain one, as by `open` or `mkdir` with the usual mode. */
  of(node: TreeNode): Inode {
    return this.#known.get(node.id) ?? this.describe(node, node.kind === "file" ? 0o666 : 0o777);
  }

  /** Describes a node just made; `mode` is before the mask. */
  describe(node: TreeNode, mode: number, target: string | null = null): Inode {
    const now = this.#wallMs();
    const type = target !== null ? S_IFLNK : node.kind === "file" ? S_IFREG : S_IFDIR;
    const inode: Inode = {
      mode: type | (target === null ? mode & ~UMASK & 0o7777 : 0o777),
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      accessedMs: now,
      modifiedMs: now,
      changedMs: now,
      bornMs: now,
      target,
    };
    this.#known.set(node.id, inode);
    return inode;
  }

  kind(node: TreeNode): InodeKind {
    if (node.kind === "directory") return "directory";
    return this.of(node).target === null ? "file" : "symlink";
  }

  /** Its content changed. */
  touch(node: TreeNode): void {
    const inode = this.of(node);
    inode.modifiedMs = this.#wallMs();
    inode.changedMs = inode.modifiedMs;
  }

  /** Only what is known about it changed. */
  touchStatus(node: TreeNode): void {
    this.of(node).changedMs = this.#wallMs();
  }
}
