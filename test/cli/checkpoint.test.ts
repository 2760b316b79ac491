/** `checkpoint` and `restore`. */
import { cpSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  contentsOf,
  crashedStore,
  fileEndingWith,
  flipByte,
  jsonOf,
  stillwater,
  storeWithRows,
  temporaryFolder,
} from "./command.js";

const folder = temporaryFolder();
const store = join(folder, "store");
const target = join(folder, "backup");

beforeAll(async () => {
  await storeWithRows(store, 300);
  expect(stillwater(["checkpoint", store, `${target}/`]).code).toBe(0);
});

describe("checkpoint", () => {
  it("holds what the store held, and goes its own way from then on", () => {
    const own = join(folder, "own");
    expect(jsonOf(["checkpoint", store, own])).toEqual({
      target: own,
      version: 309,
      tables: 1,
      entries: 300,
      bytes: expect.any(Number),
    });
    stillwater(["put", own, "key-00000", "changed"]);
    expect(stillwater(["get", store, "key-00000"]).out).toMatch(/^value 0/);
  });

  it("refuses a target that is there: exit code 1, and it is not touched", () => {
    const before = contentsOf(target);
    const { code, error } = stillwater(["checkpoint", store, target]);
    expect(code).toBe(1);
    expect(error).toMatch(/^stillwater: EXISTS: /);
    expect(contentsOf(target)).toEqual(before);
  });

  it("of a damaged store is not called a checkpoint", () => {
    const damaged = join(folder, "damaged-store");
    cpSync(store, damaged, { recursive: true });
    flipByte(fileEndingWith(damaged, ".sst"), 5000);
    const { code, error } = stillwater(["checkpoint", damaged, join(folder, "no-backup")]);
    expect(code).toBe(1);
    expect(error).toContain(
      "CORRUPTION: the checkpoint has been written, but does not verify. Do not rely on it",
    );
  });
});

describe("restore", () => {
  it("brings the rows back, in files of its own, and leaves the backup as it was", () => {
    const restored = join(folder, "restored");
    const before = contentsOf(target);
    const report = jsonOf(["restore", target, `${restored}/`]);
    expect(report).toEqual({
      target: restored,
      files: 3,
      bytes: expect.any(Number),
      entries: 300,
      version: 309,
    });
    expect(contentsOf(target)).toEqual(before);
    expect(stillwater(["export", restored]).out).toBe(stillwater(["export", store]).out);
    expect(jsonOf(["verify", restored])).toMatchObject({ ok: true });
    expect(statSync(fileEndingWith(restored, ".sst")).nlink).toBe(1);
    expect(existsSync(`${restored}.partial`)).toBe(false);
  });

  it("never replaces a directory that is there", () => {
    const before = contentsOf(store);
    const { code, error } = stillwater(["restore", target, store]);
    expect(code).toBe(1);
    expect(error).toMatch(/^stillwater: EXISTS: /);
    expect(contentsOf(store)).toEqual(before);
  });

  it.each([".sst", "CURRENT"])(
    "refuses a backup with a flipped byte in *%s, and leaves nothing behind",
    (ending) => {
      const damaged = join(folder, `damaged${ending}`);
      cpSync(target, damaged, { recursive: true });
      flipByte(fileEndingWith(damaged, ending), 33);
      const restored = join(folder, `from-damaged${ending}`);
      const { code, error } = stillwater(["restore", damaged, restored, "--json"]);
      expect(code).toBe(1);
      expect(JSON.parse(error)).toMatchObject({ error: { code: "CORRUPTION" } });
      expect(readdirSync(folder).filter((name) => name.startsWith("from-damaged"))).toEqual([]);
    },
  );

  it("refuses a store whose log has not been moved into tables, and says what to do", async () => {
    const crashed = join(folder, "crashed");
    await crashedStore(crashed, 10, 5);
    const { code, error } = stillwater(["restore", crashed, join(folder, "never")]);
    expect(code).toBe(1);
    expect(error).toContain("is not a finished backup");
    expect(stillwater(["restore", join(folder, "absent"), join(folder, "never")]).error).toContain(
      "NOT_A_STORE",
    );
  });

  it("clears away what an interrupted restore has left, but nothing else", () => {
    const restored = join(folder, "again");
    mkdirSync(`${restored}.partial`);
    writeFileSync(join(`${restored}.partial`, "000007.sst"), "half");
    expect(stillwater(["restore", target, restored]).code).toBe(0);
    const other = join(folder, "other");
    mkdirSync(`${other}.partial`);
    writeFileSync(join(`${other}.partial`, "letter.txt"), "dear");
    const { code, error } = stillwater(["restore", target, other]);
    expect(code).toBe(1);
    expect(error).toContain("holds something else. Move it away.");
    expect(existsSync(join(`${other}.partial`, "letter.txt"))).toBe(true);
  });
});
