/**
 * Copies a tree of names with everything that refers to it: both views of each directory, the log of pending operations
 * and what they need of each other, and the files. Each node is copied once, whichever way leads to it.
 * Promise: the copy answers every question as the original does, and no change of one is seen in the other.
 */
import { FileNode } from "./file-node.js";
import { DirectoryNode, type NameOperation, type TreeNode } from "./name-log.js";
import type { Namespace } from "./namespace.js";

export class NameFork {
  private readonly nodes = new Map<TreeNode, TreeNode>();
  private readonly operations = new Map<NameOperation, NameOperation>();

  /** `to` is empty. */
  run(from: Namespace, to: Namespace): void {
    this.nodes.set(from.root, to.root);
    const log = from.log.pending.map((operation) => this.operation(operation));
    this.fill(from.root, to.root);
    to.log.adopt(log);
  }

  private node(original: TreeNode): TreeNode {
    const known = this.nodes.get(original);
    if (known !== undefined) return known;
    if (original instanceof FileNode) {
      const copy = original.fork();
      this.nodes.set(original, copy);
      return copy;
    }
    const copy = new DirectoryNode(original.id, null);
    this.nodes.set(original, copy);
    this.fill(original, copy);
    return copy;
  }

  private directory(original: DirectoryNode): DirectoryNode {
    return this.node(original) as DirectoryNode; // copies are of the kind of their originals
  }

  private fill(original: DirectoryNode, copy: DirectoryNode): void {
    copy.failsLate = original.failsLate;
    copy.isHeldBack = original.isHeldBack;
    copy.parent = original.parent === null ? null : this.directory(original.parent);
    copy.namedBy = original.namedBy === null ? null : this.operation(original.namedBy);
    for (const [name, entry] of original.entries) copy.entries.set(name, this.node(entry));
    for (const [name, entry] of original.durable) copy.durable.set(name, this.node(entry));
    for (const [name, last] of original.lastOn) copy.lastOn.set(name, this.operation(last));
  }

  private operation(original: NameOperation): NameOperation {
    const known = this.operations.get(original);
    if (known !== undefined) return known;
    const changes: NameOperation["changes"][number][] = [];
    const copy: NameOperation = { ...original, changes, needs: [] };
    // Known before its parts are copied, which may lead back to it.
    this.operations.set(original, copy);
    for (const needed of original.needs) copy.needs.push(this.operation(needed));
    for (const { directory, name, before, after } of original.changes) {
      changes.push({
        directory: this.directory(directory),
        name,
        before: before === null ? null : this.node(before),
        after: after === null ? null : this.node(after),
      });
    }
    return copy;
  }
}
