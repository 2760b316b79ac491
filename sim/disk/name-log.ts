/**
 * Directories and the operations on their names that are not durable yet. Each directory has its entries twice, as
 * processes see them and as they are on the medium; between them lies one ordered log of operations. An operation
 * (create, unlink, link, rename, make and remove directory) is one transaction over one or two names: it becomes
 * durable whole or not at all, so a crash never shows both names of a rename, nor neither.
 *
 * Any subset of the log may survive a power loss, as POSIX allows, but for what would be nonsense on every file
 * system: an operation cannot survive without the earlier ones on the same name, the removal of a directory without
 * what happened inside, and a rename to another directory without the way there (the file would be lost, or two
 * directories come to lie in each other). Does not own: choosing the subset.
 */
import { assert } from "../../src/platform/assert.js";
import type { FileNode } from "./file-node.js";

export type NameOperationKind = "create" | "unlink" | "link" | "rename" | "mkdir" | "rmdir";
export type TreeNode = FileNode | DirectoryNode;

export class DirectoryNode {
  readonly kind = "directory";
  readonly id: number;
  /** As processes see it; null for the root and for directories that are gone. */
  parent: DirectoryNode | null;
  entries = new Map<string, TreeNode>();
  readonly durable = new Map<string, TreeNode>();
  /** Grows whenever `durable` changes. */
  durableVersion = 0;
  /** The last operation in the log on each name, and the one in the log that gave this directory its name. */
  readonly lastOn = new Map<string, NameOperation>();
  namedBy: NameOperation | null = null;
  /** The next sync reports the failure of a former one. */
  failsLate = false;
  /** A sync has been confirmed that waits in the cache of a drive. */
  isHeldBack = false;

  constructor(id: number, parent: DirectoryNode | null) {
    this.id = id;
    this.parent = parent;
  }
}

/** What an operation does to one name; null is no entry. */
export interface NameChange {
  readonly directory: DirectoryNode;
  readonly name: string;
  readonly before: TreeNode | null;
  readonly after: TreeNode | null;
}

export interface NameOperation {
  readonly kind: NameOperationKind;
  readonly sequence: number;
  readonly changes: readonly NameChange[];
  /** Earlier operations without which this one cannot be durable. All of them were in the log when it was made. */
  readonly needs: NameOperation[];
  /** A failed sync of its directory left it clean though not durable: later syncs pass over it (B5). */
  forsaken: boolean;
  durable: boolean;
}

export class NameLog {
  private log: NameOperation[] = [];

  get pending(): readonly NameOperation[] {
    return this.log;
  }

  /** The log of a fork: copies of another log's operations, over copies of its nodes. */
  adopt(operations: readonly NameOperation[]): void {
    assert(this.log.length === 0, "only an empty log becomes the copy of another");
    this.log = [...operations];
  }

  /** Records an operation and shows it to processes. */
  record(kind: NameOperationKind, sequence: number, changes: readonly NameChange[]): void {
    const needs: NameOperation[] = [];
    const need = (operation: NameOperation | null | undefined) => {
      if (operation !== null && operation !== undefined && !needs.includes(operation)) needs.push(operation);
    };
    for (const change of changes) {
      need(change.directory.lastOn.get(change.name));
      const { before } = change;
      if (before?.kind === "directory" && !changes.some((other) => other.after === before)) {
        // The directory goes for good: what was moved out of it must be out.
        for (const earlier of this.log) if (touches(earlier, before)) need(earlier);
      }
    }
    const [from, to] = changes;
    if (from !== undefined && to !== undefined && from.directory !== to.directory) {
      for (let into: DirectoryNode | null = to.directory; into !== null; into = into.parent)
        need(into.namedBy);
    }
    const operation = { kind, sequence, changes, needs, forsaken: false, durable: false };
    this.log.push(operation);
    for (const { directory, name, after } of changes) {
      setEntry(directory.entries, name, after);
      directory.lastOn.set(name, operation);
      if (after?.kind === "directory") {
        after.parent = directory;
        after.namedBy = operation;
      }
    }
  }

  /** A successful sync of a directory: its operations become durable, and what they need. False when none was pending. */
  commitDirectory(directory: DirectoryNode): boolean {
    const before = this.log.length;
    for (const operation of this.log) {
      if (!operation.forsaken && touches(operation, directory)) commit(operation);
    }
    this.log = this.log.filter((operation) => !operation.durable);
    return this.log.length < before;
  }

  /**
   * A journal is written in order: with the last operation on `node` all before it become durable. Null is everything.
   * What a failed sync has left behind stays so. False when nothing was pending.
   */
  commitJournal(node: TreeNode | null): boolean {
    let last = this.log.length - 1;
    while (last >= 0 && node !== null && !concerns(this.log[last] as NameOperation, node)) last--;
    if (last < 0) return false;
    for (const operation of this.log.slice(0, last + 1)) if (!operation.forsaken) commit(operation);
    this.log = this.log.filter((operation) => !operation.durable);
    return true;
  }

  /** A failed sync of a directory after which its operations count as clean. */
  forsakeDirectory(directory: DirectoryNode): void {
    for (const operation of this.log) {
      if (touches(operation, directory)) operation.forsaken = true;
    }
  }

  /** The end of a power loss: these operations become durable, the others never happened. */
  settle(survivors: ReadonlySet<NameOperation>): void {
    for (const operation of this.log) {
      if (!survivors.has(operation)) continue;
      const complete = operation.needs.every((needed) => needed.durable);
      assert(complete, "what survives has all that it needs");
      commit(operation);
    }
    this.log = [];
  }
}

/** Whether an operation is in the directory, or on a name of the file. */
function concerns(operation: NameOperation, node: TreeNode): boolean {
  if (node.kind === "directory") return touches(operation, node);
  return operation.changes.some(({ before, after }) => before === node || after === node);
}

function touches(operation: NameOperation, directory: DirectoryNode): boolean {
  for (const change of operation.changes) if (change.directory === directory) return true;
  return false;
}

/** In order of time: what it needs comes first. */
function commit(operation: NameOperation): void {
  if (operation.durable) return;
  for (const needed of operation.needs) commit(needed);
  operation.needs.length = 0;
  operation.durable = true;
  for (const { directory, name, after } of operation.changes) {
    setEntry(directory.durable, name, after);
    directory.durableVersion++;
    // Nothing may need it from now on, nor keep the files that it names alive.
    if (directory.lastOn.get(name) === operation) directory.lastOn.delete(name);
    if (after?.kind === "directory" && after.namedBy === operation) after.namedBy = null;
  }
}

function setEntry(entries: Map<string, TreeNode>, name: string, node: TreeNode | null): void {
  if (node === null) entries.delete(name);
  else entries.set(name, node);
}
