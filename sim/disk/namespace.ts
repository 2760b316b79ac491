/**
 * The tree of names that processes see: finding nodes, and the name operations with the answers and the errno values
 * of POSIX (Linux where POSIX leaves a choice). Every change goes through the name log, which decides what of it is
 * durable. Promise: an operation that throws has changed nothing. Does not own: file content, handles, faults.
 */
import type { StillwaterError } from "../../src/platform/errors.js";
import { type Errno, systemError } from "./errors.js";
import { FileNode } from "./file-node.js";
import { NameFork } from "./name-fork.js";
import { DirectoryNode, NameLog, type TreeNode } from "./name-log.js";
import type { Path } from "./paths.js";

/** Where a path leads. */
export interface Place {
  /** The directory that has or would have the name; null for the root and for paths that end in "." or "..". */
  readonly parent: DirectoryNode | null;
  readonly name: string;
  readonly node: TreeNode | null;
}

interface ExistingPlace extends Place {
  readonly node: TreeNode;
}

export class Namespace {
  readonly log = new NameLog();
  readonly root = new DirectoryNode(1, null);
  private nextId = 2;

  /** A copy of all names, pending operations and files, which shares nothing but pages. O(names + dirty pages). */
  fork(): Namespace {
    const fork = new Namespace();
    fork.nextId = this.nextId;
    new NameFork().run(this, fork);
    return fork;
  }

  /**
   * `NOT_FOUND` or `NOT_DIRECTORY` when the way there does not exist; the last part may be missing. Errors of calls
   * on two names are about the first one, `subject`.
   */
  find(path: Path, operation: string, subject: Path = path): Place {
    const place = locate(this.root, path, false);
    if (typeof place === "string") throw failure(place, operation, subject, path);
    return place;
  }

  /** The node at a path, or null when there is none, whatever the reason. */
  peek(path: Path): TreeNode | null {
    return nodeAt(this.root, path, false);
  }

  /** As `peek`, in the names that are durable. */
  peekDurable(path: Path): TreeNode | null {
    return nodeAt(this.root, path, true);
  }

  existing(path: Path, operation: string): TreeNode {
    return this.findExisting(path, operation).node;
  }

  directory(path: Path, operation: string): DirectoryNode {
    const node = this.existing(path, operation);
    if (node.kind !== "directory") throw systemError("ENOTDIR", operation, path.text);
    return node;
  }

  file(path: Path, operation: string): FileNode {
    const node = this.existing(path, operation);
    if (node.kind !== "file") throw systemError("EISDIR", operation, path.text);
    return node;
  }

  createFile(path: Path, place: Place, sequence: number): FileNode {
    if (path.directoryOnly) throw systemError("EISDIR", "createFile", path.text);
    const parent = freeName(path, place, "createFile");
    return this.create(parent, place.name, sequence);
  }

  /** Makes an empty file under a name that is free. */
  create(directory: DirectoryNode, name: string, sequence: number): FileNode {
    const file = new FileNode(this.nextId++);
    file.links = 1;
    this.log.record("create", sequence, [{ directory, name, before: null, after: file }]);
    return file;
  }

  /** Returns the file that lost a name. */
  removeFile(path: Path, sequence: number): FileNode {
    const { parent, name, node } = this.findExisting(path, "removeFile");
    if (node.kind !== "file" || parent === null) throw systemError("EISDIR", "removeFile", path.text);
    this.unlink(parent, name, node, sequence);
    return node;
  }

  unlink(directory: DirectoryNode, name: string, file: FileNode, sequence: number): void {
    file.links--;
    this.log.record("unlink", sequence, [{ directory, name, before: file, after: null }]);
  }

  link(from: Path, to: Path, sequence: number): void {
    const file = this.existing(from, "link");
    const place = this.find(to, "link", from);
    const parent = freeName(to, place, "link", from);
    if (to.directoryOnly) throw failure("ENOENT", "link", from, to);
    if (file.kind !== "file") throw failure("EISDIR", "link", from, to);
    file.links++;
    this.log.record("link", sequence, [{ directory: parent, name: place.name, before: null, after: file }]);
  }

  makeDirectory(path: Path, place: Place, sequence: number): void {
    const parent = freeName(path, place, "makeDirectory");
    const made = new DirectoryNode(this.nextId++, parent);
    this.log.record("mkdir", sequence, [{ directory: parent, name: place.name, before: null, after: made }]);
  }

  removeDirectory(path: Path, sequence: number): void {
    const { parent, name } = this.find(path, "removeDirectory");
    const node = this.directory(path, "removeDirectory");
    if (parent === null)
      throw systemError(node === this.root ? "EBUSY" : "EINVAL", "removeDirectory", path.text);
    if (node.entries.size > 0) throw systemError("ENOTEMPTY", "removeDirectory", path.text);
    this.log.record("rmdir", sequence, [{ directory: parent, name, before: node, after: null }]);
    node.parent = null;
  }

  /** Returns the file that lost its name to the new one, if there was one. */
  rename(from: Path, to: Path, sequence: number): FileNode | null {
    // Both ways are walked before the source is missed.
    const { parent: sourceParent } = this.find(from, "rename");
    const target = this.find(to, "rename", from);
    if (sourceParent === null || target.parent === null) throw failure("EBUSY", "rename", from, to);
    const source = this.findExisting(from, "rename");
    const error = renameError(source.node, sourceParent, target.node, target.parent, to);
    if (error !== null) throw failure(error, "rename", from, to);
    const moved = source.node;
    if (moved === target.node) return null;
    const replaced = target.node;
    if (replaced?.kind === "file") replaced.links--;
    if (replaced?.kind === "directory") replaced.parent = null;
    this.log.record("rename", sequence, [
      { directory: sourceParent, name: source.name, before: moved, after: null },
      { directory: target.parent, name: target.name, before: replaced, after: moved },
    ]);
    return replaced?.kind === "file" ? replaced : null;
  }

  /** As `find`, for what must be there. */
  private findExisting(path: Path, operation: string): ExistingPlace {
    const { parent, name, node } = this.find(path, operation);
    if (node === null) throw systemError("ENOENT", operation, path.text);
    if (path.directoryOnly && node.kind === "file") throw systemError("ENOTDIR", operation, path.text);
    return { parent, name, node };
  }

  /** Every file that has a name now, once. */
  files(): Set<FileNode> {
    return collect(this.root, false, new Set());
  }

  /** Every directory that has a name, now or durably. */
  forEachDirectory(visit: (directory: DirectoryNode) => void): void {
    const seen = new Set<DirectoryNode>();
    const walk = (directory: DirectoryNode): void => {
      if (seen.has(directory)) return;
      seen.add(directory);
      visit(directory);
      for (const entries of [directory.entries, directory.durable]) {
        for (const node of entries.values()) if (node.kind === "directory") walk(node);
      }
    };
    walk(this.root);
  }

  /** Every file that a power loss may leave with a name: those with a durable one, and those in the log. */
  filesThatMaySurvive(): FileNode[] {
    const found = collect(this.root, true, new Set());
    for (const { changes } of this.log.pending) {
      for (const { after } of changes) {
        if (after?.kind === "file") found.add(after);
        else if (after !== null) collect(after, true, found);
      }
    }
    return [...found].sort((a, b) => a.id - b.id);
  }

  /** After a power loss has settled the log: processes see what is durable. Returns the files there are. */
  becomeDurable(): Set<FileNode> {
    const files = collect(this.root, true, new Set());
    for (const file of files) {
      file.links = 0;
      file.failsLate = false;
      file.isHeldBack = false;
    }
    restore(this.root, null);
    return files;
  }
}

function collect(directory: DirectoryNode, durable: boolean, found: Set<FileNode>): Set<FileNode> {
  for (const node of (durable ? directory.durable : directory.entries).values()) {
    if (node.kind === "directory") collect(node, durable, found);
    else found.add(node);
  }
  return found;
}

function restore(directory: DirectoryNode, parent: DirectoryNode | null): void {
  directory.parent = parent;
  directory.namedBy = null;
  directory.failsLate = false;
  directory.isHeldBack = false;
  directory.lastOn.clear();
  directory.entries = new Map(directory.durable);
  for (const node of directory.entries.values()) {
    if (node.kind === "directory") restore(node, directory);
    else node.links++;
  }
}

/** The directory for a name that must be free. */
function freeName(path: Path, place: Place, operation: string, subject: Path = path): DirectoryNode {
  if (place.node !== null || place.parent === null) throw failure("EEXIST", operation, subject, path);
  return place.parent;
}

function failure(errno: Errno, operation: string, subject: Path, other: Path): StillwaterError {
  return systemError(errno, operation, subject.text, other === subject ? undefined : other.text);
}

/** Linux's order of checks: rings first, then what may replace what. */
function renameError(
  source: TreeNode,
  sourceParent: DirectoryNode,
  target: TreeNode | null,
  targetParent: DirectoryNode,
  to: Path,
): Errno | null {
  if (source.kind === "file" && to.directoryOnly) return "ENOTDIR";
  if (holds(source, targetParent)) return "EINVAL";
  if (target === null || target === source) return null;
  if (holds(target, sourceParent)) return "ENOTEMPTY";
  if (source.kind === "file") return target.kind === "file" ? null : "EISDIR";
  if (target.kind === "file") return "ENOTDIR";
  return target.entries.size > 0 ? "ENOTEMPTY" : null;
}

/** Whether `node` is `directory` or somewhere above it. */
function holds(node: TreeNode, directory: DirectoryNode): boolean {
  for (let at: DirectoryNode | null = directory; at !== null; at = at.parent) if (at === node) return true;
  return false;
}

function locate(root: DirectoryNode, path: Path, durable: boolean): Place | Errno {
  const { parts } = path;
  if (path.text === "") return "ENOENT";
  let directory = root;
  let parent: DirectoryNode | null = null;
  let name = "";
  let node: TreeNode | null = root;
  for (const part of parts) {
    if (node === null) return "ENOENT";
    if (node.kind !== "directory") return "ENOTDIR";
    directory = node;
    if (part === ".") {
      parent = null;
    } else if (part === "..") {
      node = directory.parent ?? root;
      parent = null;
    } else {
      parent = directory;
      name = part;
      node = (durable ? directory.durable : directory.entries).get(part) ?? null;
    }
  }
  return { parent, name, node };
}

function nodeAt(root: DirectoryNode, path: Path, durable: boolean): TreeNode | null {
  const place = locate(root, path, durable);
  if (typeof place === "string" || (path.directoryOnly && place.node?.kind === "file")) return null;
  return place.node;
}
