/**
 * The directory layer: the root of a tree of directories. FoundationDB's, with its layout (FORMAT.md, "Directories") and
 * its rules, over any backend of transactions; directories made here and by clients of a cluster are the same.
 *
 * Checks arguments, finds a transaction to run in, and takes turns in it. What operations do is in `directory-tree.ts`.
 */
import { StillwaterError } from "../platform/errors.js";
import type { Random } from "../platform/platform.js";
import type { Database, ReadTransaction, Transaction } from "../transaction/transaction.js";
import {
  type CreateDirectoryOptions,
  checkOptions,
  checkPath,
  type Directory,
  type DirectoryPath,
  equalBytes,
  type OpenDirectoryOptions,
  PARTITION_LAYER,
  type ReadTarget,
  type WriteTarget,
} from "./directory.js";
import { isRoot, notFound } from "./directory-errors.js";
import { DirectoryPartition, DirectorySubspace } from "./directory-subspace.js";
import { DirectoryTree, NODES_BYTE, type OpenedDirectory } from "./directory-tree.js";
import { inTurn } from "./directory-turns.js";
import { Subspace } from "./subspace.js";

/** Where directories keep their nodes and contents, and whether prefixes may be given by hand. */
export interface DirectoryLayerOptions {
  /** Where the tree itself is kept. Default: the byte 0xFE. */
  readonly nodePrefix?: Uint8Array;
  /** Allocated prefixes begin with it. Default: nothing. */
  readonly contentPrefix?: Uint8Array;
  /** Whether `create` may be given a prefix. Default: false. */
  readonly allowManualPrefixes?: boolean;
}

/** The directories of a database; made by `directoryLayer`. */
export class DirectoryLayer implements Directory {
  readonly layer: Uint8Array = new Uint8Array(0);
  readonly #tree: DirectoryTree;

  private constructor(tree: DirectoryTree) {
    this.#tree = tree;
  }

  /**
   * Holds no state but its options: make one, or many. Prefixes are drawn from `random`. Throws `UNKNOWN_OPTION`,
   * `INVALID_ARGUMENT`.
   */
  static create(random: Random, options: DirectoryLayerOptions = {}): DirectoryLayer {
    checkLayerOptions(options);
    const tree = new DirectoryTree({
      random,
      nodes: Subspace.raw(options.nodePrefix ?? Uint8Array.of(NODES_BYTE)),
      contentPrefix: Uint8Array.from(options.contentPrefix ?? []),
      allowManualPrefixes: options.allowManualPrefixes ?? false,
      path: [],
    });
    return new DirectoryLayer(tree);
  }

  get path(): DirectoryPath {
    return this.#tree.path;
  }

  async createOrOpen(
    target: WriteTarget,
    path: DirectoryPath,
    options: OpenDirectoryOptions = {},
  ): Promise<DirectorySubspace> {
    const names = checkPath(path);
    const checked = checkOptions(options, false);
    // Done twice it opens what it has created: so it may be tried again when the result of a commit is not known.
    return writing(target, (tx) => this.#tree.create(tx, names, checked, true), { idempotent: true }).then(
      subspaceOf,
    );
  }

  async create(
    target: WriteTarget,
    path: DirectoryPath,
    options: CreateDirectoryOptions = {},
  ): Promise<DirectorySubspace> {
    const names = checkPath(path);
    const checked = checkOptions(options, true);
    return writing(target, (tx) => this.#tree.create(tx, names, checked, false)).then(subspaceOf);
  }

  async open(
    target: ReadTarget,
    path: DirectoryPath,
    options: OpenDirectoryOptions = {},
  ): Promise<DirectorySubspace> {
    const names = checkPath(path);
    const checked = checkOptions(options, false);
    return reading(target, (tx) => this.#tree.open(tx, names, checked)).then(subspaceOf);
  }

  async move(
    target: WriteTarget,
    oldPath: DirectoryPath,
    newPath: DirectoryPath,
  ): Promise<DirectorySubspace> {
    const [from, to] = [checkPath(oldPath), checkPath(newPath)];
    return writing(target, (tx) => this.#tree.move(tx, from, to)).then(subspaceOf);
  }

  /** The root cannot be moved: rejects with `DIRECTORY_IS_ROOT`. */
  moveTo(): Promise<never> {
    return Promise.reject(isRoot("moved", this.path));
  }

  async remove(target: WriteTarget, path: DirectoryPath = []): Promise<void> {
    const names = checkPath(path);
    await writing(target, async (tx) => {
      if (!(await this.#tree.remove(tx, names))) throw notFound([...this.path, ...names]);
    });
  }

  async removeIfExists(target: WriteTarget, path: DirectoryPath = []): Promise<boolean> {
    const names = checkPath(path);
    return writing(target, (tx) => this.#tree.remove(tx, names));
  }

  async exists(target: ReadTarget, path: DirectoryPath = []): Promise<boolean> {
    const names = checkPath(path);
    return reading(target, (tx) => this.#tree.exists(tx, names));
  }

  async list(target: ReadTarget, path: DirectoryPath = []): Promise<string[]> {
    const names = checkPath(path);
    return reading(target, (tx) => this.#tree.list(tx, names));
  }

  /** Of a tree, wherever it is. For `subspaceOf`. */
  static ofTree(tree: DirectoryTree): DirectoryLayer {
    return new DirectoryLayer(tree);
  }
}

function subspaceOf({ tree, path, prefix, layer }: OpenedDirectory): DirectorySubspace {
  const own = DirectoryLayer.ofTree(tree);
  if (!equalBytes(layer, PARTITION_LAYER)) return new DirectorySubspace(prefix, path, layer, own, own);
  const inner = DirectoryLayer.ofTree(tree.partition(path, prefix));
  return new DirectoryPartition(prefix, path, layer, own, inner);
}

function writing<T>(
  target: WriteTarget,
  operation: (transaction: Transaction) => Promise<T>,
  options: Parameters<Database["transact"]>[1] = {},
): Promise<T> {
  if ("transact" in target) return target.transact(operation, options);
  return inTurn(target, () => operation(target));
}

function reading<T>(target: ReadTarget, operation: (transaction: ReadTransaction) => Promise<T>): Promise<T> {
  if ("transact" in target) return target.read(operation);
  return inTurn(target, () => operation(target));
}

const OPTIONS = ["nodePrefix", "contentPrefix", "allowManualPrefixes"];

function checkLayerOptions(options: DirectoryLayerOptions): void {
  for (const name of Object.keys(options)) {
    if (OPTIONS.includes(name)) continue;
    throw new StillwaterError(
      "UNKNOWN_OPTION",
      `a directory layer has no option "${name}". Known: ${OPTIONS.join(", ")}.`,
    );
  }
  const { nodePrefix, contentPrefix, allowManualPrefixes } = options;
  for (const [name, prefix] of Object.entries({ nodePrefix, contentPrefix })) {
    if (prefix === undefined || prefix instanceof Uint8Array) continue;
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `the option "${name}" of a directory layer is a Uint8Array.`,
    );
  }
  if (nodePrefix?.length === 0) {
    throw new StillwaterError("INVALID_ARGUMENT", `the option "nodePrefix" must not be empty.`);
  }
  if (allowManualPrefixes !== undefined && typeof allowManualPrefixes !== "boolean") {
    throw new StillwaterError("INVALID_ARGUMENT", `the option "allowManualPrefixes" must be true or false.`);
  }
}
