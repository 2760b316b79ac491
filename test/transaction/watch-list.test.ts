import { expect, test } from "vitest";
import { keyTextAfter } from "../../src/transaction/key-text.js";
import { RangeSet } from "../../src/transaction/range-set.js";
import { WatchList } from "../../src/transaction/watch-list.js";

const KEY = Buffer.from("k");

function written(key: string): RangeSet {
  const ranges = new RangeSet();
  ranges.add(key, keyTextAfter(key));
  return ranges;
}

test("a value that cannot be read fails the watch, neither the commit that wrote it nor the one that began the watch", async () => {
  let fails = false;
  const watches = new WatchList(() => {
    if (fails) throw new Error("unreadable");
    return undefined;
  });
  const before = watches.add(KEY, undefined);
  fails = true;
  expect(() => watches.wrote(written("k"))).not.toThrow();
  await expect(before.changed).rejects.toThrow("unreadable");
  const after = watches.add(KEY, undefined);
  await expect(after.changed).rejects.toThrow("unreadable");
  // Nobody waits any more, so nothing is looked at.
  expect(() => watches.wrote(written("k"))).not.toThrow();
});

test("keys that nobody watches any more are forgotten while another watch goes on", async () => {
  const watches = new WatchList(() => undefined);
  const lasting = watches.add(KEY, undefined);
  for (let i = 0; i < 10_000; i++) {
    const watch = watches.add(Buffer.from(`job ${i}`), undefined);
    watch.changed.catch(() => {});
    watch.cancel();
  }
  expect(watches.keysKept).toBeLessThan(200);
  lasting.cancel();
  await expect(lasting.changed).rejects.toThrow("cancelled");
  expect(watches.keysKept).toBe(0);
});

test("what begins to wait after the close ends at once", async () => {
  const watches = new WatchList(() => undefined);
  const before = watches.add(KEY, undefined);
  watches.close(new Error("closed"));
  const after = watches.add(KEY, undefined);
  await expect(before.changed).rejects.toThrow("closed");
  await expect(after.changed).rejects.toThrow("closed");
});
