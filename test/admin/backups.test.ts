/** Backups over HTTP: of the one repository that the server was given, and of no other. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { open, restoreBackup } from "../../src/index.js";
import { serving } from "./serving.js";

const folder = mkdtempSync(join(tmpdir(), "stillwater-admin-backups-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("backups", () => {
  it("hold what was written before, and share what has not changed", async () => {
    const backups = join(folder, "repository");
    await using admin = await serving({ backups });
    expect((await admin.ask("GET", "/v1/backups")).body).toEqual({ backups: [], damaged: [] });
    const { version } = (await admin.ask("PUT", "/v1/rows/a", { value: "1" })).body;
    const first = await admin.ask("POST", "/v1/backups", { note: "before" });
    expect([first.status, first.body.backup.version, first.body.backup.note]).toEqual([
      201,
      version,
      "before",
    ]);
    const second = await admin.ask("POST", "/v1/backups", {});
    expect([second.status, second.body.backup.newBytes]).toEqual([201, 0]);
    const listed = (await admin.ask("GET", "/v1/backups")).body;
    expect(listed).toEqual({ backups: [first.body.backup, second.body.backup], damaged: [] });
    await restoreBackup(backups, first.body.backup.id, join(folder, "restored"));
    await using restored = await open(join(folder, "restored"));
    expect(Buffer.from((await restored.get(Buffer.from("a"))) ?? []).toString()).toBe("1");
  });

  it("are refused where there is no place for them, where something else is, and to who only reads; no path is told", async () => {
    const taken = join(folder, "taken");
    mkdirSync(taken);
    writeFileSync(join(taken, "mine.txt"), "mine");
    const repository = join(folder, "untouched");
    for (const [options, status, code] of [
      [{}, 501, "NOT_SUPPORTED"],
      [{ backups: taken }, 409, "NOT_A_REPOSITORY"],
      [{ backups: repository, readOnly: true }, 403, "READ_ONLY"],
    ] as const) {
      await using admin = await serving(options);
      const answer = await admin.ask("POST", "/v1/backups", {});
      expect([answer.status, answer.body.code]).toEqual([status, code]);
      expect(answer.text).not.toContain(folder);
    }
    await using admin = await serving({ backups: repository });
    for (const body of [{ repository: "/tmp/elsewhere" }, { note: "x".repeat(1_001) }, { note: 1 }])
      expect((await admin.ask("POST", "/v1/backups", body)).body.code).toBe("INVALID_ARGUMENT");
    expect((await admin.ask("GET", "/v1/backups")).body.backups).toEqual([]);
  });
});
