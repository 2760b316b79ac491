/**
 * The contract of open files: create, open, transfer, resize, sync, close.
 * Does not verify: names and directories (`vfs-conformance-names.ts`).
 */
import { beforeEach, describe, expect, it } from "vitest";
import { type Bench, bytes, put, readLater, refuses, severalTurns, text } from "./vfs-conformance-bench.js";

export function describeFiles(current: () => Bench): void {
  let bench: Bench;
  beforeEach(() => {
    bench = current();
  });

  describe("createFile", () => {
    it("makes an empty file, open for reading and writing", () => {
      const file = bench.vfs.createFile(bench.at("a"));
      expect(file.path).toBe(bench.at("a"));
      expect(file.size()).toBe(0);
      put(file, "hello", 0);
      expect(text(file)).toBe("hello");
      file.close();
    });

    it("refuses a name that is taken by a file, and leaves that file alone", () => {
      bench.make(bench.at("a"), "kept");
      refuses("EXISTS", bench.at("a"), "createFile", () => bench.vfs.createFile(bench.at("a")));
      expect(bench.textAt(bench.at("a"))).toBe("kept");
    });

    it("refuses a name that is taken by a directory", () => {
      bench.vfs.makeDirectory(bench.at("d"));
      refuses("EXISTS", bench.at("d"), "createFile", () => bench.vfs.createFile(bench.at("d")));
    });

    it("refuses a missing parent and a parent that is a file", () => {
      bench.make(bench.at("a"), "");
      refuses("NOT_FOUND", bench.at("x", "a"), "createFile", () => bench.vfs.createFile(bench.at("x", "a")));
      refuses("NOT_DIRECTORY", bench.at("a", "b"), "createFile", () =>
        bench.vfs.createFile(bench.at("a", "b")),
      );
    });

    it("gives a removed name a new file, apart from the one that is still open", () => {
      if (!bench.vfs.capabilities.openFilesMove) return;
      const old = bench.vfs.createFile(bench.at("a"));
      put(old, "old", 0);
      bench.vfs.removeFile(bench.at("a"));
      const next = bench.vfs.createFile(bench.at("a"));
      expect(next.size()).toBe(0);
      put(next, "new", 0);
      expect([text(old), text(next)]).toEqual(["old", "new"]);
      old.close();
      next.close();
    });
  });

  describe("openFile", () => {
    it("refuses what is not there", () => {
      refuses("NOT_FOUND", bench.at("a"), "openFile", () => bench.vfs.openFile(bench.at("a"), "read"));
      refuses("NOT_FOUND", bench.at("a"), "openFile", () => bench.vfs.openFile(bench.at("a"), "readWrite"));
      expect(bench.vfs.list(bench.root)).toEqual([]);
    });

    it("refuses a directory, in both modes", () => {
      bench.vfs.makeDirectory(bench.at("d"));
      refuses("IS_DIRECTORY", bench.at("d"), "openFile", () => bench.vfs.openFile(bench.at("d"), "read"));
      refuses("IS_DIRECTORY", bench.at("d"), "openFile", () =>
        bench.vfs.openFile(bench.at("d"), "readWrite"),
      );
    });

    it("shows one file through many handles at once", () => {
      const writer = bench.vfs.createFile(bench.at("a"));
      const reader = bench.vfs.openFile(bench.at("a"), "read");
      put(writer, "seen", 0);
      expect(text(reader)).toBe("seen");
      writer.truncate(2);
      expect(text(reader)).toBe("se");
      writer.close();
      reader.close();
    });

    it("keeps the content when opened for writing", () => {
      bench.make(bench.at("a"), "abc");
      const file = bench.vfs.openFile(bench.at("a"), "readWrite");
      put(file, "X", 1);
      expect(text(file)).toBe("aXc");
      file.close();
    });

    it("refuses writes and truncation through a read handle", () => {
      bench.make(bench.at("a"), "abc");
      const file = bench.vfs.openFile(bench.at("a"), "read");
      refuses("READ_ONLY", bench.at("a"), "write", () => put(file, "X", 0), "no system call");
      refuses("READ_ONLY", bench.at("a"), "truncate", () => file.truncate(0), "no system call");
      expect(text(file)).toBe("abc");
      file.close();
    });
  });

  describe("read and write", () => {
    it("reads less than asked only at the end of the file, and nothing behind it", () => {
      bench.make(bench.at("a"), "hello");
      const file = bench.vfs.openFile(bench.at("a"), "read");
      const target = new Uint8Array(16).fill(7);
      expect(file.read(target, 0, 10, 2)).toBe(3);
      expect([...target.subarray(0, 5)]).toEqual([...bytes("llo"), 7, 7]);
      expect(file.read(target, 0, 4, 5)).toBe(0);
      expect(file.read(target, 0, 4, 1_000_000)).toBe(0);
      file.close();
    });

    it("touches only its part of the target", () => {
      bench.make(bench.at("a"), "hello");
      const file = bench.vfs.openFile(bench.at("a"), "read");
      const target = new Uint8Array(6).fill(7);
      expect(file.read(target, 2, 3, 1)).toBe(3);
      expect([...target]).toEqual([7, 7, ...bytes("ell"), 7]);
      file.close();
    });

    it("takes only its part of the source", () => {
      const file = bench.vfs.createFile(bench.at("a"));
      file.write(bytes("abcdef"), 2, 3, 0);
      expect(text(file)).toBe("cde");
      file.close();
    });

    it("takes a transfer of no bytes as done", () => {
      const file = bench.vfs.createFile(bench.at("a"));
      file.write(new Uint8Array(0), 0, 0, 9);
      expect(file.size()).toBe(0);
      expect(file.read(new Uint8Array(0), 0, 0, 0)).toBe(0);
      file.close();
    });

    it("fills the gap with zeros when writing behind the end", () => {
      const file = bench.vfs.createFile(bench.at("a"));
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
      const file = bench.vfs.createFile(bench.at("a"));
      put(file, "aaaaaa", 0);
      put(file, "bbb", 2);
      put(file, "cc", 4);
      expect(text(file)).toBe("aabbcc");
      file.close();
    });

    it("keeps the source's bytes as they were at the call", () => {
      const file = bench.vfs.createFile(bench.at("a"));
      const source = bytes("abc");
      file.write(source, 0, 3, 0);
      source.fill(0);
      expect(text(file)).toBe("abc");
      file.close();
    });

    it("moves transfers of megabytes whole", () => {
      const file = bench.vfs.createFile(bench.at("a"));
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
      const file = bench.vfs.createFile(bench.at("a"));
      put(file, "secret", 0);
      file.truncate(2);
      expect([file.size(), text(file)]).toEqual([2, "se"]);
      file.truncate(5);
      expect([file.size(), text(file)]).toEqual([5, "se\0\0\0"]);
      file.close();
    });

    it("leaves zeros, not old bytes, in a gap that is written over after a cut", () => {
      const file = bench.vfs.createFile(bench.at("a"));
      put(file, "secret", 0);
      file.truncate(1);
      put(file, "!", 4);
      expect(text(file)).toBe("s\0\0\0!");
      file.close();
    });

    it("accepts the size it has", () => {
      const file = bench.vfs.createFile(bench.at("a"));
      put(file, "abc", 0);
      file.truncate(3);
      expect(text(file)).toBe("abc");
      file.close();
    });
  });

  describe("sync", () => {
    it("returns for written, empty and unnamed files, and changes nothing that is read", () => {
      const file = bench.vfs.createFile(bench.at("a"));
      file.syncData();
      put(file, "abc", 0);
      file.syncData();
      bench.vfs.syncDirectory(bench.root);
      if (bench.vfs.capabilities.openFilesMove) bench.vfs.removeFile(bench.at("a"));
      file.syncData();
      expect(text(file)).toBe("abc");
      file.close();
    });

    it("answers syncDataLater exactly once, on a later turn", async () => {
      const file = bench.vfs.createFile(bench.at("a"));
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
      const file = bench.vfs.createFile(bench.at("a"));
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
      const file = bench.vfs.createFile(bench.at("a"));
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
      bench.make(bench.at("a"), "");
      if (!bench.vfs.capabilities.directorySync) return;
      refuses("NOT_FOUND", bench.at("d"), "syncDirectory", () => bench.vfs.syncDirectory(bench.at("d")));
      refuses("NOT_DIRECTORY", bench.at("a"), "syncDirectory", () => bench.vfs.syncDirectory(bench.at("a")));
    });
  });

  describe("readLater", () => {
    it("answers once, on a later turn, with what read() would have given", async () => {
      bench.make(bench.at("a"), "hello");
      const file = bench.vfs.openFile(bench.at("a"), "read");
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
      bench.make(bench.at("a"), "hello");
      const file = bench.vfs.openFile(bench.at("a"), "read");
      expect(await readLater(file, new Uint8Array(4), 4, 50)).toEqual([null, 0]);
      expect(await readLater(file, new Uint8Array(0), 0, 0)).toEqual([null, 0]);
      file.close();
    });

    it("serves parallel reads of one file", async () => {
      const file = bench.vfs.createFile(bench.at("a"));
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
      const file = bench.vfs.createFile(bench.at("a"));
      put(file, "abc", 0);
      file.close();
      file.close();
      const target = new Uint8Array(1);
      const noCause = "no system call";
      refuses("CLOSED", bench.at("a"), "read", () => file.read(target, 0, 1, 0), noCause);
      refuses("CLOSED", bench.at("a"), "write", () => file.write(target, 0, 1, 0), noCause);
      refuses("CLOSED", bench.at("a"), "truncate", () => file.truncate(0), noCause);
      refuses("CLOSED", bench.at("a"), "size", () => file.size(), noCause);
      refuses("CLOSED", bench.at("a"), "syncData", () => file.syncData(), noCause);
      const syncError = await new Promise<Error | null>((resolve) => file.syncDataLater(resolve));
      expect(syncError).toMatchObject({ code: "CLOSED", path: bench.at("a") });
      const [readError, bytesRead] = await readLater(file, target, 1, 0);
      expect(readError).toMatchObject({ code: "CLOSED", path: bench.at("a") });
      expect(bytesRead).toBe(0);
      expect(bench.textAt(bench.at("a"))).toBe("abc");
    });

    it("leaves other handles of the same file open", () => {
      const first = bench.vfs.createFile(bench.at("a"));
      const second = bench.vfs.openFile(bench.at("a"), "readWrite");
      first.close();
      put(second, "abc", 0);
      expect(text(second)).toBe("abc");
      second.close();
    });
  });
}
