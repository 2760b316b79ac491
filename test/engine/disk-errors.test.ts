/** What the store does with errors that the simulated disk found it careless about: at close, of names, of many at once. */
import { expect, test } from "vitest";
import { NO_FAULTS } from "../../sim/disk/options.js";
import { Batch } from "../../src/engine/batch.js";
import { Store } from "../../src/engine/store.js";
import { CrashMachine } from "./fixtures/crash-machine.js";
import type { ManualPlatform } from "./fixtures/manual-platform.js";

const KEY = Buffer.from("key");
const VALUE = Buffer.from("value");

interface Open {
  readonly machine: CrashMachine;
  readonly platform: ManualPlatform;
  readonly store: Store;
}

/** A store that was opened without faults, on a disk that has them from now on. */
async function opened(options: ConstructorParameters<typeof CrashMachine>[1]): Promise<Open> {
  const machine = new CrashMachine(1, options);
  machine.disk.faultsOff();
  const platform = machine.boot();
  // Syncs of the log go to the pool, so that background work goes on beside them.
  const small = { memtableBytes: 4096, beatRows: 1, blockingSyncMicros: 0 };
  const opening = Store.open("/store", small, platform);
  await machine.run(platform, opening);
  return { machine, platform, store: await opening };
}

test("a log segment whose file reports an error at close stops the store, and stays readable", async () => {
  const { machine, platform, store } = await opened({ faults: { ...NO_FAULTS, closeError: 1 } });
  await machine.run(platform, store.put(KEY, VALUE));
  machine.disk.faultsOn();
  await expect(machine.run(platform, store.flush())).rejects.toMatchObject({ code: "FAILED_STOP" });
  expect(Buffer.from(store.getSync(KEY) ?? [])).toEqual(VALUE);
  await expect(machine.run(platform, store.put(KEY, VALUE))).rejects.toMatchObject({ code: "FAILED_STOP" });
  machine.disk.faultsOff();
  await machine.run(platform, store.close());
  expect(machine.shutdown()).toEqual([]);
});

test("a blocking commit that has to seal such a segment is refused, and no later one is acknowledged", async () => {
  const { machine, store } = await opened({ faults: { ...NO_FAULTS, closeError: 1 } });
  machine.disk.faultsOn();
  const codes: string[] = [];
  for (let i = 0; i < 20; i++) {
    try {
      store.writeSync(new Batch().put(Buffer.from(`key ${i}`), Buffer.alloc(1000)));
      codes.push("ok");
    } catch (error) {
      codes.push((error as { code: string }).code);
    }
  }
  const first = codes.indexOf("FAILED_STOP");
  expect(first).toBeGreaterThan(0);
  expect(new Set(codes.slice(first))).toEqual(new Set(["FAILED_STOP"]));
});

test("closing gives everything back although the log's file reports an error", async () => {
  const { machine, platform, store } = await opened({
    faults: { ...NO_FAULTS, syncError: 1, closeError: 1 },
  });
  await machine.run(platform, store.put(KEY, VALUE));
  machine.disk.faultsOn();
  await expect(machine.run(platform, store.put(KEY, VALUE))).rejects.toMatchObject({ code: "FAILED_STOP" });
  await expect(machine.run(platform, store.close())).rejects.toMatchObject({ code: expect.any(String) });
  expect(machine.shutdown()).toEqual([]);
  expect([platform.scheduler.timerCount, platform.scheduler.readyCount]).toEqual([0, 0]);
});

test("outputs of a job that cannot be created, and are there all the same, are removed", async () => {
  const { machine, platform, store } = await opened({ faults: { ...NO_FAULTS, errorThoughDone: 1 } });
  await machine.run(platform, store.put(KEY, VALUE));
  let failures = 0;
  machine.observer = (operation, path) => {
    // The first two creations of a table report an error though they are done.
    const strikes = operation === "createFile" && path.endsWith(".sst") && failures < 2;
    if (strikes) failures++;
    if (strikes) machine.disk.faultsOn();
    else machine.disk.faultsOff();
  };
  await machine.run(platform, store.flush());
  const tables = platform.vfs.list("/store").filter((name) => name.endsWith(".sst"));
  expect(failures).toBe(2);
  expect(tables).toHaveLength(1);
  machine.observer = null;
  machine.disk.faultsOff();
  await machine.run(platform, store.close());
});

test("commits on their way when the store is closed get an answer although background work keeps failing", async () => {
  const { machine, platform, store } = await opened({ openFilesMax: 1 });
  machine.observer = (operation, path) => {
    if (operation === "createFile" && path.endsWith(".sst")) machine.disk.faultsOn();
    else machine.disk.faultsOff();
  };
  await machine.run(platform, store.put(KEY, VALUE, { durability: "buffered" }));
  await expect(machine.run(platform, store.flush())).rejects.toMatchObject({ code: "TOO_MANY_OPEN_FILES" });
  const late = store.put(KEY, VALUE, { durability: "buffered" });
  await machine.run(platform, store.close());
  await expect(machine.run(platform, late)).resolves.toBe(true);
  expect(machine.shutdown()).toEqual([]);
});

test("closing gives the manifest back although the output of a job that it cuts off cannot be removed", async () => {
  const { machine, platform, store } = await opened({ faults: { ...NO_FAULTS, syncError: 1, nameError: 1 } });
  for (let i = 0; i < 20; i++) await machine.run(platform, store.put(Buffer.from(`key ${i}`), VALUE));
  platform.scheduler.turnMs = 1;
  let isWriting = false;
  let removals = 0;
  machine.observer = (operation, path) => {
    if (operation === "createFile" && path.endsWith(".sst")) isWriting = true;
    const removes = operation === "removeFile" && path.endsWith(".sst");
    if (removes) removals++;
    // The log fails while a table is being written row by row.
    if (removes || (operation === "syncDataLater" && isWriting)) machine.disk.faultsOn();
    else machine.disk.faultsOff();
  };
  const flush = store.flush().catch((error: unknown) => error);
  const commits = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await machine.run(platform, store.put(KEY, VALUE));
  };
  await expect(commits()).rejects.toMatchObject({ code: "FAILED_STOP" });
  await machine.run(platform, flush);
  await expect(machine.run(platform, store.close())).rejects.toMatchObject({ code: "IO" });
  expect(removals).toBeGreaterThan(0);
  expect(machine.shutdown()).toEqual([]);
});

test("a directory whose making reports an error and is done is not taken for a durable one by the next open", async () => {
  const machine = new CrashMachine(1, { faults: { ...NO_FAULTS, errorThoughDone: 1 } });
  const platform = machine.boot();
  machine.observer = (operation) => {
    if (operation === "makeDirectory") machine.disk.faultsOn();
    else machine.disk.faultsOff();
  };
  await expect(machine.run(platform, Store.open("/store", {}, platform))).rejects.toMatchObject({
    code: "IO",
  });
  machine.observer = null;
  machine.disk.faultsOff();
  const opening = Store.open("/store", {}, platform);
  await machine.run(platform, opening);
  const store = await opening;
  await machine.run(platform, store.put(KEY, VALUE));
  expect(machine.disk.snapshotDurable().stat("/store/CURRENT")).not.toBeNull();
});
