/**
 * Entry points in the hands of a bundler: each becomes one file within its budget, and the store still works when it is
 * that one file, with its background thread's module no longer beside it. Does not verify: other bundlers.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OutputChunk, rolldown } from "rolldown";
import { afterAll, expect, test } from "vitest";
import { BUDGET } from "./budget.js";
import { entryPoints, manifest, ROOT } from "./packed.js";

const folder = mkdtempSync(join(tmpdir(), "stillwater-bundle-"));
afterAll(() => rmSync(folder, { recursive: true }));

test.each(entryPoints)("$specifier is one file within its budget", async ({ specifier, script }) => {
  const text = await bundle(join(ROOT, script));
  const limit = BUDGET.bundledBytes[specifier];
  expect(limit, `budget.ts says what ${specifier} may weigh`).toBeDefined();
  expect(Buffer.byteLength(text)).toBeLessThan(limit as number);
});

test.each(Object.entries(BUDGET.shakenBytes))(
  "who imports %s only does not get the rest",
  async (name, limit) => {
    const text = await bundle(entryWith(name));
    expect(Buffer.byteLength(text)).toBeLessThan(limit);
    expect(Buffer.byteLength(text)).toBeGreaterThan(limit / 2);
  },
);

test("a bundle of the store writes, flushes, compacts, and reads after it was opened again", async () => {
  writeFileSync(join(folder, "bundle.mjs"), await bundle(entryWith("open")));
  writeFileSync(join(folder, "run.mjs"), PROGRAM);
  const output = execFileSync(process.execPath, ["run.mjs"], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  expect(JSON.parse(output)).toEqual({ rows: 2000, damaged: 0, value: "value 1999" });
});

const PROGRAM = `
import { open } from "./bundle.mjs";
const store = await open("./data");
for (let i = 0; i < 2000; i++) {
  await store.put(Buffer.from("key " + i), Buffer.from("value " + i), { durability: "buffered" });
  if (i % 500 === 0) await store.flush();
}
await store.flush();
await store.compact();
await store.close();
const again = await open("./data");
console.log(JSON.stringify({
  rows: [...again.scan()].length,
  damaged: (await again.verify()).problems.length,
  value: Buffer.from(await again.get(Buffer.from("key 1999"))).toString(),
}));
await again.close();
`;

function entryWith(name: string): string {
  const entry = join(folder, `${name}.entry.mjs`);
  writeFileSync(entry, `export { ${name} } from ${JSON.stringify(join(ROOT, "dist/src/index.js"))};`);
  return entry;
}

/** One small ES module for Node; peers, which the user brings, stay outside. */
async function bundle(input: string): Promise<string> {
  const outside = [...builtinModules, ...builtinModules.map((name) => `node:${name}`)];
  const build = await rolldown({
    input,
    platform: "node",
    external: [...outside, ...Object.keys(manifest.peerDependencies)],
    treeshake: true,
  });
  const { output } = await build.generate({ format: "esm", minify: true, codeSplitting: false });
  await build.close();
  return output.map((part) => (part as OutputChunk).code ?? "").join("\n");
}
