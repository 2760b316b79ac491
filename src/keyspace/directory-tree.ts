/**
 * The operations on one tree of directories, within a transaction that is given: that of the directory layer, or that of a
 * partition, which is a tree of its own below the partition's prefix. An operation whose path leads into a partition goes
 * on in the partition's tree. Owns which operations are legal. Does not own: arguments of the public interface, turns
 * (`directory-layer.ts`), the layout (`directory-nodes.ts`).
 */
import { assert } from "../platform/assert.js";
import type { Random } from "../platform/platform.js";
import type { ReadTransaction, Transaction } from "../transaction/transaction.js";
import { type CheckedOptions, type DirectoryPath, equalBytes, PARTITION_LAYER } from "./directory.js";
import { PrefixAllocator } from "./directory-allocator.js";
import { acrossPartitions, DirectoryError, exists, isRoot, notFound, pathText } from "./directory-errors.js";
import { type DirectoryNode, DirectoryNodes, type FoundNode } from "./directory-nodes.js";
import { keyAfterPrefix, Subspace } from "./subspace.js";

export interface TreeOptions {
  readonly random: Random;
  readonly nodes: Subspace;
  /** Allocated prefixes begin with it. */
  readonly contentPrefix: Uint8Array;
  readonly allowManualPrefixes: boolean;
  /** Of the partition that this tree is in; empty for the tree of the directory layer. */
  readonly path: DirectoryPath;
}

/** A directory as its tree knows it. */
export interface OpenedDirectory {
  readonly tree: DirectoryTree;
  /** From the root of all. */
  readonly path: DirectoryPath;
  readonly prefix: Uint8Array;
  readonly layer: Uint8Array;
}

export class DirectoryTree {
  readonly path: DirectoryPath;
  readonly #nodes: DirectoryNodes;
  readonly #allocator: PrefixAllocator;
  readonly #options: TreeOptions;

  constructor(options: TreeOptions) {
    this.path = options.path;
    this.#options = options;
    this.#nodes = new DirectoryNodes(options.nodes);
    this.#allocator = new PrefixAllocator(this.#nodes.allocator, options.random);
  }

  /** What lies in a partition is a tree of its own: its nodes and its contents stand below the partition's prefix. */
  partition(path: DirectoryPath, prefix: Uint8Array): DirectoryTree {
    return new DirectoryTree({
      random: this.#options.random,
      nodes: Subspace.raw(Uint8Array.of(...prefix, NODES_BYTE)),
      contentPrefix: prefix,
      allowManualPrefixes: false,
      path,
    });
  }

  async open(
    transaction: ReadTransaction,
    path: DirectoryPath,
    options: CheckedOptions,
  ): Promise<OpenedDirectory> {
    await this.#nodes.checkReadable(transaction);
    if (path.length === 0) throw isRoot("opened", this.path);
    const found = await this.#nodes.find(transaction, path);
    if (found === null) throw notFound(this.#absolute(path));
    const inner = this.#into(found);
    return inner === null
      ? this.#opened(found.node, options.layer)
      : inner.open(transaction, found.rest, options);
  }

  async create(
    transaction: Transaction,
    path: DirectoryPath,
    options: CheckedOptions,
    mayOpen: boolean,
  ): Promise<OpenedDirectory> {
    await this.#nodes.checkReadable(transaction);
    if (options.prefix !== undefined) this.#checkManualPrefix(options.prefix, path);
    if (path.length === 0) throw isRoot("opened", this.path);
    const found = await this.#nodes.find(transaction, path);
    if (found !== null) {
      const inner = this.#into(found);
      if (inner !== null) return inner.create(transaction, found.rest, options, mayOpen);
      if (!mayOpen) throw exists(this.#absolute(path));
      return this.#opened(found.node, options.layer);
    }
    await this.#nodes.checkWritable(transaction);
    return this.#opened(await this.#add(transaction, path, options), NO_LAYER);
  }

  async move(
    transaction: Transaction,
    oldPath: DirectoryPath,
    newPath: DirectoryPath,
  ): Promise<OpenedDirectory> {
    await this.#nodes.checkWritable(transaction);
    if (oldPath.length === 0) throw isRoot("moved", this.path);
    if (oldPath.every((name, i) => name === newPath[i])) throw intoItself(this.#absolute(oldPath));
    const from = await this.#nodes.find(transaction, oldPath);
    const to = await this.#nodes.find(transaction, newPath);
    if (from === null) throw notFound(this.#absolute(oldPath));
    const [inner, target] = [this.#into(from), to === null ? null : this.#into(to)];
    if (inner !== null && target !== null && equalPaths(inner.path, target.path)) {
      return inner.move(transaction, from.rest, (to as FoundNode).rest);
    }
    if (inner !== null || target !== null) throw acrossPartitions(this.#absolute(oldPath));
    if (to !== null) throw exists(this.#absolute(newPath));
    const parent = await this.#nodes.find(transaction, newPath.slice(0, -1));
    if (parent === null) throw noParent(this.#absolute(newPath));
    const { prefix, layer } = from.node;
    assert(prefix !== null, "only an empty path leads to the root");
    this.#nodes.link(transaction, parent.node, lastName(newPath), prefix);
    await this.#unlink(transaction, oldPath);
    return this.#opened({ prefix, layer, path: newPath }, NO_LAYER);
  }

  /** False when there is no such directory. */
  async remove(transaction: Transaction, path: DirectoryPath): Promise<boolean> {
    await this.#nodes.checkWritable(transaction);
    if (path.length === 0) throw isRoot("removed", this.path);
    const found = await this.#nodes.find(transaction, path);
    if (found === null) return false;
    const inner = this.#into(found);
    if (inner !== null) return inner.remove(transaction, found.rest);
    const { prefix } = found.node;
    assert(prefix !== null, "only an empty path leads to the root");
    await this.#clear(transaction, path, prefix);
    await this.#unlink(transaction, path);
    return true;
  }

  async exists(transaction: ReadTransaction, path: DirectoryPath): Promise<boolean> {
    await this.#nodes.checkReadable(transaction);
    const found = await this.#nodes.find(transaction, path);
    if (found === null) return false;
    const inner = this.#into(found);
    return inner === null || inner.exists(transaction, found.rest);
  }

  async list(transaction: ReadTransaction, path: DirectoryPath): Promise<string[]> {
    await this.#nodes.checkReadable(transaction);
    const found = await this.#nodes.find(transaction, path);
    if (found === null) throw notFound(this.#absolute(path));
    const inner = this.#partitionOf(found.node);
    if (inner !== null) return inner.list(transaction, found.rest);
    return (await this.#nodes.children(transaction, found.node)).map(([name]) => name);
  }

  async #add(transaction: Transaction, path: DirectoryPath, options: CheckedOptions): Promise<DirectoryNode> {
    const prefix = options.prefix ?? (await this.#allocate(transaction, path));
    if (options.prefix !== undefined) await this.#claim(transaction, prefix, path);
    const parentPath = path.slice(0, -1);
    const parent =
      (await this.#nodes.find(transaction, parentPath))?.node ??
      (await this.#add(transaction, parentPath, UNTAGGED));
    this.#nodes.link(transaction, parent, lastName(path), prefix);
    this.#nodes.put(transaction, prefix, options.layer);
    return { prefix, path, layer: options.layer };
  }

  async #allocate(transaction: Transaction, path: DirectoryPath): Promise<Uint8Array> {
    const { contentPrefix } = this.#options;
    const prefix = Uint8Array.of(...contentPrefix, ...(await this.#allocator.allocate(transaction)));
    const keys = await transaction.getRangeAll(prefix, keyAfterPrefix(prefix), { limit: 1 });
    if (keys.length > 0 || !(await this.#nodes.isFree(transaction.snapshot, prefix))) {
      throw inUse(
        keys.length > 0
          ? "there are keys already at the prefix that was allocated. Keep keys that are in no directory apart from " +
              "those of directories, for instance by giving the directory layer a contentPrefix"
          : "the prefix that was allocated meets one that was given by hand. Give prefixes that begin with none of " +
              "the bytes 0x14 to 0x1C, or try again",
        this.#absolute(path),
      );
    }
    return prefix;
  }

  /** Takes a prefix that was given by hand. */
  async #claim(transaction: Transaction, prefix: Uint8Array, path: DirectoryPath): Promise<void> {
    const isSystem = prefix[0] === SYSTEM_BYTE;
    if (isSystem || !(await this.#nodes.isFree(transaction, prefix))) {
      throw inUse(
        isSystem
          ? "keys from 0xFF on are the system's. Give another prefix"
          : "the given prefix is in use: a directory's prefix begins with it, or it with one. Give another",
        this.#absolute(path),
      );
    }
    // Who is being allocated a prefix has read here whether there are keys.
    transaction.addWriteConflictRange(prefix, keyAfterPrefix(prefix));
  }

  async #clear(transaction: Transaction, path: DirectoryPath, prefix: Uint8Array): Promise<void> {
    for (const [name, child] of await this.#nodes.children(transaction, { prefix, path })) {
      await this.#clear(transaction, [...path, name], child);
    }
    this.#nodes.clear(transaction, prefix);
  }

  async #unlink(transaction: Transaction, path: DirectoryPath): Promise<void> {
    const parent = await this.#nodes.find(transaction, path.slice(0, -1));
    if (parent === null) throw notFound(this.#absolute(path));
    this.#nodes.unlink(transaction, parent.node, lastName(path));
  }

  #checkManualPrefix(prefix: Uint8Array, path: DirectoryPath): void {
    if (this.#options.allowManualPrefixes) {
      if (prefix.length > 0) return;
      throw inUse("an empty prefix would be that of every key. Give another", this.#absolute(path));
    }
    throw new DirectoryError(
      "DIRECTORY_PREFIX_NOT_ALLOWED",
      this.path.length > 0
        ? `${pathText(this.#absolute(path))} lies in a partition, which chooses the prefixes in it. Leave the prefix out.`
        : "prefixes are given by hand only where the directory layer was made with allowManualPrefixes.",
      this.#absolute(path),
    );
  }

  #opened({ prefix, path, layer }: DirectoryNode, wanted: Uint8Array): OpenedDirectory {
    const absolute = this.#absolute(path);
    assert(prefix !== null, "only an empty path leads to the root");
    if (wanted.length > 0 && !equalBytes(wanted, layer)) {
      throw new DirectoryError(
        "DIRECTORY_LAYER_MISMATCH",
        `${pathText(absolute)} was created with the layer ${layerText(layer)}, not ${layerText(wanted)}. ` +
          "Open it with its own, or with none.",
        absolute,
      );
    }
    return { tree: this, path: absolute, prefix, layer };
  }

  /** The tree in which a path goes on; null when it has ended. */
  #into(found: FoundNode): DirectoryTree | null {
    return found.rest.length === 0 ? null : this.#partitionOf(found.node);
  }

  #partitionOf({ prefix, path, layer }: DirectoryNode): DirectoryTree | null {
    if (prefix === null || !equalBytes(layer, PARTITION_LAYER)) return null;
    return this.partition(this.#absolute(path), prefix);
  }

  #absolute(path: DirectoryPath): DirectoryPath {
    return [...this.path, ...path];
  }
}

/** Nodes stand below this byte, which no allocated prefix begins with. */
export const NODES_BYTE = 0xfe;
const SYSTEM_BYTE = 0xff;
const NO_LAYER = new Uint8Array(0);
const UNTAGGED: CheckedOptions = { layer: NO_LAYER, prefix: undefined };

function lastName(path: DirectoryPath): string {
  return path[path.length - 1] as string; // paths of operations are not empty
}

function equalPaths(a: DirectoryPath, b: DirectoryPath): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}

function layerText(layer: Uint8Array): string {
  return layer.length === 0 ? "(none)" : JSON.stringify(Buffer.from(layer).toString("latin1"));
}

function intoItself(path: DirectoryPath): DirectoryError {
  return new DirectoryError(
    "DIRECTORY_MOVE_INTO_ITSELF",
    `${pathText(path)} cannot be moved to itself or below itself. Choose another path.`,
    path,
  );
}

function noParent(path: DirectoryPath): DirectoryError {
  return new DirectoryError(
    "DIRECTORY_PARENT_NOT_FOUND",
    `the directory that is to hold ${pathText(path)} is not there. Create it first.`,
    path,
  );
}

function inUse(what: string, path: DirectoryPath): DirectoryError {
  return new DirectoryError("DIRECTORY_PREFIX_IN_USE", `${pathText(path)} was not created: ${what}.`, path);
}
