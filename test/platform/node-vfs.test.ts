/**
 * `NodeVFS` over a disk that fails on command.
 * Verifies: which code each errno becomes, what the message advises, what is tried again and what never is, and that
 * a descriptor is given back exactly once, after its last use. Does not verify the good cases (`vfs.test.ts`).
 */
import * as nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ErrorCode, StillwaterError } from "../../src/platform/errors.js";
import { systemDirectoryLocks } from "../../src/platform/node/directory-lock.js";
import type { NodeFileSystem } from "../../src/platform/node/node-file-system.js";
import { NodeVFS } from "../../src/platform/node/node-vfs.js";

let root: string;
let path: string;

beforeEach(() => {
  root = nodeFs.mkdtempSync(join(tmpdir(), "stillwater-faults-"));
  path = join(root, "a");
  nodeFs.writeFileSync(path, "hello");
});
afterEach(() => {
  nodeFs.rmSync(root, { recursive: true });
});

describe("by system", () => {
  const on = (system: NodeJS.Platform, fs: NodeFileSystem = failing({})) =>
    new NodeVFS(fs, systemDirectoryLocks(fs), { system });

  it("says what syncs reach, whether directories can be synced and open files move", () => {
    const both = { directorySync: true, links: true, permanence: true, openFilesMove: true };
    expect(on("linux").capabilities).toEqual({ ...both, dataSync: "fdatasync" });
    expect(on("darwin").capabilities).toEqual({ ...both, dataSync: "F_FULLFSYNC" });
    expect(on("freebsd").capabilities).toEqual({ ...both, dataSync: "fsync" });
    expect(on("win32").capabilities).toEqual({
      directorySync: false,
      links: true,
      permanence: true,
      openFilesMove: false,
      dataSync: "FlushFileBuffers",
    });
  });

  it("opens no directory to sync it on Windows", () => {
    on("win32", failing({ openSync: always(systemError("EPERM")) })).syncDirectory(root);
  });

  it.each(["EBUSY", "EPERM", "EACCES"])("takes %s of a name for a file in use on Windows only", (errno) => {
    const fs = failing({
      renameSync: always(systemError(errno)),
      unlinkSync: always(systemError(errno)),
    });
    const code = errno === "EBUSY" ? "FILE_BUSY" : "ACCESS_DENIED";
    for (const [system, expected] of [
      ["win32", "FILE_BUSY"],
      ["linux", code],
      ["darwin", code],
    ] as const) {
      const vfs = on(system, fs);
      expect(thrownBy(() => vfs.rename(path, `${path}2`))).toMatchObject({ code: expected, path });
      expect(thrownBy(() => vfs.removeFile(path))).toMatchObject({ code: expected, path });
      // A directory is refused for what it is.
      expect(thrownBy(() => vfs.removeFile(root))).toMatchObject({
        code: errno === "EBUSY" ? "FILE_BUSY" : "IS_DIRECTORY",
      });
    }
  });
});

describe("an errno becomes", () => {
  const cases: readonly (readonly [string, ErrorCode])[] = [
    ["ENOENT", "NOT_FOUND"],
    ["EEXIST", "EXISTS"],
    ["ENOSPC", "NO_SPACE"],
    ["EDQUOT", "NO_SPACE"],
    ["EROFS", "READ_ONLY"],
    ["EACCES", "ACCESS_DENIED"],
    ["EPERM", "ACCESS_DENIED"],
    ["EBUSY", "FILE_BUSY"],
    ["ENOTDIR", "NOT_DIRECTORY"],
    ["EISDIR", "IS_DIRECTORY"],
    ["ENOTEMPTY", "NOT_EMPTY"],
    ["EMFILE", "TOO_MANY_OPEN_FILES"],
    ["ENFILE", "TOO_MANY_OPEN_FILES"],
    ["EBADF", "IO"],
    ["EIO", "IO"],
    ["ESTALE", "IO"],
    ["EINVAL", "IO"],
  ];
  it.each(cases)("%s -> %s, with path, operation, offset and cause", (errno, code) => {
    const cause = systemError(errno);
    const file = new NodeVFS(failing({ writeSync: always(cause) })).openFile(path, "readWrite");
    const error = thrownBy(() => file.write(new Uint8Array(9), 0, 9, 4096));
    expect(error).toMatchObject({ code, path, operation: "write", offset: 4096, cause });
    expect(error.message).toContain(`${path} at byte 4096`);
    expect(error.message).toContain(errno);
    file.close();
  });

  it("names both paths of a rename, and gives the first as data", () => {
    const vfs = new NodeVFS(failing({ renameSync: always(systemError("EIO")) }));
    const error = thrownBy(() => vfs.rename(path, `${path}2`));
    expect(error).toMatchObject({ code: "IO", path, operation: "rename" });
    expect(error.message).toContain(`${path} to ${path}2`);
  });
});

describe("a failed sync", () => {
  it.each(["EIO", "EINTR"])("of data (%s) is reported, called once, and advises to reopen", async (errno) => {
    const calls = { blocking: 0, later: 0 };
    const vfs = new NodeVFS(
      failing({
        fdatasyncSync: () => {
          calls.blocking++;
          throw systemError(errno);
        },
        fdatasync: (_descriptor, done) => {
          calls.later++;
          setImmediate(() => done(systemError(errno)));
        },
      }),
    );
    const file = vfs.openFile(path, "readWrite");
    expectHonest(thrownBy(() => file.syncData()));
    expectHonest(
      await new Promise<Error>((resolve) => file.syncDataLater((error) => resolve(error as Error))),
    );
    expect(calls).toEqual({ blocking: 1, later: 1 });
    file.close();
  });

  it("of a directory is reported, called once, advises to reopen, and leaks no descriptor", () => {
    const { fs, open } = counted({ fsyncSync: always(systemError("EIO")) });
    expectHonest(thrownBy(() => new NodeVFS(fs).syncDirectory(root)));
    expect(open.size).toBe(0);
  });
});

describe("EINTR", () => {
  it("is tried again where nothing has happened yet", async () => {
    const vfs = new NodeVFS(
      failing({
        openSync: interruptedTwice(nodeFs.openSync),
        readSync: interruptedTwice(nodeFs.readSync as NodeFileSystem["readSync"]),
        writeSync: interruptedTwice(nodeFs.writeSync as NodeFileSystem["writeSync"]),
        ftruncateSync: interruptedTwice(nodeFs.ftruncateSync),
        fstatSync: interruptedTwice((descriptor: number) => nodeFs.fstatSync(descriptor)),
        statSync: interruptedTwice((name: string) => nodeFs.statSync(name)),
        readdirSync: interruptedTwice((name: string) => nodeFs.readdirSync(name)),
        read: laterInterruptedOnce(),
      }),
    );
    const file = vfs.openFile(path, "readWrite");
    const target = new Uint8Array(5);
    file.write(Buffer.from("J"), 0, 1, 0);
    expect(file.read(target, 0, 5, 0)).toBe(5);
    expect(Buffer.from(target).toString()).toBe("Jello");
    file.truncate(3);
    expect(file.size()).toBe(3);
    expect(vfs.stat(path)).toEqual({ kind: "file", size: 3 });
    expect(vfs.list(root)).toEqual(["a"]);
    const answer = await new Promise((resolve) =>
      file.readLater(target, 0, 5, 1, (error, bytesRead) => resolve([error, bytesRead])),
    );
    expect(answer).toEqual([null, 2]);
    file.close();
  });

  it("is an error where the name may have changed already", () => {
    const interrupted = always(systemError("EINTR"));
    const vfs = new NodeVFS(
      failing({ renameSync: interrupted, unlinkSync: interrupted, mkdirSync: interrupted }),
    );
    expect(thrownBy(() => vfs.rename(path, `${path}2`)).code).toBe("IO");
    expect(thrownBy(() => vfs.removeFile(path)).code).toBe("IO");
    expect(thrownBy(() => vfs.makeDirectory(join(root, "d"))).code).toBe("IO");
  });
});

describe("short transfers", () => {
  it("are completed by write, read and readLater", async () => {
    const vfs = new NodeVFS(
      failing({
        writeSync: (descriptor, source, start, length, position) =>
          nodeFs.writeSync(descriptor, source, start, Math.min(length, 7), position),
        readSync: (descriptor, target, start, length, position) =>
          nodeFs.readSync(descriptor, target, start, Math.min(length, 5), position),
        read: (descriptor, target, start, length, position, done) =>
          nodeFs.read(descriptor, target, start, Math.min(length, 3), position, done),
      }),
    );
    const file = vfs.createFile(join(root, "b"));
    const source = Uint8Array.from({ length: 100 }, (_, i) => i + 1);
    file.write(source, 0, 100, 11);
    const target = new Uint8Array(100);
    expect(file.read(target, 0, 100, 11)).toBe(100);
    expect(target).toEqual(source);
    const later = new Uint8Array(120);
    const answer = await new Promise((resolve) =>
      file.readLater(later, 0, 120, 11, (error, bytesRead) => resolve([error, bytesRead])),
    );
    expect(answer).toEqual([null, 100]);
    expect(later.subarray(0, 100)).toEqual(source);
    file.close();
  });

  it("that end in an error tell the offset where it struck", () => {
    let calls = 0;
    const vfs = new NodeVFS(
      failing({
        writeSync: (descriptor, source, start, length, position) => {
          if (++calls > 2) throw systemError("ENOSPC");
          return nodeFs.writeSync(descriptor, source, start, Math.min(length, 10), position);
        },
      }),
    );
    const file = vfs.openFile(path, "readWrite");
    const error = thrownBy(() => file.write(new Uint8Array(50), 0, 50, 100));
    expect(error).toMatchObject({ code: "NO_SPACE", offset: 120 });
    file.close();
  });
});

describe("a descriptor", () => {
  it("is closed only after the asynchronous calls that use it have ended", async () => {
    const answers: ((error: NodeJS.ErrnoException | null) => void)[] = [];
    const { fs, open } = counted({ fdatasync: (_descriptor, done) => void answers.push(done) });
    const file = new NodeVFS(fs).openFile(path, "readWrite");
    const results: (Error | null)[] = [];
    file.syncDataLater((error) => results.push(error));
    file.syncDataLater((error) => results.push(error));
    file.close();
    expect(thrownBy(() => file.size()).code).toBe("CLOSED");
    expect(open.size).toBe(1);
    answers[0]?.(null);
    expect(open.size).toBe(1);
    answers[1]?.(null);
    expect(open.size).toBe(0);
    expect(results).toEqual([null, null]);
  });

  it("whose close fails is not closed again, and the failure is reported", () => {
    let calls = 0;
    const vfs = new NodeVFS(
      failing({
        closeSync: (descriptor) => {
          calls++;
          nodeFs.closeSync(descriptor);
          throw systemError("EIO");
        },
      }),
    );
    const file = vfs.openFile(path, "readWrite");
    expect(thrownBy(() => file.close())).toMatchObject({ code: "IO", operation: "close", path });
    file.close();
    expect(calls).toBe(1);
  });

  it("whose late close fails is reported through the call that it waited for", async () => {
    const vfs = new NodeVFS(
      failing({
        closeSync: (descriptor) => {
          nodeFs.closeSync(descriptor);
          throw systemError("EIO");
        },
      }),
    );
    const file = vfs.openFile(path, "readWrite");
    const answer = new Promise((resolve) => file.syncDataLater(resolve));
    file.close();
    expect(await answer).toMatchObject({ code: "IO", operation: "close" });
  });

  it("of a directory that was opened as a file is given back", () => {
    const { fs, open } = counted({});
    expect(thrownBy(() => new NodeVFS(fs).openFile(root, "read")).code).toBe("IS_DIRECTORY");
    expect(open.size).toBe(0);
  });
});

describe("a caller's mistake", () => {
  it("in a range is an assertion, before any byte moves", () => {
    const file = new NodeVFS().openFile(path, "readWrite");
    const bytes = new Uint8Array(4);
    for (const [start, length, position] of [
      [0, 5, 0],
      [3, 2, 0],
      [-1, 2, 0],
      [0, 1.5, 0],
      [0, 4, -1],
      [0, 4, Number.NaN],
      [0, 4, 2 ** 53],
    ] as const) {
      expect(thrownBy(() => file.read(bytes, start, length, position)).code).toBe("ASSERTION");
      expect(thrownBy(() => file.write(bytes, start, length, position)).code).toBe("ASSERTION");
    }
    expect(thrownBy(() => file.truncate(-1)).code).toBe("ASSERTION");
    expect(nodeFs.readFileSync(path, "utf8")).toBe("hello");
    file.close();
  });
});

function failing(faults: Partial<NodeFileSystem>): NodeFileSystem {
  return { ...(nodeFs as NodeFileSystem), ...faults };
}

/** Also knows which descriptors are open. */
function counted(faults: Partial<NodeFileSystem>): { fs: NodeFileSystem; open: Set<number> } {
  const open = new Set<number>();
  const fs = failing({
    openSync: (name, flags, mode) => {
      const descriptor = nodeFs.openSync(name, flags, mode);
      open.add(descriptor);
      return descriptor;
    },
    closeSync: (descriptor) => {
      expect(open.delete(descriptor), "closed once, and only what was open").toBe(true);
      nodeFs.closeSync(descriptor);
    },
    ...faults,
  });
  return { fs, open };
}

function systemError(errno: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${errno}: planted`), { code: errno });
}

function always(error: Error): () => never {
  return () => {
    throw error;
  };
}

/** Fails with EINTR on the first two calls of each call that succeeds. */
function interruptedTwice<Arguments extends unknown[], Result>(
  real: (...parameters: Arguments) => Result,
): (...parameters: Arguments) => Result {
  let calls = 0;
  return (...parameters) => {
    if (++calls % 3 !== 0) throw systemError("EINTR");
    return real(...parameters);
  };
}

function laterInterruptedOnce(): NodeFileSystem["read"] {
  let calls = 0;
  return (descriptor, target, start, length, position, done) => {
    if (++calls === 1) setImmediate(() => done(systemError("EINTR"), 0));
    else nodeFs.read(descriptor, target, start, length, position, done);
  };
}

function thrownBy(action: () => unknown): StillwaterError {
  try {
    action();
  } catch (error) {
    return error as StillwaterError;
  }
  throw new Error("nothing was thrown");
}

function expectHonest(error: Error): void {
  expect(error).toMatchObject({ code: "IO" });
  expect(error.message).toMatch(/may be lost/);
  expect(error.message).not.toMatch(/retry|try again|sync again/i);
}
