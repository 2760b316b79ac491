/**
 * The nodes of a directory tree as keys and values: FoundationDB's layout, so that directories made by any of its clients
 * are found (FORMAT.md, "Directories"). A node is named by the prefix of its directory; the root's by the prefix of the
 * nodes themselves. Owns reading and writing single nodes and the version. Does not own what an operation may do.
 */
import type { ReadTransaction, Transaction } from "../transaction/transaction.js";
import { type DirectoryPath, equalBytes, PARTITION_LAYER } from "./directory.js";
import { DirectoryError, damaged } from "./directory-errors.js";
import { keyAfterPrefix, Subspace } from "./subspace.js";

export interface DirectoryNode {
  /** Of the keys in the directory; null for the root. */
  readonly prefix: Uint8Array | null;
  /** From the root of this tree. */
  readonly path: DirectoryPath;
  readonly layer: Uint8Array;
}

/** Where a path leads. */
export interface FoundNode {
  readonly node: DirectoryNode;
  /** The names that are left: not empty when the path goes on inside a partition. */
  readonly rest: DirectoryPath;
}

const SUBDIRECTORIES = 0;
const text = new TextEncoder();
const LAYER = text.encode("layer");
const VERSION = text.encode("version");
const ALLOCATOR = text.encode("hca");

/** Of the layout. A higher major one cannot be read, a higher minor one cannot be written. */
const MAJOR_VERSION = 1;
const MINOR_VERSION = 0;
const MICRO_VERSION = 0;
const VERSION_BYTES = 12;

export class DirectoryNodes {
  readonly #nodes: Subspace;
  readonly #root: Subspace;

  constructor(nodes: Subspace) {
    this.#nodes = nodes;
    this.#root = nodes.subspace(nodes.prefix);
  }

  get allocator(): Subspace {
    return this.#root.subspace(ALLOCATOR);
  }

  /** Null when there is no such directory. Looks no further than to the first partition on the way. */
  async find(transaction: ReadTransaction, path: DirectoryPath): Promise<FoundNode | null> {
    let node: DirectoryNode = { prefix: null, path: [], layer: NO_LAYER };
    for (const [index, name] of path.entries()) {
      const link = await transaction.get(this.#linkKey(node, name));
      if (link === undefined) return null;
      // Plain bytes to hand out, whatever kind a backend gives.
      const prefix = new Uint8Array(link);
      const layer = new Uint8Array((await transaction.get(this.#keys(prefix).pack([LAYER]))) ?? []);
      node = { prefix, path: path.slice(0, index + 1), layer };
      if (equalBytes(layer, PARTITION_LAYER)) break;
    }
    return { node, rest: path.slice(node.path.length) };
  }

  /** Names and prefixes of what is directly below. */
  async children(
    transaction: ReadTransaction,
    node: Pick<DirectoryNode, "prefix" | "path">,
  ): Promise<[string, Uint8Array][]> {
    const links = this.#keys(node.prefix).subspace(SUBDIRECTORIES);
    const { begin, end } = links.range();
    const rows = await transaction.getRangeAll(begin, end);
    return rows.map(([key, prefix]) => {
      const [name] = links.unpack(key);
      if (typeof name !== "string") throw damaged("a name is not a text", node.path);
      return [name, prefix];
    });
  }

  /** Writes a new directory's node. */
  put(transaction: Transaction, prefix: Uint8Array, layer: Uint8Array): void {
    transaction.set(this.#keys(prefix).pack([LAYER]), layer);
  }

  link(transaction: Transaction, parent: DirectoryNode, name: string, prefix: Uint8Array): void {
    transaction.set(this.#linkKey(parent, name), prefix);
  }

  unlink(transaction: Transaction, parent: DirectoryNode, name: string): void {
    transaction.clear(this.#linkKey(parent, name));
  }

  /** Clears the node and the keys of the directory. Neither its link nor what is below it. */
  clear(transaction: Transaction, prefix: Uint8Array): void {
    transaction.clearRange(prefix, keyAfterPrefix(prefix));
    const { begin, end } = this.#keys(prefix).range();
    transaction.clearRange(begin, end);
  }

  /** Whether no directory's prefix begins with `prefix`, nor it with one of theirs. `prefix` has a key after it. */
  async isFree(transaction: ReadTransaction, prefix: Uint8Array): Promise<boolean> {
    const { prefix: own } = this.#nodes;
    if (prefix.length === 0 || startsWith(prefix, own)) return false;
    // Prefixes in use never begin with each other, so only the last at or before this one can be a part of it.
    const after = this.#nodes.pack([prefix, null]);
    const before = await transaction.getRangeAll(this.#nodes.range().begin, after, {
      limit: 1,
      reverse: true,
    });
    for (const [key] of before) {
      const [neighbour] = this.#nodes.unpack(key);
      if (!(neighbour instanceof Uint8Array)) throw damaged("a node is not named by a prefix", []);
      if (startsWith(prefix, neighbour)) return false;
    }
    const [begin, end] = [this.#nodes.pack([prefix]), this.#nodes.pack([keyAfterPrefix(prefix)])];
    return (await transaction.getRangeAll(begin, end, { limit: 1 })).length === 0;
  }

  /** Throws `DIRECTORY_VERSION_UNSUPPORTED`. */
  async checkReadable(transaction: ReadTransaction): Promise<void> {
    await this.#version(transaction);
  }

  /** Throws `DIRECTORY_VERSION_UNSUPPORTED`, `DIRECTORY_READ_ONLY`. Writes the version where there is none. */
  async checkWritable(transaction: Transaction): Promise<void> {
    const version = await this.#version(transaction);
    if (version === null) {
      const value = new DataView(new ArrayBuffer(VERSION_BYTES));
      [MAJOR_VERSION, MINOR_VERSION, MICRO_VERSION].forEach((part, i) => {
        value.setUint32(4 * i, part, true);
      });
      transaction.set(this.#root.pack([VERSION]), new Uint8Array(value.buffer));
    } else if (version.minor > MINOR_VERSION) {
      throw new DirectoryError(
        "DIRECTORY_READ_ONLY",
        `the directories have version ${MAJOR_VERSION}.${version.minor}, which this directory layer can only read. ` +
          "Use a newer one to change them.",
        [],
      );
    }
  }

  async #version(transaction: ReadTransaction): Promise<{ readonly minor: number } | null> {
    const value = await transaction.get(this.#root.pack([VERSION]));
    if (value === undefined) return null;
    if (value.length !== VERSION_BYTES) throw damaged("the version does not have 12 bytes", []);
    const view = new DataView(value.buffer, value.byteOffset, value.length);
    const [major, minor] = [view.getUint32(0, true), view.getUint32(4, true)];
    if (major === MAJOR_VERSION) return { minor };
    throw new DirectoryError(
      "DIRECTORY_VERSION_UNSUPPORTED",
      `the directories have version ${major}.${minor}; this directory layer knows ${MAJOR_VERSION}. ` +
        "Use one of their version.",
      [],
    );
  }

  #keys(prefix: Uint8Array | null): Subspace {
    return prefix === null ? this.#root : this.#nodes.subspace(prefix);
  }

  #linkKey(parent: DirectoryNode, name: string): Uint8Array {
    return this.#keys(parent.prefix).pack([SUBDIRECTORIES, name]);
  }
}

const NO_LAYER = new Uint8Array(0);

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.length >= prefix.length && prefix.every((byte, i) => byte === bytes[i]);
}
