/** Minimising lists and numbers: what is left is needed, and nothing is asked that need not be. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { minimiseList, minimiseNumber } from "../../../sim/shrink/ddmin.js";

const items = fc.uniqueArray(fc.nat(200), { minLength: 1, maxLength: 60 });

describe("minimiseList", () => {
  it("finds exactly the items that are needed together, in their order", () =>
    fc.assert(
      fc.asyncProperty(items, fc.func(fc.boolean()), async (all, isNeeded) => {
        const needed = all.filter((item) => isNeeded(item));
        const holds = async (kept: readonly number[]) => needed.every((item) => kept.includes(item));
        expect(await minimiseList(all, holds)).toEqual(needed);
      }),
    ));

  it("gives a sublist that holds, of which no single item can go, whatever the property", () =>
    fc.assert(
      fc.asyncProperty(items, fc.func(fc.boolean()), async (all, verdict) => {
        const holds = async (kept: readonly number[]) => kept.length === all.length || verdict(kept.join());
        const kept = await minimiseList(all, holds);
        expect(all.filter((item) => kept.includes(item))).toEqual(kept);
        expect(await holds(kept)).toBe(true);
        for (const item of kept) {
          expect(await holds(kept.filter((other) => other !== item))).toBe(false);
        }
      }),
    ));

  it("takes out neighbours that can only go together", async () => {
    const paired = async (kept: readonly number[]) =>
      kept.includes(5) && kept.includes(1) === kept.includes(2);
    expect(await minimiseList([1, 2, 5, 7], paired)).toEqual([5]);
  });

  it("asks few questions when little of much is needed", async () => {
    const all = Array.from({ length: 1000 }, (_, i) => i);
    let asked = 0;
    const holds = async (kept: readonly number[]) => {
      asked++;
      return kept.includes(123) && kept.includes(777);
    };
    expect(await minimiseList(all, holds)).toEqual([123, 777]);
    expect(asked).toBeLessThan(200);
  });
});

describe("minimiseNumber", () => {
  it("finds the least number for which a monotone property holds", () =>
    fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.nat(1000), fc.nat(1000), async (a, b, c) => {
        const [least, bound, value] = [a, b, c].sort((x, y) => x - y) as [number, number, number];
        const found = await minimiseNumber(value, least, async (n) => n >= bound);
        expect(found).toBe(bound);
      }),
    ));
});
