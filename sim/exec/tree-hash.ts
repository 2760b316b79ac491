/** A hash over everything that a process finds on a disk: names, kinds, sizes, bytes, targets of links. */
import { createHash, type Hash } from "node:crypto";
import type { DirectoryNode } from "../disk/name-log.js";

export function treeHash(root: DirectoryNode): string {
  const hash = createHash("sha1");
  addDirectory(hash, root);
  return hash.digest("hex");
}

function addDirectory(hash: Hash, directory: DirectoryNode): void {
  for (const name of [...directory.entries.keys()].sort()) {
    const node = directory.entries.get(name);
    if (node === undefined) continue;
    if (node.kind === "directory") {
      hash.update(`d${name}\u0000`);
      addDirectory(hash, node);
      hash.update("e");
      continue;
    }
    hash.update(`f${name}\u0000${node.size}\u0000`);
    const bytes = Buffer.allocUnsafe(node.size);
    node.read(bytes, 0, node.size, 0);
    hash.update(bytes);
  }
}
