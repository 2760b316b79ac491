/**
 * Keys that are written again and again: an iterator that leaves their old versions behind by a search sees the same rows as a map
 * of the moment, in both directions, now and at snapshots, across memtables and tables.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Batch } from "../../../src/engine/batch.js";
import type { Snapshot } from "../../../src/engine/snapshots.js";
import { Store } from "../../../src/engine/store.js";
import { createMemoryVFS } from "../../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../../src/platform/node/node-platform.js";

const KEYS = ["a", "a\0", "a\0\0", "b", "ba"];
const step = fc.record({
  key: fc.constantFrom(...KEYS),
  /** Writes in a row; around the number of steps after which an iterator searches. */
  times: fc.constantFrom(1, 7, 8, 9, 10, 30),
  isDelete: fc.boolean(),
  next: fc.constantFrom("nothing", "snapshot", "flush"),
});

test("rows of keys with many versions are those of a map, forwards, backwards, at any snapshot", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const platform = { ...nodePlatform(), vfs: await createMemoryVFS() };
      await using store = await Store.open(
        "/store",
        { backgroundThread: false, durability: "none" },
        platform,
      );
      const now = new Map<string, string>();
      const seen: [Snapshot | undefined, Map<string, string>][] = [];
      let count = 0;
      for (const { key, times, isDelete, next } of steps) {
        for (let time = 0; time < times; time++) {
          const batch = new Batch();
          const value = String(count++);
          if (isDelete && time === times - 1) {
            batch.delete(Buffer.from(key, "latin1"));
            now.delete(key);
          } else {
            batch.put(Buffer.from(key, "latin1"), Buffer.from(value));
            now.set(key, value);
          }
          await store.write(batch);
        }
        if (next === "snapshot") seen.push([store.snapshot(), new Map(now)]);
        if (next === "flush") await store.flush();
      }
      seen.push([undefined, now]);
      for (const [snapshot, expected] of seen) {
        const sorted = [...expected].sort(([a], [b]) => (a < b ? -1 : 1));
        for (const reverse of [false, true]) {
          const options = { reverse, ...(snapshot === undefined ? {} : { snapshot }) };
          const rows = store.scan(options).toArray();
          const got = rows.map(([key, value]) => [
            Buffer.from(key).toString("latin1"),
            Buffer.from(value).toString(),
          ]);
          expect(got).toEqual(reverse ? sorted.toReversed() : sorted);
        }
      }
      for (const [snapshot] of seen) snapshot?.close();
    }),
    { numRuns: 30 },
  );
});
