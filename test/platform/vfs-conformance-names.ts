/**
 * The contract of names: remove, rename, link, directories, stat, and the lock of a directory.
 * Does not verify: exclusion between processes (`directory-lock.test.ts`).
 */
import { beforeEach, describe, expect, it } from "vitest";
import { StillwaterError } from "../../src/platform/errors.js";
import { type Bench, put, refuses, text } from "./vfs-conformance-bench.js";

export function describeNames(current: () => Bench): void {
  let bench: Bench;
  beforeEach(() => {
    bench = current();
  });

  describe("removeFile", () => {
    it("takes the name away at once, and keeps the data for open handles, to read and to write", () => {
      if (!bench.vfs.capabilities.openFilesMove) return;
      const file = bench.vfs.createFile(bench.at("a"));
      put(file, "alive", 0);
      bench.vfs.removeFile(bench.at("a"));
      expect(bench.vfs.stat(bench.at("a"))).toBeNull();
      expect(bench.vfs.list(bench.root)).toEqual([]);
      put(file, "A", 0);
      expect(text(file)).toBe("Alive");
      file.close();
    });

    it("refuses what is not there, and directories", () => {
      bench.vfs.makeDirectory(bench.at("d"));
      refuses("NOT_FOUND", bench.at("a"), "removeFile", () => bench.vfs.removeFile(bench.at("a")));
      refuses("IS_DIRECTORY", bench.at("d"), "removeFile", () => bench.vfs.removeFile(bench.at("d")));
      expect(bench.vfs.stat(bench.at("d"))).toEqual({ kind: "directory", size: 0 });
    });
  });

  describe("rename", () => {
    it("moves a file, within and between directories", () => {
      bench.vfs.makeDirectory(bench.at("d"));
      bench.make(bench.at("a"), "moved");
      bench.vfs.rename(bench.at("a"), bench.at("b"));
      bench.vfs.rename(bench.at("b"), bench.at("d", "c"));
      expect(bench.vfs.list(bench.root)).toEqual(["d"]);
      expect(bench.textAt(bench.at("d", "c"))).toBe("moved");
    });

    it("replaces a file, whose open handles keep the old data", () => {
      if (!bench.vfs.capabilities.openFilesMove) return;
      bench.make(bench.at("a"), "new");
      bench.make(bench.at("b"), "old");
      const old = bench.vfs.openFile(bench.at("b"), "read");
      bench.vfs.rename(bench.at("a"), bench.at("b"));
      expect(bench.vfs.list(bench.root)).toEqual(["b"]);
      expect([bench.textAt(bench.at("b")), text(old)]).toEqual(["new", "old"]);
      old.close();
    });

    it("leaves open handles on the file that moved", () => {
      if (!bench.vfs.capabilities.openFilesMove) return;
      const file = bench.vfs.createFile(bench.at("a"));
      bench.vfs.rename(bench.at("a"), bench.at("b"));
      put(file, "through", 0);
      expect(bench.textAt(bench.at("b"))).toBe("through");
      file.close();
    });

    it("does nothing when both names are the same", () => {
      bench.make(bench.at("a"), "same");
      bench.vfs.rename(bench.at("a"), bench.at("a"));
      expect(bench.textAt(bench.at("a"))).toBe("same");
    });

    it("moves a directory with what is in it, also over an empty directory", () => {
      bench.vfs.makeDirectory(bench.at("d"));
      bench.make(bench.at("d", "a"), "inside");
      bench.vfs.rename(bench.at("d"), bench.at("e"));
      expect(bench.textAt(bench.at("e", "a"))).toBe("inside");
      bench.vfs.makeDirectory(bench.at("f"));
      bench.vfs.rename(bench.at("e"), bench.at("f"));
      expect(bench.vfs.list(bench.root)).toEqual(["f"]);
      expect(bench.textAt(bench.at("f", "a"))).toBe("inside");
    });

    it("refuses what cannot be, and changes nothing then", () => {
      bench.make(bench.at("a"), "file");
      bench.vfs.makeDirectory(bench.at("d"));
      bench.vfs.makeDirectory(bench.at("full"));
      bench.make(bench.at("full", "x"), "");
      refuses("NOT_FOUND", bench.at("none"), "rename", () =>
        bench.vfs.rename(bench.at("none"), bench.at("b")),
      );
      refuses("NOT_FOUND", bench.at("a"), "rename", () =>
        bench.vfs.rename(bench.at("a"), bench.at("none", "b")),
      );
      refuses("IS_DIRECTORY", bench.at("a"), "rename", () => bench.vfs.rename(bench.at("a"), bench.at("d")));
      refuses("NOT_DIRECTORY", bench.at("d"), "rename", () => bench.vfs.rename(bench.at("d"), bench.at("a")));
      refuses("NOT_EMPTY", bench.at("d"), "rename", () => bench.vfs.rename(bench.at("d"), bench.at("full")));
      expect(bench.vfs.list(bench.root)).toEqual(["a", "d", "full"]);
      expect(bench.textAt(bench.at("a"))).toBe("file");
    });
  });

  describe("link", () => {
    it("gives a file a second name that shares its data and outlives the first", () => {
      if (!bench.vfs.capabilities.links) return;
      bench.make(bench.at("a"), "one");
      bench.vfs.link(bench.at("a"), bench.at("b"));
      const file = bench.vfs.openFile(bench.at("b"), "readWrite");
      put(file, "O", 0);
      file.close();
      expect(bench.textAt(bench.at("a"))).toBe("One");
      bench.vfs.removeFile(bench.at("a"));
      expect(bench.textAt(bench.at("b"))).toBe("One");
    });

    it("refuses a taken name, a missing file, a missing parent and a directory", () => {
      if (!bench.vfs.capabilities.links) return;
      bench.make(bench.at("a"), "one");
      bench.make(bench.at("b"), "two");
      bench.vfs.makeDirectory(bench.at("d"));
      refuses("EXISTS", bench.at("a"), "link", () => bench.vfs.link(bench.at("a"), bench.at("b")));
      refuses("NOT_FOUND", bench.at("none"), "link", () => bench.vfs.link(bench.at("none"), bench.at("c")));
      refuses("NOT_FOUND", bench.at("a"), "link", () => bench.vfs.link(bench.at("a"), bench.at("none", "c")));
      refuses("IS_DIRECTORY", bench.at("d"), "link", () => bench.vfs.link(bench.at("d"), bench.at("c")));
      expect([bench.textAt(bench.at("b")), bench.vfs.list(bench.root)]).toEqual(["two", ["a", "b", "d"]]);
    });

    it("keeps both names when one is renamed to the other", () => {
      if (!bench.vfs.capabilities.links) return;
      bench.make(bench.at("a"), "one");
      bench.vfs.link(bench.at("a"), bench.at("b"));
      bench.vfs.rename(bench.at("a"), bench.at("b"));
      expect(bench.vfs.list(bench.root)).toEqual(["a", "b"]);
    });
  });

  describe("directories", () => {
    it("are made one level at a time, empty", () => {
      bench.vfs.makeDirectory(bench.at("d"));
      bench.vfs.makeDirectory(bench.at("d", "e"));
      expect([
        bench.vfs.list(bench.root),
        bench.vfs.list(bench.at("d")),
        bench.vfs.list(bench.at("d", "e")),
      ]).toEqual([["d"], ["e"], []]);
      refuses("NOT_FOUND", bench.at("x", "y"), "makeDirectory", () =>
        bench.vfs.makeDirectory(bench.at("x", "y")),
      );
    });

    it("are refused where a name is taken", () => {
      bench.vfs.makeDirectory(bench.at("d"));
      bench.make(bench.at("a"), "file");
      refuses("EXISTS", bench.at("d"), "makeDirectory", () => bench.vfs.makeDirectory(bench.at("d")));
      refuses("EXISTS", bench.at("a"), "makeDirectory", () => bench.vfs.makeDirectory(bench.at("a")));
    });

    it("are removed only when empty", () => {
      bench.vfs.makeDirectory(bench.at("d"));
      bench.make(bench.at("d", "a"), "");
      refuses("NOT_EMPTY", bench.at("d"), "removeDirectory", () => bench.vfs.removeDirectory(bench.at("d")));
      bench.vfs.removeFile(bench.at("d", "a"));
      bench.vfs.removeDirectory(bench.at("d"));
      expect(bench.vfs.stat(bench.at("d"))).toBeNull();
      refuses("NOT_FOUND", bench.at("d"), "removeDirectory", () => bench.vfs.removeDirectory(bench.at("d")));
    });

    it("are not confused with files", () => {
      bench.make(bench.at("a"), "");
      refuses("NOT_DIRECTORY", bench.at("a"), "removeDirectory", () =>
        bench.vfs.removeDirectory(bench.at("a")),
      );
      refuses("NOT_DIRECTORY", bench.at("a"), "list", () => bench.vfs.list(bench.at("a")));
      expect(bench.vfs.stat(bench.at("a"))).toEqual({ kind: "file", size: 0 });
    });

    it("list their names by UTF-16 code unit", () => {
      const names = ["b", "a", "B", "10", "9", "~", "é", "￮", "𐀀"];
      for (const name of names) bench.make(bench.at(name), "");
      expect(bench.vfs.list(bench.root)).toEqual(["10", "9", "B", "a", "b", "~", "é", "𐀀", "￮"]);
    });

    it("are refused when listed and not there", () => {
      refuses("NOT_FOUND", bench.at("none"), "list", () => bench.vfs.list(bench.at("none")));
    });
  });

  describe("stat", () => {
    it("tells files, with their size, from directories and from nothing", () => {
      bench.make(bench.at("a"), "12345");
      bench.vfs.makeDirectory(bench.at("d"));
      expect(bench.vfs.stat(bench.at("a"))).toEqual({ kind: "file", size: 5 });
      expect(bench.vfs.stat(bench.at("d"))).toEqual({ kind: "directory", size: 0 });
      expect(bench.vfs.stat(bench.at("none"))).toBeNull();
      expect(bench.vfs.stat(bench.at("none", "below"))).toBeNull();
      expect(bench.vfs.stat(bench.at("a", "below"))).toBeNull();
    });

    it("sees the size that writers have reached, before any sync", () => {
      const file = bench.vfs.createFile(bench.at("a"));
      put(file, "x", 99);
      expect(bench.vfs.stat(bench.at("a"))).toEqual({ kind: "file", size: 100 });
      file.close();
    });
  });

  describe("lockDirectory", () => {
    it("refuses a directory that is locked already, and names the owner", async () => {
      const lock = await bench.vfs.lockDirectory(bench.root);
      const error = await bench.vfs.lockDirectory(bench.root).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(StillwaterError);
      expect(error).toMatchObject({ code: "LOCKED", path: bench.root, operation: "lockDirectory" });
      const owner = (error as StillwaterError).owner;
      expect(owner).toMatch(/\S/);
      expect((error as StillwaterError).message).toContain(owner);
      await lock.release();
    });

    it("gives the lock to the next one after release, which is idempotent", async () => {
      const first = await bench.vfs.lockDirectory(bench.root);
      await first.release();
      await first.release();
      const second = await bench.vfs.lockDirectory(bench.root);
      await first.release();
      await expect(bench.vfs.lockDirectory(bench.root)).rejects.toMatchObject({ code: "LOCKED" });
      await second.release();
    });

    it("gives it to one of several who come at once", async () => {
      const outcomes = await Promise.allSettled([1, 2, 3].map(() => bench.vfs.lockDirectory(bench.root)));
      const held = outcomes.filter((outcome) => outcome.status === "fulfilled");
      expect(held).toHaveLength(1);
      for (const outcome of held) await outcome.value.release();
    });

    it("locks each directory on its own, and not what is in it", async () => {
      bench.vfs.makeDirectory(bench.at("d"));
      bench.vfs.makeDirectory(bench.at("e"));
      const locks = [
        await bench.vfs.lockDirectory(bench.root),
        await bench.vfs.lockDirectory(bench.at("d")),
        await bench.vfs.lockDirectory(bench.at("e")),
      ];
      bench.make(bench.at("d", "a"), "free");
      expect(bench.textAt(bench.at("d", "a"))).toBe("free");
      for (const lock of locks) await lock.release();
    });

    it("refuses what is not there and what is not a directory, by rejecting", async () => {
      bench.make(bench.at("a"), "");
      await expect(bench.vfs.lockDirectory(bench.at("none"))).rejects.toMatchObject({ code: "NOT_FOUND" });
      await expect(bench.vfs.lockDirectory(bench.at("a"))).rejects.toMatchObject({ code: "NOT_DIRECTORY" });
    });
  });
}
