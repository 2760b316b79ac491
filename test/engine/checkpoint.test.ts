/** Checkpoints whatever stands at the target: whole and openable, or refused with nothing of anybody's touched. */
import { expect, test } from "vitest";
import { Store } from "../../src/engine/store.js";
import { StillwaterError } from "../../src/platform/errors.js";
import { type ManualPlatform, ManualScheduler, manualPlatform } from "./fixtures/manual-platform.js";
import { bytes, rowsOf } from "./fixtures/model.js";
import { PlainVFS } from "./fixtures/plain-vfs.js";

async function filled(): Promise<{ store: Store; vfs: PlainVFS; platform: ManualPlatform }> {
  const scheduler = new ManualScheduler();
  const vfs = new PlainVFS(scheduler);
  const platform = manualPlatform(vfs, scheduler);
  const store = await platform.settle(Store.open("/store", { memtableBytes: 65_536 }, platform));
  await platform.settle(store.put(bytes("key"), bytes("value")));
  return { store, vfs, platform };
}

for (const errno of ["EXDEV", "EPERM", "EMLINK"]) {
  test(`a checkpoint copies its tables where a link is refused with ${errno}`, async () => {
    const { store, vfs, platform } = await filled();
    vfs.before = (call, path) => {
      if (call !== "link") return;
      const cause = Object.assign(new Error(errno), { code: errno });
      throw new StillwaterError("IO", `link of ${path} failed`, { cause, path, operation: "link" });
    };
    await platform.settle(store.checkpoint("/copy"));
    vfs.before = null;
    const copy = await platform.settle(Store.open("/copy", { createIfMissing: false }, platform));
    expect(rowsOf(copy)).toEqual([["key", "value"]]);
    await platform.settle(copy.close());
    await platform.settle(store.close());
  });
}

test("any other error of a link ends the checkpoint, and nothing bears the target's name", async () => {
  const { store, vfs, platform } = await filled();
  vfs.before = (call, path) => {
    if (call === "link")
      throw new StillwaterError("IO", `link of ${path} failed`, { path, operation: "link" });
  };
  expect(await platform.outcome(store.checkpoint("/copy"))).toMatchObject({
    kind: "rejected",
    error: { code: "IO" },
  });
  vfs.before = null;
  expect(vfs.stat("/copy")).toBeNull();
  await platform.settle(store.close());
});

test("a target may end in a slash", async () => {
  const { store, vfs, platform } = await filled();
  await platform.settle(store.checkpoint("/copy/"));
  expect(vfs.stat("/copy/CURRENT")?.kind).toBe("file");
  await platform.settle(store.close());
});

test("what somebody keeps under the name that a checkpoint is put together at is refused, not removed", async () => {
  const { store, vfs, platform } = await filled();
  vfs.makeDirectory("/copy.partial");
  vfs.setBytes("/copy.partial/precious.txt", bytes("mine"));
  expect(await platform.outcome(store.checkpoint("/copy"))).toMatchObject({
    kind: "rejected",
    error: { code: "EXISTS" },
  });
  expect(vfs.bytesOf("/copy.partial/precious.txt")).toEqual(bytes("mine"));
  await platform.settle(store.close());
});
