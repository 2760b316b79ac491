/**
 * What a directory can do: the interface that the directory layer, directories and partitions share, and the form of its
 * arguments. A directory maps a path of names to a short prefix, and moves or vanishes by changing that mapping alone.
 *
 * Every call takes a transaction, or a database to run one transaction in. Paths are relative to the directory that is
 * asked. Misuse rejects with a `DirectoryError` and leaves the transaction as usable as it was. Several may be started at once
 * in one transaction; await them all before it ends, since one that is under way when a transaction is begun anew goes on.
 */
import { StillwaterError } from "../platform/errors.js";
import type { Database, ReadTransaction, Transaction } from "../transaction/transaction.js";
import type { DirectorySubspace } from "./directory-subspace.js";

/** Names from the top down. Any well-formed text is a name, the empty one too. */
export type DirectoryPath = readonly string[];

export type ReadTarget = ReadTransaction | Database;
export type WriteTarget = Transaction | Database;

/** How a directory is opened. */
export interface OpenDirectoryOptions {
  /**
   * What the directory is for, as a tag kept with it. Given to a new directory; of one that is there it must be the same,
   * or the call fails with `DIRECTORY_LAYER_MISMATCH`. Without one, or with an empty one, nothing is compared. The tag
   * "partition" makes a directory whose contents all share its prefix.
   */
  readonly layer?: string | Uint8Array;
}

/** How a directory is created. */
export interface CreateDirectoryOptions extends OpenDirectoryOptions {
  /** The prefix of its keys instead of an allocated one; only where `allowManualPrefixes` is set. */
  readonly prefix?: Uint8Array;
}

/** Keys under a short prefix, known by a path; it can be moved and removed with all that is in it. */
export interface Directory {
  /** From the root, partitions included. */
  readonly path: DirectoryPath;
  /** The tag it was created with; empty for none. */
  readonly layer: Uint8Array;

  /** Opens it, or creates it and the parents that are missing (those without a tag). */
  createOrOpen(
    target: WriteTarget,
    path: DirectoryPath,
    options?: OpenDirectoryOptions,
  ): Promise<DirectorySubspace>;
  /** As `createOrOpen`, but rejects with `DIRECTORY_EXISTS` when it is there. */
  create(
    target: WriteTarget,
    path: DirectoryPath,
    options?: CreateDirectoryOptions,
  ): Promise<DirectorySubspace>;
  /** Rejects with `DIRECTORY_NOT_FOUND` when it is not there. */
  open(target: ReadTarget, path: DirectoryPath, options?: OpenDirectoryOptions): Promise<DirectorySubspace>;
  /**
   * Gives the directory and all below it another path. Its keys stay where they are, so it takes as long for a large one
   * as for an empty one, and who has it open goes on using it. The new parent must be there, the new path must not.
   */
  move(target: WriteTarget, oldPath: DirectoryPath, newPath: DirectoryPath): Promise<DirectorySubspace>;
  /** Moves this directory; the new path is from the root. */
  moveTo(target: WriteTarget, newAbsolutePath: DirectoryPath): Promise<DirectorySubspace>;
  /**
   * Removes it, all its keys and all below it; without a path, this directory itself. Who has it open can still write
   * under its prefix: transactions that must not should open it anew.
   */
  remove(target: WriteTarget, path?: DirectoryPath): Promise<void>;
  /** As `remove`. False when it was not there. */
  removeIfExists(target: WriteTarget, path?: DirectoryPath): Promise<boolean>;
  exists(target: ReadTarget, path?: DirectoryPath): Promise<boolean>;
  /** The names directly below, in the order of their UTF-8 bytes. */
  list(target: ReadTarget, path?: DirectoryPath): Promise<string[]>;
}

/** The tag of partitions. */
export const PARTITION_LAYER: Uint8Array = new TextEncoder().encode("partition");

/** Throws `INVALID_ARGUMENT` for what is no path. */
export function checkPath(path: unknown): DirectoryPath {
  const isPath = Array.isArray(path) && path.every((name) => typeof name === "string" && !isIllFormed(name));
  if (isPath) return path.slice();
  throw new StillwaterError(
    "INVALID_ARGUMENT",
    "a directory path is an array of names, each a text without half of a surrogate pair.",
  );
}

const LAYER_OPTION = ["layer"];
const ALL_OPTIONS = ["layer", "prefix"];

/** What a directory is to be created or opened with. */
export interface CheckedOptions {
  /** Empty: any. */
  readonly layer: Uint8Array;
  /** Undefined: an allocated one. */
  readonly prefix: Uint8Array | undefined;
}

/** Throws `UNKNOWN_OPTION`, `INVALID_ARGUMENT`. */
export function checkOptions(options: CreateDirectoryOptions, mayHavePrefix: boolean): CheckedOptions {
  const known = mayHavePrefix ? ALL_OPTIONS : LAYER_OPTION;
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new StillwaterError(
      "UNKNOWN_OPTION",
      `there is no option "${name}" here. Known: ${known.join(", ")}.`,
    );
  }
  const { layer = "", prefix } = options;
  if (typeof layer !== "string" && !(layer instanceof Uint8Array)) {
    throw new StillwaterError("INVALID_ARGUMENT", "the layer of a directory is a text or bytes.");
  }
  if (prefix !== undefined && !(prefix instanceof Uint8Array)) {
    throw new StillwaterError("INVALID_ARGUMENT", "the prefix of a directory is a Uint8Array.");
  }
  return {
    layer: typeof layer === "string" ? new TextEncoder().encode(layer) : new Uint8Array(layer),
    prefix: prefix && new Uint8Array(prefix),
  };
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function isIllFormed(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}
