/**
 * Commits that come one by one: while syncs are quick they are synced on the caller's thread, and everything else is promised as
 * ever. On a plain disk and a clock that the test moves.
 */
import { expect, test } from "vitest";
import type { StoreOptions } from "../../src/engine/options.js";
import { Store } from "../../src/engine/store.js";
import { type ManualPlatform, ManualScheduler, manualPlatform } from "./fixtures/manual-platform.js";
import { bytes } from "./fixtures/model.js";
import { failure, PlainVFS } from "./fixtures/plain-vfs.js";

interface Opened {
  readonly store: Store;
  readonly vfs: PlainVFS;
  readonly platform: ManualPlatform;
}

/** Time also passes when the test says so. */
class MovedClock extends ManualScheduler {
  addedMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.addedMs;
  }
}

async function opened(options: StoreOptions = {}, scheduler = new MovedClock()): Promise<Opened> {
  const vfs = new PlainVFS(scheduler);
  const platform = manualPlatform(vfs, scheduler);
  const store = await platform.settle(Store.open("/store", { memtableBytes: 65_536, ...options }, platform));
  return { store, vfs, platform };
}

const put = ({ store }: Opened, key: string): Promise<number> => store.put(bytes(key), bytes("v"));

async function putAlone(one: Opened, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await one.platform.settle(put(one, `k${i}`));
}

const syncs = ({ vfs }: Opened): readonly [here: number, later: number] => [
  vfs.count("syncData"),
  vfs.count("syncDataLater"),
];

test("after some that came alone, each is synced here, once; commits that come together share a sync again", async () => {
  const one = await opened();
  await putAlone(one, 20);
  const before = syncs(one);
  await putAlone(one, 10);
  expect(syncs(one)).toEqual([before[0] + 10, before[1]]);
  await one.platform.settle(Promise.all([put(one, "a"), put(one, "b"), put(one, "c")]));
  expect(syncs(one)).toEqual([before[0] + 10, before[1] + 1]);
  await one.platform.settle(one.store.close());
});

test("0 microseconds: never", async () => {
  const one = await opened({ blockingSyncMicros: 0 });
  await putAlone(one, 1);
  const before = syncs(one);
  await putAlone(one, 30);
  expect(syncs(one)).toEqual([before[0], before[1] + 30]);
  await one.platform.settle(one.store.close());
});

test("a sync that takes long sends the next ones to the pool, until they are quick again", async () => {
  const clock = new MovedClock();
  const one = await opened({}, clock);
  await putAlone(one, 20);
  one.vfs.before = (call) => {
    if (call === "syncData") clock.addedMs += 3;
  };
  await putAlone(one, 1);
  one.vfs.before = null;
  const before = syncs(one);
  await putAlone(one, 5);
  expect(syncs(one)).toEqual([before[0], before[1] + 5]);
  await putAlone(one, 60);
  expect(syncs(one)[0]).toBeGreaterThan(before[0]);
  await one.platform.settle(one.store.close());
});

test("one that fails is an end like any other: not acknowledged, not visible, and nothing after it is", async () => {
  const one = await opened();
  await putAlone(one, 20);
  one.vfs.before = (call, path) => {
    if (call === "syncData" && path.endsWith(".wal")) throw failure("IO", call, path);
  };
  const outcome = await one.platform.outcome(put(one, "lost"));
  expect(outcome).toMatchObject({ error: { code: "FAILED_STOP" } });
  expect(one.store.getSync(bytes("lost"))).toBeUndefined();
  one.vfs.before = null;
  expect(await one.platform.outcome(put(one, "later"))).toMatchObject({ error: { code: "FAILED_STOP" } });
  await one.platform.outcome(one.store.close());
});
