/**
 * A directory that has been opened: the subspace of its keys, and the directories below it. Holds its path as it was when it
 * was opened; after a move of it or of one above, operations by path look in the old place, while its keys stay where they
 * are.
 */
import {
  type CreateDirectoryOptions,
  checkPath,
  type Directory,
  type DirectoryPath,
  type OpenDirectoryOptions,
  type ReadTarget,
  type WriteTarget,
} from "./directory.js";
import { acrossPartitions, DirectoryError, pathText } from "./directory-errors.js";
import { Subspace } from "./subspace.js";

/** The layer whose paths begin at `path`: a directory asks the one it is in, a partition's root the one around it. */
export type PathOperations = Omit<Directory, "layer" | "moveTo">;

/** A directory and the keys under its prefix. */
export class DirectorySubspace extends Subspace implements Directory {
  readonly path: DirectoryPath;
  readonly layer: Uint8Array;
  /** Of this directory itself. */
  readonly #own: PathOperations;
  /** Of what is below it. */
  readonly #inner: PathOperations;

  constructor(
    prefix: Uint8Array,
    path: DirectoryPath,
    layer: Uint8Array,
    own: PathOperations,
    inner: PathOperations,
  ) {
    super(prefix);
    this.path = path;
    this.layer = layer;
    this.#own = own;
    this.#inner = inner;
  }

  async createOrOpen(
    target: WriteTarget,
    path: DirectoryPath,
    options?: OpenDirectoryOptions,
  ): Promise<DirectorySubspace> {
    return this.#inner.createOrOpen(target, this.#below(path), options);
  }

  async create(
    target: WriteTarget,
    path: DirectoryPath,
    options?: CreateDirectoryOptions,
  ): Promise<DirectorySubspace> {
    return this.#inner.create(target, this.#below(path), options);
  }

  async open(
    target: ReadTarget,
    path: DirectoryPath,
    options?: OpenDirectoryOptions,
  ): Promise<DirectorySubspace> {
    return this.#inner.open(target, this.#below(path), options);
  }

  async move(
    target: WriteTarget,
    oldPath: DirectoryPath,
    newPath: DirectoryPath,
  ): Promise<DirectorySubspace> {
    return this.#inner.move(target, this.#below(oldPath), this.#below(newPath));
  }

  async moveTo(target: WriteTarget, newAbsolutePath: DirectoryPath): Promise<DirectorySubspace> {
    const outer = this.#own.path;
    const newPath = checkPath(newAbsolutePath);
    if (outer.some((name, i) => name !== newPath[i])) throw acrossPartitions(this.path);
    return this.#own.move(target, this.path.slice(outer.length), newPath.slice(outer.length));
  }

  async remove(target: WriteTarget, path: DirectoryPath = []): Promise<void> {
    return this.#layerOf(path).remove(target, this.#pathIn(this.#layerOf(path), path));
  }

  async removeIfExists(target: WriteTarget, path: DirectoryPath = []): Promise<boolean> {
    return this.#layerOf(path).removeIfExists(target, this.#pathIn(this.#layerOf(path), path));
  }

  async exists(target: ReadTarget, path: DirectoryPath = []): Promise<boolean> {
    return this.#layerOf(path).exists(target, this.#pathIn(this.#layerOf(path), path));
  }

  async list(target: ReadTarget, path: DirectoryPath = []): Promise<string[]> {
    return this.#inner.list(target, this.#below(path));
  }

  #layerOf(path: DirectoryPath): PathOperations {
    return path.length === 0 ? this.#own : this.#inner;
  }

  #below(path: DirectoryPath): DirectoryPath {
    return this.#pathIn(this.#inner, path);
  }

  #pathIn(layer: PathOperations, path: DirectoryPath): DirectoryPath {
    return [...this.path.slice(layer.path.length), ...checkPath(path)];
  }
}

/**
 * The root of a partition: everything in it begins with its prefix, so it can be moved, copied or removed as a whole. It
 * has no keys of its own, for those could meet the prefixes of the directories in it: every use as a subspace throws
 * `DIRECTORY_PARTITION_ROOT`.
 */
export class DirectoryPartition extends DirectorySubspace {
  override get prefix(): Uint8Array {
    throw new DirectoryError(
      "DIRECTORY_PARTITION_ROOT",
      `the root of the partition ${pathText(this.path)} has no keys of its own. Create a directory in it and use that.`,
      this.path,
    );
  }
}
