/**
 * The open files of one simulated process. Numbers start far above those of the real process, so that a descriptor
 * says by itself whose it is, and the lowest free one is taken, as POSIX wants. Does not own: what is done with them.
 */
import { constants } from "node:fs";
import type { VFile } from "../../src/platform/vfs.js";
import type { FileNode } from "../disk/file-node.js";
import type { DirectoryNode } from "../disk/name-log.js";

/** No real process has that many files open. */
export const FIRST_DESCRIPTOR = 1 << 20;

export interface FileDescriptor {
  readonly kind: "file";
  readonly file: VFile;
  readonly node: FileNode;
  /** By which it was opened, for people. */
  readonly path: string;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly appends: boolean;
  position: number;
}

export interface DirectoryDescriptor {
  readonly kind: "directory";
  readonly node: DirectoryNode;
  readonly path: string;
}

export type Descriptor = FileDescriptor | DirectoryDescriptor;

export class Descriptors {
  readonly #open = new Map<number, Descriptor>();

  ofFile(file: VFile, node: FileNode, path: string, flags: number): FileDescriptor {
    const access = flags & 3;
    return {
      kind: "file",
      file,
      node,
      path,
      readable: access !== constants.O_WRONLY,
      writable: access !== constants.O_RDONLY,
      appends: (flags & constants.O_APPEND) !== 0,
      position: 0,
    };
  }

  add(descriptor: Descriptor): number {
    let fd = FIRST_DESCRIPTOR;
    while (this.#open.has(fd)) fd++;
    this.#open.set(fd, descriptor);
    return fd;
  }

  get(fd: number): Descriptor | undefined {
    return this.#open.get(fd);
  }

  remove(fd: number): void {
    this.#open.delete(fd);
  }
}
