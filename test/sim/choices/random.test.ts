/** The generator: the published algorithm, seeds that part, and a distribution good enough for decisions. */
import { describe, expect, it } from "vitest";
import { Sfc32 } from "../../../sim/choices/random.js";

describe("Sfc32", () => {
  it("gives the same numbers on every machine and in every version", () => {
    const random = new Sfc32("1", "workload");
    const numbers = Array.from({ length: 4 }, () => random.nextUint32());
    expect(numbers).toEqual([2392432107, 927136885, 2697714005, 4005927341]);
  });

  it("parts for seeds and names that differ in one place, and keeps their border", () => {
    const firsts = new Set<number>();
    for (let seed = 0; seed < 1000; seed++) {
      firsts.add(new Sfc32(String(seed), "a").nextUint32());
      firsts.add(new Sfc32("a", String(seed)).nextUint32());
    }
    expect(firsts.size).toBe(2000);
    expect(new Sfc32("ab", "c").nextUint32()).not.toBe(new Sfc32("a", "bc").nextUint32());
  });

  it("is uniform: mean, range and every bit", () => {
    const random = new Sfc32("uniform", "test");
    const counts = Array.from({ length: 10 }, () => 0);
    const bits = Array.from({ length: 32 }, () => 0);
    for (let i = 0; i < 20_000; i++) {
      const slot = random.below(10);
      counts[slot] = (counts[slot] as number) + 1;
      const number = random.nextUint32();
      for (let bit = 0; bit < 32; bit++) bits[bit] = (bits[bit] as number) + ((number >>> bit) & 1);
    }
    const fractions = Array.from({ length: 20_000 }, () => random.fraction());
    expect(Math.min(...fractions)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...fractions)).toBeLessThan(1);
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(250);
    for (const count of bits) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });

  it("tells the next number without drawing it", () => {
    const random = new Sfc32("peek", "test");
    for (let i = 0; i < 20; i++) {
      const peeked = random.peekUint32();
      expect(random.peekUint32()).toBe(peeked);
      expect(random.nextUint32()).toBe(peeked);
    }
  });
});
