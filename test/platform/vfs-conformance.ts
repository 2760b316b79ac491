/**
 * The contract of `VFS` as a suite: every implementation runs it (`describeVFS` once per implementation).
 * Verifies: what each method answers, what it leaves behind, and the shape of its errors.
 * Does not verify: durability (the simulator's own tests do), concurrency between processes (`directory-lock.test.ts`).
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ErrorCode, StillwaterError } from "../../src/platform/errors.js";
import { joinPath } from "../../src/platform/path.js";
import type { VFile, VFS } from "../../src/platform/vfs.js";

export interface VFSUnderTest {
  readonly vfs: VFS;
  /** An existing, empty directory. */
  readonly root: string;
  readonly cleanup: () => void | Promise<void>;
}

export function describeVFS(name: string, factory: () => VFSUnderTest | Promise<VFSUnderTest>): void {
  describe(`${name} keeps the contract of VFS`, () => {
    let vfs: VFS;
    let root: string;
    let cleanup: () => void | Promise<void>;

    beforeEach(async () => {
      ({ vfs, root, cleanup } = await factory());
    });
    afterEach(async () => {
      await cleanup();
    });

    const at = (...names: string[]): string => names.reduce(joinPath, root);
    const make = (path: string, content: string): void => {
      const file = vfs.createFile(path);
      put(file, content, 0);
      file.close();
    };
    const textAt = (path: string): string => {
      const file = vfs.openFile(path, "read");
      const found = text(file);
      file.close();
      return found;
    };

    describe("createFile", () => {
      it("makes an empty file, open for reading and writing", () => {
        const file = vfs.createFile(at("a"));
        expect(file.path).toBe(at("a"));
        expect(file.size()).toBe(0);
        put(file, "hello", 0);
        expect(text(file)).toBe("hello");
        file.close();
      });

      it("refuses a name that is taken by a file, and leaves that file alone", () => {
        make(at("a"), "kept");
        refuses("EXISTS", at("a"), "createFile", () => vfs.createFile(at("a")));
        expect(textAt(at("a"))).toBe("kept");
      });

      it("refuses a name that is taken by a directory", () => {
        vfs.makeDirectory(at("d"));
        refuses("EXISTS", at("d"), "createFile", () => vfs.createFile(at("d")));
      });

      it("refuses a missing parent and a parent that is a file", () => {
        make(at("a"), "");
        refuses("NOT_FOUND", at("x", "a"), "createFile", () => vfs.createFile(at("x", "a")));
        refuses("NOT_DIRECTORY", at("a", "b"), "createFile", () => vfs.createFile(at("a", "b")));
      });

      it("gives a removed name a new file, apart from the one that is still open", () => {
        const old = vfs.createFile(at("a"));
        put(old, "old", 0);
        vfs.removeFile(at("a"));
        const next = vfs.createFile(at("a"));
        expect(next.size()).toBe(0);
        put(next, "new", 0);
        expect([text(old), text(next)]).toEqual(["old", "new"]);
        old.close();
        next.close();
      });
    });

    describe("openFile", () => {
      it("refuses what is not there", () => {
        refuses("NOT_FOUND", at("a"), "openFile", () => vfs.openFile(at("a"), "read"));
        refuses("NOT_FOUND", at("a"), "openFile", () => vfs.openFile(at("a"), "readWrite"));
        expect(vfs.list(root)).toEqual([]);
      });

      it("refuses a directory, in both modes", () => {
        vfs.makeDirectory(at("d"));
        refuses("IS_DIRECTORY", at("d"), "openFile", () => vfs.openFile(at("d"), "read"));
        refuses("IS_DIRECTORY", at("d"), "openFile", () => vfs.openFile(at("d"), "readWrite"));
      });

      it("shows one file through many handles at once", () => {
        const writer = vfs.createFile(at("a"));
        const reader = vfs.openFile(at("a"), "read");
        put(writer, "seen", 0);
        expect(text(reader)).toBe("seen");
        writer.truncate(2);
        expect(text(reader)).toBe("se");
        writer.close();
        reader.close();
      });

      it("keeps the content when opened for writing", () => {
        make(at("a"), "abc");
        const file = vfs.openFile(at("a"), "readWrite");
        put(file, "X", 1);
        expect(text(file)).toBe("aXc");
        file.close();
      });

      it("refuses writes and truncation through a read handle", () => {
        make(at("a"), "abc");
        const file = vfs.openFile(at("a"), "read");
        refuses("READ_ONLY", at("a"), "write", () => put(file, "X", 0), "no system call");
        refuses("READ_ONLY", at("a"), "truncate", () => file.truncate(0), "no system call");
        expect(text(file)).toBe("abc");
        file.close();
      });
    });

    describe("read and write", () => {
      it("reads less than asked only at the end of the file, and nothing behind it", () => {
        make(at("a"), "hello");
        const file = vfs.openFile(at("a"), "read");
        const target = new Uint8Array(16).fill(7);
        expect(file.read(target, 0, 10, 2)).toBe(3);
        expect([...target.subarray(0, 5)]).toEqual([...bytes("llo"), 7, 7]);
        expect(file.read(target, 0, 4, 5)).toBe(0);
        expect(file.read(target, 0, 4, 1_000_000)).toBe(0);
        file.close();
      });

      it("touches only its part of the target", () => {
        make(at("a"), "hello");
        const file = vfs.openFile(at("a"), "read");
        const target = new Uint8Array(6).fill(7);
        expect(file.read(target, 2, 3, 1)).toBe(3);
        expect([...target]).toEqual([7, 7, ...bytes("ell"), 7]);
        file.close();
      });

      it("takes only its part of the source", () => {
        const file = vfs.createFile(at("a"));
        file.write(bytes("abcdef"), 2, 3, 0);
        expect(text(file)).toBe("cde");
        file.close();
      });

      it("takes a transfer of no bytes as done", () => {
        const file = vfs.createFile(at("a"));
        file.write(new Uint8Array(0), 0, 0, 9);
        expect(file.size()).toBe(0);
        expect(file.read(new Uint8Array(0), 0, 0, 0)).toBe(0);
        file.close();
      });

      it("fills the gap with zeros when writing behind the end", () => {
        const file = vfs.createFile(at("a"));
        put(file, "ab", 0);
        put(file, "z", 70_000);
        expect(file.size()).toBe(70_001);
        const target = new Uint8Array(70_001).fill(7);
        expect(file.read(target, 0, target.length, 0)).toBe(target.length);
        expect([...target.subarray(0, 2)]).toEqual([...bytes("ab")]);
        expect(target.subarray(2, 70_000).every((byte) => byte === 0)).toBe(true);
        expect(target[70_000]).toBe(bytes("z")[0]);
        file.close();
      });

      it("lets the last of overlapping writes win, byte by byte", () => {
        const file = vfs.createFile(at("a"));
        put(file, "aaaaaa", 0);
        put(file, "bbb", 2);
        put(file, "cc", 4);
        expect(text(file)).toBe("aabbcc");
        file.close();
      });

      it("keeps the source's bytes as they were at the call", () => {
        const file = vfs.createFile(at("a"));
        const source = bytes("abc");
        file.write(source, 0, 3, 0);
        source.fill(0);
        expect(text(file)).toBe("abc");
        file.close();
      });

      it("moves transfers of megabytes whole", () => {
        const file = vfs.createFile(at("a"));
        const source = new Uint8Array(3_000_001);
        for (let i = 0; i < source.length; i++) source[i] = (i * 31 + (i >>> 9)) & 0xff;
        file.write(source, 0, source.length, 13);
        const target = new Uint8Array(source.length);
        expect(file.read(target, 0, target.length, 13)).toBe(source.length);
        expect(Buffer.compare(source, target)).toBe(0);
        file.close();
      });
    });

    describe("truncate and size", () => {
      it("cuts, and grows with zeros that hide what was cut", () => {
        const file = vfs.createFile(at("a"));
        put(file, "secret", 0);
        file.truncate(2);
        expect([file.size(), text(file)]).toEqual([2, "se"]);
        file.truncate(5);
        expect([file.size(), text(file)]).toEqual([5, "se\0\0\0"]);
        file.close();
      });

      it("leaves zeros, not old bytes, in a gap that is written over after a cut", () => {
        const file = vfs.createFile(at("a"));
        put(file, "secret", 0);
        file.truncate(1);
        put(file, "!", 4);
        expect(text(file)).toBe("s\0\0\0!");
        file.close();
      });

      it("accepts the size it has", () => {
        const file = vfs.createFile(at("a"));
        put(file, "abc", 0);
        file.truncate(3);
        expect(text(file)).toBe("abc");
        file.close();
      });
    });

    describe("sync", () => {
      it("returns for written, empty and unnamed files, and changes nothing that is read", () => {
        const file = vfs.createFile(at("a"));
        file.syncData();
        put(file, "abc", 0);
        file.syncData();
        vfs.syncDirectory(root);
        vfs.removeFile(at("a"));
        file.syncData();
        expect(text(file)).toBe("abc");
        file.close();
      });

      it("answers syncDataLater exactly once, on a later turn", async () => {
        const file = vfs.createFile(at("a"));
        put(file, "abc", 0);
        const answers: (Error | null)[] = [];
        await new Promise<void>((resolve) => {
          file.syncDataLater((error) => {
            answers.push(error);
            resolve();
          });
          expect(answers, "answered before the call returned").toEqual([]);
          queueMicrotask(() => expect(answers, "answered before a waiting microtask").toEqual([]));
        });
        await severalTurns();
        expect(answers).toEqual([null]);
        file.close();
      });

      it("answers each of many syncs at once", async () => {
        const file = vfs.createFile(at("a"));
        const counts = new Uint8Array(5);
        await Promise.all(
          Array.from(
            counts,
            (_, i) =>
              new Promise<void>((resolve, reject) => {
                put(file, "x", i);
                file.syncDataLater((error) => {
                  counts[i] = (counts[i] as number) + 1;
                  if (error === null) resolve();
                  else reject(error);
                });
              }),
          ),
        );
        await severalTurns();
        expect([...counts]).toEqual([1, 1, 1, 1, 1]);
        file.close();
      });

      it("still answers once when the file is closed meanwhile", async () => {
        const file = vfs.createFile(at("a"));
        put(file, "abc", 0);
        let answers = 0;
        await new Promise<void>((resolve) => {
          file.syncDataLater(() => {
            answers++;
            resolve();
          });
          file.close();
        });
        await severalTurns();
        expect(answers).toBe(1);
      });

      it("refuses to sync a directory that is not there, or is a file", () => {
        make(at("a"), "");
        if (!vfs.capabilities.directorySync) return;
        refuses("NOT_FOUND", at("d"), "syncDirectory", () => vfs.syncDirectory(at("d")));
        refuses("NOT_DIRECTORY", at("a"), "syncDirectory", () => vfs.syncDirectory(at("a")));
      });
    });

    describe("readLater", () => {
      it("answers once, on a later turn, with what read() would have given", async () => {
        make(at("a"), "hello");
        const file = vfs.openFile(at("a"), "read");
        const target = new Uint8Array(12).fill(7);
        const answers: [Error | null, number][] = [];
        await new Promise<void>((resolve) => {
          file.readLater(target, 1, 10, 2, (error, bytesRead) => {
            answers.push([error, bytesRead]);
            resolve();
          });
          expect(answers, "answered before the call returned").toEqual([]);
          queueMicrotask(() => expect(answers, "answered before a waiting microtask").toEqual([]));
        });
        await severalTurns();
        expect(answers).toEqual([[null, 3]]);
        expect([...target.subarray(0, 5)]).toEqual([7, ...bytes("llo"), 7]);
        file.close();
      });

      it("reads nothing behind the end, and nothing when asked for nothing", async () => {
        make(at("a"), "hello");
        const file = vfs.openFile(at("a"), "read");
        expect(await readLater(file, new Uint8Array(4), 4, 50)).toEqual([null, 0]);
        expect(await readLater(file, new Uint8Array(0), 0, 0)).toEqual([null, 0]);
        file.close();
      });

      it("serves parallel reads of one file", async () => {
        const file = vfs.createFile(at("a"));
        const source = Uint8Array.from({ length: 64_000 }, (_, i) => i % 251);
        file.write(source, 0, source.length, 0);
        const target = new Uint8Array(source.length);
        await Promise.all(
          Array.from({ length: 16 }, async (_, i) => {
            const part = target.subarray(i * 4000, (i + 1) * 4000);
            expect(await readLater(file, part, 4000, i * 4000)).toEqual([null, 4000]);
          }),
        );
        expect(Buffer.compare(source, target)).toBe(0);
        file.close();
      });
    });

    describe("close", () => {
      it("is idempotent, and every other call after it fails with CLOSED", async () => {
        const file = vfs.createFile(at("a"));
        put(file, "abc", 0);
        file.close();
        file.close();
        const target = new Uint8Array(1);
        const noCause = "no system call";
        refuses("CLOSED", at("a"), "read", () => file.read(target, 0, 1, 0), noCause);
        refuses("CLOSED", at("a"), "write", () => file.write(target, 0, 1, 0), noCause);
        refuses("CLOSED", at("a"), "truncate", () => file.truncate(0), noCause);
        refuses("CLOSED", at("a"), "size", () => file.size(), noCause);
        refuses("CLOSED", at("a"), "syncData", () => file.syncData(), noCause);
        const syncError = await new Promise<Error | null>((resolve) => file.syncDataLater(resolve));
        expect(syncError).toMatchObject({ code: "CLOSED", path: at("a") });
        const [readError, bytesRead] = await readLater(file, target, 1, 0);
        expect(readError).toMatchObject({ code: "CLOSED", path: at("a") });
        expect(bytesRead).toBe(0);
        expect(textAt(at("a"))).toBe("abc");
      });

      it("leaves other handles of the same file open", () => {
        const first = vfs.createFile(at("a"));
        const second = vfs.openFile(at("a"), "readWrite");
        first.close();
        put(second, "abc", 0);
        expect(text(second)).toBe("abc");
        second.close();
      });
    });

    describe("removeFile", () => {
      it("takes the name away at once, and keeps the data for open handles, to read and to write", () => {
        const file = vfs.createFile(at("a"));
        put(file, "alive", 0);
        vfs.removeFile(at("a"));
        expect(vfs.stat(at("a"))).toBeNull();
        expect(vfs.list(root)).toEqual([]);
        put(file, "A", 0);
        expect(text(file)).toBe("Alive");
        file.close();
      });

      it("refuses what is not there, and directories", () => {
        vfs.makeDirectory(at("d"));
        refuses("NOT_FOUND", at("a"), "removeFile", () => vfs.removeFile(at("a")));
        refuses("IS_DIRECTORY", at("d"), "removeFile", () => vfs.removeFile(at("d")));
        expect(vfs.stat(at("d"))).toEqual({ kind: "directory", size: 0 });
      });
    });

    describe("rename", () => {
      it("moves a file, within and between directories", () => {
        vfs.makeDirectory(at("d"));
        make(at("a"), "moved");
        vfs.rename(at("a"), at("b"));
        vfs.rename(at("b"), at("d", "c"));
        expect(vfs.list(root)).toEqual(["d"]);
        expect(textAt(at("d", "c"))).toBe("moved");
      });

      it("replaces a file, whose open handles keep the old data", () => {
        make(at("a"), "new");
        make(at("b"), "old");
        const old = vfs.openFile(at("b"), "read");
        vfs.rename(at("a"), at("b"));
        expect(vfs.list(root)).toEqual(["b"]);
        expect([textAt(at("b")), text(old)]).toEqual(["new", "old"]);
        old.close();
      });

      it("leaves open handles on the file that moved", () => {
        const file = vfs.createFile(at("a"));
        vfs.rename(at("a"), at("b"));
        put(file, "through", 0);
        expect(textAt(at("b"))).toBe("through");
        file.close();
      });

      it("does nothing when both names are the same", () => {
        make(at("a"), "same");
        vfs.rename(at("a"), at("a"));
        expect(textAt(at("a"))).toBe("same");
      });

      it("moves a directory with what is in it, also over an empty directory", () => {
        vfs.makeDirectory(at("d"));
        make(at("d", "a"), "inside");
        vfs.rename(at("d"), at("e"));
        expect(textAt(at("e", "a"))).toBe("inside");
        vfs.makeDirectory(at("f"));
        vfs.rename(at("e"), at("f"));
        expect(vfs.list(root)).toEqual(["f"]);
        expect(textAt(at("f", "a"))).toBe("inside");
      });

      it("refuses what cannot be, and changes nothing then", () => {
        make(at("a"), "file");
        vfs.makeDirectory(at("d"));
        vfs.makeDirectory(at("full"));
        make(at("full", "x"), "");
        refuses("NOT_FOUND", at("none"), "rename", () => vfs.rename(at("none"), at("b")));
        refuses("NOT_FOUND", at("a"), "rename", () => vfs.rename(at("a"), at("none", "b")));
        refuses("IS_DIRECTORY", at("a"), "rename", () => vfs.rename(at("a"), at("d")));
        refuses("NOT_DIRECTORY", at("d"), "rename", () => vfs.rename(at("d"), at("a")));
        refuses("NOT_EMPTY", at("d"), "rename", () => vfs.rename(at("d"), at("full")));
        expect(vfs.list(root)).toEqual(["a", "d", "full"]);
        expect(textAt(at("a"))).toBe("file");
      });
    });

    describe("link", () => {
      it("gives a file a second name that shares its data and outlives the first", () => {
        if (!vfs.capabilities.links) return;
        make(at("a"), "one");
        vfs.link(at("a"), at("b"));
        const file = vfs.openFile(at("b"), "readWrite");
        put(file, "O", 0);
        file.close();
        expect(textAt(at("a"))).toBe("One");
        vfs.removeFile(at("a"));
        expect(textAt(at("b"))).toBe("One");
      });

      it("refuses a taken name, a missing file, a missing parent and a directory", () => {
        if (!vfs.capabilities.links) return;
        make(at("a"), "one");
        make(at("b"), "two");
        vfs.makeDirectory(at("d"));
        refuses("EXISTS", at("a"), "link", () => vfs.link(at("a"), at("b")));
        refuses("NOT_FOUND", at("none"), "link", () => vfs.link(at("none"), at("c")));
        refuses("NOT_FOUND", at("a"), "link", () => vfs.link(at("a"), at("none", "c")));
        refuses("IS_DIRECTORY", at("d"), "link", () => vfs.link(at("d"), at("c")));
        expect([textAt(at("b")), vfs.list(root)]).toEqual(["two", ["a", "b", "d"]]);
      });

      it("keeps both names when one is renamed to the other", () => {
        if (!vfs.capabilities.links) return;
        make(at("a"), "one");
        vfs.link(at("a"), at("b"));
        vfs.rename(at("a"), at("b"));
        expect(vfs.list(root)).toEqual(["a", "b"]);
      });
    });

    describe("directories", () => {
      it("are made one level at a time, empty", () => {
        vfs.makeDirectory(at("d"));
        vfs.makeDirectory(at("d", "e"));
        expect([vfs.list(root), vfs.list(at("d")), vfs.list(at("d", "e"))]).toEqual([["d"], ["e"], []]);
        refuses("NOT_FOUND", at("x", "y"), "makeDirectory", () => vfs.makeDirectory(at("x", "y")));
      });

      it("are refused where a name is taken", () => {
        vfs.makeDirectory(at("d"));
        make(at("a"), "file");
        refuses("EXISTS", at("d"), "makeDirectory", () => vfs.makeDirectory(at("d")));
        refuses("EXISTS", at("a"), "makeDirectory", () => vfs.makeDirectory(at("a")));
      });

      it("are removed only when empty", () => {
        vfs.makeDirectory(at("d"));
        make(at("d", "a"), "");
        refuses("NOT_EMPTY", at("d"), "removeDirectory", () => vfs.removeDirectory(at("d")));
        vfs.removeFile(at("d", "a"));
        vfs.removeDirectory(at("d"));
        expect(vfs.stat(at("d"))).toBeNull();
        refuses("NOT_FOUND", at("d"), "removeDirectory", () => vfs.removeDirectory(at("d")));
      });

      it("are not confused with files", () => {
        make(at("a"), "");
        refuses("NOT_DIRECTORY", at("a"), "removeDirectory", () => vfs.removeDirectory(at("a")));
        refuses("NOT_DIRECTORY", at("a"), "list", () => vfs.list(at("a")));
        expect(vfs.stat(at("a"))).toEqual({ kind: "file", size: 0 });
      });

      it("list their names by UTF-16 code unit", () => {
        const names = ["b", "a", "B", "10", "9", "~", "é", "￮", "𐀀"];
        for (const name of names) make(at(name), "");
        expect(vfs.list(root)).toEqual(["10", "9", "B", "a", "b", "~", "é", "𐀀", "￮"]);
      });

      it("are refused when listed and not there", () => {
        refuses("NOT_FOUND", at("none"), "list", () => vfs.list(at("none")));
      });
    });

    describe("stat", () => {
      it("tells files, with their size, from directories and from nothing", () => {
        make(at("a"), "12345");
        vfs.makeDirectory(at("d"));
        expect(vfs.stat(at("a"))).toEqual({ kind: "file", size: 5 });
        expect(vfs.stat(at("d"))).toEqual({ kind: "directory", size: 0 });
        expect(vfs.stat(at("none"))).toBeNull();
        expect(vfs.stat(at("none", "below"))).toBeNull();
        expect(vfs.stat(at("a", "below"))).toBeNull();
      });

      it("sees the size that writers have reached, before any sync", () => {
        const file = vfs.createFile(at("a"));
        put(file, "x", 99);
        expect(vfs.stat(at("a"))).toEqual({ kind: "file", size: 100 });
        file.close();
      });
    });

    describe("lockDirectory", () => {
      it("refuses a directory that is locked already, and names the owner", async () => {
        const lock = await vfs.lockDirectory(root);
        const error = await vfs.lockDirectory(root).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(StillwaterError);
        expect(error).toMatchObject({ code: "LOCKED", path: root, operation: "lockDirectory" });
        const owner = (error as StillwaterError).owner;
        expect(owner).toMatch(/\S/);
        expect((error as StillwaterError).message).toContain(owner);
        await lock.release();
      });

      it("gives the lock to the next one after release, which is idempotent", async () => {
        const first = await vfs.lockDirectory(root);
        await first.release();
        await first.release();
        const second = await vfs.lockDirectory(root);
        await first.release();
        await expect(vfs.lockDirectory(root)).rejects.toMatchObject({ code: "LOCKED" });
        await second.release();
      });

      it("gives it to one of several who come at once", async () => {
        const outcomes = await Promise.allSettled([1, 2, 3].map(() => vfs.lockDirectory(root)));
        const held = outcomes.filter((outcome) => outcome.status === "fulfilled");
        expect(held).toHaveLength(1);
        for (const outcome of held) await outcome.value.release();
      });

      it("locks each directory on its own, and not what is in it", async () => {
        vfs.makeDirectory(at("d"));
        vfs.makeDirectory(at("e"));
        const locks = [
          await vfs.lockDirectory(root),
          await vfs.lockDirectory(at("d")),
          await vfs.lockDirectory(at("e")),
        ];
        make(at("d", "a"), "free");
        expect(textAt(at("d", "a"))).toBe("free");
        for (const lock of locks) await lock.release();
      });

      it("refuses what is not there and what is not a directory, by rejecting", async () => {
        make(at("a"), "");
        await expect(vfs.lockDirectory(at("none"))).rejects.toMatchObject({ code: "NOT_FOUND" });
        await expect(vfs.lockDirectory(at("a"))).rejects.toMatchObject({ code: "NOT_DIRECTORY" });
      });
    });
  });
}

/** Expects `action` to throw as the contract says: code, path, operation, a helpful message and, if asked, a cause. */
function refuses(
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

function readLater(
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
async function severalTurns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function put(file: VFile, content: string, position: number): void {
  const source = bytes(content);
  file.write(source, 0, source.length, position);
}

function text(file: VFile): string {
  const target = new Uint8Array(file.size());
  expect(file.read(target, 0, target.length, 0)).toBe(target.length);
  return Buffer.from(target).toString("utf8");
}

function bytes(content: string): Uint8Array {
  return Uint8Array.from(Buffer.from(content, "utf8"));
}
