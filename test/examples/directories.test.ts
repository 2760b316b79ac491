/** The example of directories does what it says, on a new database and again on the one it leaves. Uses the built package. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "stillwater-directories-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(["new", "left by the run before"])("the example runs on a database that is %s", () => {
  const program = join(import.meta.dirname, "../../examples/directories.mjs");
  const said = execFileSync(process.execPath, [program, join(folder, "db")], { encoding: "utf8" });
  const lines = said.trimEnd().split("\n");
  expect(lines[0]).toMatch(
    /^\/shop\/users has the prefix (14|15..|16....), \/shop\/orders (14|15..|16....)$/,
  );
  expect(lines.slice(1)).toEqual([
    "/archive/orders 1843: ada, 1 = one engine, analytical",
    "in the partition /tenants/acme: settings",
    expect.stringMatching(/^DIRECTORY_LAYER_MISMATCH: /),
    "at the top: archive, shop, tenants",
  ]);
});
