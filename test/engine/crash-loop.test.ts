/**
 * Opening that is cut short over and over (T8): what the attempts leave does not pile up, and clearing it away early costs
 * nothing, whatever a power loss undoes of it.
 */
import { expect, test } from "vitest";
import type { StoreOptions } from "../../src/engine/options.js";
import { Store } from "../../src/engine/store.js";
import { CrashMachine } from "./fixtures/crash-machine.js";
import { ManualScheduler, manualPlatform } from "./fixtures/manual-platform.js";
import { bytes, rowsOf } from "./fixtures/model.js";
import { type Call, type Files, PlainVFS } from "./fixtures/plain-vfs.js";

const OPTIONS: StoreOptions = { memtableBytes: 4096 };
const ROWS = ["a", "b", "c"].map((key) => [key, "1"]);
const ATTEMPTS = 8;

/** Where each attempt ends: at the first such call, and what makes it one. */
const SITES: readonly (readonly [
  name: string,
  isSite: (call: Call, path: string, renamed: boolean) => boolean,
])[] = [
  ["the sync of CURRENT's new name", (call, _path, renamed) => renamed && call === "syncDirectory"],
  ["the removal of a manifest", (call, path) => call === "removeFile" && path.includes("MANIFEST")],
];

test.each(SITES)(
  "[T8] an opening that ends again and again at %s leaves two manifests at most",
  async (_name, isSite) => {
    let files = await killed();
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      files = await cutShort(files, isSite);
      expect(manifestsAmong(files)).toBeLessThanOrEqual(2);
    }
    const scheduler = new ManualScheduler();
    const vfs = new PlainVFS(scheduler, files, ["/store/quarantine"]);
    const platform = manualPlatform(vfs, scheduler);
    const store = await platform.settle(Store.open("/store", OPTIONS, platform));
    expect(rowsOf(store)).toEqual(ROWS);
    await platform.settle(store.close());
    expect(manifestsAmong(vfs.files())).toBe(1);
  },
);

test("[T8] a creation that ends again and again before there is a CURRENT leaves two manifests and temporary files at most", async () => {
  let files: Files = new Map();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    files = await cutShort(files, (call, path) => call === "rename" && path.endsWith(".tmp"));
    expect(manifestsAmong(files)).toBeLessThanOrEqual(2);
    expect([...files.keys()].filter((path) => path.endsWith(".tmp")).length).toBeLessThanOrEqual(2);
  }
});

test("[T8][D1] a manifest that may still be the one that CURRENT durably names stays, at whatever call of the next opening the power fails", async () => {
  const calls = await callsAfterKilledRename();
  expect(calls).toBeGreaterThan(20);
  for (let call = 1; call <= calls; call++) {
    for (let seed = 1; seed <= 12; seed++) {
      const machine = await killedAtRename(1000 * call + seed);
      await openUntil(machine, call);
      const { store, platform } = await openUntil(machine, Number.POSITIVE_INFINITY);
      expect(store === null ? null : rowsOf(store), `call ${call}, seed ${seed}`).toEqual(ROWS);
      if (store !== null) await machine.run(platform, store.close());
    }
  }
});

/** A store with a log, whose process was killed. */
async function killed(): Promise<Files> {
  const scheduler = new ManualScheduler();
  const vfs = new PlainVFS(scheduler, new Map());
  const platform = manualPlatform(vfs, scheduler);
  const store = await platform.settle(Store.open("/store", OPTIONS, platform));
  for (const [key, value] of ROWS)
    await platform.settle(store.put(bytes(key as string), bytes(value as string)));
  return vfs.files();
}

/** What is left when an opening ends at a call. */
async function cutShort(files: Files, isSite: (typeof SITES)[number][1]): Promise<Files> {
  const scheduler = new ManualScheduler();
  const vfs = new PlainVFS(scheduler, files, ["/store/quarantine"]);
  const platform = manualPlatform(vfs, scheduler);
  let renamed = false;
  vfs.before = (call, path) => {
    if (isSite(call, path, renamed)) throw new Error("killed");
    renamed ||= call === "rename" && path.endsWith(".tmp");
  };
  expect((await platform.outcome(Store.open("/store", OPTIONS, platform))).kind).toBe("rejected");
  return vfs.files();
}

function manifestsAmong(files: Files): number {
  return [...files.keys()].filter((path) => path.includes("MANIFEST")).length;
}

/** A machine whose second process was killed in the call after CURRENT was renamed: the page cache alone has its new name. */
async function killedAtRename(seed: number): Promise<CrashMachine> {
  const machine = new CrashMachine(seed);
  const first = await openUntil(machine, Number.POSITIVE_INFINITY);
  for (const [key, value] of ROWS)
    await machine.run(
      first.platform,
      (first.store as Store).put(bytes(key as string), bytes(value as string)),
    ); // it is open
  machine.crash("process-kill");
  machine.observer = (operation, path) => {
    if (operation === "rename" && path.endsWith(".tmp"))
      machine.crashAtCall(machine.calls + 1, "process-kill");
  };
  await openUntil(machine, null);
  machine.observer = null;
  expect(machine.isDown).toBe(true);
  return machine;
}

/** Opens the store in a new process, in whose n-th call the power fails; null leaves that to others. */
async function openUntil(
  machine: CrashMachine,
  call: number | null,
): Promise<{ store: Store | null; platform: ReturnType<CrashMachine["boot"]> }> {
  const platform = machine.boot();
  if (call !== null) machine.crashAtCall(call, "power-loss");
  let store: Store | null = null;
  const opening = Store.open("/store", OPTIONS, platform).then((one) => {
    store = one;
  });
  await machine.run(platform, opening);
  return { store, platform };
}

async function callsAfterKilledRename(): Promise<number> {
  const machine = await killedAtRename(1);
  await openUntil(machine, Number.POSITIVE_INFINITY);
  return machine.calls;
}
