/**
 * From a text to a place in the tree, as the kernel walks: one part after the other, through symbolic links. The
 * simulated disk itself knows no links; it is given the path that this walk found. Does not own: what is done there.
 */
import type { DirectoryNode, TreeNode } from "../disk/name-log.js";
import type { Inodes } from "./inodes.js";

const LINKS_MAX = 40;
const NAME_BYTES_MAX = 255;

/** Where a path leads. */
export interface Spot {
  /** The directory that has or would have the name; null for the root and for paths that end in "." or "..". */
  readonly parent: DirectoryNode | null;
  readonly name: string;
  readonly node: TreeNode | null;
  /** Absolute, without links, "." and "..". */
  readonly canonical: string;
  /** The path ended with "/": only a directory will do. */
  readonly directoryOnly: boolean;
}

export type WalkErrno = "ENOENT" | "ENOTDIR" | "ELOOP" | "ENAMETOOLONG";

interface Step {
  readonly node: TreeNode | null;
  readonly name: string;
}

export class PathWalk {
  /** Called for each directory before its entries are looked at, with its canonical path. */
  onEnter: ((directory: DirectoryNode, canonical: string) => void) | null = null;
  readonly root: DirectoryNode;
  readonly #inodes: Inodes;

  constructor(root: DirectoryNode, inodes: Inodes) {
    this.root = root;
    this.#inodes = inodes;
  }

  /** `text` is absolute. The last part may be missing; `follows` says whether a link there is followed. */
  walk(text: string, follows: boolean): Spot | WalkErrno {
    if (text === "") return "ENOENT";
    const directoryOnly = text.endsWith("/");
    const parts = split(text);
    const stack: Step[] = [];
    let links = 0;
    let plainEnd = false;
    while (parts.length > 0) {
      const part = parts.shift() as string; // length > 0
      const at = stack.at(-1)?.node ?? (stack.length === 0 ? this.root : null);
      if (at === null) return "ENOENT";
      if (at.kind !== "directory") return "ENOTDIR";
      plainEnd = part !== "." && part !== "..";
      if (part === ".") continue;
      if (part === "..") {
        stack.pop();
        continue;
      }
      if (Buffer.byteLength(part) > NAME_BYTES_MAX) return "ENAMETOOLONG";
      this.onEnter?.(at, canonicalOf(stack));
      const node = at.entries.get(part) ?? null;
      const target = node?.kind === "file" ? this.#inodes.of(node).target : null;
      if (target !== null && (parts.length > 0 || follows || directoryOnly)) {
        if (++links > LINKS_MAX) return "ELOOP";
        if (target.startsWith("/")) stack.length = 0;
        parts.unshift(...split(target));
        continue;
      }
      stack.push({ node, name: part });
    }
    const last = stack.at(-1);
    const above = stack.length > 1 ? (stack.at(-2)?.node ?? null) : this.root;
    return {
      parent: last !== undefined && plainEnd && above?.kind === "directory" ? above : null,
      name: last?.name ?? "",
      node: last === undefined ? this.root : last.node,
      canonical: canonicalOf(stack),
      directoryOnly,
    };
  }
}

function split(text: string): string[] {
  return text.split("/").filter((part) => part !== "");
}

function canonicalOf(stack: readonly Step[]): string {
  return `/${stack.map(({ name }) => name).join("/")}`;
}
