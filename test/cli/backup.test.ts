/** `backup create|list|verify|restore|delete|prune`. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { open } from "../../src/index.js";
import {
  contentsOf,
  fileEndingWith,
  flipByte,
  jsonOf,
  stillwater,
  storeWithRows,
  temporaryFolder,
} from "./command.js";

const folder = temporaryFolder();
const store = join(folder, "store");
const repository = join(folder, "repository");
const tables = join(repository, "tables");
let ids: string[];

beforeAll(async () => {
  await storeWithRows(store, 300);
  const first = jsonOf(["backup", "create", store, `${repository}/`, "--note", "the first"]);
  expect(first).toMatchObject({ repository, note: "the first", version: 309, tables: 1 });
  stillwater(["put", store, "later", "x"]);
  const second = jsonOf(["backup", "create", store, repository]);
  expect(second["newBytes"]).toBeLessThan(first["newBytes"] as number);
  ids = [first["id"] as string, second["id"] as string];
});

describe("backup", () => {
  it("create shares tables by hard links, or copies them where that is asked for", () => {
    expect(readdirSync(tables)).toHaveLength(2);
    expect(statSync(fileEndingWith(tables, ".sst")).nlink).toBe(2);
    const apart = join(folder, "apart");
    expect(stillwater(["backup", "create", store, apart, "--copy"]).code).toBe(0);
    expect(statSync(fileEndingWith(join(apart, "tables"), ".sst")).nlink).toBe(1);
  });

  it("create refuses the store's own directory, and another store's", () => {
    for (const place of [store, join(store, "backups")]) {
      const { code, error } = stillwater(["backup", "create", store, place]);
      expect(code).toBe(1);
      expect(error).toMatch(/^stillwater: INVALID_ARGUMENT: backups cannot lie within a store/);
    }
  });

  it("list shows the oldest first", () => {
    const { backups, damaged, foreign } = jsonOf(["backup", "list", repository]);
    expect((backups as { id: string }[]).map(({ id }) => id)).toEqual(ids);
    expect([damaged, foreign]).toEqual([[], []]);
    const { out } = stillwater(["backup", "list", repository]);
    expect(out).toMatch(/^\d{6}-[0-9a-f]{8} {2}20\d\d-.*version 309 .*"the first"\n/);
  });

  it("restore brings back each state, named by its id or as the latest", () => {
    const restored = join(folder, "restored");
    const report = jsonOf(["backup", "restore", repository, ids[0] as string, restored]);
    expect(report).toMatchObject({ id: ids[0], version: 309, entries: 300 });
    expect(stillwater(["get", restored, "later"]).code).toBe(1);
    const latest = join(folder, "latest");
    expect(stillwater(["backup", "restore", repository, "latest", latest]).code).toBe(0);
    expect(stillwater(["export", latest]).out).toBe(stillwater(["export", store]).out);
    expect(statSync(fileEndingWith(latest, ".sst")).nlink).toBe(1);
    const { code, error } = stillwater(["backup", "restore", repository, "latest", store]);
    expect(code).toBe(1);
    expect(error).toMatch(/^stillwater: EXISTS: /);
  });

  it("verify finds damage and says where; restore refuses it; list does not read tables", async () => {
    const own = join(folder, "damaged");
    jsonOf(["backup", "create", store, own, "--copy"]);
    expect(jsonOf(["backup", "verify", own])).toMatchObject({ ok: true, problems: [] });
    const table = fileEndingWith(join(own, "tables"), ".sst");
    flipByte(table, 100);
    const { code, out } = stillwater(["backup", "verify", own, "latest", "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ok: false, problems: [{ path: table, offset: 0 }] });
    expect(stillwater(["backup", "list", own]).code).toBe(0);
    const refused = stillwater(["backup", "restore", own, "latest", join(folder, "never")]);
    expect(refused.code).toBe(1);
    expect(refused.error).toMatch(/^stillwater: CORRUPTION: /);
    expect(existsSync(join(folder, "never"))).toBe(false);
  });

  it("prune says what it would do, and does it without --dry-run; delete removes one", async () => {
    const own = join(folder, "pruned");
    await storeWithRows(join(folder, "small"), 10);
    for (let n = 0; n < 3; n++) stillwater(["backup", "create", join(folder, "small"), own]);
    const before = contentsOf(own);
    const dry = stillwater(["backup", "prune", own, "--keep-last", "1", "--dry-run"]);
    expect(dry.out).toMatch(/would remove 2 backups; nothing has been changed\n$/);
    expect(contentsOf(own)).toEqual(before);
    expect(stillwater(["backup", "prune", own]).error).toMatch(/INVALID_ARGUMENT: keep must keep/);
    const done = jsonOf(["backup", "prune", own, "--keep-last", "1"]);
    expect([done["kept"], done["deleted"]].map((list) => (list as unknown[]).length)).toEqual([1, 2]);
    const [{ id } = { id: "" }] = jsonOf(["backup", "list", own])["backups"] as { id: string }[];
    expect(jsonOf(["backup", "delete", own, id])).toMatchObject({ deleted: id });
    expect(readdirSync(join(own, "tables"))).toEqual([]);
    expect(stillwater(["backup", "delete", own, id]).error).toMatch(/^stillwater: UNKNOWN_BACKUP: /);
  });
});

describe("export", () => {
  it("writes one version while another process has the store open and writes; import brings it back byte for byte", async () => {
    const live = join(folder, "live");
    const writer = await open(live);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    await writer.put(bytes, bytes);
    await writer.put(Buffer.alloc(0), Buffer.alloc(0));
    const file = join(folder, "rows.jsonl");
    const report = jsonOf(["export", live, file, "--base64"]);
    expect(report).toMatchObject({ rows: 2, version: writer.version });
    const copy = join(folder, "copy");
    expect(stillwater(["import", copy, file, "--base64"]).code).toBe(0);
    expect(stillwater(["export", copy, "--base64"]).out).toBe(stillwater(["export", live, "--base64"]).out);
    await writer.close();
  });
});
