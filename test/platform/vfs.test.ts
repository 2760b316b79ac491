/** The conformance suite over the two implementations of production: a real disk, and memory. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { NodeVFS } from "../../src/platform/node/node-vfs.js";
import { describeVFS } from "./vfs-conformance.js";

describeVFS("NodeVFS", () => {
  const root = mkdtempSync(join(tmpdir(), "stillwater-vfs-"));
  return { vfs: new NodeVFS(), root, cleanup: () => rmSync(root, { recursive: true }) };
});

describeVFS("MemoryVFS", async () => {
  const vfs = await createMemoryVFS();
  vfs.makeDirectory("/store");
  return { vfs, root: "/store", cleanup: () => undefined };
});

it("each MemoryVFS is a volume of its own, with locks of its own", async () => {
  const [first, second] = [await createMemoryVFS(), await createMemoryVFS()];
  first.createFile("/a").close();
  expect([first.list("/"), second.list("/")]).toEqual([["a"], []]);
  const locks = [await first.lockDirectory("/"), await second.lockDirectory("/")];
  for (const lock of locks) await lock.release();
});

it("MemoryVFS without memfs says what to install", async () => {
  const cause = new Error("Cannot find package 'memfs'");
  await expect(createMemoryVFS(() => Promise.reject(cause))).rejects.toMatchObject({
    code: "NOT_FOUND",
    message: expect.stringContaining("npm install memfs"),
    cause,
  });
});
