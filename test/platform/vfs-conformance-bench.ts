/** What the parts of the conformance suite share: the file system under test, short ways to use it, one way to see it refuse. */
import { expect } from "vitest";
import { type ErrorCode, StillwaterError } from "../../src/platform/errors.js";
import { joinPath } from "../../src/platform/path.js";
import type { VFile, VFS } from "../../src/platform/vfs.js";

/** Set up anew before each test. */
export class Bench {
  readonly vfs: VFS;
  /** An existing directory, empty at first. */
  readonly root: string;

  constructor(vfs: VFS, root: string) {
    this.vfs = vfs;
    this.root = root;
  }

  /** The path of names below the root. */
  at(...names: string[]): string {
    return names.reduce(joinPath, this.root);
  }

  make(path: string, content: string): void {
    const file = this.vfs.createFile(path);
    put(file, content, 0);
    file.close();
  }

  textAt(path: string): string {
    const file = this.vfs.openFile(path, "read");
    const found = text(file);
    file.close();
    return found;
  }
}

/** Expects `action` to throw as the contract says: code, path, operation, a helpful message and, if asked, a cause. */
export function refuses(
  code: ErrorCode,
  path: string,
  operation: string,
  action: () => unknown,
  origin: "system call" | "no system call" = "system call",
): void {
  let thrown: unknown = null;
  try {
    action();
  } catch (error) {
    thrown = error;
  }
  expect(thrown, `${operation} of ${path} should have failed with ${code}`).toBeInstanceOf(StillwaterError);
  const error = thrown as StillwaterError;
  expect({ code: error.code, path: error.path, operation: error.operation }).toEqual({
    code,
    path,
    operation,
  });
  expect(error.message).toContain(path);
  if (origin === "system call") expect(error.cause, "the cause is kept").toBeDefined();
}

export function readLater(
  file: VFile,
  target: Uint8Array,
  length: number,
  position: number,
): Promise<[Error | null, number]> {
  return new Promise((resolve) => {
    file.readLater(target, 0, length, position, (error, bytesRead) => resolve([error, bytesRead]));
  });
}

/** Enough turns of the event loop for a second, wrong answer to arrive. */
export async function severalTurns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export function put(file: VFile, content: string, position: number): void {
  const source = bytes(content);
  file.write(source, 0, source.length, position);
}

export function text(file: VFile): string {
  const target = new Uint8Array(file.size());
  expect(file.read(target, 0, target.length, 0)).toBe(target.length);
  return Buffer.from(target).toString("utf8");
}

export function bytes(content: string): Uint8Array {
  return Uint8Array.from(Buffer.from(content, "utf8"));
}
