import fc from "fast-check";
import { expect, test } from "vitest";
import { RangeSet } from "../../src/transaction/range-set.js";
import { SortedKeys } from "../../src/transaction/sorted-keys.js";

/** Few keys touch each other often; many fill several chunks. */
const universe = fc.constantFrom(12, 2_000);
const keyOf = (number: number): string => String.fromCharCode(number >> 8, number & 0xff);

test("a set of ranges holds exactly the keys that were added, joined into as few ranges as can be", () => {
  const run = fc.tuple(universe, fc.integer(), fc.integer({ min: 1, max: 600 }), fc.boolean());
  fc.assert(
    fc.property(run, ([size, seed, count, ascending]) => {
      const held = Array.from({ length: size }, () => false);
      const set = new RangeSet();
      let state = seed >>> 0;
      const below = (limit: number): number => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((state / 2 ** 32) * limit);
      };
      for (let i = 0; i < count; i++) {
        const begin = ascending ? Math.floor((i * size) / count) : below(size);
        const length = below(50) === 0 ? below(size) : below(size === 12 ? 5 : 3);
        const end = Math.min(size, begin + length);
        set.add(keyOf(begin), keyOf(end));
        held.fill(true, begin, end);
      }
      const expected: [string, string][] = [];
      for (let i = 0; i < size; i++) {
        if (held[i] !== true) continue;
        const begin = i;
        while (held[i] === true) i++;
        expected.push([keyOf(begin), keyOf(i)]);
      }
      expect([...set]).toEqual(expected);
      expect(set.size).toBe(expected.length);
      for (let i = 0; i < size; i += size === 12 ? 1 : 37) {
        const key = keyOf(i);
        expect(set.has(key)).toBe(held[i]);
        expect(set.rangeOf(key)).toEqual(expected.find(([b, e]) => b <= key && key < e) ?? null);
        expect(set.nextAfter(key)).toEqual(expected.find(([b]) => b > key) ?? null);
        expect(set.lastBefore(key)).toEqual(expected.findLast(([b]) => b < key) ?? null);
        const to = keyOf(Math.min(size, i + 2));
        expect(set.touches(key, to)).toBe(expected.some(([b, e]) => b < to && e > key));
      }
    }),
    { numRuns: 150 },
  );
});

test("keys come in order whenever they are asked for, in whatever order they were added", () => {
  const run = fc.tuple(
    fc.uniqueArray(fc.nat(60_000), { maxLength: 2_500 }),
    fc.integer({ min: 1, max: 900 }),
  );
  fc.assert(
    fc.property(run, ([numbers, every]) => {
      const keys = new SortedKeys();
      const added: string[] = [];
      for (const [i, number] of numbers.entries()) {
        keys.add(keyOf(number));
        added.push(keyOf(number));
        if (i % every !== 0) continue;
        const at = keyOf((number * 31) % 60_000);
        expect(keys.atOrAfter(at)).toBe(added.filter((key) => key >= at).toSorted()[0] ?? null);
        expect(keys.before(at)).toBe(
          added
            .filter((key) => key < at)
            .toSorted()
            .at(-1) ?? null,
        );
      }
      expect(keys.all()).toEqual(added.toSorted());
    }),
    { numRuns: 100 },
  );
});
